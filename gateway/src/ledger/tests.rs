//! The ledger's promises: whole or not at all, exact inverses, and refunds whose order does not matter.

use super::*;
use perkgate_domain::decision::{Decision, Earn, Message, Offer, Price, Reward, Share};
use perkgate_domain::facts::{Facts, LocalTime, MerchantFacts};
use perkgate_domain::ids::{ChannelId, Digest, EntryId, MemberId, MerchantId};
use perkgate_domain::ledger::{Account, Refunded, RewardState};
use perkgate_domain::member::Member;
use perkgate_domain::plan::PurchaseRecord;
use perkgate_domain::programme::{Caps, Installation};
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund, RefundLine};
use perkgate_domain::time::Moment;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const KEY: [u8; 32] = [7; 32];

fn eur() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn member() -> Member {
    Member {
        id: MemberId::from("mem_a"),
        version: 0,
        joined_at: Moment(0),
        locale: None,
        consent: true,
        visits: 0,
        spent: 0,
        first_purchase_at: None,
        last_purchase_at: None,
        tier: None,
        tags: vec![],
        balances: BTreeMap::new(),
        chain: [0; 32],
    }
}

fn book() -> Book {
    let opened =
        MemberBook { member: member(), memories: BTreeMap::new(), rewards: vec![], purchases: BTreeMap::new() };
    Book { members: [((MerchantId::from("shop"), MemberId::from("mem_a")), opened)].into(), counters: HashMap::new() }
}

fn standing(book: &Book) -> &MemberBook {
    &book.members[&(MerchantId::from("shop"), MemberId::from("mem_a"))]
}

fn available(book: &Book, wallet: &str) -> i64 {
    standing(book).member.balances.get(wallet).map_or(0, |balance| balance.available)
}

fn installation(caps: Caps) -> Installation {
    Installation {
        id: "points".into(),
        digest: Digest::of(b"points"),
        partner: Some("kino".into()),
        settings: "{}".into(),
        settings_revision: 1,
        grants: BTreeSet::new(),
        caps,
        mode: Mode::Live,
    }
}

fn facts() -> Facts {
    Facts {
        now: Moment(0),
        local: LocalTime { year: 2026, month: 1, day: 1, hour: 0, minute: 0, weekday: 4, offset_minutes: 60 },
        merchant: MerchantFacts {
            id: "shop".into(),
            name: "Shop".into(),
            currency: eur(),
            timezone: "Europe/Bratislava".into(),
            locale: "sk".into(),
        },
        member: None,
        settings: "{}".into(),
        memory: vec![],
        dice: 0,
    }
}

fn purchase(id: &str, totals: &[i64]) -> Purchase {
    let lines: Vec<Line> = totals
        .iter()
        .enumerate()
        .map(|(index, total)| Line {
            id: index.to_string(),
            sku: None,
            name: index.to_string(),
            category: None,
            quantity_milli: 4000,
            unit: *total,
            total: *total,
            tax: 0,
            kind: LineKind::Item,
        })
        .collect();
    Purchase {
        id: id.into(),
        reference: None,
        channel: Channel::InStore,
        placed_at: Moment(1),
        currency: eur(),
        total: totals.iter().sum(),
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines,
        codes: vec![],
        location: None,
    }
}

fn entry(number: i64, event: Event, purchase: Option<i64>) -> QueuedEntry {
    QueuedEntry {
        id: EntryId(number),
        merchant: "shop".into(),
        source: "till".into(),
        event,
        member: Some("mem_a".into()),
        purchase: purchase.map(EntryId),
        attempts: 0,
    }
}

fn settle_with(
    book: &mut Book,
    entry: &QueuedEntry,
    installation: &Installation,
    decisions: Vec<Decision>,
) -> Settlement {
    let proposal = Proposal {
        installation,
        facts: facts(),
        outcome: Outcome::Decided(decisions),
        ruling: None,
        fuel: 1,
        log: vec![],
    };
    let channels = [ChannelId::from("webhook")];
    let terms = Terms { currency: eur(), day: "2026-01-01", channels: &channels, code_key: &KEY, now: Moment(9) };
    let settled = settle(entry, vec![proposal], terms, book);
    // As the store would show it to a refund's batch.
    if let Event::Purchase(purchase) = &entry.event {
        let record =
            PurchaseRecord { purchase: purchase.clone(), lots: settled.lots.clone(), refunded: Refunded::default() };
        let opened = book.members.get_mut(&(MerchantId::from("shop"), MemberId::from("mem_a"))).unwrap();
        opened.purchases.insert(entry.id, record);
    }
    settled
}

