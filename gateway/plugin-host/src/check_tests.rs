//! Each bound of an answer, obeyed and violated.

use super::*;
use perkgate_domain::decision::{Price, Spend, WakeWhom};
use perkgate_domain::event::{Join, Scale};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, LineKind, Purchase};
use perkgate_domain::time::Moment;

fn purchase() -> Purchase {
    let line = |id: &str| Line {
        id: id.into(),
        sku: None,
        name: "Coffee".into(),
        category: None,
        quantity_milli: 1000,
        unit: 100,
        total: 100,
        tax: 0,
        kind: LineKind::Item,
    };
    Purchase {
        id: "1".into(),
        reference: None,
        channel: Channel::Online,
        placed_at: Moment(0),
        currency: Currency::parse("EUR").expect("known"),
        total: 200,
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines: vec![line("a"), line("b")],
        codes: vec![],
        location: None,
    }
}

/// What [`check`] says about these decisions on [`purchase`].
fn judge(decisions: &[Decision]) -> Option<FaultKind> {
    let purchase = purchase();
    check(decisions, &Call::Purchase { source: "eshop", purchase: &purchase }, &CallLimits::default())
        .err()
        .map(|fault| fault.kind)
}

fn earn(wallet: &str, amount: i64, shares: &[(&str, i64)]) -> Decision {
    let shares = shares.iter().map(|(line, amount)| Share { line: (*line).into(), amount: *amount }).collect();
    Decision::Earn(Earn {
        wallet: wallet.into(),
        amount,
        shares,
        matures_days: None,
        valid_days: None,
        reason: "Because.".into(),
    })
}

fn wake(key: &str, when: Option<WakeTime>, data: Vec<u8>) -> Decision {
    Decision::Wake(Wake { key: key.into(), when, whom: WakeWhom::Member, data })
}

fn task(key: String, title: String, text: String) -> Decision {
    Decision::Task(Task { key, title, text })
}

fn ask(key: String, subject: String, text: String, locale: String) -> Decision {
    Decision::Ask(Ask { key, scale: Scale::Nps, subject, text, locale, valid_days: 1 })
}

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Obeyed at the bound, violated one beyond.
fn bound(most: usize, of: impl Fn(String) -> Decision) {
    assert_eq!(judge(&[of(long(most))]), None);
    assert_eq!(judge(&[of(long(most + 1))]), Some(FaultKind::Result));
}

#[test]
fn amounts_are_positive_and_bounded() {
    for amount in [1, AMOUNT] {
        assert_eq!(judge(&[earn("points", amount, &[])]), None);
    }
    for amount in [0, -1, AMOUNT + 1, i64::MAX, i64::MIN] {
        assert_eq!(judge(&[earn("points", amount, &[])]), Some(FaultKind::Invalid), "{amount}");
        let spend = Decision::Spend(Spend { wallet: "points".into(), amount, reason: String::new() });
        assert_eq!(judge(&[spend]), Some(FaultKind::Invalid), "{amount}");
        let price = Some(Price { wallet: "points".into(), amount });
        let reward = Decision::Reward(Reward { key: "k".into(), title: "t".into(), price, valid_days: None });
        assert_eq!(judge(&[reward]), Some(FaultKind::Invalid), "{amount}");
    }
}

#[test]
fn wallets_have_plain_names() {
    for wallet in ["points", "a", "9-lives", &long(32)] {
        assert_eq!(judge(&[earn(wallet, 1, &[])]), None, "{wallet}");
    }
    for wallet in ["", "Points", "my points", "punkty_", "ä", &long(33)] {
        assert_eq!(judge(&[earn(wallet, 1, &[])]), Some(FaultKind::Invalid), "{wallet}");
    }
}

