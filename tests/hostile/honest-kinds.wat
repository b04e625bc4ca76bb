;; Decides on refunds and joins and not on purchases. A join earns the length of its referrer in points; a refund earns its
;; amount and that of its first line together. So both show what arrived.
(alias export $types "refund" (type $refund))
(alias export $types "join" (type $join))
(core module $module
  (memory (export "memory") 2)
  ;; A bump allocator: addresses from 65536 up, nothing freed.
  (global $top (mut i32) (i32.const 65536))
  (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (data (i32.const 1024) "points")
  ;; An answer at 16 that earns this many points.
  (func $earn (param $amount i64) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; decisions at 128,
    (i32.store (i32.const 24) (i32.const 1))           ;; one
    (i32.store (i32.const 136) (i32.const 1024))       ;; earn at 136: wallet,
    (i32.store (i32.const 140) (i32.const 6))
    (i64.store (i32.const 144) (local.get $amount))
    (i32.const 16))
  ;; Refund: 24 amount, 36 lines; refund line: 16 amount.
  (func (export "refund") (param $refund i32) (result i32)
    (call $earn (i64.add
      (i64.load offset=24 (local.get $refund))
      (i64.load offset=16 (i32.load offset=36 (local.get $refund))))))
  ;; Join: 16 whether there is a referrer, 20 its address, 24 its length.
  (func (export "join") (param $join i32) (result i32)
    (call $earn (i64.extend_i32_u (i32.load offset=24 (local.get $join))))))
(core instance $plugin (instantiate $module))
(func $on-refund (param "refund" $refund) (param "purchase" $purchase) (param "facts" $facts) (result $answer)
  (canon lift (core func $plugin "refund") (memory (core memory $plugin "memory")) (realloc (core func $plugin "realloc"))))
(func $on-join (param "join" $join) (param "facts" $facts) (result $answer)
  (canon lift (core func $plugin "join") (memory (core memory $plugin "memory")) (realloc (core func $plugin "realloc"))))
(instance $refunds (export "decide" (func $on-refund)))
(export "perkgate:plugin/refunds@1.0.0" (instance $refunds))
(instance $joins (export "decide" (func $on-join)))
(export "perkgate:plugin/joins@1.0.0" (instance $joins))
