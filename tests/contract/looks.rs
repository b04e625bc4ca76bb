//! What whoever asks is told: only their own, and nothing for what is not there.

use super::data::{LEASE, SHOP, book, bought, delivery, earns, entry, journalled, refund, says, settled, standing};
use super::ground::Ground;
use perkgate_domain::event::Kind;
use perkgate_domain::ids::ArrivalId;
use perkgate_domain::plan::LotChange;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{QueueDepth, Waiting};
use perkgate_tests::NOON;

on_both! {
    an_order_is_explained_with_all_that_followed
    lots_say_which_order_earned_them
    nothing_is_told_of_what_is_not_there
    what_waits_is_counted
    what_stands_still_is_told_with_its_age
}

async fn an_order_is_explained_with_all_that_followed(ground: &Ground) {
    let order = bought(ground, SHOP, "1", "jana").await;
    let member = standing(&book(ground, std::slice::from_ref(&order)).await, &order);
    let jana = member.id.clone();
    let mut settlement = earns(&order, member, 3);
    settlement.deliveries = vec![delivery(order.id, &jana, SHOP, "mail", 0)];
    ground.store().settle(std::slice::from_ref(&settlement), &[]).await.expect("it settles");
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r1", "1"), &[])], LEASE).await;
    settled(ground, &ready).await;

    let another = ground.another().await;
    for by in ["1", "#1"] {
        let told = another.explain(&SHOP.into(), &"eshop".into(), by).await.expect("a look").expect("it is there");
        assert_eq!(
            (told.entry.id, told.entry.state.as_str(), told.entry.member),
            (order.id, "settled", Some(jana.clone()))
        );
        assert_eq!(told.purchase.id, "1");
        let amounts: Vec<_> = told.postings.iter().map(|posting| (posting.entry, posting.amount)).collect();
        assert_eq!(amounts, [(order.id, 3), (ready[0].id, 1)], "its own and its refunds'");
        assert_eq!((told.deliveries.len(), told.refunds.len(), told.arrivals.len()), (1, 1, 1));
        assert_eq!(told.deliveries[0].delivery, settlement.deliveries[0]);
        let lots: Vec<_> = told.lots.iter().map(|lot| (lot.entry, lot.amount)).collect();
        assert_eq!(lots, [(order.id, 3), (ready[0].id, 1)]);
    }
}

async fn lots_say_which_order_earned_them(ground: &Ground) {
    let first = bought(ground, SHOP, "1", "jana").await;
    settled(ground, std::slice::from_ref(&first)).await;
    let (_, ready) = says(ground, SHOP, vec![entry(refund("r1", "1"), &[])], LEASE).await;
    settled(ground, &ready).await;
    let elsewhere = bought(ground, "other", "1", "jana").await;
    settled(ground, &[elsewhere, bought(ground, SHOP, "2", "petr").await]).await;
    let second = bought(ground, SHOP, "3", "jana").await;
    let standing = standing(&book(ground, std::slice::from_ref(&second)).await, &second);
    let jana = standing.id.clone();
    let mut gone = earns(&second, standing, 2);
    let lot = gone.lots[0].id.clone();
    gone.lot_changes = vec![LotChange { entry: second.id, lot, reversed: 1, forgiven: 0, expired: 1, shares: None }];
    ground.store().settle(&[gone], &[]).await.expect("it settles");

    let told = ground.another().await.lots(&SHOP.into(), &jana).await.expect("a look");
    let told: Vec<_> = told
        .iter()
        .map(|view| (view.lot.entry, view.kind, view.external_id.as_str(), view.reference.as_deref(), view.lot.amount))
        .collect();
    let order = ("1", Some("#1"));
    assert_eq!(
        told,
        [(first.id, Kind::Purchase, order.0, order.1, 1), (ready[0].id, Kind::Refund, order.0, order.1, 1)],
        "what a refund earned is about its order; what is gone is not told"
    );
    let nobody = ground.store().lots(&SHOP.into(), &"mem_nobody".into()).await.expect("a look");
    assert!(nobody.is_empty());
}

