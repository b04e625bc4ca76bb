//! What went wrong in a call, told from the error's type (never its text), and whose it is.

use crate::state::{LogExceeded, State};
use perkgate_domain::decision::{Blame, Fault, FaultKind};
use std::panic::AssertUnwindSafe;
use wasmtime::{PoolConcurrencyLimitError, Trap};

/// How far a call had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Making the instance. Memory, tables, start functions.
    Start,
    /// In the plugin's function: facts in, answer out.
    Call,
}

pub(crate) fn plugin(kind: FaultKind, detail: String) -> Fault {
    Fault { blame: Blame::Plugin, kind, detail }
}

pub(crate) fn host(detail: String) -> Fault {
    Fault { blame: Blame::Host, kind: FaultKind::Host, detail }
}

/// Runs something of wasmtime's. A panic in there is told and goes no further: it would take everybody's batch with it.
pub(crate) fn contained<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // What was under way is dropped; nothing outside of it was half changed.
    std::panic::catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
    })
}

/// The fault of a plugin over which the engine panicked. It is the plugin's: the same would happen again.
pub(crate) fn broke(panic: &str) -> Fault {
    plugin(FaultKind::Trap, format!("running the plugin broke the WebAssembly engine: {panic}; build it anew"))
}

/// The fault behind an error of wasmtime.
pub(crate) fn classify(error: &wasmtime::Error, state: &State, phase: Phase) -> Fault {
    if let Some(exceeded) = error.downcast_ref::<LogExceeded>() {
        return plugin(FaultKind::Log, format!("the plugin was stopped: {exceeded}; log less"));
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return host("more plugins were called at once than the host has room for; raise `instances`".to_owned());
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trapped(*trap, state);
    }
    if state.denied() {
        return out_of_memory(state);
    }
    if error.is::<std::str::Utf8Error>() || error.is::<std::char::DecodeUtf16Error>() {
        return plugin(FaultKind::Invalid, "the plugin gave text that is no Unicode; build it with the SDK".to_owned());
    }
    match phase {
        // Whatever the component could do wrong here was found when it was loaded, or is a trap.
        Phase::Start => host(format!("the plugin's instance could not be made: {error:#}")),
        // wasmtime keeps to itself the type of what remains: an answer of more bytes than a call may hand over, or one that
        // breaks the rules of the component model.
        Phase::Call => plugin(
            FaultKind::Result,
            format!(
                "the plugin's answer cannot be taken ({error:#}); it may have {} bytes, log included",
                state.limits.hostcall_bytes
            ),
        ),
    }
}

fn trapped(trap: Trap, state: &State) -> Fault {
    match trap {
        Trap::OutOfFuel => plugin(
            FaultKind::Fuel,
            format!(
                "the plugin used up its fuel ({} and {} for every line); do less, or look for an endless loop",
                state.limits.fuel, state.limits.fuel_per_line
            ),
        ),
        // The plugin's although a slow machine helps: were it ours, it would be tried again, and a plugin that dawdles could
        // hold up its entry for as long as it likes.
        Trap::Interrupt => plugin(
            FaultKind::Deadline,
            format!("the plugin ran for more than {} ms of wall clock; do less", state.limits.deadline_ms),
        ),
        Trap::StackOverflow => plugin(
            FaultKind::Stack,
            format!(
                "the plugin overflowed its stack of {} bytes; look for endless recursion",
                state.limits.stack_bytes
            ),
        ),
        Trap::AllocationTooLarge => out_of_memory(state),
        // Allocators answer a refused growth with a trap.
        _ if state.denied() => out_of_memory(state),
        Trap::UnreachableCodeReached => plugin(
            FaultKind::Trap,
            "the plugin stopped itself (a panic in Rust: an unwrap, an index, an overflow); test it with this purchase"
                .to_owned(),
        ),
        trap => plugin(FaultKind::Trap, format!("the plugin crashed: {trap}; test it with this purchase")),
    }
}

fn out_of_memory(state: &State) -> Fault {
    plugin(
        FaultKind::Memory,
        format!(
            "the plugin asked for more than its {} bytes of memory or {} table elements; hold less at once",
            state.limits.memory_bytes, state.limits.table_elements
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_the_plugin() {
        assert_eq!(contained(|| 7), Ok(7));
        let said = contained(|| panic!("slot {} is taken", 3)).expect_err("it panicked");
        assert_eq!(said, "slot 3 is taken");
        assert_eq!(contained(|| std::panic::panic_any(7)).expect_err("it panicked"), "a panic without words");
        let fault = broke(&said);
        assert_eq!((fault.blame, fault.kind), (Blame::Plugin, FaultKind::Trap));
        assert!(fault.detail.contains("slot 3 is taken"), "{}", fault.detail);
    }
}
