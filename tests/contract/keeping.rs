//! What is kept for a time goes when the time is over, a few rows at a time, and what is still needed stays.

use super::data::{
    LEASE, SHOP, accepted, admission, arrival, book, delivery, earns, email, entry, journalled, purchase, says,
    standing,
};
use super::ground::Ground;
use perkgate_domain::delivery::{Attempt, Next};
use perkgate_domain::event::{Answer, Event, Scale};
use perkgate_domain::ids::{ArrivalId, Digest};
use perkgate_domain::limits::BreakerLimits;
use perkgate_domain::plan::NewTask;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{AdmissionResult, NewArrival, NewRejection, Sweep, Swept};
use perkgate_tests::NOON;

on_both! {
    raw_bytes_are_emptied_once_they_were_read
    rejections_and_deliveries_go
    what_members_wrote_goes
}

/// Everything before this goes.
const CUT: Moment = NOON;

fn sweep(most: i64) -> Sweep {
    Sweep { bodies: CUT, rejections: CUT, deliveries: CUT, answers: CUT, most }
}

async fn swept(ground: &Ground, most: i64) -> Swept {
    ground.store().sweep(&sweep(most)).await.expect("a sweep")
}

async fn came(ground: &Ground, name: &str, at: Moment) -> ArrivalId {
    let new = NewArrival { received_at: at, ..arrival(SHOP, name, name) };
    accepted(&ground.store().append(&[new], LEASE).await.expect("it is journalled")[0])
}

async fn ends(ground: &Ground, arrival: ArrivalId, result: AdmissionResult) {
    let mut admission = admission(arrival, SHOP, result);
    admission.fetched = Some(b"answer".to_vec());
    ground.store().admit(&[admission], 0).await.expect("it is admitted");
}

async fn full(ground: &Ground) -> Vec<i64> {
    let mut full = Vec::new();
    for id in 1..=ground.count("arrivals").await {
        let statement = format!("select count(*) from arrivals where arrival_id = {id} and length(sealed) > 0");
        if ground.number(&statement).await > 0 {
            full.push(id);
        }
    }
    full
}

async fn raw_bytes_are_emptied_once_they_were_read(ground: &Ground) {
    let old = CUT.plus_ms(-1);
    let nothing = || AdmissionResult::Nothing("a draft".to_owned());
    let (read, parked) = (came(ground, "a", old).await, came(ground, "b", old).await);
    ends(ground, read, nothing()).await;
    ends(ground, parked, AdmissionResult::Parked("unknown".to_owned())).await;
    let bought = came(ground, "c", old).await;
    ends(ground, bought, AdmissionResult::Entries(vec![entry(purchase("1"), &[email("jana")])])).await;
    let young = came(ground, "d", CUT).await;
    ends(ground, young, nothing()).await;
    // A few at a time.
    let first = swept(ground, 1).await;
    assert_eq!((first.bodies, first.more), (1, true));
    assert_eq!(full(ground).await, [parked.0, bought.0, young.0]);
    let rest = swept(ground, 100).await;
    assert_eq!((rest.bodies, rest.more), (1, false));
    assert_eq!(full(ground).await, [parked.0, young.0]);
    let fetched = "select count(*) from readings where fetched is not null";
    assert_eq!(ground.number(fetched).await, 2, "with what the platform answered");
    assert_eq!(swept(ground, 100).await, Swept::default());
    // What was parked is still read, and then it goes too.
    assert_eq!(ground.store().unpark().await.expect("it is unparked"), 1);
    assert_eq!(swept(ground, 100).await.bodies, 0, "not before");
    ends(ground, parked, nothing()).await;
    assert_eq!(swept(ground, 100).await.bodies, 1);
    assert_eq!(full(ground).await, [young.0]);
    assert_eq!(ground.count("entries").await, 1, "what replay needs stays");
}

