//! Whole explanations of a purchase.

use super::ground::{
    BOUGHT, bare, days_later, delivery, earn, installation, lot, member, plain, purchase, record, refund, reward,
    voice, wallet, zone,
};
use crate::civil::Period;
use crate::explain::{Change, Language, Later, Order, order};
use perkgate_domain::decision::{Decision, Outcome, Spend};
use perkgate_domain::delivery::DeliveryState;
use perkgate_domain::event::Edit;
use perkgate_domain::ids::EntryId;
use perkgate_domain::ledger::{Expiry, HeldReward, RewardState};
use perkgate_domain::programme::Mode;
use std::collections::BTreeMap;

/// A purchase that gave 35 points (pending until 17 March, valid until the end of the year) and a stamp that made a reward, brought
/// a tier, and was refunded in part when some of it was spent.
fn said(language: Language) -> Vec<String> {
    let (bought, zone) = (purchase(), zone());
    let (points, stamp) = (earn("points", 35, "1 point per 1.00 EUR."), earn("stamps", 1, "a visit"));
    let mut member = member();
    member.tier = Some("Gold".into());
    member.climb.since = Some(BOUGHT);
    let mut lots = vec![lot(1, "points-per-spend", &points, BOUGHT), lot(1, "stamp-card", &stamp, BOUGHT)];
    lots[0].matures_at = Some(days_later(14));
    lots[0].expires = Expiry::At(zone.end_of(BOUGHT, Period::Year));
    (lots[0].reversed, lots[0].forgiven) = (10, 2);
    let spend = Spend { wallet: "stamps".into(), amount: 22, reason: "a full card".into() };
    let records = [
        record("points-per-spend", Outcome::Decided(vec![Decision::Earn(points)])),
        record("stamp-card", Outcome::Decided(vec![Decision::Earn(stamp), Decision::Spend(spend)])),
    ];
    let (rewards, given) = ([reward(RewardState::Issued)], refund(1200, "EUR"));
    let (sent, held) = (delivery(DeliveryState::Delivered), delivery(DeliveryState::Suppressed));
    let used = HeldReward { code: "ZIMA".into(), used_in: Some(EntryId(1)), ..reward(RewardState::Used) };
    let told = Order {
        entry: EntryId(1),
        state: "settled",
        cause: Some("code JAR was used before"),
        purchase: &bought,
        member: Some(&member),
        installations: vec![],
        decisions: records.iter().map(|record| (EntryId(1), record)).collect(),
        lots: &lots,
        rewards: &rewards,
        coupons: &[used, HeldReward { used_in: Some(EntryId(7)), ..reward(RewardState::Used) }],
        deliveries: vec![&sent, &held],
        later: vec![Later {
            entry: EntryId(2),
            state: "settled",
            cause: None,
            at: given.at,
            change: Change::Refund(&given),
            taken: [("points".to_owned(), 10), ("stamps".to_owned(), 1)].into(),
        }],
    };
    plain(&order(&told, voice(language, &zone)))
}

#[test]
fn a_purchase_is_told_in_slovak() {
    assert_eq!(
        said(Language::Slovak),
        [
            "Nákup #1001 zo dňa 3. marca 2026, 35,00 €. Patrí členovi mem_jana.",
            "Brána k tomu uvádza: code JAR was used before.",
            "Od pluginu points-per-spend: 35 bodov. Dôvod: 1 point per 1.00 EUR. Po položkách: Flat white 24; Croissant 11. \
         Zatiaľ čaká, minúť možno od 17. marca 2026, 15:05. Platnosť do 31. decembra 2026.",
            "Od pluginu stamp-card: 1 pečiatka. Dôvod: a visit.",
            "Odpočítané pluginom stamp-card: 22 pečiatok. Dôvod: a full card.",
            "Člen sa ním dostal do úrovne „Gold“.",
            "Odmena „Káva zdarma“, kód AB12CD34EF: ešte nepoužitá. Cena: 22 pečiatok. Platnosť do 31. marca 2026.",
            "Použitý kód ZIMA: „Káva zdarma“.",
            "Správa „Ďakujeme“ bola odoslaná cez email.",
            "Správa „Ďakujeme“ bola zadržaná: člen so správami nesúhlasil.",
            "Vrátenie peňazí zo dňa 5. marca 2026: 12,00 €. Odobraté späť: 10 bodov, 1 pečiatka.",
            "Ponechané, hoci bolo vrátené to, za čo to bolo, lebo už to bolo minuté: 2 body.",
        ]
    );
}

#[test]
fn a_purchase_is_told_in_english() {
    assert_eq!(
        said(Language::English),
        [
            "Purchase #1001 of 3 March 2026, €35.00. It belongs to member mem_jana.",
            "The gateway notes: code JAR was used before.",
            "From points-per-spend: 35 points. Why: 1 point per 1.00 EUR. By line: Flat white 24; Croissant 11. \
         Still pending, may be spent from 17 March 2026, 15:05. Valid until 31 December 2026.",
            "From stamp-card: 1 stamp. Why: a visit.",
            "Taken by stamp-card: 22 stamps. Why: a full card.",
            "With it the member came into the tier “Gold”.",
            "Reward “Káva zdarma”, code AB12CD34EF: not used yet. Price: 22 stamps. Valid until 31 March 2026.",
            "Code used, ZIMA: “Káva zdarma”.",
            "Message “Ďakujeme” was sent by email.",
            "Message “Ďakujeme” was held back: the member did not agree to messages.",
            "Refund of 5 March 2026: €12.00. Taken back: 10 points, 1 stamp.",
            "Let be, though what earned it was refunded, because it was spent already: 2 points.",
        ]
    );
}

