;; Exports `purchases`, but its `decide` takes and gives nothing.
(component
  (core module $module (func (export "decide")))
  (core instance $plugin (instantiate $module))
  (func $decide (canon lift (core func $plugin "decide")))
  (instance $purchases (export "decide" (func $decide)))
  (export "perkgate:plugin/purchases@1.0.0" (instance $purchases)))
