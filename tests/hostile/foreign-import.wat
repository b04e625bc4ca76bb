;; Asks for the clock.
(component
  (import "wasi:clocks/wall-clock@0.2.0" (instance))
  (core module $module (func (export "decide")))
  (core instance $plugin (instantiate $module))
  (func $decide (canon lift (core func $plugin "decide")))
  (instance $purchases (export "decide" (func $decide)))
  (export "perkgate:plugin/purchases@1.0.0" (instance $purchases)))
