//! A journey through every act that runs all the time, and through every branch of it that has a statement of its own.

use super::super::data::{
    LEASE, SHOP, admission, arrival, book, bought, claim, delivery, earns, email, entry, join, journalled, purchase,
    refund, says, settled, standing,
};
use super::super::ground::Ground;
use perkgate_domain::delivery::{Attempt, Next};
use perkgate_domain::event::{Due, Event, Scale, WakeCause};
use perkgate_domain::ids::EntryId;
use perkgate_domain::ledger::{HeldReward, Refunded, RewardState};
use perkgate_domain::limits::BreakerLimits;
use perkgate_domain::plan::{
    Count, Counter, EntryState, LotChange, NewQuestion, NewTask, QueuedEntry, Settlement, WakeChange,
};
use perkgate_gateway::store::{AdmissionResult, ContactField, NewEntry, PutOff, Reading};
use perkgate_tests::NOON;

pub(super) async fn walk(ground: &Ground) {
    journal(ground).await;
    admit(ground).await;
    settle(ground).await;
    time(ground).await;
    notify(ground).await;
}

async fn journal(ground: &Ground) {
    let batch =
        [arrival(SHOP, "a", "a"), arrival(SHOP, "a", "a"), arrival(SHOP, "a", "b"), arrival("bulk1", "d1", "d1")];
    ground.store().append(&batch, LEASE).await.expect("they are journalled");
    let claimed = ground.store().claim_arrivals(&claim()).await.expect("a claim");
    assert!(claimed.len() > 900, "a part of the backlog");
    let ids: Vec<_> = claimed.iter().map(|unread| unread.id).collect();
    ground.store().hold(&ids, &[], 0).await.expect("they are given back");
}

async fn admit(ground: &Ground) {
    let ids = journalled(ground, &[SHOP, SHOP], LEASE).await;
    let batch = [
        admission(ids[0], SHOP, AdmissionResult::Asking(NOON)),
        admission(ids[1], SHOP, AdmissionResult::Parked("unknown".to_owned())),
    ];
    ground.store().admit(&batch, LEASE).await.expect("they end");
    let jana = || NewEntry {
        consent: Some(true),
        locale: Some("sk".to_owned()),
        contact: vec![ContactField { field: "email".to_owned(), sealed: vec![1] }],
        ..entry(purchase("j1"), &[email("jana")])
    };
    says(ground, SHOP, vec![entry(purchase("j0"), &[email("jana")]), jana(), entry(refund("early", "j2"), &[])], LEASE)
        .await;
    let (_, odd) = says(ground, SHOP, vec![entry(purchase("j9"), &[email("eva")])], LEASE).await;
    ground.store().settle(&[Settlement::of(&odd[0], EntryState::Parked)], &[]).await.expect("it waits");
    says(ground, SHOP, vec![entry(purchase("j3"), &[])], LEASE).await;
    says(ground, SHOP, vec![entry(purchase("j3"), &[email("tom")])], LEASE).await;
    let claimed = ground.store().claim_entries(&claim()).await.expect("a claim");
    let ids: Vec<EntryId> = claimed.iter().map(|entry| entry.id).collect();
    assert!(ids.len() > 900, "a part of the backlog");
    assert_eq!(ground.store().still_queued(&ids).await.expect("a look").len(), ids.len());
    ground.store().hold(&[], &ids, 0).await.expect("they are given back");
    ground.store().find_member(&SHOP.into(), &[email("jana")]).await.expect("a look").expect("jana");
}

/// What time brings: who is due, an entry that the batch makes, and what it asks for.
async fn time(ground: &Ground) {
    let store = ground.store();
    assert!(!store.due_members(NOON, 256).await.expect("a look").is_empty());
    assert!(!store.enrolling().await.expect("a look"));
    store.enrol(10, NOON).await.expect("nobody is new");
    assert!(store.lead("me", 0).await.expect("a word"));
    let olga = bought(ground, SHOP, "o1", "olga").await;
    let owner = (olga.merchant.clone(), olga.member.clone().expect("olga"));
    settled(ground, std::slice::from_ref(&olga)).await;
    let reading = Reading {
        entries: &[],
        nudged: std::slice::from_ref(&owner),
        history: [(owner.0.clone(), 5)].into(),
        now: NOON,
    };
    let opened = store.book(&reading).await.expect("the book opens").members.remove(&owner).expect("olga");
    assert_eq!(opened.history.len(), 1);
    let number = store.reserve(1).await.expect("a number")[0];
    let id = Due::id_of((&owner.1, opened.member.version), NOON);
    let due = QueuedEntry { id: number, event: Event::Due(Due { id, at: NOON }), purchase: None, born: true, ..olga };
    let mut settlement = Settlement::of(&due, EntryState::Settled);
    let mut member = opened.member;
    member.version += 1;
    settlement.member = Some(member);
    let wake = |key: &str, planned| WakeChange {
        member: owner.1.clone(),
        installation: "birthday".into(),
        cause: WakeCause::Asked,
        key: key.to_owned(),
        planned,
    };
    settlement.wakes = vec![wake("next", Some((NOON, vec![]))), wake("last", None)];
    settlement.tasks = vec![NewTask {
        id: "tsk_journey".to_owned(),
        installation: "feedback".into(),
        member: Some(owner.1.clone()),
        key: "detractor".to_owned(),
        title: "Call".to_owned(),
        text: String::new(),
        at: NOON,
        deliveries: Vec::new(),
    }];
    settlement.questions = vec![NewQuestion {
        id: "q_journey".to_owned(),
        member: owner.1.clone(),
        installation: "feedback".into(),
        key: "nps".to_owned(),
        scale: Scale::Nps,
        locale: "sk".to_owned(),
        asked_at: NOON,
        expires_at: NOON,
    }];
    settlement.answered = Some("q_journey".to_owned());
    store.settle(&[settlement], &[]).await.expect("it settles");
}

