;; Never even comes to _start: the start function, which runs on instantiation, does not end.
(module
  (memory (export "memory") 1)
  (func $init (loop $again (br $again)))
  (func (export "_start"))
  (start $init))
