//! Arrivals, entries, members and settlements, as small as a promise needs them and as whole as the ledger wants them.

use super::ground::Ground;
use perkgate_domain::decision::{Message, Share};
use perkgate_domain::delivery::{Delivery, DeliveryState};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::ids::{ArrivalId, Digest, EntryId, MemberId, MerchantId, derive};
use perkgate_domain::ledger::{Account, Expiry, Lot, Posting, TrancheKey};
use perkgate_domain::member::{KeyKind, Member, MemberKey, Proof};
use perkgate_domain::money::Currency;
use perkgate_domain::plan::{Book, EntryState, QueuedEntry, Settlement};
use perkgate_domain::programme::Merchant;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund};
use perkgate_domain::rules::Rules;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{
    Actor, Admission, AdmissionResult, Appended, Claim, NewArrival, NewEntry, Newcomer, Note, ProgrammeRows, Reading,
};
use perkgate_tests::NOON;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// A minute: longer than a test, shorter than a life.
pub(super) const LEASE: i64 = 60_000;
pub(super) const SHOP: &str = "kavarna";

/// An arrival of a merchant's `eshop`.
pub(super) fn arrival(merchant: &str, dedupe: &str, body: &str) -> NewArrival {
    NewArrival {
        merchant: merchant.into(),
        source: "eshop".into(),
        topic: "orders/paid".to_owned(),
        dedupe: dedupe.to_owned(),
        test: false,
        digest: Digest::of(body.as_bytes()),
        sealed: body.as_bytes().to_vec(),
        received_at: NOON,
        note: None,
    }
}

/// Whoever does what the store writes down.
pub(super) fn anna() -> Actor {
    Actor::command("anna@till")
}

/// A programme without anything in it.
pub(super) fn bare(merchant: &str) -> ProgrammeRows {
    ProgrammeRows {
        merchant: Merchant {
            id: merchant.into(),
            name: "Kavárna U Mosta".to_owned(),
            currency: Currency::parse("EUR").expect("a currency"),
            timezone: "Europe/Bratislava".to_owned(),
            locale: "sk".to_owned(),
            country: None,
            url: None,
            rules: Rules::default(),
        },
        sources: Vec::new(),
        channels: Vec::new(),
        file: None,
        installations: Vec::new(),
    }
}

/// That a programme was applied.
pub(super) fn applying(merchant: &str) -> Note {
    Note::new(Some(&merchant.into()), &anna(), "programme.apply", NOON)
}

pub(super) fn accepted(appended: &Appended) -> ArrivalId {
    match appended {
        Appended::Accepted(id) => *id,
        other => panic!("it is not new: {other:?}"),
    }
}

/// Journals arrivals of merchants, none told before, and holds them for so long.
pub(super) async fn journalled(ground: &Ground, merchants: &[&str], lease_ms: i64) -> Vec<ArrivalId> {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    let arrivals: Vec<_> = merchants
        .iter()
        .map(|merchant| {
            let dedupe = format!("d{}", TOLD.fetch_add(1, Ordering::SeqCst));
            arrival(merchant, &dedupe, &dedupe)
        })
        .collect();
    let appended = ground.store().append(&arrivals, lease_ms).await.expect("arrivals are journalled");
    appended.iter().map(accepted).collect()
}

pub(super) fn purchase(id: &str) -> Event {
    let line = Line {
        id: "1".to_owned(),
        sku: None,
        name: "Flat white".to_owned(),
        category: None,
        quantity_milli: 1_000,
        unit: 320,
        total: 320,
        tax: 0,
        kind: LineKind::Item,
    };
    Event::Purchase(Purchase {
        id: id.to_owned(),
        reference: Some(format!("#{id}")),
        channel: Channel::Online,
        placed_at: NOON,
        currency: Currency::parse("EUR").expect("a currency"),
        total: 320,
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines: vec![line],
        codes: Vec::new(),
        location: None,
    })
}

pub(super) fn refund(id: &str, purchase: &str) -> Event {
    let currency = Currency::parse("EUR").expect("a currency");
    let (id, purchase) = (id.to_owned(), purchase.to_owned());
    Event::Refund(Refund { id, purchase, at: NOON, currency, amount: 320, complete: false, lines: Vec::new() })
}

pub(super) fn join(id: &str) -> Event {
    Event::Join(Join { id: id.to_owned(), at: NOON, referrer: None })
}

pub(super) fn key(kind: KeyKind, whose: &str) -> MemberKey {
    MemberKey { kind, hash: *Digest::of(whose.as_bytes()).as_bytes() }
}

pub(super) fn email(whose: &str) -> MemberKey {
    key(KeyKind::Email, whose)
}

/// A happening of somebody known by these keys.
pub(super) fn entry(event: Event, keys: &[MemberKey]) -> NewEntry {
    let document = serde_json::to_string(&event).expect("an event is JSON");
    let digest = Digest::of(document.as_bytes());
    let proof = if matches!(event, Event::Join(_) | Event::Profile(_)) { Proof::Told } else { Proof::Typed };
    NewEntry {
        event,
        document,
        digest,
        told: digest,
        note: None,
        keys: keys.to_vec(),
        member: None,
        newcomer: None,
        referrers: Vec::new(),
        birthday: None,
        contact: Vec::new(),
        locale: None,
        consent: None,
        proof,
        doubt: None,
    }
}

