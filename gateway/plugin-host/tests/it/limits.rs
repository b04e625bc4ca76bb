//! Every limit of a call, obeyed and violated.

use crate::support::{component, decide, decisions, fault, host, load, run};
use perkgate_domain::decision::{Blame, FaultKind, Outcome};
use perkgate_domain::limits::{COMPONENT_BYTES, CallLimits};
use perkgate_pack::PackError;
use perkgate_plugin_host::{Call, LoadError};

/// Runs a plugin under limits it obeys, then under limits it violates.
fn pair(name: &str, obeyed: CallLimits, violated: CallLimits, kind: FaultKind) {
    let verdict = run(name, obeyed);
    decisions(&verdict);
    let verdict = run(name, violated);
    let fault = fault(&verdict);
    assert_eq!((fault.blame, fault.kind), (Blame::Plugin, kind), "{name}: {}", fault.detail);
}

fn limits() -> CallLimits {
    CallLimits::default()
}

/// The least fuel `honest-points` gets by with. Not what it uses: compiled code looks at its fuel on entering a function and
/// in loops only, so the last instructions may be had on credit.
fn least_fuel() -> u64 {
    let enough = |fuel: &u64| {
        let verdict = run("honest-points", CallLimits { fuel: *fuel, fuel_per_line: 0, ..limits() });
        matches!(verdict.outcome, Outcome::Decided(_))
    };
    let (mut too_little, mut plenty) = (0, run("honest-points", limits()).fuel);
    while plenty - too_little > 1 {
        let middle = u64::midpoint(too_little, plenty);
        if enough(&middle) { plenty = middle } else { too_little = middle }
    }
    plenty
}

#[test]
fn fuel() {
    // Without an allowance for lines, so that `fuel` is all there is.
    let least = least_fuel();
    let with = |fuel| CallLimits { fuel, fuel_per_line: 0, ..limits() };
    pair("honest-points", with(least), with(least - 1), FaultKind::Fuel);
}

#[test]
fn fuel_for_each_line() {
    // The purchase has two lines.
    let least = least_fuel();
    let with = |fuel_per_line| CallLimits { fuel: least - 2, fuel_per_line, ..limits() };
    pair("honest-points", with(1), with(0), FaultKind::Fuel);
}

#[test]
fn wall_clock() {
    let endless = CallLimits { fuel: u64::MAX, deadline_ms: 30, ..limits() };
    let started = std::time::Instant::now();
    let verdict = run("loop", endless);
    assert_eq!(fault(&verdict).kind, FaultKind::Deadline);
    // Generous: the machine may be busy. Without the deadline this would be centuries.
    assert!(started.elapsed().as_secs() < 60);
    assert_eq!(fault(&run("fill", endless)).kind, FaultKind::Deadline);
    assert_eq!(fault(&run("start-loop", endless)).kind, FaultKind::Deadline);
    decisions(&run("honest-points", CallLimits { fuel: u64::MAX, deadline_ms: 60_000, ..limits() }));
}

#[test]
fn memory() {
    let with = |pages: usize| CallLimits { memory_bytes: pages * 65536, ..limits() };
    pair("honest-pages", with(10), with(9), FaultKind::Memory);
    assert_eq!(run("honest-pages", with(10)).memory_bytes, 655_360);
}

#[test]
fn table() {
    let with = |table_elements| CallLimits { table_elements, ..limits() };
    pair("honest-table", with(1000), with(999), FaultKind::Memory);
}

#[test]
fn stack() {
    let with = |stack_bytes| CallLimits { stack_bytes, ..limits() };
    pair("honest-depth", with(512 * 1024), with(16 * 1024), FaultKind::Stack);
}

#[test]
fn bytes_of_an_answer() {
    let with = |hostcall_bytes| CallLimits { hostcall_bytes, ..limits() };
    pair("honest-remember", with(5_000), with(4_095), FaultKind::Result);
}

#[test]
fn bytes_of_log_and_answer_together() {
    // What it logs, three times five bytes, is missing from what the answer may have.
    let needed = (0..64).find(|bytes| {
        matches!(run("honest-log", CallLimits { hostcall_bytes: *bytes, ..limits() }).outcome, Outcome::Decided(_))
    });
    assert_eq!(needed, Some(15));
}

#[test]
fn lines_logged() {
    let with = |log_lines| CallLimits { log_lines, ..limits() };
    pair("honest-log", with(3), with(2), FaultKind::Log);
    let verdict = run("honest-log", with(2));
    assert_eq!(verdict.log.len(), 2, "what it logged before is kept");
    assert_eq!(verdict.log[0].text, "hello");
}

#[test]
fn bytes_of_a_line_logged() {
    let with = |log_line_bytes| CallLimits { log_line_bytes, ..limits() };
    pair("honest-log", with(5), with(4), FaultKind::Log);
}

#[test]
fn decisions_in_an_answer() {
    let with = |decisions| CallLimits { decisions, ..limits() };
    pair("honest-tags", with(32), with(31), FaultKind::Result);
}

#[test]
fn bytes_of_a_component() {
    let host = host(limits());
    // A custom section that nobody reads fills it up to the bound.
    let padded = |bytes: usize| {
        let mut component = component("honest-points");
        // One byte of section id, four of length, one of name length.
        let content = bytes - component.len() - 5;
        component.push(0);
        component.extend((0..4).map(|byte| {
            let seven = u8::try_from((content >> (7 * byte)) & 0x7f).expect("seven bits");
            if byte < 3 { seven | 0x80 } else { seven }
        }));
        component.resize(bytes, 0);
        component
    };
    host.load(&padded(COMPONENT_BYTES)).expect("as large as may be");
    let error = host.load(&padded(COMPONENT_BYTES + 1)).expect_err("one byte too large");
    assert!(matches!(error, LoadError::Refused(PackError::TooLarge { .. })));
}

#[test]
fn calls_at_once() {
    // Two slots and eight threads: whoever finds no slot is told that this is the host's doing.
    let host = host(limits());
    let plugin = load(&host, "honest-points");
    let slow = load(&host, "loop");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..4 {
                    let kind = fault(&decide(&slow)).clone();
                    assert!(matches!(
                        (kind.blame, kind.kind),
                        (Blame::Plugin, FaultKind::Fuel) | (Blame::Host, FaultKind::Host)
                    ));
                }
            });
        }
    });
    decisions(&decide(&plugin));
}

#[test]
fn a_large_purchase_fits() {
    let mut purchase = crate::support::purchase();
    let line = purchase.lines[0].clone();
    purchase.lines = (0..500)
        .map(|n| perkgate_domain::purchase::Line { id: n.to_string(), name: "x".repeat(2_000), ..line.clone() })
        .collect();
    let plugin = load(&host(limits()), "honest-points");
    let verdict = plugin.decide(Call::Purchase { source: "eshop", purchase: &purchase }, &crate::support::facts());
    assert_eq!(crate::support::earned(&verdict), 12);
    // Where it does not fit the plugin's memory, the plugin is told so and fails by itself.
    let tight = load(&host(CallLimits { memory_bytes: 2 * 65536, ..limits() }), "honest-points");
    let verdict = tight.decide(Call::Purchase { source: "eshop", purchase: &purchase }, &crate::support::facts());
    assert_eq!(fault(&verdict).kind, FaultKind::Memory);
}