#[test]
fn the_other_languages_tell_as_much() {
    for (language, words) in [
        (
            Language::Czech,
            ["35 bodů", "17. března 2026, 15:05", "31. prosince 2026", "22 razítek", "10 bodů, 1 razítko"],
        ),
        (
            Language::Polish,
            ["35 punktów", "17 marca 2026, 15:05", "31 grudnia 2026", "22 pieczątki", "10 punktów, 1 pieczątka"],
        ),
        (
            Language::German,
            ["35 Punkte", "17. März 2026, 15:05", "31. Dezember 2026", "22 Stempel", "10 Punkte, 1 Stempel"],
        ),
    ] {
        let said = said(language);
        assert_eq!(said.len(), 12, "{said:#?}");
        for word in words {
            assert!(said.iter().any(|sentence| sentence.contains(word)), "{word} is missing: {said:#?}");
        }
    }
}

#[test]
fn what_slides_ends_with_the_wallet_and_what_was_lost_is_told() {
    let (bought, zone) = (purchase(), zone());
    let points = earn("points", 5, "x");
    let mut member = member();
    let mut slides = wallet(&[("sliding", 3)]);
    slides.slides_until = Some(zone.end_of_day(BOUGHT, 30));
    member.wallets.insert("points".into(), slides);
    let mut lots = [lot(1, "points", &points, BOUGHT)];
    (lots[0].expires, lots[0].expired) = (Expiry::Sliding, 2);
    let made = record("points", Outcome::Decided(vec![Decision::Earn(points)]));
    let told = Order { lots: &lots, member: Some(&member), decisions: vec![(EntryId(1), &made)], ..bare(&bought) };
    let said = order(&told, voice(Language::English, &zone));
    assert_eq!(
        said[1],
        "From points: 5 points. Why: x. By line: Flat white 4; Croissant 1. Valid until 2 April 2026. \
         Lost, because it was not spent in time: 2 points."
    );
}

#[test]
fn a_change_says_what_it_added_and_took() {
    let (bought, zone) = (purchase(), zone());
    let mut changed = bought.clone();
    changed.total = 4000;
    let edit = Edit { id: "5001/2".into(), at: days_later(1), purchase: changed };
    let lots = [lot(3, "points", &earn("points", 5, "the order was changed"), days_later(1))];
    let later = Later {
        entry: EntryId(3),
        state: "settled",
        cause: None,
        at: edit.at,
        change: Change::Edit(&edit),
        taken: [("stamps".to_owned(), 1)].into(),
    };
    let told = Order { lots: &lots, later: vec![later], ..bare(&bought) };
    let said = plain(&order(&told, voice(Language::German, &zone)));
    assert_eq!(
        said.last().unwrap(),
        "Änderung vom 4. März 2026: der Einkauf beträgt nun 40,00 €. Hinzugekommen: 5 Punkte. Zurückgenommen: 1 Stempel."
    );
}

#[test]
fn a_refund_says_what_it_waits_for() {
    let (bought, zone) = (purchase(), zone());
    let (foreign, own) = (refund(1200, "CZK"), refund(1200, "EUR"));
    let complete = perkgate_domain::purchase::Refund { complete: true, ..refund(0, "EUR") };
    let later = |change, state, cause| Later {
        entry: EntryId(2),
        state,
        cause,
        at: days_later(2),
        change,
        taken: BTreeMap::new(),
    };
    let cases = [
        (later(Change::Refund(&own), "queued", None), "Refund of 5 March 2026: €12.00. It still waits for its turn."),
        (
            later(Change::Refund(&foreign), "parked", Some("…")),
            "Refund of 5 March 2026: Kč12.00. It waits: it is in CZK and the purchase in EUR, and without a rate the two \
             cannot be compared.",
        ),
        (
            later(Change::Refund(&own), "parked", Some("its purchase is not this member's any more")),
            "Refund of 5 March 2026: €12.00. It waits until this changes: its purchase is not this member's any more.",
        ),
        (
            later(Change::Refund(&complete), "unclaimed", None),
            "Refund of 5 March 2026: everything that was left. It waits until somebody claims the purchase.",
        ),
        (later(Change::Refund(&own), "settled", None), "Refund of 5 March 2026: €12.00. Nothing was taken back."),
    ];
    for (later, sentence) in cases {
        let told = Order { later: vec![later], ..bare(&bought) };
        let said = plain(&order(&told, voice(Language::English, &zone)));
        assert_eq!(*said.last().unwrap(), sentence);
    }
}

#[test]
fn who_was_not_asked_is_told() {
    let (bought, zone) = (purchase(), zone());
    let (paused, live) = (installation("birthday", Mode::Paused), installation("points", Mode::Live));
    let told = Order { installations: vec![&paused, &live], ..bare(&bought) };
    assert_eq!(order(&told, voice(Language::Czech, &zone))[1..], ["Plugin birthday je pozastavený a nic nedává."]);
    let told = Order { installations: vec![&live], ..bare(&bought) };
    assert_eq!(order(&told, voice(Language::Polish, &zone))[1..], ["Żadna wtyczka programu o nim nie postanawiała."]);
}
