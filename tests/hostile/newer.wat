;; Exports an interface of a contract that is yet to come.
(component
  (core module $module (func (export "decide")))
  (core instance $plugin (instantiate $module))
  (func $decide (canon lift (core func $plugin "decide")))
  (instance $both (export "decide" (func $decide)))
  (export "perkgate:plugin/purchases@1.0.0" (instance $both))
  (export "perkgate:plugin/auctions@1.1.0" (instance $both)))
