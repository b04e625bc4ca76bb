;; Imports a log whose `write` takes a number.
(component
  (import "perkgate:plugin/log@1.0.0" (instance (export "write" (func (param "number" u32)))))
  (core module $module (func (export "decide")))
  (core instance $plugin (instantiate $module))
  (func $decide (canon lift (core func $plugin "decide")))
  (instance $purchases (export "decide" (func $decide)))
  (export "perkgate:plugin/purchases@1.0.0" (instance $purchases)))
