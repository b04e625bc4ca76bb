;; Decides on profiles: a task with the source for its title, and `at` in points. So it shows what arrived.
(alias export $types "profile" (type $profile))
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
  (data (i32.const 1024) "pointsprofile")
  ;; The text at $from of what is given, as the text at $to of the answer.
  (func $text (param $to i32) (param $from i32)
    (i64.store (local.get $to) (i64.load (local.get $from))))
  ;; Profile: 0 at, 8 source.
  (func (export "decide") (param $profile i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions at 128,
    (i32.store (i32.const 24) (i32.const 2))           ;; two
    (i32.store (i32.const 136) (i32.const 1024))       ;; earn: wallet, amount
    (i32.store (i32.const 140) (i32.const 6))
    (i64.store (i32.const 144) (i64.load (local.get $profile)))
    (i32.store8 (i32.const 184) (i32.const 8))         ;; task: key, title
    (i32.store (i32.const 192) (i32.const 1030))
    (i32.store (i32.const 196) (i32.const 7))
    (call $text (i32.const 200) (i32.add (local.get $profile) (i32.const 8)))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
(func $decide (param "profile" $profile) (param "facts" $facts) (result $answer)
  (canon lift (core func $plugin "decide") (memory (core memory $plugin "memory")) (realloc (core func $plugin "realloc"))))
(instance $profiles (export "decide" (func $decide)))
(export "perkgate:plugin/profiles@1.0.0" (instance $profiles))
