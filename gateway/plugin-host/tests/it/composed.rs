//! Components as the JavaScript and Python toolchains and composing make them: several components in one, each with a memory of its
//! own, many core instances, several tables. Up to the limits they run; beyond, they are refused with a sentence.

use crate::support::{component_of, decide, decisions, earned, fault, host};
use perkgate_domain::decision::FaultKind;
use perkgate_domain::limits::CallLimits;
use perkgate_plugin_host::{Host, LoadError};

/// Two components that talk: `asker`, as it starts, hands `teller` a text, which is copied from one memory into the other, and traps
/// if it does not come over whole. `asker`'s memory lies in a module that has two. Three memories, two tables.
const TALKING: &str = r#"
(component $teller
  (core module $m
    (memory (export "memory") 1)
    (table 4 funcref)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "tell") (param i32 i32) (result i32)
      ;; The length, if the text came over whole: it begins with `c`.
      (select (local.get 1) (i32.const 0) (i32.eq (i32.load8_u (local.get 0)) (i32.const 99)))))
  (core instance $i (instantiate $m))
  (func (export "tell") (param "text" string) (result u32)
    (canon lift (core func $i "tell") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
(component $asker
  (import "tell" (func $tell (param "text" string) (result u32)))
  (core module $two
    (memory $one (export "memory") 1)
    (memory $other 1)
    (data (memory $other) (i32.const 0) "coffee")
    (func (export "fill")
      (memory.copy $one $other (i32.const 16) (i32.const 0) (i32.const 6))))
  (core instance $memories (instantiate $two))
  (core func $lowered (canon lower (func $tell) (memory (core memory $memories "memory"))))
  (alias core export $memories "fill" (core func $fill))
  (core module $main
    (import "two" "fill" (func $fill))
    (import "two" "tell" (func $tell (param i32 i32) (result i32)))
    (table 4 funcref)
    (func $start
      (call $fill)
      (if (i32.ne (call $tell (i32.const 16) (i32.const 6)) (i32.const 6)) (then unreachable)))
    (start $start))
  (core instance $main (instantiate $main (with "two" (instance
    (export "fill" (func $fill))
    (export "tell" (func $lowered)))))))
(instance $teller (instantiate $teller))
(alias export $teller "tell" (func $tell))
(instance $asker (instantiate $asker (with "tell" (func $tell))))
"#;

/// The plugin itself, which earns six points. One core instance, one memory.
const PLUGIN: &str = r#"
(core module $module
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (data (i32.const 1024) "points")
  (func (export "decide") (param i32) (result i32)
    (i32.store (i32.const 20) (i32.const 128))
    (i32.store (i32.const 24) (i32.const 1))
    (i32.store (i32.const 136) (i32.const 1024))
    (i32.store (i32.const 140) (i32.const 6))
    (i64.store (i32.const 144) (i64.const 6))
    (i32.const 16)))
(core instance $plugin (instantiate $module))
"#;

/// With so many more core instances, of which each has this.
fn with(instances: usize, inside: &str) -> Vec<u8> {
    let more = "(core instance (instantiate $more))\n".repeat(instances);
    component_of("composed", &format!("{TALKING}{PLUGIN}(core module $more {inside})\n{more}"))
}

fn points(host: &Host, component: &[u8]) -> i64 {
    let plugin = host.load(component).unwrap_or_else(|error| panic!("it does not load: {error}"));
    let verdict = decide(&plugin);
    assert_eq!(decisions(&verdict).len(), 1);
    earned(&verdict)
}

#[test]
fn components_in_one_that_talk_run() {
    let host = host(CallLimits::default());
    assert_eq!(points(&host, &with(0, "")), 6, "`coffee` went from one memory through another to a third");
    let other = component_of("composed", &format!("{}{PLUGIN}", TALKING.replace("coffee", "toffee")));
    let verdict = decide(&host.load(&other).expect("it loads"));
    assert_eq!(fault(&verdict).kind, FaultKind::Trap, "and was looked at there");
    // Again and beside each other: what the pool gave was given back.
    for _ in 0..8 {
        assert_eq!(points(&host, &with(1, "(table 4 funcref)")), 6);
    }
}

#[test]
fn up_to_the_limits_it_runs_and_beyond_it_is_refused() {
    let host = host(CallLimits::default());
    let beyond = |component: &[u8], what: &str| {
        let error = host.load(component).expect_err("too many");
        assert!(matches!(&error, LoadError::Beyond(why) if why.contains(what)), "{what}: {error}");
        assert!(!error.is_passing());
    };
    // 64 core instances, of which wasmtime makes some itself for what the components say to each other.
    assert_eq!(points(&host, &with(50, "")), 6);
    beyond(&with(65, ""), "core module instances");
    assert_eq!(points(&host, &with(6, "(table 4 funcref)")), 6);
    beyond(&with(7, "(table 4 funcref)"), "tables");
    // There are four memories already.
    beyond(&with(1, "(memory 1) (memory 1)"), "memories");
    beyond(&with(1, "(memory 1) (memory 1) (memory 1) (memory 1) (memory 1)"), "memories");
}

#[test]
fn all_memories_together_have_the_limit_of_one() {
    let limits = CallLimits { memory_bytes: 6 * 65536, ..CallLimits::default() };
    let plugin = host(limits).load(&with(0, "")).expect("it loads");
    assert_eq!(decide(&plugin).memory_bytes, 5 * 65536);
    let tight = CallLimits { memory_bytes: 4 * 65536, ..limits };
    let plugin = host(tight).load(&with(0, "")).expect("it loads");
    assert_eq!(fault(&decide(&plugin)).kind, FaultKind::Memory);
}