async fn rejections_and_deliveries_go(ground: &Ground) {
    let rejection = |at| NewRejection {
        merchant: SHOP.into(),
        source: "eshop".into(),
        cause: "stale",
        detail: "too old".to_owned(),
        digest: Digest::of(b""),
        bytes: 1,
        sealed: Some(vec![1]),
        received_at: at,
    };
    let rejections = [rejection(CUT.plus_ms(-1)), rejection(CUT.plus_ms(-2)), rejection(CUT)];
    ground.store().reject(&rejections, 100).await.expect("they are kept");
    ground.by_hand(&format!("insert into merchants values ('{SHOP}', '{{}}')")).await.expect("a merchant");
    let (_, ready) = says(ground, SHOP, vec![entry(purchase("1"), &[email("jana")])], LEASE).await;
    let member = standing(&book(ground, &ready).await, &ready[0]);
    let jana = member.id.clone();
    let mut settlement = earns(&ready[0], member, 1);
    settlement.deliveries = (-3..0).map(|number| delivery(ready[0].id, &jana, SHOP, "mail", number)).collect();
    ground.store().settle(&[settlement], &[]).await.expect("it settles");
    let attempt = |number: i64, next| Attempt {
        delivery: format!("dlv_{SHOP}_mail_{number}").as_str().into(),
        merchant: SHOP.into(),
        channel: "mail".into(),
        number: 1,
        at: NOON,
        took_ms: 1,
        status: None,
        error: None,
        next,
    };
    let attempts = [attempt(-3, Next::Delivered), attempt(-2, Next::Dead)];
    ground.store().record(&attempts, &BreakerLimits::default()).await.expect("they are recorded");
    let first = swept(ground, 1).await;
    assert!(first.more && first.rejections == 1, "{first:?}");
    swept(ground, 100).await;
    assert_eq!((ground.count("rejections").await, ground.count("deliveries").await), (1, 1), "what is due stays");
    assert_eq!(ground.count("attempts").await, 0);
}

async fn what_members_wrote_goes(ground: &Ground) {
    let answer = |id: &str| {
        Event::Answer(Answer {
            id: id.to_owned(),
            at: NOON,
            installation: "feedback".into(),
            key: "visit".to_owned(),
            scale: Scale::Csat,
            score: 5,
            text: Some("Volajte Jane".to_owned()),
        })
    };
    ground.by_hand(&format!("insert into merchants values ('{SHOP}', '{{}}')")).await.expect("a merchant");
    let ids = [came(ground, "a", CUT.plus_ms(-1)).await, came(ground, "b", CUT).await];
    for (place, id) in ids.into_iter().enumerate() {
        let told = entry(answer(&format!("q{place}")), &[email("jana")]);
        let ready = ground
            .store()
            .admit(&[admission(id, SHOP, AdmissionResult::Entries(vec![told]))], LEASE)
            .await
            .expect("it is admitted");
        let member = standing(&book(ground, &ready).await, &ready[0]);
        let mut settlement = earns(&ready[0], member, 1);
        settlement.tasks = vec![NewTask {
            id: format!("tsk_{place}"),
            installation: "feedback".into(),
            member: None,
            key: format!("call-{place}"),
            title: "Call".to_owned(),
            text: "Volajte Jane".to_owned(),
            at: CUT.plus_ms(-9),
            deliveries: Vec::new(),
        }];
        ground.store().settle(&[settlement], &[]).await.expect("it settles");
    }
    assert!(
        ground.store().close_task(&SHOP.into(), "tsk_0", CUT.plus_ms(-1), &super::data::anna()).await.expect("an act")
    );
    let wrote = "select count(*) from entries where document like '%Volajte%'";
    assert_eq!(ground.number(wrote).await, 2);
    assert_eq!(swept(ground, 100).await.answers, 2, "an answer's text and a task that is done");
    assert_eq!((ground.number(wrote).await, ground.count("tasks").await), (1, 1));
    journalled(ground, &[SHOP], 0).await;
    assert_eq!(swept(ground, 100).await, Swept::default());
}
