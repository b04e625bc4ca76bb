;; Refuses as its settings might make it: `unsupported`, with a sentence.
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
  (data (i32.const 1024) "It is Sunday.")
  (func (export "decide") (param $purchase i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 1))          ;; the answer at 16: a refusal,
    (i32.store8 (i32.const 20) (i32.const 1))          ;; unsupported,
    (i32.store (i32.const 24) (i32.const 1024))        ;; because
    (i32.store (i32.const 28) (i32.const 13))
    (i32.const 16))
)
(core instance $plugin (instantiate $module))
