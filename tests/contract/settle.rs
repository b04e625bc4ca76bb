//! Settling: all of it or nothing, and only over what was read.

use super::data::{LEASE, SHOP, book, book_of, bought, claim, earns, entry, purchase, refund, says, standing};
use super::ground::Ground;
use perkgate_domain::ids::EntryId;
use perkgate_domain::ledger::{HeldReward, Refunded, RewardState};
use perkgate_domain::plan::{Count, Counter, EntryState, LotChange, QueuedEntry, Settlement};
use perkgate_gateway::store::{PutOff, StoreError};
use perkgate_tests::NOON;

on_both! {
    everything_a_settlement_says_is_in_the_next_book
    what_is_settled_is_not_settled_again
    a_member_who_changed_meanwhile_refuses_the_batch
    a_sum_that_changed_meanwhile_refuses_the_batch
    two_settle_one_entry_and_one_of_them_does
    a_used_reward_is_not_used_again
    a_refunds_book_has_its_purchase
    an_entry_put_off_goes_back_with_its_reason
}

fn counter(day: &str) -> Counter {
    let name = "points".to_owned();
    Counter { merchant: SHOP.into(), installation: "points".into(), name, scope: day.to_owned() }
}

fn counts(day: &str, amount: i64, total: i64) -> Count {
    Count { counter: counter(day), amount, total }
}

