;; Reads standard input and writes standard output, two bytes a time, each until it fails, and then a few times more. Exits
;; with 256 times the error number of reading and that of writing.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $read i32) (local $write i32) (local $more i32)
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 2))
    (local.set $more (i32.const 10))
    (loop $again
      (local.set $read (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $again (i32.eqz (local.get $read)))
      (local.set $more (i32.sub (local.get $more) (i32.const 1)))
      (br_if $again (local.get $more)))
    (local.set $more (i32.const 10))
    (loop $again
      (local.set $write (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $again (i32.eqz (local.get $write)))
      (local.set $more (i32.sub (local.get $more) (i32.const 1)))
      (br_if $again (local.get $more)))
    (call $exit (i32.add (i32.mul (i32.const 256) (local.get $read)) (local.get $write)))))
