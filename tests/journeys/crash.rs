//! `kill -9` at any moment loses nothing that was answered 200, and doubles nothing. One gateway on SQLite, two on one PostgreSQL.
//!
//! The moments are drawn from a seed. `PERKGATE_CRASH_SEED` names another one, `PERKGATE_CRASH_KILLS` how often to kill.

use super::aftermath;
use perkgate_tests::programme::{CARD, OWN, POINTS};
use perkgate_tests::{Dice, Load, Premises, Served, postgres_or_skip};
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Where nothing else is asked for.
const SEED: u64 = 20_260_601;
/// Likewise.
const KILLS: u64 = 50;
/// Likewise: on a slow machine fewer kills have to do.
const LIMIT: Duration = Duration::from_secs(75);
/// Fewer say nothing.
const LEAST: u64 = 10;
/// Tills at once.
const TILLS: u64 = 6;
/// Between two webhooks of a till: the story is about moments, not about load.
const PAUSE: Duration = Duration::from_millis(4);

fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a whole number, and `{text}` is none")))
}

/// Late webhooks are about tiers that have ended meanwhile.
const TIERS: &str = r#"
[tiers]
by = "spend"
window = "rolling"
days = 30
levels = [ { name = "silver", at = "20.00" }, { name = "gold", at = "90.00" } ]
"#;

/// Kills one of these gateways after the other while tills sell, and asks in the end whether all is well.
async fn killed_again_and_again(name: &str, premises: &Premises, mut gateways: Vec<Served>) {
    let (seed, wanted) = (asked("PERKGATE_CRASH_SEED").unwrap_or(SEED), asked("PERKGATE_CRASH_KILLS"));
    say(name, &format!("PERKGATE_CRASH_SEED={seed}"));
    let mut dice = Dice::of(seed);
    let load = Load::start(&gateways, seed, TILLS, PAUSE);
    let (started, mut kills) = (Instant::now(), 0);
    while kills < wanted.unwrap_or(KILLS) && (wanted.is_some() || started.elapsed() < LIMIT) {
        let victim = dice.pick(gateways.len());
        let gateway = &mut gateways[victim];
        if dice.roll(5) == 0 {
            // While it still starts.
            tokio::time::sleep(Duration::from_millis(dice.roll(200))).await;
        } else {
            gateway.ready().await;
            tokio::time::sleep(Duration::from_millis(5 + dice.roll(396))).await;
        }
        gateway.kill();
        gateway.spawn();
        kills += 1;
    }
    for gateway in &mut gateways {
        gateway.ready().await;
    }
    let books = load.finish().await;
    say(name, &format!("{kills} kills, {} purchases, {:?}", books.orders.len(), books.tally));
    assert!(kills >= LEAST.min(wanted.unwrap_or(LEAST)), "only {kills} kills in {LIMIT:?}");
    assert!(books.orders.len() > 100 && !books.refunds.is_empty(), "too little was sold to mean anything");
    aftermath::all_is_well(premises, gateways, &books).await;
}

/// Said at once and whatever becomes of the test: who repeats a failure needs the seed.
fn say(name: &str, text: &str) {
    let line = format!("{name}: {text}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_loses_nothing_and_doubles_nothing() {
    let premises = Premises::on(None, &[TIERS, OWN, POINTS, CARD]);
    let gateways = vec![premises.serve().await];
    killed_again_and_again("crash on SQLite", &premises, gateways).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_on_one_database_are_killed_and_lose_nothing_and_double_nothing() {
    let name = "two_on_one_database_are_killed_and_lose_nothing_and_double_nothing";
    let Some(postgres) = postgres_or_skip(name).await else { return };
    let premises = Premises::on(Some(postgres.fresh_database().await), &[TIERS, OWN, POINTS, CARD]);
    // The first makes the key that both use.
    let gateways = vec![premises.serve().await, premises.serve().await];
    killed_again_and_again("crash on PostgreSQL", &premises, gateways).await;
}