async fn nothing_is_told_of_what_is_not_there(ground: &Ground) {
    settled(ground, &[bought(ground, SHOP, "1", "jana").await]).await;
    let store = ground.store();
    // An order with a NUL in its id is no order of anybody's, and no error.
    for (merchant, source, order) in [
        ("other", "eshop", "1"),
        (SHOP, "till", "1"),
        (SHOP, "eshop", "2"),
        (SHOP, "eshop", "1\0"),
        (SHOP, "eshop", ""),
    ] {
        let told = store.explain(&merchant.into(), &source.into(), order).await.expect("a look");
        assert!(told.is_none(), "{merchant} {source} {order:?}");
    }
    assert!(store.member(&SHOP.into(), &"mem_nobody\0".into()).await.expect("a look").is_none());
    assert!(store.arrival(ArrivalId(i64::MAX)).await.expect("a look").is_none());
    assert!(store.arrivals(&SHOP.into(), "parked", 9).await.expect("a look").is_empty());
    assert!(store.deliveries(&SHOP.into(), "due", 9).await.expect("a look").is_empty());
    assert!(store.verify(Some(&"nobody".into())).await.expect("a check").holds());
}

async fn what_waits_is_counted(ground: &Ground) {
    assert_eq!(ground.store().depth().await.expect("a count"), QueueDepth::default());
    let order = bought(ground, SHOP, "1", "jana").await;
    says(ground, SHOP, vec![entry(refund("r9", "9"), &[])], LEASE).await;
    let depth = ground.store().depth().await.expect("a count");
    assert_eq!(depth, QueueDepth { arrivals: 0, entries: 1, parked: 1, failed: 0, deliveries: 0 });
    settled(ground, &[order]).await;
    assert_eq!(ground.store().depth().await.expect("a count").entries, 0);
}

async fn what_stands_still_is_told_with_its_age(ground: &Ground) {
    let now = NOON.plus_ms(60_000);
    let stuck = ground.store().stuck(now).await.expect("a look");
    assert_eq!((stuck.arrivals, stuck.entries, stuck.deliveries), Default::default());
    assert!(stuck.due_since.is_none() && stuck.parked_entries.is_empty() && stuck.channels.is_empty());

    // One arrival that nobody reads, one order that nobody settles, one refund that waits for its order.
    journalled(ground, &[SHOP], 0).await;
    let order = bought(ground, SHOP, "1", "jana").await;
    says(ground, SHOP, vec![entry(refund("r9", "9"), &[])], LEASE).await;
    ground.store().probe().await.expect("the database can be written");
    let stuck = ground.store().stuck(now).await.expect("a look");
    let came = |waiting: Waiting| (waiting.count, waiting.since.is_some_and(|since| since > Moment(0) && since <= now));
    assert_eq!((came(stuck.arrivals), came(stuck.entries)), ((1, true), (1, true)));
    assert_eq!((stuck.put_off.count, stuck.parked_arrivals.count, stuck.leases.entries), (0, 0, 1));
    let [parked] = stuck.parked_entries.as_slice() else { panic!("one kind: {:?}", stuck.parked_entries) };
    assert_eq!(came(parked.waiting), (1, true));

    let member = standing(&book(ground, std::slice::from_ref(&order)).await, &order);
    let mut settlement = earns(&order, member.clone(), 3);
    settlement.deliveries = vec![delivery(order.id, &member.id, SHOP, "mail", 0)];
    ground.store().settle(std::slice::from_ref(&settlement), &[]).await.expect("it settles");
    let stuck = ground.store().stuck(now.plus_ms(86_400_000)).await.expect("a look");
    assert_eq!((stuck.entries.count, came(stuck.deliveries).0), (0, 1));
}