fn settle_alone(book: &mut Book, entry: &QueuedEntry) -> Settlement {
    settle(
        entry,
        vec![],
        Terms { currency: eur(), day: "2026-01-01", channels: &[], code_key: &KEY, now: Moment(9) },
        book,
    )
}

fn earn(wallet: &str, amount: i64, shares: &[(&str, i64)]) -> Decision {
    let shares = shares.iter().map(|(line, amount)| Share { line: (*line).into(), amount: *amount }).collect();
    Decision::Earn(Earn { wallet: wallet.into(), amount, shares, reason: "test".into() })
}

fn reward(price: i64) -> Decision {
    let price = Some(Price { wallet: "stamps".into(), amount: price });
    Decision::Reward(Reward { key: "coffee".into(), title: "Coffee".into(), price, valid_days: None })
}

fn refund(id: &str, amount: i64, lines: &[(&str, i64, i64)]) -> Refund {
    let lines = lines
        .iter()
        .map(|(line, quantity_milli, amount)| RefundLine {
            line: (*line).into(),
            quantity_milli: *quantity_milli,
            amount: *amount,
        })
        .collect();
    Refund { id: id.into(), purchase: "p1".into(), at: Moment(2), currency: eur(), amount, complete: false, lines }
}

fn points(book: &mut Book, totals: &[i64], shares: &[(&str, i64)]) {
    let amount = shares.iter().map(|(_, amount)| amount).sum();
    let bought = entry(1, Event::Purchase(purchase("p1", totals)), None);
    let settled = settle_with(book, &bought, &installation(Caps::default()), vec![earn("points", amount, shares)]);
    assert_eq!(settled.decisions[0].ruling, None);
}

#[test]
fn earning_posts_from_issued_to_available_and_links_the_chain() {
    let mut book = book();
    let bought = entry(1, Event::Purchase(purchase("p1", &[300, 100])), None);
    let settled = settle_with(&mut book, &bought, &installation(Caps::default()), vec![earn("points", 7, &[])]);
    assert_eq!(settled.postings.len(), 1);
    assert_eq!(settled.postings[0].source, Account::Issued);
    assert_eq!(settled.postings[0].destination, Account::Available("mem_a".into()));
    assert_eq!(settled.postings[0].hash, settled.postings[0].link(&[0; 32]));
    // No shares given: by what the lines cost, and they add up.
    assert_eq!(settled.lots[0].shares.iter().map(|share| share.amount).collect::<Vec<_>>(), [5, 2]);
    assert_eq!((available(&book, "points"), standing(&book).member.visits, standing(&book).member.spent), (7, 1, 400));
}

#[test]
fn a_verdict_counts_whole_or_not_at_all() {
    let mut book = book();
    let bought = entry(1, Event::Purchase(purchase("p1", &[300])), None);
    let settled =
        settle_with(&mut book, &bought, &installation(Caps::default()), vec![earn("stamps", 1, &[]), reward(10)]);
    assert_eq!(settled.decisions[0].ruling.as_ref().map(|fault| fault.kind), Some(FaultKind::Invalid));
    assert!(settled.postings.is_empty() && settled.lots.is_empty() && settled.rewards.is_empty());
    assert_eq!(available(&book, "stamps"), 0);
}

#[test]
fn a_cap_is_obeyed_up_to_the_last_point_and_refuses_the_next() {
    let mut book = book();
    let capped = installation(Caps { points_per_purchase: Some(10), points_per_day: Some(15) });
    let buy = |number: i64| entry(number, Event::Purchase(purchase(&number.to_string(), &[300])), None);
    assert_eq!(settle_with(&mut book, &buy(1), &capped, vec![earn("points", 10, &[])]).decisions[0].ruling, None);
    let over = settle_with(&mut book, &buy(2), &capped, vec![earn("points", 11, &[])]);
    assert!(over.decisions[0].ruling.as_ref().unwrap().detail.contains("points_per_purchase"));
    assert_eq!(settle_with(&mut book, &buy(3), &capped, vec![earn("points", 5, &[])]).decisions[0].ruling, None);
    let day = settle_with(&mut book, &buy(4), &capped, vec![earn("points", 1, &[])]);
    assert!(day.decisions[0].ruling.as_ref().unwrap().detail.contains("points_per_day"));
    assert_eq!(available(&book, "points"), 15);
}

