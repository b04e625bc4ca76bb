;; Decides on times that have come: `at` in points for the key as the reason, the cause's number and one more in stamps, and what
;; was handed back is remembered. So it shows what arrived.
(alias export $types "woken" (type $woken))
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
  (data (i32.const 1024) "pointsstamps")
  ;; The text at $from of what is given, as the text at $to of the answer.
  (func $text (param $to i32) (param $from i32)
    (i64.store (local.get $to) (i64.load (local.get $from))))
  ;; Woken: 0 at, 8 cause, 12 key, 20 data.
  (func (export "decide") (param $woken i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions at 128,
    (i32.store (i32.const 24) (i32.const 3))           ;; three
    (i32.store (i32.const 136) (i32.const 1024))       ;; earn: wallet, amount, reason
    (i32.store (i32.const 140) (i32.const 6))
    (i64.store (i32.const 144) (i64.load (local.get $woken)))
    (call $text (i32.const 176) (i32.add (local.get $woken) (i32.const 12)))
    (i32.store (i32.const 192) (i32.const 1030))       ;; earn: wallet, amount
    (i32.store (i32.const 196) (i32.const 6))
    (i64.store (i32.const 200) (i64.add (i64.load8_u offset=8 (local.get $woken)) (i64.const 1)))
    (i32.store8 (i32.const 240) (i32.const 10))        ;; remember: the bytes
    (call $text (i32.const 248) (i32.add (local.get $woken) (i32.const 20)))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
(func $decide (param "woken" $woken) (param "facts" $facts) (result $answer)
  (canon lift (core func $plugin "decide") (memory (core memory $plugin "memory")) (realloc (core func $plugin "realloc"))))
(instance $wakes (export "decide" (func $decide)))
(export "perkgate:plugin/wakes@1.0.0" (instance $wakes))
