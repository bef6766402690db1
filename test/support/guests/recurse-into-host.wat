;; Calls itself without end and the host on the way, so that the stack may end inside the host.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $deeper (drop (call $random (i32.const 0) (i32.const 8))) (call $deeper) (call $deeper))
  (func (export "_start") (call $deeper)))