#[test]
fn a_shadow_is_recorded_and_moves_nothing() {
    let mut book = book();
    let shadow = Installation { mode: Mode::Shadow, ..installation(Caps::default()) };
    let bought = entry(1, Event::Purchase(purchase("p1", &[300])), None);
    let settled = settle_with(&mut book, &bought, &shadow, vec![earn("points", 3, &[])]);
    assert!(settled.decisions[0].shadow && settled.postings.is_empty());
}

#[test]
fn an_offer_runs_out_and_is_held_once() {
    let mut book = book();
    let offer = || {
        Decision::Offer(Offer {
            key: "kino".into(),
            title: "1+1".into(),
            text: "…".into(),
            limit: Some(1),
            valid_days: Some(1),
        })
    };
    let buy = |number: i64| entry(number, Event::Purchase(purchase(&number.to_string(), &[300])), None);
    let first = settle_with(&mut book, &buy(1), &installation(Caps::default()), vec![offer()]);
    assert_eq!(first.rewards[0].expires_at, Some(Moment(1 + 24 * 3600 * 1000)));
    let second = settle_with(&mut book, &buy(2), &installation(Caps::default()), vec![offer()]);
    assert!(second.rewards.is_empty() && second.decisions[0].notes[0].contains("already"));
    let key = (MerchantId::from("shop"), MemberId::from("mem_a"));
    book.members.get_mut(&key).unwrap().rewards.clear();
    let third = settle_with(&mut book, &buy(3), &installation(Caps::default()), vec![offer()]);
    assert!(third.rewards.is_empty() && third.decisions[0].notes[0].contains("run out"));
}

#[test]
fn no_consent_no_message() {
    let mut book = book();
    let key = (MerchantId::from("shop"), MemberId::from("mem_a"));
    book.members.get_mut(&key).unwrap().member.consent = false;
    let message =
        Decision::Message(Message { key: "hi".into(), subject: "Hi".into(), text: "Hi".into(), locale: "en".into() });
    let bought = entry(1, Event::Purchase(purchase("p1", &[300])), None);
    let settled = settle_with(&mut book, &bought, &installation(Caps::default()), vec![message]);
    assert_eq!(settled.deliveries[0].state, perkgate_domain::delivery::DeliveryState::Suppressed);
}

#[test]
fn refunding_a_line_takes_back_exactly_its_share() {
    let mut book = book();
    points(&mut book, &[300, 100], &[("0", 9), ("1", 2)]);
    let back = entry(2, Event::Refund(refund("r1", 300, &[("0", 4000, 0)])), Some(1));
    let settled = settle_alone(&mut book, &back);
    assert_eq!(settled.postings[0].destination, Account::Issued);
    assert_eq!((available(&book, "points"), standing(&book).member.spent, standing(&book).member.visits), (2, 100, 1));
    let rest = entry(3, Event::Refund(refund("r2", 100, &[("1", 0, 100)])), Some(1));
    settle_alone(&mut book, &rest);
    assert_eq!((available(&book, "points"), standing(&book).member.spent, standing(&book).member.visits), (0, 0, 0));
}

#[test]
fn a_cancelled_order_gives_back_what_is_left() {
    let mut book = book();
    points(&mut book, &[300, 100], &[("0", 9), ("1", 2)]);
    settle_alone(&mut book, &entry(2, Event::Refund(refund("r1", 150, &[("0", 2000, 0)])), Some(1)));
    assert_eq!(available(&book, "points"), 11 - 4);
    let cancel = Refund { complete: true, ..refund("cancel", 0, &[]) };
    settle_alone(&mut book, &entry(3, Event::Refund(cancel), Some(1)));
    assert_eq!((available(&book, "points"), standing(&book).member.visits), (0, 0));
    // More than everything cannot be taken back.
    let settled = settle_alone(&mut book, &entry(4, Event::Refund(refund("r3", 400, &[])), Some(1)));
    assert!(settled.postings.is_empty());
}

