//! Each interface is called with what happened, field by field; the facts that plugins ask for arrive whole.

use crate::support::{decide, decisions, facts, fault, host, load, purchase};
use perkgate_domain::decision::{
    Ask, Blame, CivilTime, Decision, Earn, FaultKind, Price, Spend, Task, Wake, WakeTime, WakeWhom,
};
use perkgate_domain::event::{Answer, Join, Kind, Profile, Scale, WakeCause, Woken};
use perkgate_domain::facts::{Coming, Facts, Favourite, MonthDay, NextTier, Referral, Standing, Visit};
use perkgate_domain::limits::{COMING, CallLimits, FAVOURITES, HISTORY, MEMORY_BYTES};
use perkgate_domain::purchase::Channel;
use perkgate_domain::time::Moment;
use perkgate_plugin_host::{Call, Plugin, Taken};

const KINDS: [Kind; 14] = [
    Kind::Purchase,
    Kind::Refund,
    Kind::Join,
    Kind::Edit,
    Kind::Profile,
    Kind::Wake,
    Kind::Due,
    Kind::Redemption,
    Kind::Undo,
    Kind::Issue,
    Kind::Answer,
    Kind::Merge,
    Kind::Forget,
    Kind::Claim,
];

/// One of the files, which handles exactly these kinds.
fn handling(name: &str, kinds: &[Kind]) -> Plugin {
    let plugin = load(&host(CallLimits::default()), name);
    let handled: Vec<Kind> = KINDS.into_iter().filter(|kind| plugin.handles(*kind)).collect();
    assert_eq!(handled, kinds, "{name}");
    plugin
}

/// What it decides.
fn decided(plugin: &Plugin, event: Call<'_>) -> Vec<Decision> {
    decisions(&plugin.decide(event, &facts())).to_vec()
}

fn earn(wallet: &str, amount: i64, reason: &str) -> Decision {
    Decision::Earn(Earn {
        wallet: wallet.into(),
        amount,
        shares: vec![],
        matures_days: None,
        valid_days: None,
        reason: reason.into(),
    })
}

fn task(key: &str, title: &str, text: &str) -> Decision {
    Decision::Task(Task { key: key.into(), title: title.into(), text: text.into() })
}

fn woken(cause: WakeCause, data: Vec<u8>) -> Woken {
    Woken { id: "w".into(), at: Moment(4_711), installation: "x".into(), cause, key: "birthday".into(), data }
}

#[test]
fn profiles_are_told() {
    let plugin = handling("honest-profiles", &[Kind::Profile]);
    let profile = Profile { id: "77".into(), at: Moment(4_711) };
    let answer = decided(&plugin, Call::Profile { source: "eshop", profile: &profile });
    assert_eq!(answer, [earn("points", 4_711, ""), task("profile", "eshop", "")]);
}

#[test]
fn wakes_are_told() {
    let plugin = handling("honest-wakes", &[Kind::Wake]);
    for (cause, number) in [(WakeCause::Asked, 1), (WakeCause::Installed, 2), (WakeCause::Tier, 3)] {
        for data in [vec![], vec![0, 1, 255], vec![7; MEMORY_BYTES]] {
            let woken = woken(cause, data.clone());
            let expected =
                [earn("points", 4_711, "birthday"), earn("stamps", number, ""), Decision::Remember { bytes: data }];
            assert_eq!(decided(&plugin, Call::Wake(&woken)), expected);
        }
    }
}

#[test]
fn redemptions_are_told_with_their_price_or_without() {
    // Giving a reward back is told by the same interface.
    let plugin = handling("honest-redemptions", &[Kind::Redemption, Kind::Undo]);
    let price = Price { wallet: "points".into(), amount: 100 };
    let taken = |undone, price| Taken { at: Moment(1), undone, reward: "free-coffee", title: "Káva zdarma", price };
    let tag = |present| Decision::Tag { name: "free-coffee".into(), present };
    let spend = Decision::Spend(Spend { wallet: "points".into(), amount: 100, reason: "Káva zdarma".into() });
    assert_eq!(decided(&plugin, Call::Redemption(taken(false, Some(&price)))), [tag(true), spend.clone()]);
    assert_eq!(decided(&plugin, Call::Redemption(taken(true, Some(&price)))), [tag(false), spend]);
    assert_eq!(decided(&plugin, Call::Redemption(taken(false, None))), [tag(true)]);
}

