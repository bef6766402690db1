;; Recurses without end and calls the host at every depth, so that the stack may end inside the host.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func $deeper (result i32)
    (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 0)))
    (i32.add (call $deeper) (i32.const 1)))
  (func (export "_start") (drop (call $deeper))))
