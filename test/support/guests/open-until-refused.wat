;; Opens standard input by its name, again and again without closing it, until that fails, and exits with the error number.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "dev/stdin")
  (func (export "_start") (local $error i32)
    (loop $again
      (local.set $error
        (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 9) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
      (br_if $again (i32.eqz (local.get $error))))
    (call $exit (local.get $error))))
