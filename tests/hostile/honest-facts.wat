;; Shows what arrived of the facts that plugins ask for: an earn for each list with the sum of its amounts and a text of its last
;; item, the referral as a tag, the standing as a spend, the birthday as what is remembered.
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
  (data (i32.const 1024) "historyfavouritescoming")
  ;; The text at $from of what is given, as the text at $to of the answer.
  (func $text (param $to i32) (param $from i32)
    (i64.store (local.get $to) (i64.load (local.get $from))))
  ;; An earn of wallet and amount, with the text at $reason.
  (func $earn (param $to i32) (param $wallet i32) (param $length i32) (param $amount i64) (param $reason i32)
    (i32.store offset=8 (local.get $to) (local.get $wallet))
    (i32.store offset=12 (local.get $to) (local.get $length))
    (i64.store offset=16 (local.get $to) (local.get $amount))
    (call $text (i32.add (local.get $to) (i32.const 48)) (local.get $reason)))
  ;; The sum of the numbers at $field of the items of the list at $list.
  (func $sum (param $list i32) (param $size i32) (param $field i32) (result i64)
    (local $at i32) (local $left i32) (local $sum i64)
    (local.set $at (i32.add (i32.load (local.get $list)) (local.get $field)))
    (local.set $left (i32.load offset=4 (local.get $list)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (local.set $sum (i64.add (local.get $sum) (i64.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (local.get $size)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
    (local.get $sum))
  ;; Where the last item of the list at $list is.
  (func $last (param $list i32) (param $size i32) (result i32)
    (i32.add (i32.load (local.get $list))
      (i32.mul (local.get $size) (i32.sub (i32.load offset=4 (local.get $list)) (i32.const 1)))))
  ;; Facts, from 104: 216 birthday, 224 standing, 328 referral, 344 history, 352 favourites, 360 coming.
  (func (export "decide") (param $given i32) (result i32)
    (local $facts i32)
    (local.set $facts (i32.add (local.get $given) (i32.const 104)))
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions from 128,
    (i32.store (i32.const 24) (i32.const 6))           ;; six
    ;; Visit, 40 bytes: 8 total, 32 location.
    (call $earn (i32.const 128) (i32.const 1024) (i32.const 7)
      (call $sum (i32.add (local.get $facts) (i32.const 344)) (i32.const 40) (i32.const 8))
      (i32.add (call $last (i32.add (local.get $facts) (i32.const 344)) (i32.const 40)) (i32.const 32)))
    ;; Favourite, 48 bytes: 12 name, 40 when it was bought last.
    (call $earn (i32.const 184) (i32.const 1031) (i32.const 10)
      (call $sum (i32.add (local.get $facts) (i32.const 352)) (i32.const 48) (i32.const 40))
      (i32.add (call $last (i32.add (local.get $facts) (i32.const 352)) (i32.const 48)) (i32.const 12)))
    ;; Coming, 48 bytes: 0 wallet, 8 amount.
    (call $earn (i32.const 240) (i32.const 1041) (i32.const 6)
      (call $sum (i32.add (local.get $facts) (i32.const 360)) (i32.const 48) (i32.const 8))
      (call $last (i32.add (local.get $facts) (i32.const 360)) (i32.const 48)))
    ;; Referral, after its tag: 0 code, 8 whether somebody brought them.
    (i32.store8 (i32.const 296) (i32.const 5))
    (call $text (i32.const 304) (i32.add (local.get $facts) (i32.const 332)))
    (i32.store8 (i32.const 312) (i32.load8_u offset=340 (local.get $facts)))
    ;; Standing, after its tag: 56 progress, 72 the next tier's name.
    (i32.store8 (i32.const 352) (i32.const 1))
    (call $text (i32.const 360) (i32.add (local.get $facts) (i32.const 304)))
    (i64.store (i32.const 368) (i64.load offset=288 (local.get $facts)))
    ;; Birthday, after its tag: month and day, a byte each.
    (i32.store8 (i32.const 408) (i32.const 10))
    (i32.store (i32.const 416) (i32.add (local.get $facts) (i32.const 217)))
    (i32.store (i32.const 420) (i32.const 2))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
