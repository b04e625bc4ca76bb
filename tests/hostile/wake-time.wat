;; Wants to be called at a time that is neither a moment nor by the clocks.
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
  (data (i32.const 1024) "birthday")
  (func (export "decide") (param $purchase i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))         ;; the answer at 16: decisions at 128,
    (i32.store (i32.const 24) (i32.const 1))           ;; one
    (i32.store8 (i32.const 128) (i32.const 7))         ;; wake: key,
    (i32.store (i32.const 136) (i32.const 1024))
    (i32.store (i32.const 140) (i32.const 8))
    (i32.store8 (i32.const 144) (i32.const 1))         ;; a time,
    (i32.store8 (i32.const 152) (i32.const 2))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
