//! Random programmes and what happens in them. Plain data that shrinks well: whatever points at something points at one of those that
//! there are when it is told.

use crate::ledger::tests::ground::item;
use perkgate_domain::decision::Price;
use perkgate_domain::facts::MonthDay;
use perkgate_domain::programme::{Caps, WalletCaps};
use perkgate_domain::rules::{
    Activity, CatalogueReward, ExpiryRule, Maturity, RefundPolicy, Round, Rules, WalletTerms,
};
use perkgate_domain::time::Moment;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub(super) const WALLETS: [&str; 3] = ["points", "stamps", "extra"];
pub(super) const MEMBERS: [&str; 3] = ["mem_a", "mem_b", "mem_c"];
pub(super) const PLUGINS: [&str; 2] = ["first", "second"];
pub(super) const REWARDS: [&str; 3] = ["bag", "cup", "mug"];
pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;
/// 2026-01-01T00:00:00Z.
pub(super) const START: i64 = 1_767_225_600_000;

/// A programme.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) rules: Rules,
    pub(super) refund_window_days: Option<u32>,
    /// By plugin.
    pub(super) caps: Vec<Caps>,
}

/// One happening.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Hours since the one told before.
    pub(super) after: i64,
    /// How many hours it is late.
    pub(super) late: i64,
    /// Whether a new batch begins.
    pub(super) fresh: bool,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Buy {
        member: usize,
        lines: Vec<i64>,
        verdicts: Vec<Verdict>,
    },
    Redeem {
        member: usize,
        reward: usize,
    },
    Undo {
        which: usize,
    },
    Refund(Back),
    Merge {
        stays: usize,
        goes: usize,
    },
    /// Takes a reward, has a purchase given back, and gives the reward back too.
    Regret {
        member: usize,
        reward: usize,
        back: Back,
    },
}

/// What one plugin says to a purchase: what each line earns in which wallet, and what is spent.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) plugin: usize,
    pub(super) gains: Vec<Gain>,
    pub(super) spends: Option<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Gain {
    pub(super) wallet: usize,
    pub(super) shares: Vec<i64>,
    pub(super) matures_days: Option<u32>,
    pub(super) valid_days: Option<u32>,
}

/// Money given back on one of the purchases told so far, counted from the last.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) which: usize,
    pub(super) amount: i64,
    pub(super) complete: bool,
    /// Line, thousandths of a piece, money.
    pub(super) lines: Vec<(usize, i64, i64)>,
}

pub(super) fn setup(policy: impl Strategy<Value = RefundPolicy> + Clone) -> impl Strategy<Value = Setup> {
    let wallets = vec((maturity(), expiry(), policy), WALLETS.len());
    (
        wallets,
        vec(reward(), REWARDS.len()),
        vec(caps(), PLUGINS.len() + 1),
        option::of(1_u32..20),
        option::of(1_u32..20),
    )
        .prop_map(|(wallets, rewards, mut caps, return_window_days, refund_window_days)| {
            let terms =
                wallets.into_iter().map(|(matures, expires, refunds)| WalletTerms { matures, expires, refunds });
            let rules = Rules {
                wallets: WALLETS.iter().map(|name| (*name).to_owned()).zip(terms).collect(),
                return_window_days,
                tiers: None,
                rewards: REWARDS.iter().map(|name| (*name).to_owned()).zip(rewards).collect(),
                caps: caps.pop().unwrap_or_default(),
                ..Rules::default()
            };
            Setup { rules, refund_window_days, caps }
        })
}

fn maturity() -> impl Strategy<Value = Maturity> + Clone {
    prop_oneof![
        6 => Just(Maturity::AtOnce),
        2 => (1_u32..30).prop_map(Maturity::Days),
        1 => (1_i64..90).prop_map(|day| Maturity::On(Moment(START + day * DAY))),
        1 => Just(Maturity::ReturnWindow),
        1 => Just(Maturity::RefundWindow),
    ]
}

fn expiry() -> impl Strategy<Value = ExpiryRule> + Clone {
    let round = option::of(prop_oneof![Just(Round::Month), Just(Round::Quarter), Just(Round::Year)]);
    let by = prop_oneof![Just(Activity::Purchase), Just(Activity::Redemption), Just(Activity::Any)];
    let date = (1_u8..=12, 1_u8..=31).prop_map(|(month, day)| MonthDay { month, day });
    prop_oneof![
        3 => Just(ExpiryRule::Never),
        3 => (0_u32..40, round).prop_map(|(days, round)| ExpiryRule::Days { days, round }),
        1 => vec(date, 1..4).prop_map(ExpiryRule::Dates),
        3 => (0_u32..40, by).prop_map(|(days, by)| ExpiryRule::Sliding { days, by }),
    ]
}

