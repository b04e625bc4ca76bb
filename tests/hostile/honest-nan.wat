;; Remembers the bits of a NaN it computed, which processors choose differently. Must be the same everywhere.
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
  (func (export "decide") (param $purchase i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions at 128,
    (i32.store (i32.const 24) (i32.const 1))           ;; one
    (i32.store8 (i32.const 128) (i32.const 10))        ;; remember
    (i32.store (i32.const 136) (i32.const 256))        ;; the 8 bytes at 256
    (i32.store (i32.const 140) (i32.const 8))
    ;; Infinity less itself, with the sign and payload that follow turned over.
    (f64.store (i32.const 256)
      (f64.neg (f64.add (f64.sub (f64.const inf) (f64.div (f64.convert_i32_s (i32.const 1)) (f64.const 0)))
        (f64.const -nan:0x123456789abcd))))
    (f64.store (i32.const 256) (f64.mul (f64.load (i32.const 256)) (f64.const 1)))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