fn reward(entry: &QueuedEntry, id: &str) -> HeldReward {
    HeldReward {
        id: id.into(),
        member: entry.member.clone().expect("somebody"),
        entry: entry.id,
        installation: "stamps".into(),
        partner: None,
        key: "coffee".to_owned(),
        title: "Káva".to_owned(),
        text: String::new(),
        code: format!("CODE-{id}"),
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

/// What no settlement that was refused may have changed.
async fn written(ground: &Ground) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in
        ["postings", "lots", "decisions", "deliveries", "memories", "rewards", "waiting", "counters", "balances"]
    {
        rows.push(ground.count(table).await);
    }
    rows.push(ground.number("select cast(coalesce(sum(version), 0) as bigint) from members").await);
    rows.push(ground.number("select cast(coalesce(sum(amount), 0) as bigint) from counters").await);
    rows
}

#[track_caller]
fn is_stale(result: &Result<(), StoreError>) {
    assert!(matches!(result, Err(StoreError::Stale)), "{result:?}");
}

async fn everything_a_settlement_says_is_in_the_next_book(ground: &Ground) {
    let first = bought(ground, SHOP, "1", "jana").await;
    let before = book(ground, std::slice::from_ref(&first)).await;
    let member = standing(&before, &first);
    assert_eq!((member.version, member.visits, member.chain), (0, 0, [0; 32]));
    let mut settlement = earns(&first, member, 7);
    settlement.memories = vec![("stamps".into(), vec![0, 255, 3])];
    settlement.rewards = vec![reward(&first, "rwd_1")];
    settlement.counters = vec![counts("2026-06-01", 7, 7), counts("", 1, 1)];
    settlement.cause = Some("as it should".to_owned());
    ground.store().settle(std::slice::from_ref(&settlement), &[]).await.expect("it settles");

    let second = bought(ground, SHOP, "2", "jana").await;
    let after = book(ground, std::slice::from_ref(&second)).await;
    let owner = (second.merchant.clone(), second.member.clone().expect("jana"));
    let jana = &after.members[&owner];
    assert_eq!(Some(&jana.member), settlement.member.as_ref());
    assert_eq!(jana.memories.get(&"stamps".into()).map(Vec::as_slice), Some(&[0, 255, 3][..]));
    assert_eq!(jana.rewards, settlement.rewards);
    assert_eq!(after.counters[&counter("2026-06-01")], 7);
    assert_eq!(after.counters[&counter("")], 1);
    assert_eq!(after.counters.len(), 2);
    let told = ground.store().explain(&SHOP.into(), &"eshop".into(), "1").await.expect("a look").expect("the order");
    assert_eq!((told.entry.state.as_str(), told.entry.cause.as_deref()), ("settled", Some("as it should")));
    let report = ground.store().verify(None).await.expect("the ledger is checked");
    assert!(report.holds() && report.postings == 1 && report.lots == 1 && report.members == 1, "{report:?}");
    // Other days are other days.
    let other = book_of(ground, &[second], "2026-06-02").await;
    assert_eq!(other.counters.len(), 1);
}

async fn what_is_settled_is_not_settled_again(ground: &Ground) {
    let store = ground.store();
    let entries = [bought(ground, SHOP, "1", "jana").await, bought(ground, SHOP, "2", "tom").await];
    let book = book(ground, &entries).await;
    let both: Vec<_> = entries.iter().map(|entry| earns(entry, standing(&book, entry), 5)).collect();
    store.settle(&both[..1], &[]).await.expect("it settles");
    let before = written(ground).await;
    is_stale(&store.settle(&both, &[]).await);
    assert_eq!(written(ground).await, before, "the batch is refused whole");
    assert_eq!(store.still_queued(&[entries[0].id, entries[1].id]).await.expect("a look"), [entries[1].id]);
    let nowhere = Settlement { entry: EntryId(77_777), ..Settlement::of(&entries[1], EntryState::Settled) };
    is_stale(&store.settle(&[both[1].clone(), nowhere], &[]).await);
    assert_eq!(written(ground).await, before);
    store.settle(&both[1..], &[]).await.expect("what is left settles");
    store.settle(&[], &[]).await.expect("nothing to do");
}

async fn a_member_who_changed_meanwhile_refuses_the_batch(ground: &Ground) {
    let entries = [bought(ground, SHOP, "1", "jana").await, bought(ground, SHOP, "2", "tom").await];
    let book = book(ground, &entries).await;
    let both: Vec<_> = entries.iter().map(|entry| earns(entry, standing(&book, entry), 5)).collect();
    let jana = entries[0].member.clone().expect("jana");
    ground.by_hand(&format!("update members set version = 1 where member_id = '{jana}'")).await.expect("she changes");
    let before = written(ground).await;
    is_stale(&ground.another().await.settle(&both, &[]).await);
    assert_eq!(written(ground).await, before);
    assert_eq!(ground.count("waiting").await, 2);
}

async fn a_sum_that_changed_meanwhile_refuses_the_batch(ground: &Ground) {
    let entries = [bought(ground, SHOP, "1", "jana").await, bought(ground, SHOP, "2", "tom").await];
    let book = book(ground, &entries).await;
    let mut both: Vec<_> = entries.iter().map(|entry| earns(entry, standing(&book, entry), 5)).collect();
    // Both read that nothing was given yet.
    both[0].counters = vec![counts("2026-06-01", 5, 5)];
    both[1].counters = vec![counts("2026-06-01", 5, 5)];
    ground.store().settle(&both[..1], &[]).await.expect("the first settles");
    let before = written(ground).await;
    is_stale(&ground.another().await.settle(&both[1..], &[]).await);
    assert_eq!(written(ground).await, before);
    both[1].counters = vec![counts("2026-06-01", 5, 10)];
    ground.store().settle(&both[1..], &[]).await.expect("with what is there now it settles");
    assert_eq!(ground.number("select amount from counters").await, 10);
}

async fn two_settle_one_entry_and_one_of_them_does(ground: &Ground) {
    let stores = [ground.shared(), ground.another().await];
    for round in 0..5 {
        let entry = bought(ground, SHOP, &format!("{round}"), "jana").await;
        let book = book(ground, std::slice::from_ref(&entry)).await;
        let settlement = earns(&entry, standing(&book, &entry), 1);
        let mut at_once = tokio::task::JoinSet::new();
        for store in stores.iter().cycle().take(6) {
            let (store, settlement) = (store.clone(), settlement.clone());
            at_once.spawn(async move { store.settle(&[settlement], &[]).await });
        }
        let results = at_once.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(StoreError::Stale))), "{results:?}");
    }
    let report = ground.store().verify(Some(&SHOP.into())).await.expect("the ledger is checked");
    assert!(report.holds() && report.postings == 5, "{report:?}");
}

