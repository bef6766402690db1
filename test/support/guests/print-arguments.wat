;; Writes its arguments, then its environment, each ended by a NUL, to standard output.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $argsSizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environSizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $print
    (i32.store (i32.const 0) (i32.const 8192))
    (i32.store (i32.const 4) (i32.load (i32.const 12)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
  (func (export "_start")
    (drop (call $argsSizes (i32.const 8) (i32.const 12)))
    (drop (call $args (i32.const 1024) (i32.const 8192)))
    (call $print)
    (drop (call $environSizes (i32.const 8) (i32.const 12)))
    (drop (call $environ (i32.const 1024) (i32.const 8192)))
    (call $print)))
