;; Asks for whatever comes later: to be called at a moment, by the clocks, about the referrer, and not any more; a task, a question.
;; The earn has terms of its own.
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
  (data (i32.const 1024) "points")
  (data (i32.const 1032) "How was it? {link}")
  (func $put (param $to i32) (param $length i32)
    (i32.store (local.get $to) (i32.const 1032))
    (i32.store offset=4 (local.get $to) (local.get $length)))
  (func (export "decide") (param $purchase i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions from 128,
    (i32.store (i32.const 24) (i32.const 6))           ;; six
    (i32.store8 (i32.const 128) (i32.const 7))         ;; wake: key `How`,
    (call $put (i32.const 136) (i32.const 3))
    (i32.store8 (i32.const 144) (i32.const 1))         ;; a time,
    (i64.store (i32.const 160) (i64.const 1800000000000)) ;; a moment; about the member;
    (i32.store (i32.const 172) (i32.const 1024))       ;; `points` is handed back
    (i32.store (i32.const 176) (i32.const 6))
    (i32.store8 (i32.const 184) (i32.const 7))         ;; wake: key `How w`,
    (call $put (i32.const 192) (i32.const 5))
    (i32.store8 (i32.const 200) (i32.const 1))         ;; a time,
    (i32.store8 (i32.const 208) (i32.const 1))         ;; by the clocks:
    (i32.store (i32.const 216) (i32.const 2027))
    (i32.store8 (i32.const 220) (i32.const 2))
    (i32.store8 (i32.const 221) (i32.const 29))
    (i32.store8 (i32.const 222) (i32.const 23))
    (i32.store8 (i32.const 223) (i32.const 59))
    (i32.store8 (i32.const 224) (i32.const 1))         ;; about the referrer
    (i32.store8 (i32.const 240) (i32.const 7))         ;; wake: key `H`, no time
    (call $put (i32.const 248) (i32.const 1))
    (i32.store8 (i32.const 296) (i32.const 8))         ;; task: key, title, text
    (call $put (i32.const 304) (i32.const 3))
    (call $put (i32.const 312) (i32.const 11))
    (call $put (i32.const 320) (i32.const 18))
    (i32.store8 (i32.const 352) (i32.const 9))         ;; ask: key, scale, subject, text, locale, valid days
    (call $put (i32.const 360) (i32.const 3))
    (i32.store8 (i32.const 368) (i32.const 1))
    (call $put (i32.const 372) (i32.const 11))
    (call $put (i32.const 380) (i32.const 18))
    (call $put (i32.const 388) (i32.const 1))
    (i32.store (i32.const 396) (i32.const 14))
    (i32.store (i32.const 416) (i32.const 1024))       ;; earn: wallet, amount,
    (i32.store (i32.const 420) (i32.const 6))
    (i64.store (i32.const 424) (i64.const 3))
    (i32.store8 (i32.const 440) (i32.const 1))         ;; matures after 7 days,
    (i32.store (i32.const 444) (i32.const 7))
    (i32.store8 (i32.const 448) (i32.const 1))         ;; valid for 90
    (i32.store (i32.const 452) (i32.const 90))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
