;; Its data do not fit into its memory, which shows when it is instantiated.
(module
  (memory (export "memory") 1)
  (func (export "_start"))
  (data (i32.const 65530) "more than six bytes"))
