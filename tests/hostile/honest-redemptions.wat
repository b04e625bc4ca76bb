;; Decides on rewards taken and given back: spends the price from its wallet for the title as the reason, if there is one, and tags
;; the member with the reward if it was taken. So it shows what arrived.
(alias export $types "redemption" (type $redemption))
(core module $module
  (memory (export "memory") 2)
  ;; A bump allocator: addresses from 65536 up, growing as needed, nothing freed.
  (global $top (mut i32) (i32.const 65536))
  (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (loop $grow
        (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        unreachable))
    (local.get $at))
  ;; The text at $from of what is given, as the text at $to of the answer.
  (func $text (param $to i32) (param $from i32)
    (i64.store (local.get $to) (i64.load (local.get $from))))
  ;; Redemption: 0 at, 8 step, 12 reward, 20 title, 32 whether there is a price, 40 its wallet, 48 its amount.
  (func (export "decide") (param $redemption i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions at 128,
    (i32.store (i32.const 24) (i32.const 1))           ;; one or two
    (i32.store8 (i32.const 128) (i32.const 5))         ;; tag: name, present
    (call $text (i32.const 136) (i32.add (local.get $redemption) (i32.const 12)))
    (i32.store8 (i32.const 144) (i32.eqz (i32.load8_u offset=8 (local.get $redemption))))
    (if (i32.load8_u offset=32 (local.get $redemption))
      (then
        (i32.store (i32.const 24) (i32.const 2))
        (i32.store8 (i32.const 184) (i32.const 1))     ;; spend: wallet, amount, reason
        (call $text (i32.const 192) (i32.add (local.get $redemption) (i32.const 40)))
        (i64.store (i32.const 200) (i64.load offset=48 (local.get $redemption)))
        (call $text (i32.const 208) (i32.add (local.get $redemption) (i32.const 20)))))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
(func $decide (param "redemption" $redemption) (param "facts" $facts) (result $answer)
  (canon lift (core func $plugin "decide") (memory (core memory $plugin "memory")) (realloc (core func $plugin "realloc"))))
(instance $redemptions (export "decide" (func $decide)))
(export "perkgate:plugin/redemptions@1.0.0" (instance $redemptions))
