//! What a decision costs: in a fresh instance, as the gateway makes them, and in one that is kept.
//!
//! `cargo run --release -p perkgate-plugin-host --example measure [COMPONENT.wasm]`; without a file, `honest-points.wat`.

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

use perkgate_domain::limits::CallLimits;
use perkgate_plugin_host::Call;
use std::time::Instant;

const ROUNDS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = support::host(CallLimits::default());
    let component = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => support::component("honest-points"),
    };
    let started = Instant::now();
    let plugin = host.load(&component)?;
    println!("load    {:>9.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let (purchase, facts) = (support::purchase(), support::facts());
    let event = Call::Purchase { source: "eshop", purchase: &purchase };
    let verdict = plugin.decide(event, &facts);
    println!("verdict {:?}, {} fuel, {} bytes", verdict.outcome, verdict.fuel, verdict.memory_bytes);
    let time = |name: &str, call: &mut dyn FnMut()| {
        // The best of several runs: other work on the machine only ever adds.
        let best = (0..7)
            .map(|_| {
                let started = Instant::now();
                (0..ROUNDS / 7).for_each(|_| call());
                started.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS / 7)
            })
            .fold(f64::INFINITY, f64::min);
        println!("{name:<7} {best:>9.2} µs");
        best
    };
    let fresh = time("fresh", &mut || drop(plugin.decide(event, &facts)));
    let mut live = plugin.live().map_err(|fault| fault.detail)?;
    let live = time("live", &mut || drop(live.decide(event, &facts)));
    println!("ratio   {:>9.2}", fresh / live);
    Ok(())
}
