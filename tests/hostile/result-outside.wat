;; Gives the address of an answer beyond its memory.
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
    (i32.const -16))
)
(core instance $plugin (instantiate $module))