fn reward() -> impl Strategy<Value = CatalogueReward> + Clone {
    // Whole hours, as everything happens at whole hours: so its end is met.
    let hours = prop_oneof![0_u32..5, 0_u32..500].prop_map(|hours| 60 * hours);
    let limits =
        (option::weighted(0.2, 1_u32..6), option::weighted(0.2, 1_u32..4), option::of(0_u32..10), any::<bool>(), hours);
    (wallet(), 1_i64..12, limits).prop_map(|(wallet, amount, (stock, per_member, valid_days, returns_price, undo))| {
        CatalogueReward {
            price: Some(Price { wallet: WALLETS[wallet].to_owned(), amount }),
            stock,
            per_member,
            valid_days,
            returns_price,
            undo_minutes: undo,
            ..item(None)
        }
    })
}

fn caps() -> impl Strategy<Value = Caps> + Clone {
    let cap = || option::weighted(0.15, 5_i64..60);
    let caps =
        (cap(), cap(), cap(), cap(), cap()).prop_map(|(per_purchase, per_member_day, per_day, per_month, total)| {
            WalletCaps {
                per_purchase,
                per_member_day,
                per_day: per_day.map(|cap| 2 * cap),
                per_month: per_month.map(|cap| 3 * cap),
                total: total.map(|cap| 4 * cap),
            }
        });
    (option::weighted(0.4, caps.clone()), option::weighted(0.2, caps)).prop_map(|(points, stamps)| {
        let named = [("points", points), ("stamps", stamps)];
        named.into_iter().filter_map(|(name, caps)| Some((name.to_owned(), caps?))).collect()
    })
}

/// `late` says how often something comes late. The first things are purchases: who has nothing can do little.
pub(super) fn steps(late: f64) -> impl Strategy<Value = Vec<Step>> {
    let step = move |what: BoxedStrategy<What>| {
        let after = prop_oneof![5 => 0_i64..3, 3 => 3_i64..48, 1 => 48_i64..(20 * 24)];
        let late = (prop::bool::weighted(late), 1_i64..(15 * 24)).prop_map(|(is, hours)| if is { hours } else { 0 });
        let step = (after, late, any::<bool>(), what);
        step.prop_map(|(after, late, fresh, what)| Step { after, late, fresh, what })
    };
    (vec(step(buy().boxed()), 1..4), vec(step(what().boxed()), 1..14)).prop_map(|(first, then)| [first, then].concat())
}

pub(super) fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        8 => buy(),
        3 => (member(), 0..REWARDS.len()).prop_map(|(member, reward)| What::Redeem { member, reward }),
        3 => (0_usize..4).prop_map(|which| What::Undo { which }),
        5 => back().prop_map(What::Refund),
        2 => (member(), 0..REWARDS.len(), back())
            .prop_map(|(member, reward, back)| What::Regret { member, reward, back }),
        1 => (member(), member()).prop_map(|(stays, goes)| What::Merge { stays, goes }),
    ]
}

/// Some more often than others, so that things meet.
fn member() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![6 => Just(0_usize), 2 => Just(1), 1 => Just(2)]
}

/// The same of wallets.
fn wallet() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![6 => Just(0_usize), 2 => Just(1), 1 => Just(2)]
}

pub(super) fn buy() -> impl Strategy<Value = What> {
    let days = || option::weighted(0.25, 0_u32..20);
    let gain = (wallet(), vec(0_i64..25, 1..4), days(), days())
        .prop_map(|(wallet, shares, matures_days, valid_days)| Gain { wallet, shares, matures_days, valid_days });
    let spends = option::weighted(0.35, (wallet(), 1_i64..25));
    let verdict = (0..PLUGINS.len(), vec(gain, 1..3), spends).prop_map(|(plugin, gains, spends)| Verdict {
        plugin,
        gains,
        spends,
    });
    (member(), vec(0_i64..1_000, 1..4), vec(verdict, 1..3)).prop_map(|(member, lines, mut verdicts)| {
        // Each plugin speaks once, in the order in which they are installed.
        verdicts.sort_by_key(|verdict| verdict.plugin);
        verdicts.dedup_by_key(|verdict| verdict.plugin);
        What::Buy { member, lines, verdicts }
    })
}

pub(super) fn back() -> impl Strategy<Value = Back> {
    let lines = vec((0_usize..5, 0_i64..5_000, prop_oneof![Just(0), 0_i64..800]), 0..3);
    (0_usize..6, 0_i64..2_000, prop::bool::weighted(0.4), lines).prop_map(|(which, amount, complete, lines)| Back {
        which,
        amount,
        complete,
        lines,
    })
}
