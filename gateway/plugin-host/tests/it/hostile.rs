//! Every component in `tests/hostile` is contained, and the fault has the right kind and blame.

use crate::support::{all, component, decide, fault, host, load, run};
use perkgate_domain::decision::{Blame, FaultKind};
use perkgate_domain::limits::CallLimits;
use perkgate_pack::PackError;
use perkgate_plugin_host::LoadError;
use std::collections::BTreeSet;

/// What misbehaves when it is called.
const CONTAINED: &[(&str, FaultKind)] = &[
    ("loop", FaultKind::Fuel),
    ("fill", FaultKind::Fuel),
    ("start-loop", FaultKind::Fuel),
    ("realloc-loop", FaultKind::Fuel),
    ("post-return", FaultKind::Fuel),
    ("memory-bomb", FaultKind::Memory),
    ("start-memory", FaultKind::Memory),
    ("table-bomb", FaultKind::Memory),
    ("recursion", FaultKind::Stack),
    ("start-stack", FaultKind::Stack),
    ("log-flood", FaultKind::Log),
    ("log-huge", FaultKind::Log),
    ("trap", FaultKind::Trap),
    ("divide", FaultKind::Trap),
    ("outside", FaultKind::Trap),
    ("null-call", FaultKind::Trap),
    ("start-trap", FaultKind::Trap),
    ("realloc-trap", FaultKind::Trap),
    ("result-huge", FaultKind::Result),
    ("result-alias", FaultKind::Result),
    ("result-million", FaultKind::Result),
    ("result-claim", FaultKind::Result),
    ("result-outside", FaultKind::Result),
    ("result-crooked", FaultKind::Result),
    ("result-tag", FaultKind::Result),
    ("result-count", FaultKind::Result),
    ("text-long", FaultKind::Result),
    ("task-long", FaultKind::Result),
    ("ask-long", FaultKind::Result),
    ("wake-time", FaultKind::Result),
    ("wake-whom", FaultKind::Result),
    ("realloc-outside", FaultKind::Result),
    ("realloc-crooked", FaultKind::Result),
    ("log-outside", FaultKind::Result),
    ("log-level", FaultKind::Result),
    ("text-bytes", FaultKind::Invalid),
    ("points-max", FaultKind::Invalid),
    ("points-negative", FaultKind::Invalid),
    ("share-unknown", FaultKind::Invalid),
    ("share-short", FaultKind::Invalid),
    ("wake-civil", FaultKind::Invalid),
    ("ask-days", FaultKind::Invalid),
];

/// What is refused before it is ever called.
const REFUSED: &[&str] =
    &["foreign-import", "foreign-log", "foreign-type", "newer", "memory-minimum", "memory-shared", "table-minimum"];

#[test]
fn the_lists_name_every_file() {
    let listed: BTreeSet<String> =
        CONTAINED.iter().map(|(name, _)| *name).chain(REFUSED.iter().copied()).map(str::to_owned).collect();
    let bad: BTreeSet<String> =
        all().into_iter().filter(|name| !name.starts_with("honest-") && name != "memory-shrug").collect();
    assert_eq!(listed, bad);
}

#[test]
fn what_goes_wrong_in_a_call_is_contained_and_blamed() {
    let host = host(CallLimits::default());
    let good = load(&host, "honest-points");
    for (name, kind) in CONTAINED {
        let plugin = load(&host, name);
        // Twice: a plugin's fault repeats, and leaves nothing behind.
        let (first, second) = (decide(&plugin), decide(&plugin));
        assert_eq!(
            (fault(&first).blame, fault(&first).kind),
            (Blame::Plugin, *kind),
            "{name}: {}",
            fault(&first).detail
        );
        assert_eq!(first, second, "{name}");
        assert!(first.memory_bytes <= CallLimits::default().memory_bytes as u64, "{name}");
        assert_eq!(crate::support::earned(&decide(&good)), 12, "after {name}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_the_cure() {
    let host = host(CallLimits::default());
    for name in REFUSED {
        let error = host.load(&component(name)).expect_err(name);
        assert_eq!((error.fault().blame, error.fault().kind), (Blame::Plugin, FaultKind::Load), "{name}");
        let expected = match *name {
            "foreign-import" => {
                matches!(&error, LoadError::Refused(PackError::ForeignImport(import)) if import.contains("wall-clock"))
            }
            "newer" => {
                matches!(&error, LoadError::Refused(PackError::NewerContract(export)) if export.contains("auctions"))
            }
            "foreign-log" | "foreign-type" => matches!(error, LoadError::Contract(_)),
            "memory-minimum" | "table-minimum" => matches!(error, LoadError::Beyond(_)),
            _ => matches!(error, LoadError::Compile(_)),
        };
        assert!(expected, "{name}: {error:?}");
    }
}

#[test]
fn rubbish_is_refused() {
    let host = host(CallLimits::default());
    assert!(matches!(host.load(b""), Err(LoadError::Refused(PackError::NotAComponent(_)))));
    assert!(matches!(host.load(b"\0asm\x01\0\0\0"), Err(LoadError::Refused(PackError::NotAComponent(_)))));
    let mut cut = component("honest-points");
    cut.truncate(cut.len() / 2);
    assert!(host.load(&cut).is_err());
}

#[test]
fn being_denied_memory_is_no_fault() {
    let verdict = run("memory-shrug", CallLimits::default());
    assert!(crate::support::decisions(&verdict).is_empty());
    assert_eq!(verdict.memory_bytes, 2 * 65536);
}