#[test]
fn shares_are_of_known_lines_and_add_up() {
    for shares in [&[][..], &[("a", 3)], &[("b", 1), ("a", 2)], &[("a", 0), ("b", 3)]] {
        assert_eq!(judge(&[earn("points", 3, shares)]), None, "{shares:?}");
    }
    for shares in [
        &[("a", 2)][..],
        &[("a", 4)],
        &[("c", 3)],
        &[("a", 1), ("a", 2)],
        &[("a", 4), ("b", -1)],
        &[("a", i64::MAX), ("b", i64::MAX)],
    ] {
        assert_eq!(judge(&[earn("points", 3, shares)]), Some(FaultKind::Invalid), "{shares:?}");
    }
}

#[test]
fn a_join_has_no_lines_to_share_over() {
    let join = Join { id: "7".into(), at: Moment(0), referrer: None };
    let event = Call::Join { source: "eshop", join: &join };
    let judge = |shares: &[_]| check(&[earn("points", 3, shares)], &event, &CallLimits::default()).is_ok();
    assert!(judge(&[]));
    assert!(!judge(&[("a", 3)]));
}

#[test]
fn a_text_has_no_nul() {
    assert!(text("a reason", "a\u{1}b").is_ok());
    assert!(text("a reason", "a\0b").is_err());
    let (short, wrong) = (|| "x".to_owned(), || "a\0b".to_owned());
    let message = Decision::Message(Message { key: short(), subject: short(), text: wrong(), locale: short() });
    let offer = Decision::Offer(Offer { key: short(), title: short(), text: wrong(), limit: None, valid_days: None });
    for decision in [message, offer, task(short(), short(), wrong()), ask(short(), short(), wrong(), short())] {
        assert_eq!(judge(std::slice::from_ref(&decision)), Some(FaultKind::Invalid), "{decision:?}");
    }
}

#[test]
fn texts_are_bounded() {
    let message = |key: String, subject: String, text: String, locale: String| {
        Decision::Message(Message { key, subject, text, locale })
    };
    let offer = |key: String, title: String, text: String| {
        Decision::Offer(Offer { key, title, text, limit: None, valid_days: None })
    };
    let reward = |key: String, title: String| Decision::Reward(Reward { key, title, price: None, valid_days: None });
    let short = || "x".to_owned();
    bound(TEXT_BYTES, |text| match earn("x", 1, &[]) {
        Decision::Earn(earn) => Decision::Earn(Earn { reason: text, ..earn }),
        other => other,
    });
    bound(TEXT_BYTES, |text| Decision::Spend(Spend { wallet: short(), amount: 1, reason: text }));
    bound(TEXT_BYTES, |text| reward(text, short()));
    bound(TEXT_BYTES, |text| reward(short(), text));
    bound(TEXT_BYTES, |text| offer(text, short(), short()));
    bound(TEXT_BYTES, |text| offer(short(), text, short()));
    bound(MESSAGE_BYTES, |text| offer(short(), short(), text));
    bound(TEXT_BYTES, |text| message(text, short(), short(), short()));
    bound(TEXT_BYTES, |text| message(short(), text, short(), short()));
    bound(MESSAGE_BYTES, |text| message(short(), short(), text, short()));
    bound(TEXT_BYTES, |text| message(short(), short(), short(), text));
    bound(TEXT_BYTES, |text| Decision::Tier { name: Some(text) });
    bound(TEXT_BYTES, |text| Decision::Tag { name: text, present: true });
    bound(TEXT_BYTES, |text| wake(&text, None, vec![]));
    bound(MEMORY_BYTES, |text| wake("x", None, text.into_bytes()));
    bound(MEMORY_BYTES, |text| Decision::Remember { bytes: text.into_bytes() });
}

#[test]
fn what_is_told_and_asked_is_bounded() {
    let short = || "x".to_owned();
    bound(TEXT_BYTES, |text| task(text, short(), short()));
    bound(TEXT_BYTES, |text| task(short(), text, short()));
    bound(MESSAGE_BYTES, |text| task(short(), short(), text));
    bound(TEXT_BYTES, |text| ask(text, short(), short(), short()));
    bound(TEXT_BYTES, |text| ask(short(), text, short(), short()));
    bound(MESSAGE_BYTES, |text| ask(short(), short(), text, short()));
    bound(TEXT_BYTES, |text| ask(short(), short(), short(), text));
}

