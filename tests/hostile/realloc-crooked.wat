;; Has the host put the facts at an odd address.
(core module $module
  (memory (export "memory") 2)
  (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (i32.const 65537))
  (func (export "decide") (param $purchase i32) (result i32)
    ;; No decisions: tag, address and length are all 0.
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
