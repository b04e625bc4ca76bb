//! Thousands of random histories, held step by step against a model that works everything out from the beginning. More with
//! `PERKGATE_LEDGER_CASES`, others with `PERKGATE_LEDGER_SEED`; a history that fails is shrunk and told with its seed.

mod acts;
mod calendar;
mod model;
mod play;
mod steps;

use super::ground::stands;
use perkgate_domain::rules::RefundPolicy;
use play::Play;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use steps::{DAY, START, Step, What, back, setup, steps};

/// Histories of each kind.
const CASES: u32 = 2_000;
const SEED: u64 = 20_260_601;
/// By then everything that matures or expires has.
const END: i64 = START + 3 * 366 * DAY;

/// Runs a story over random material, always the same for the same seed. Answers how often.
fn always<S: Strategy>(material: S, share: u32, story: impl Fn(&S::Value)) -> u32
where
    S::Value: Debug + Clone,
{
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("PERKGATE_LEDGER_CASES").and_then(|cases| cases.try_into().ok()).unwrap_or(CASES);
    let seed = number("PERKGATE_LEDGER_SEED").unwrap_or(SEED);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let told = (cases / share).max(1);
    let config = ProptestConfig {
        cases: told,
        failure_persistence: None,
        max_shrink_iters: 5_000,
        max_shrink_time: 60_000,
        ..ProptestConfig::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng).run(&material, |case| {
        catch_unwind(AssertUnwindSafe(|| story(&case))).map_err(|panic| TestCaseError::fail(words(&*panic)))
    });
    let Err(error) = outcome else { return told };
    panic!("PERKGATE_LEDGER_SEED={seed} PERKGATE_LEDGER_CASES={cases}: {error}");
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn any_policy() -> impl Strategy<Value = RefundPolicy> + Clone {
    prop_oneof![
        1 => Just(RefundPolicy::PendingOnly),
        1 => Just(RefundPolicy::ToZero),
        2 => Just(RefundPolicy::Negative),
    ]
}

#[test]
fn the_ledger_is_what_the_model_works_out() {
    let seen: RefCell<BTreeMap<&str, u32>> = RefCell::default();
    let cases = always((setup(any_policy()), steps(0.25)), 1, |(setup, steps)| {
        let mut play = Play::new(setup, true);
        for step in steps {
            play.step(step);
        }
        play.look(END);
        for (what, is) in play.saw() {
            *seen.borrow_mut().entry(what).or_default() += u32::from(is);
        }
    });
    // Histories in which nothing happens would prove nothing.
    let seen = seen.into_inner();
    assert!(cases < 1_000 || seen.values().all(|times| *times >= cases / 1_000), "of {cases} histories: {seen:?}");
}

#[test]
fn a_late_scheduler_comes_to_the_same() {
    always((setup(any_policy()), steps(0.0)), 4, |(setup, steps)| {
        let [watchful, late] = [true, false].map(|watchful| {
            let mut play = Play::new(setup, watchful);
            for step in steps {
                play.step(step);
            }
            play.look(END);
            play.everybody()
        });
        assert_eq!(watchful, late, "with what is due at its moment, and with all of it later");
    });
}

#[test]
fn refunds_come_to_the_same_in_any_order() {
    let backs = prop::collection::vec(back(), 2..6);
    always((setup(Just(RefundPolicy::Negative)), steps(0.1), backs, any::<bool>()), 4, |(setup, steps, backs, now)| {
        let after = |order: Vec<usize>| {
            let mut play = Play::new(setup, true);
            let others = steps.iter().filter(|step| !matches!(step.what, What::Refund(_) | What::Regret { .. }));
            others.for_each(|step| play.step(step));
            for place in order {
                play.step(&Step { after: 0, late: 0, fresh: *now, what: What::Refund(backs[place].clone()) });
            }
            play.everybody()
        };
        let told: Vec<usize> = (0..backs.len()).collect();
        let first = after(told.clone());
        let mut turned = told.clone();
        turned.rotate_left(1);
        for order in [turned, told.into_iter().rev().collect()] {
            assert_eq!(first, after(order.clone()), "in the order told, and in the order {order:?}");
        }
    });
}
