;; Decides on answers: a task with the answer's key and, if there is any, its text; and the score in points, 100 more for csat. So it
;; shows what arrived.
(alias export $types "answer" (type $answered))
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
  (data (i32.const 1024) "points-")
  ;; The text at $from of what is given, as the text at $to of the answer.
  (func $text (param $to i32) (param $from i32)
    (i64.store (local.get $to) (i64.load (local.get $from))))
  ;; Answer: 0 at, 8 key, 16 scale, 17 score, 20 whether there is a text, 24 the text.
  (func (export "decide") (param $given i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions at 128,
    (i32.store (i32.const 24) (i32.const 2))           ;; two
    (i32.store (i32.const 136) (i32.const 1024))       ;; earn: wallet, amount
    (i32.store (i32.const 140) (i32.const 6))
    (i64.store (i32.const 144) (i64.add
      (i64.mul (i64.load8_u offset=16 (local.get $given)) (i64.const 100))
      (i64.load8_u offset=17 (local.get $given))))
    (i32.store8 (i32.const 184) (i32.const 8))         ;; task: key, title, text
    (call $text (i32.const 192) (i32.add (local.get $given) (i32.const 8)))
    (i32.store (i32.const 200) (i32.const 1030))
    (i32.store (i32.const 204) (i32.const 1))
    (if (i32.load8_u offset=20 (local.get $given))
      (then (call $text (i32.const 208) (i32.add (local.get $given) (i32.const 24)))))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
(func $decide (param "answer" $answered) (param "facts" $facts) (result $answer)
  (canon lift (core func $plugin "decide") (memory (core memory $plugin "memory")) (realloc (core func $plugin "realloc"))))
(instance $answers (export "decide" (func $decide)))
(export "perkgate:plugin/answers@1.0.0" (instance $answers))
