;; Answers properly and never comes back from freeing the answer.
(core module $module
  (memory (export "memory") 20)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
  (func (export "decide") (param $purchase i32) (result i32) (i32.const 16))
  (func (export "free") (param $answer i32) (loop $for-ever (br $for-ever))))
(core instance $plugin (instantiate $module))
(func $decide (param "purchase" $purchase) (param "facts" $facts) (result $answer)
  (canon lift (core func $plugin "decide") (memory (core memory $plugin "memory")) (realloc (core func $plugin "realloc"))
    (post-return (core func $plugin "free"))))
(instance $purchases (export "decide" (func $decide)))
(export "perkgate:plugin/purchases@1.0.0" (instance $purchases))