fn reward(entry: &QueuedEntry) -> HeldReward {
    HeldReward {
        id: "rwd_journey".into(),
        member: entry.member.clone().expect("somebody"),
        entry: entry.id,
        installation: "stamps".into(),
        partner: None,
        key: "coffee".to_owned(),
        title: "Coffee".to_owned(),
        text: String::new(),
        code: "JOURNEY".to_owned(),
        price: None,
        paid: Vec::new(),
        kind: None,
        returns_price: false,
        used_in: None,
        state: RewardState::Issued,
        issued_at: NOON,
        expires_at: None,
    }
}

async fn settle(ground: &Ground) {
    let eva = bought(ground, SHOP, "e1", "eva").await;
    let put_off = bought(ground, SHOP, "p1", "petra").await;
    let opened = book(ground, std::slice::from_ref(&eva)).await;
    let mut settlement = earns(&eva, standing(&opened, &eva), 5);
    let counter = Counter {
        merchant: SHOP.into(),
        installation: "points".into(),
        name: "points".to_owned(),
        scope: "d".to_owned(),
    };
    settlement.counters = vec![Count { counter, amount: 5, total: 5 }];
    settlement.memories = vec![("stamps".into(), vec![1])];
    settlement.rewards = vec![reward(&eva)];
    settlement.cause = Some("a cause".to_owned());
    settlement.decisions = vec![decision()];
    settlement.deliveries =
        (0..5).map(|number| delivery(eva.id, eva.member.as_ref().expect("eva"), SHOP, "hook", number)).collect();
    let off = PutOff::entry(put_off.id, NOON, NOON, "later");
    ground.store().settle(std::slice::from_ref(&settlement), &[off]).await.expect("it settles");

    let (_, back) = says(ground, SHOP, vec![entry(refund("e1r", "e1"), &[])], LEASE).await;
    let opened = book(ground, &back).await;
    let mut returned = earns(&back[0], standing(&opened, &back[0]), 1);
    let lot = &settlement.lots[0];
    let (entry, lot, shares) = (lot.entry, lot.id.clone(), Some(lot.shares.clone()));
    returned.lot_changes = vec![LotChange { entry, lot, reversed: 2, forgiven: 0, expired: 0, shares }];
    returned.reward_states = vec![("rwd_journey".into(), RewardState::Withdrawn)];
    returned.refunded = Some((eva.id, Refunded::default()));
    ground.store().settle(&[returned], &[]).await.expect("it settles");
    // The purchase that a refund waits for.
    settled(ground, &[bought(ground, SHOP, "j2", "zoe").await]).await;
}

/// As small as a record can be.
fn decision() -> perkgate_domain::plan::DecisionRecord {
    serde_json::from_value(serde_json::json!({
        "installation": "points", "digest": perkgate_domain::ids::Digest::of(b"points"), "settings_revision": 1,
        "facts": {
            "now": 0,
            "local": {"year": 2026, "month": 6, "day": 1, "hour": 12, "minute": 0, "second": 0, "weekday": 1, "offset_minutes": 0},
            "merchant": {"id": "kavarna", "name": "K", "currency": "EUR", "locale": "sk", "timezone": "Europe/Bratislava"},
            "member": null, "settings": "{}", "memory": "", "dice": 1
        },
        "outcome": {"decided": []}, "ruling": null, "notes": [], "shadow": false, "fuel": 1, "log": []
    }))
    .expect("a decision record")
}

async fn notify(ground: &Ground) {
    let limits = BreakerLimits { trip: 1, ..BreakerLimits::default() };
    let claim =
        || perkgate_gateway::store::Claim { now: NOON.plus_ms(600_000), after: "bulk9/mail".to_owned(), ..claim() };
    for next in [Next::Retry(NOON), Next::Delivered, Next::Dead] {
        let due = ground.store().due(&claim(), 2, &[], &limits).await.expect("a claim");
        assert!(due.len() > 40, "some of every channel's");
        let attempts: Vec<_> = due
            .iter()
            .map(|row| Attempt {
                delivery: row.delivery.id.clone(),
                merchant: row.delivery.merchant.clone(),
                channel: row.delivery.channel.clone(),
                number: row.attempt,
                at: NOON,
                took_ms: 1,
                status: None,
                error: None,
                next,
            })
            .collect();
        ground.store().record(&attempts, &limits).await.expect("they are recorded");
    }
    let no = NewEntry { consent: Some(false), ..entry(join("no"), &[email("eva")]) };
    says(ground, SHOP, vec![no], LEASE).await;
    ground.store().due(&claim(), 2, &[], &limits).await.expect("a claim");
}
