;; Logs one line of a million zero bytes.
(import "perkgate:plugin/log@1.0.0" (instance $log
  (type $level' (enum "debug" "info" "warn"))
  (export "level" (type $level (eq $level')))
  (export "write" (func (param "level" $level) (param "text" string)))))
;; The memory is an instance of its own, so that `write` can be lowered before the plugin is there to import it.
(core module $memory (memory (export "memory") 40))
(core instance $kept (instantiate $memory))
(core func $write (canon lower (func $log "write") (memory (core memory $kept "memory"))))
(core module $module
  (import "kept" "memory" (memory 40))
  (import "log" "write" (func $write (param i32 i32 i32)))
  (export "memory" (memory 0))
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
    (call $write (i32.const 0) (i32.const 1000000) (i32.const 1000000))
    ;; No decisions: tag, address and length are all 0.
    (i32.const 16))
)
(core instance $plugin (instantiate $module
  (with "kept" (instance $kept))
  (with "log" (instance (export "write" (func $write))))))