#[test]
fn answers_are_told_with_their_text_or_without() {
    let plugin = handling("honest-answers", &[Kind::Answer]);
    let answer = |scale, score, text: Option<&str>| Answer {
        id: "a".into(),
        at: Moment(1),
        installation: "x".into(),
        key: "first".into(),
        scale,
        score,
        text: text.map(str::to_owned),
    };
    let told = |answer: Answer| decided(&plugin, Call::Answer(&answer));
    let words = "Dobrá káva, ale dlhý rad.";
    assert_eq!(told(answer(Scale::Nps, 9, Some(words))), [earn("points", 9, ""), task("first", "-", words)]);
    assert_eq!(told(answer(Scale::Csat, 1, None)), [earn("points", 101, ""), task("first", "-", "")]);
}

#[test]
fn what_a_plugin_does_not_export_is_not_called() {
    let plugin = handling("honest-points", &[Kind::Purchase]);
    let profile = Profile { id: "77".into(), at: Moment(1) };
    let woken = woken(WakeCause::Asked, vec![]);
    let join = Join { id: "7".into(), at: Moment(1), referrer: None };
    let calls = [
        Call::Profile { source: "till", profile: &profile },
        Call::Wake(&woken),
        Call::Join { source: "till", join: &join },
    ];
    for call in calls {
        let verdict = plugin.decide(call, &facts());
        assert_eq!((fault(&verdict).blame, fault(&verdict).kind), (Blame::Host, FaultKind::Host), "{call:?}");
    }
}

#[test]
fn what_comes_later_is_asked_for_in_every_way() {
    let verdict = decide(&load(&host(CallLimits::default()), "honest-asks"));
    let wake =
        |key: &str, when, whom, data: &[u8]| Decision::Wake(Wake { key: key.into(), when, whom, data: data.to_vec() });
    let clocks = CivilTime { year: 2027, month: 2, day: 29, hour: 23, minute: 59 };
    let expected = [
        wake("How", Some(WakeTime::Moment(Moment(1_800_000_000_000))), WakeWhom::Member, b"points"),
        wake("How w", Some(WakeTime::Civil(clocks)), WakeWhom::Referrer, b""),
        wake("H", None, WakeWhom::Member, b""),
        task("How", "How was it?", "How was it? {link}"),
        Decision::Ask(Ask {
            key: "How".into(),
            scale: Scale::Csat,
            subject: "How was it?".into(),
            text: "How was it? {link}".into(),
            locale: "H".into(),
            valid_days: 14,
        }),
        Decision::Earn(Earn {
            wallet: "points".into(),
            amount: 3,
            shares: vec![],
            matures_days: Some(7),
            valid_days: Some(90),
            reason: String::new(),
        }),
    ];
    assert_eq!(decisions(&verdict), expected);
}

/// Facts with as much in every list as there ever is.
fn everything() -> Facts {
    let numbered = |count: usize| (1..).take(count);
    let visit = |n: i64| Visit {
        at: Moment(n),
        total: n * 100,
        currency: facts().merchant.currency,
        channel: Channel::InStore,
        location: Some(format!("{}{n}", "x".repeat(250))),
    };
    let favourite = |n: i64| Favourite {
        sku: None,
        name: format!("Coffee {n}"),
        category: Some("Drinks".into()),
        purchases: 3,
        last_at: Moment(n * 10),
    };
    let coming = |n: i64| Coming {
        wallet: format!("wallet-{n}"),
        amount: n,
        matures_at: (n % 2 == 0).then_some(Moment(n)),
        expires_at: (n % 3 == 0).then_some(Moment(n)),
    };
    Facts {
        birthday: Some(MonthDay { month: 2, day: 29 }),
        standing: Some(Standing {
            tier: Some("silver".into()),
            since: Some(Moment(1)),
            until: None,
            multiplier_milli: 1_500,
            progress: 420,
            next: Some(NextTier { name: "gold".into(), at: 1_000, missing: 580 }),
        }),
        referral: Some(Referral { code: "REF1234567".into(), referred: true }),
        history: numbered(HISTORY).map(visit).collect(),
        favourites: numbered(FAVOURITES).map(favourite).collect(),
        coming: numbered(COMING).map(coming).collect(),
        ..facts()
    }
}

#[test]
fn the_longest_lists_of_facts_arrive() {
    let plugin = load(&host(CallLimits::default()), "honest-facts");
    let purchase = purchase();
    let verdict = plugin.decide(Call::Purchase { source: "eshop", purchase: &purchase }, &everything());
    let expected = [
        earn("history", 21_000, &format!("{}20", "x".repeat(250))),
        earn("favourites", 150, "Coffee 5"),
        earn("coming", 210, "wallet-20"),
        Decision::Tag { name: "REF1234567".into(), present: true },
        Decision::Spend(Spend { wallet: "gold".into(), amount: 420, reason: String::new() }),
        Decision::Remember { bytes: vec![2, 29] },
    ];
    assert_eq!(decisions(&verdict), expected);
}