#[test]
fn a_stamp_taken_back_reopens_the_card_unless_its_reward_was_used() {
    let full = |book: &mut Book| {
        for number in 1..=2 {
            let bought = entry(number, Event::Purchase(purchase(&format!("p{number}"), &[300])), None);
            let mut decisions = vec![earn("stamps", 1, &[])];
            if number == 2 {
                decisions.push(reward(2));
            }
            settle_with(book, &bought, &installation(Caps::default()), decisions);
        }
        assert_eq!((available(book, "stamps"), standing(book).rewards.len()), (0, 1));
    };
    let mut unused = book();
    full(&mut unused);
    let back = entry(3, Event::Refund(refund("r1", 300, &[])), Some(1));
    let settled = settle_alone(&mut unused, &back);
    assert_eq!(settled.reward_states, [(settled.reward_states[0].0.clone(), RewardState::Withdrawn)]);
    assert_eq!((available(&unused, "stamps"), standing(&unused).rewards.len()), (1, 0));
    let mut used = book();
    full(&mut used);
    let key = (MerchantId::from("shop"), MemberId::from("mem_a"));
    used.members.get_mut(&key).unwrap().rewards.clear();
    settle_alone(&mut used, &back);
    assert_eq!(available(&used, "stamps"), -1);
}

#[test]
fn a_refund_in_another_currency_waits_and_takes_nothing() {
    let mut book = book();
    points(&mut book, &[300], &[("0", 9)]);
    let foreign = Refund { currency: Currency::parse("CZK").unwrap(), ..refund("r1", 300, &[]) };
    let settled = settle_alone(&mut book, &entry(2, Event::Refund(foreign), Some(1)));
    assert!(settled.state == EntryState::Parked && settled.cause.is_some());
    assert_eq!(available(&book, "points"), 9);
}

/// A purchase's lines with their shares, and refunds of it.
fn histories() -> impl Strategy<Value = (Vec<(i64, i64)>, Vec<Refund>)> {
    let lines = prop::collection::vec((0_i64..5_000, 0_i64..50), 1..5);
    let refunds = prop::collection::vec(
        (
            0_i64..6_000,
            prop::collection::vec((0_usize..6, 0_i64..5_000, 0_i64..3_000), 0..3),
            prop::bool::weighted(0.1),
        ),
        1..6,
    );
    (lines, refunds).prop_map(|(lines, refunds)| {
        let refunds = refunds
            .into_iter()
            .enumerate()
            .map(|(index, (amount, parts, complete))| {
                let parts: Vec<(String, i64, i64)> =
                    parts.into_iter().map(|(line, quantity, amount)| (line.to_string(), quantity, amount)).collect();
                let parts: Vec<(&str, i64, i64)> =
                    parts.iter().map(|(line, quantity, amount)| (line.as_str(), *quantity, *amount)).collect();
                Refund { complete, ..refund(&format!("r{index}"), amount, &parts) }
            })
            .collect();
        (lines, refunds)
    })
}

fn after(lines: &[(i64, i64)], refunds: &[Refund]) -> (i64, i64, i64) {
    let mut book = book();
    let totals: Vec<i64> = lines.iter().map(|(total, _)| *total).collect();
    let ids: Vec<String> = (0..lines.len()).map(|index| index.to_string()).collect();
    let shares: Vec<(&str, i64)> = ids.iter().zip(lines).map(|(id, (_, share))| (id.as_str(), *share)).collect();
    let amount: i64 = shares.iter().map(|(_, share)| share).sum();
    let bought = entry(1, Event::Purchase(purchase("p1", &totals)), None);
    let decisions = if amount > 0 { vec![earn("points", amount, &shares)] } else { vec![] };
    settle_with(&mut book, &bought, &installation(Caps::default()), decisions);
    for (number, refund) in (2..).zip(refunds) {
        let before = available(&book, "points");
        settle_alone(&mut book, &entry(number, Event::Refund(refund.clone()), Some(1)));
        assert!(available(&book, "points") <= before, "a refund never gives");
    }
    assert!((0..=amount).contains(&available(&book, "points")), "never more is taken back than was given");
    (available(&book, "points"), standing(&book).member.spent, standing(&book).member.visits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_refunds_does_not_matter((lines, refunds) in histories(), turn in 0_usize..6) {
        let mut turned = refunds.clone();
        turned.rotate_left(turn % refunds.len());
        prop_assert_eq!(after(&lines, &refunds), after(&lines, &turned));
        turned.reverse();
        prop_assert_eq!(after(&lines, &refunds), after(&lines, &turned));
    }
}
