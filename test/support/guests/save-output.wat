;; Opens /dev/output for writing, as `open(name, O_WRONLY | O_CREAT | O_TRUNC)` does, writes "saved" and exits with the error number.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\20\00\00\00\05\00\00\00") ;; one buffer: 5 bytes at 32
  (data (i32.const 32) "saved")
  (data (i32.const 64) "dev/output")
  (func $exit_on (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))
  (func (export "_start")
    (call $exit_on
      (call $path_open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const 10) (i32.const 9) ;; create, truncate
        (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 16)))                           ;; right to write
    (call $exit_on
      (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 20)))))