pub(super) fn admission(arrival: ArrivalId, merchant: &str, mut result: AdmissionResult) -> Admission {
    if let AdmissionResult::Entries(entries) = &mut result {
        for entry in entries.iter_mut().filter(|entry| !entry.keys.is_empty()) {
            let id = derive("mem", &[merchant, entry.event.kind().as_str(), entry.event.external_id()]);
            entry.newcomer = Some(Newcomer { id: id.as_str().into(), referral: key(KeyKind::Referral, &id) });
        }
    }
    let (merchant, source) = (merchant.into(), "eshop".into());
    Admission { arrival, merchant, source, received_at: NOON, result, fetched: None }
}

/// Journals one arrival that says these things, and admits it. Answers its number and what may be settled at once.
pub(super) async fn says(
    ground: &Ground,
    merchant: &str,
    entries: Vec<NewEntry>,
    lease_ms: i64,
) -> (ArrivalId, Vec<QueuedEntry>) {
    let arrival = journalled(ground, &[merchant], LEASE).await[0];
    let admission = admission(arrival, merchant, AdmissionResult::Entries(entries));
    (arrival, ground.store().admit(&[admission], lease_ms).await.expect("it is admitted"))
}

/// A purchase of somebody, admitted and held.
pub(super) async fn bought(ground: &Ground, merchant: &str, order: &str, whose: &str) -> QueuedEntry {
    let (_, mut ready) = says(ground, merchant, vec![entry(purchase(order), &[email(whose)])], LEASE).await;
    ready.pop().expect("it may be settled at once")
}

/// Everybody's turn from the beginning, at [`NOON`].
pub(super) fn claim() -> Claim {
    Claim { now: NOON, after: String::new(), turns: 64, most: 1_000, lease_ms: LEASE }
}

pub(super) async fn book(ground: &Ground, entries: &[QueuedEntry]) -> Book {
    book_of(ground, entries, "2026-06-01").await
}

/// With what was counted on that day, and without a day.
pub(super) async fn book_of(ground: &Ground, entries: &[QueuedEntry], day: &str) -> Book {
    let reading = Reading { entries, nudged: &[], history: BTreeMap::new(), now: NOON };
    let mut book = ground.store().book(&reading).await.expect("the book opens");
    let scopes = ["", day].map(|scope| (MerchantId::from(SHOP), scope.to_owned()));
    book.counters = ground.store().counters(&scopes.into()).await.expect("counters are read");
    book
}

/// Who it concerns, as the book has them.
pub(super) fn standing(book: &Book, entry: &QueuedEntry) -> Member {
    let owner = (entry.merchant.clone(), entry.member.clone().expect("somebody"));
    book.members.get(&owner).expect("they are in the book").member.clone()
}

/// A settlement that gives the member points: a posting, a lot, balances and chain that hold together.
pub(super) fn earns(entry: &QueuedEntry, mut member: Member, points: i64) -> Settlement {
    let number = entry.id.to_string();
    let lot = Lot {
        id: derive("lot", &[entry.merchant.as_str(), &number]).as_str().into(),
        entry: entry.id,
        member: member.id.clone(),
        installation: "points".into(),
        digest: Digest::of(b"points"),
        settings_revision: 1,
        wallet: "points".to_owned(),
        amount: points,
        reversed: 0,
        forgiven: 0,
        expired: 0,
        earned_at: NOON,
        matures_at: None,
        expires: Expiry::Never,
        shares: vec![Share { line: "1".to_owned(), amount: points }],
    };
    let mut posting = Posting {
        entry: entry.id,
        ordinal: 0,
        member: member.id.clone(),
        wallet: "points".to_owned(),
        source: Account::Issued,
        destination: Account::Available(member.id.clone()),
        amount: points,
        lot: Some(lot.id.clone()),
        tranche: Some(TrancheKey::available(Expiry::Never)),
        at: NOON,
        hash: [0; 32],
    };
    posting.hash = posting.link(&member.chain);
    member.chain = posting.hash;
    member.version += 1;
    member.visits += 1;
    member.wallets.entry("points".to_owned()).or_default().apply(&posting);
    let mut settlement = Settlement::of(entry, EntryState::Settled);
    (settlement.postings, settlement.lots, settlement.member) = (vec![posting], vec![lot], Some(member));
    settlement
}

/// Reads the book and settles these entries of different members, a point each.
pub(super) async fn settled(ground: &Ground, entries: &[QueuedEntry]) {
    let book = book(ground, entries).await;
    let settlements: Vec<_> = entries.iter().map(|entry| earns(entry, standing(&book, entry), 1)).collect();
    ground.store().settle(&settlements, &[]).await.expect("they settle");
}

pub(super) fn delivery(entry: EntryId, member: &MemberId, merchant: &str, channel: &str, number: i64) -> Delivery {
    let text = |text: &str| text.to_owned();
    Delivery {
        id: format!("dlv_{merchant}_{channel}_{number}").as_str().into(),
        merchant: merchant.into(),
        channel: channel.into(),
        entry,
        installation: "thanks".into(),
        member: member.clone(),
        message: Message {
            key: text("thanks"),
            subject: text("Thanks"),
            text: text("Come again."),
            locale: text("en"),
        },
        state: DeliveryState::Due,
        note: None,
        created_at: Moment(NOON.0 + number),
    }
}
