;; Seeks standard output to one tebibyte, writes 64 KiB there, and exits with the error number.
(module
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 65536))
    (call $exit (call $pwrite (i32.const 1) (i32.const 0) (i32.const 1) (i64.const 0x10000000000) (i32.const 8)))))