async fn a_used_reward_is_not_used_again(ground: &Ground) {
    let first = bought(ground, SHOP, "1", "jana").await;
    let member = standing(&book(ground, std::slice::from_ref(&first)).await, &first);
    let mut settlement = earns(&first, member, 1);
    settlement.rewards = vec![reward(&first, "rwd_1"), reward(&first, "rwd_2")];
    ground.store().settle(&[settlement], &[]).await.expect("it settles");
    for (order, fine) in [("2", true), ("3", false)] {
        let entry = bought(ground, SHOP, order, "jana").await;
        let member = standing(&book(ground, std::slice::from_ref(&entry)).await, &entry);
        let mut settlement = earns(&entry, member, 1);
        settlement.reward_states = vec![("rwd_1".into(), RewardState::Used)];
        let result = ground.store().settle(&[settlement], &[]).await;
        assert_eq!(result.is_ok(), fine, "{result:?}");
    }
    assert_eq!(ground.number("select count(*) from rewards where state = 'used'").await, 1);
}

async fn a_refunds_book_has_its_purchase(ground: &Ground) {
    let bought = bought(ground, SHOP, "1", "jana").await;
    let member = standing(&book(ground, std::slice::from_ref(&bought)).await, &bought);
    let settlement = earns(&bought, member, 10);
    ground.store().settle(std::slice::from_ref(&settlement), &[]).await.expect("it settles");
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r1", "1"), &[])], LEASE).await;
    let [given_back] = ready.as_slice() else { panic!("its purchase is settled: {ready:?}") };
    assert_eq!((given_back.purchase, &given_back.member), (Some(bought.id), &bought.member));
    let opened = book(ground, &ready).await;
    let owner = (given_back.merchant.clone(), given_back.member.clone().expect("jana"));
    let record = &opened.members[&owner].purchases[&bought.id];
    assert_eq!(
        (&record.lots, &record.refunded),
        (&vec![(bought.id, settlement.lots[0].id.clone())], &Refunded::default())
    );
    assert_eq!(purchase("1"), perkgate_domain::event::Event::Purchase(record.purchase.clone()));

    let mut back = Settlement::of(given_back, EntryState::Settled);
    let refunded = Refunded { amount: 320, complete: true, ..Refunded::default() };
    back.refunded = Some((bought.id, refunded.clone()));
    let lot = &settlement.lots[0];
    let (reversed, forgiven, expired) = (4, 1, 2);
    let change = LotChange { entry: lot.entry, lot: lot.id.clone(), reversed, forgiven, expired, shares: None };
    back.lot_changes = vec![change];
    ground.store().settle(&[back], &[]).await.expect("it settles");
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r2", "1"), &[])], LEASE).await;
    let opened = book(ground, &ready).await;
    let jana = &opened.members[&owner];
    let lots = jana.lots.as_ref().expect("a refund needs the lots");
    assert_eq!((lots[0].reversed, lots[0].forgiven, lots[0].expired), (4, 1, 2));
    assert_eq!((&lots[0].shares, &jana.purchases[&bought.id].refunded), (&lot.shares, &refunded));
}

async fn an_entry_put_off_goes_back_with_its_reason(ground: &Ground) {
    let entries = [bought(ground, SHOP, "1", "jana").await, bought(ground, SHOP, "2", "tom").await];
    let book = book(ground, &entries).await;
    let settlement = earns(&entries[0], standing(&book, &entries[0]), 5);
    let off = PutOff::entry(entries[1].id, NOON, NOON, "the plugin's file is gone");
    ground.store().settle(&[settlement], &[off]).await.expect("one settles, one goes back");
    let told = ground.store().explain(&SHOP.into(), &"eshop".into(), "2").await.expect("a look").expect("the order");
    assert_eq!((told.entry.state.as_str(), told.entry.cause.as_deref()), ("queued", Some("the plugin's file is gone")));
    let again = ground.store().claim_entries(&claim()).await.expect("a claim");
    assert_eq!(again.iter().map(|entry| (entry.id, entry.attempts)).collect::<Vec<_>>(), [(entries[1].id, 1)]);
}
