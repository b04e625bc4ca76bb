//! Order does not matter: whatever the order of the webhooks, however they are batched, whoever works on them, and whoever dies at which
//! commit, what comes out is what happened.

mod cases;
mod ground;
mod model;
mod play;
mod promise;
mod worker;

use cases::Case;
use ground::{Engine, Ground};
use perkgate_tests::postgres_or_skip;
use play::{Play, Wrong};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use std::cell::RefCell;
use tokio::runtime::{Builder, Runtime};

/// How many cases, in place of what a test says.
const CASES: &str = "PERKGATE_ORDER_CASES";
/// Which cases: a number.
const SEED: &str = "PERKGATE_ORDER_SEED";

#[test]
fn any_order_ends_the_same_on_sqlite() {
    any_order_ends_the_same(&runtime(), &Engine::Sqlite, 1_000);
}

#[test]
fn any_order_ends_the_same_on_postgresql() {
    let runtime = runtime();
    let Some(server) = runtime.block_on(postgres_or_skip("any_order_ends_the_same_on_postgresql")) else { return };
    any_order_ends_the_same(&runtime, &Engine::Postgres(server), 100);
}

/// On one thread, so that a case goes the same way every time.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")))
}

fn any_order_ends_the_same(runtime: &Runtime, engine: &Engine, cases: u32) {
    let cases = number(CASES).map_or(cases, |cases| u32::try_from(cases).unwrap_or(u32::MAX));
    let seed = RngSeed::Fixed(number(SEED).unwrap_or(1));
    let config = Config {
        cases,
        rng_seed: seed,
        failure_persistence: None,
        max_shrink_iters: 1_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let standing: RefCell<Option<Ground>> = RefCell::new(None);
    let played = TestRunner::new(config).run(&cases::cases(), |case| {
        // Taken out, so that after a panic the next case stands on another one.
        let ground = standing.borrow_mut().take();
        let (ground, played) = runtime.block_on(play(ground, engine, &case));
        *standing.borrow_mut() = ground;
        played.map_err(TestCaseError::fail)
    });
    match played {
        Ok(()) => {
            if let Some(ground) = standing.take() {
                runtime.block_on(ground.close()).expect("the whole ledger holds");
            }
        }
        Err(TestError::Fail(why, case)) => panic!("{why}\nin the smallest case that goes wrong:\n{case:?}"),
        Err(TestError::Abort(why)) => panic!("the cases were given up: {why}"),
    }
}

/// Plays a case, and gives the ground back if there is room on it for another one.
async fn play(ground: Option<Ground>, engine: &Engine, case: &Case) -> (Option<Ground>, Result<(), Wrong>) {
    let mut ground = match ground {
        Some(ground) => ground,
        None => Ground::new(engine).await,
    };
    let merchant = ground.merchants.pop().expect("there is a merchant left");
    let played = Play::new(&mut ground, merchant, case).run().await;
    if played.is_err() {
        // Smaller cases follow, which must not find what this one left behind.
        ground.hand.sweep().await;
        ground.swept = true;
    }
    if ground.merchants.is_empty() {
        let closed = ground.close().await;
        return (None, played.and(closed));
    }
    (Some(ground), played)
}
