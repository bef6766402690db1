;; Tries to accept, receive, send and shut down on descriptors 0 to 63. Exits with 0 if anything of it succeeds, else with
;; the error number that sending on standard output gave.
(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $fail (param $error i32)
    (if (i32.eqz (local.get $error)) (then (call $exit (i32.const 0)))))
  (func (export "_start") (local $fd i32)
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 16))
    (loop $again
      (call $fail (call $accept (local.get $fd) (i32.const 0) (i32.const 32)))
      (call $fail (call $recv (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 32) (i32.const 36)))
      (call $fail (call $send (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 32)))
      (call $fail (call $shutdown (local.get $fd) (i32.const 3)))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $fd) (i32.const 64))))
    (call $exit (call $send (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 32)))))
