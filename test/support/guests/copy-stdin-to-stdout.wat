;; Copies standard input to standard output in blocks of 64 KiB until the end or the first error; exits with the error.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $error i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (loop $next
      (i32.store (i32.const 4) (i32.const 65536))
      (local.set $error (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (local.get $error) (then (call $exit (local.get $error))))
      (if (i32.load (i32.const 8))
        (then
          (i32.store (i32.const 4) (i32.load (i32.const 8)))
          (local.set $error (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
          (if (local.get $error) (then (call $exit (local.get $error))))
          (br $next))))))
