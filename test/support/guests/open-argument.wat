;; Opens the path in its second argument for reading, relative to the root, and exits with the error number.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $path i32) (local $end i32)
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 16) (i32.const 1024)))
    (local.set $path (i32.load (i32.const 20)))
    ;; All arguments lie together; the last one ends one byte before their end.
    (local.set $end (i32.add (i32.const 1023) (i32.load (i32.const 4))))
    (call $exit
      (call $open (i32.const 3) (i32.const 1) (local.get $path) (i32.sub (local.get $end) (local.get $path)) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))))