#[test]
fn a_link_works_for_a_day_at_least() {
    let asking = |valid_days| match ask("k".into(), "s".into(), "t".into(), "sk".into()) {
        Decision::Ask(ask) => Decision::Ask(Ask { valid_days, ..ask }),
        other => other,
    };
    assert_eq!(judge(&[asking(1)]), None);
    assert_eq!(judge(&[asking(u32::MAX)]), None);
    assert_eq!(judge(&[asking(0)]), Some(FaultKind::Invalid));
}

#[test]
fn some_clock_shows_the_time_of_a_wake_in_some_year() {
    let at = |year, month, day, hour, minute| {
        judge(&[wake("k", Some(WakeTime::Civil(CivilTime { year, month, day, hour, minute })), vec![])])
    };
    // Which years have a 29 February, and which times a zone skips, is for whoever has a calendar.
    for (year, month, day, hour, minute) in
        [(2027, 2, 29, 0, 0), (1, 1, 1, 0, 0), (9999, 12, 31, 23, 59), (2027, 3, 28, 2, 30), (2027, 4, 30, 12, 0)]
    {
        assert_eq!(at(year, month, day, hour, minute), None, "{year}-{month}-{day}");
    }
    for (year, month, day, hour, minute) in [
        (2027, 2, 30, 0, 0),
        (2027, 4, 31, 0, 0),
        (2027, 1, 32, 0, 0),
        (2027, 1, 0, 0, 0),
        (2027, 0, 1, 0, 0),
        (2027, 13, 1, 0, 0),
        (2027, 1, 1, 24, 0),
        (2027, 1, 1, 0, 60),
        (0, 1, 1, 0, 0),
        (10_000, 1, 1, 0, 0),
        (i32::MIN, 1, 1, 0, 0),
    ] {
        assert_eq!(
            at(year, month, day, hour, minute),
            Some(FaultKind::Invalid),
            "{year}-{month}-{day} {hour}:{minute}"
        );
    }
    for moment in [i64::MIN, 0, i64::MAX] {
        assert_eq!(judge(&[wake("k", Some(WakeTime::Moment(Moment(moment))), vec![])]), None, "{moment}");
    }
}

#[test]
fn what_is_found_by_name_has_one() {
    let nameless = [
        Decision::Tag { name: String::new(), present: true },
        Decision::Tier { name: Some(String::new()) },
        wake("", None, vec![]),
        task(String::new(), "t".into(), String::new()),
        task("k".into(), String::new(), String::new()),
        ask(String::new(), "s".into(), "t".into(), "sk".into()),
        Decision::Reward(Reward { key: String::new(), title: "t".into(), price: None, valid_days: None }),
    ];
    for decision in nameless {
        assert_eq!(judge(std::slice::from_ref(&decision)), Some(FaultKind::Invalid), "{decision:?}");
    }
    assert_eq!(judge(&[Decision::Tier { name: None }]), None);
}

#[test]
fn decisions_are_counted() {
    let tag = Decision::Tag { name: "t".into(), present: true };
    let most = CallLimits::default().decisions;
    assert_eq!(judge(&vec![tag.clone(); most]), None);
    assert_eq!(judge(&vec![tag; most + 1]), Some(FaultKind::Result));
}

#[test]
fn memory_and_tier_are_set_once() {
    for decision in [Decision::Remember { bytes: vec![1] }, Decision::Tier { name: Some("gold".into()) }] {
        assert_eq!(judge(std::slice::from_ref(&decision)), None);
        assert_eq!(judge(&[decision.clone(), decision]), Some(FaultKind::Invalid));
    }
}
