//! The rule as an ordinary function.

use super::*;
use perkgate::sample::{self, line, purchase};
use perkgate::{Balance, NextTier};

const DAY_MS: i64 = 86_400_000;

/// A member with 35 points and four stamps.
fn having() -> Facts {
    let mut facts = sample::facts_with_member();
    facts.merchant.locale = "en".to_owned();
    let of = |wallet: &str, available| Balance { wallet: wallet.to_owned(), available, pending: 0 };
    facts.member.as_mut().expect("a member").balances = vec![of("points", 35), of("stamps", 4)];
    facts
}

/// Keeps the memory, and tells the rest in words.
fn told(decided: Decide, facts: &mut Facts) -> Vec<String> {
    let mut told = Vec::new();
    for decision in decided.expect("decides") {
        match decision {
            Decision::Message(message) => told.push(message.text),
            Decision::Wake(Wake { key, when: Some(WakeTime::Moment(at)), .. }) => {
                told.push(format!("{key} +{}", at - facts.now));
            }
            Decision::Wake(Wake { key, when: Some(WakeTime::Civil(time)), .. }) => {
                told.push(format!("{key} {} {}", Date::new(time.year, time.month, time.day), time.hour));
            }
            Decision::Remember(memory) => facts.memory = memory,
            other => panic!("{other:?}"),
        }
    }
    told
}

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).expect("settings")
}

fn buys(facts: &mut Facts, json: &str) -> Vec<String> {
    told(bought(&purchase([line("cup", 300)]), facts, settings(json)), facts)
}

fn wakes(facts: &mut Facts, key: &str, json: &str) -> Vec<String> {
    told(time_to_tell(&sample::woken(key), facts, settings(json)), facts)
}

fn said(facts: &Facts, json: &str) -> String {
    wakes(&mut facts.clone(), SETTLED, json).remove(0)
}

#[test]
fn a_purchase_is_told_about_two_minutes_later_and_not_too_often() {
    let mut facts = having();
    assert_eq!(buys(&mut facts, "{}"), ["after-purchase +120000"]);
    assert_eq!(buys(&mut facts, "{}"), ["after-purchase +120000"], "the later one replaces it");
    assert_eq!(wakes(&mut facts, SETTLED, "{}"), ["Your balance with us: 35 points. Kaváreň pri moste"]);
    facts.local.day = 27;
    assert!(buys(&mut facts, "{}").is_empty());
    assert!(wakes(&mut facts, SETTLED, "{}").is_empty(), "six days are too few");
    facts.local.day = 28;
    assert_eq!(buys(&mut facts, "{}").len(), 1);
    assert!(buys(&mut having(), r#"{"after_purchase":false}"#).is_empty());
    assert_eq!(buys(&mut facts, r#"{"at_most_days":0}"#).len(), 1);
}

#[test]
fn every_month_has_its_day_and_a_short_one_its_last() {
    let json = r#"{"after_purchase":false,"monthly":{"day":31,"hour":18}}"#;
    let mut facts = having();
    let join = |facts: &mut Facts| told(joined(&sample::join(), &facts.clone(), settings(json)), facts);
    assert_eq!(join(&mut facts), ["monthly 2026-11-30 18"]);
    assert!(join(&mut facts).is_empty(), "it was asked for");
    facts.local.day = 30;
    let first = wakes(&mut facts, MONTHLY, json);
    assert_eq!(first, ["Your balance with us: 35 points. Kaváreň pri moste", "monthly 2026-12-31 18"]);
    facts.local = LocalTime { month: 12, day: 31, ..facts.local };
    assert_eq!(wakes(&mut facts, MONTHLY, json)[1], "monthly 2027-01-31 18");
    let installed = Woken { cause: WakeCause::Installed, ..sample::woken("") };
    let mut old = having();
    let decided = time_to_tell(&installed, &old, settings(json));
    assert_eq!(told(decided, &mut old), ["monthly 2026-11-30 18"], "and nothing is told yet");
    assert!(wakes(&mut having(), MONTHLY, "{}").is_empty(), "monthly was switched off");
}

#[test]
fn whoever_has_nothing_is_not_told_so() {
    let mut facts = having();
    facts.member.as_mut().expect("a member").balances.clear();
    assert!(wakes(&mut facts, SETTLED, "{}").is_empty());
    assert!(log::take().iter().any(|(_, text)| text.contains("has nothing")));
    assert!(facts.memory.is_empty(), "and may be told later");
}

#[test]
fn what_is_not_available_yet_is_said() {
    let mut facts = having();
    facts.member.as_mut().expect("a member").balances[0] =
        Balance { wallet: "points".to_owned(), available: 0, pending: 1 };
    let said = said(&facts, r#"{"wallets":["points","stamps"]}"#);
    assert_eq!(said, "Your balance with us: 4 stamps. Not available yet: 1 point. Kaváreň pri moste");
}

#[test]
fn the_next_tier_is_said_in_what_tiers_go_by() {
    let mut facts = having();
    let next = NextTier { name: "silver".to_owned(), at: 3000, missing: 2000 };
    facts.standing = Some(Standing { next: Some(next), ..sample::standing() });
    for (by, missing) in [("points", "2,000 points"), ("spent", "€20.00"), ("visits", "2,000 purchases")] {
        let said = said(&facts, &format!(r#"{{"tiers_by":"{by}"}}"#));
        let expected =
            format!("Your balance with us: 35 points. Still missing for silver: {missing}. Kaváreň pri moste");
        assert_eq!(said, expected);
    }
    assert!(!said(&facts, r#"{"tiers_by":"nothing"}"#).contains("silver"));
}

#[test]
fn what_expires_next_is_said_for_its_last_day() {
    let mut facts = having();
    let coming = |wallet: &str, amount, days: i64| Coming {
        wallet: wallet.to_owned(),
        amount,
        matures_at: None,
        // The sample's moment is noon by the shop's clock: this is a midnight.
        expires_at: Some(sample::NOW + DAY_MS / 2 + days * DAY_MS),
    };
    let never = Coming { expires_at: None, ..coming("points", 99, 0) };
    facts.coming =
        vec![never, coming("stamps", 1, 1), coming("points", 5, 9), coming("points", 7, 9), coming("points", 50, 20)];
    assert!(said(&facts, "{}").contains(" Use by 30 November 2026: 12 points. "), "{}", said(&facts, "{}"));
    assert!(said(&facts, r#"{"wallets":["points","stamps"]}"#).contains("Use by 22 November 2026: 1 stamp."));
    assert!(!said(&facts, r#"{"expiry_days":9}"#).contains("Use by"));
}

#[test]
fn own_texts_and_sentences_stand_in_together() {
    let mut facts = having();
    facts.member.as_mut().expect("a member").locale = Some("hu".to_owned());
    facts.member.as_mut().expect("a member").balances[0].pending = 2;
    let own = r#"{"texts":{"message":{"hu":{"subject":"S","text":"{shop}: {balance}! {more}"}},"pending":{"hu":"+{amount}"}}}"#;
    assert_eq!(said(&facts, own), "Kaváreň pri moste: 35 points! +2 points");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for json in [
        r#"{"monthly":{"day":0,"hour":1}}"#,
        r#"{"monthly":{"day":1,"hour":24}}"#,
        r#"{"wallets":[]}"#,
        r#"{"texts":{"message":{"en":{"subject":"S","text":"{points}"}}}}"#,
    ] {
        let refused = time_to_tell(&sample::woken(SETTLED), &having(), settings(json));
        assert!(matches!(refused, Err(Refusal::NotConfigured(_))), "{json}: {refused:?}");
    }
}
