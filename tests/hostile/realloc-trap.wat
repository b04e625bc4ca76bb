;; Stops itself when the host asks where to put the facts.
(core module $module
  (memory (export "memory") 2)
  (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    unreachable)
  (func (export "decide") (param $purchase i32) (result i32)
    ;; No decisions: tag, address and length are all 0.
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
