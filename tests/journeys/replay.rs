//! Replay: every stored decision is made again from its stored facts by the component of that digest, to the same outcome, fuel and
//! log; whatever it was about is told as it was then. Every story asks for it in the end; these have more to ask.

use super::{BY_JANA, JANA, ORDER};
use perkgate_domain::event::{Answer, Edit, Event, Profile, Redemption, Scale, Undo, WakeCause, Woken};
use perkgate_domain::ids::{Digest, EntryId, MemberId};
use perkgate_domain::plan::{About, DecisionRecord};
use perkgate_domain::time::Moment;
use perkgate_gateway::store::{Actor, Admission, AdmissionResult, Appended, NewArrival, NewEntry, Note};
use perkgate_tests::programme::{ESHOP, OFFER, OWN, POINTS, STAMPS, THANKS, plugin_file};
use perkgate_tests::{FakeShop, Ground, NOON, Sale, TestGateway, hostile};
use sqlx::{Connection as _, SqliteConnection};

#[tokio::test]
async fn every_decision_can_be_made_again() {
    let guests = ["loop", "trap", "honest-log"];
    let installed: Vec<String> = guests.iter().map(|name| plugin_file(name)).collect();
    let pieces: Vec<&str> =
        [ESHOP, OWN, POINTS, STAMPS, OFFER, THANKS].into_iter().chain(installed.iter().map(String::as_str)).collect();
    let mut ground = Ground::of(&pieces);
    for name in guests {
        ground = ground.file(&format!("{name}.wasm"), hostile(name));
    }
    let mut gateway = ground.open().await;
    let (eshop, own) = (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "own"));
    let sale = |id, price| Sale::new(id, &[("Obed", 1, price), ("Káva", 2, 199)]).by(JANA);
    for number in 0..4_u64 {
        eshop.sells(&sale(ORDER + number, 1_000 + i64::try_from(number).unwrap_or(0))).await;
    }
    own.sells(&sale(5, 333)).await;
    eshop.refunds(77, &sale(ORDER, 1_000), &[(1, 1)]).await;
    gateway.settle().await;

    // The rules change, and so does the host: what was decided is still decided the same.
    let tenfold = POINTS.replace("points = 1", "points = 10");
    gateway.reapply(&[ESHOP, OWN, &tenfold]).await;
    gateway.restart().await;
    let report = gateway.verify().await;
    assert!(report.holds(), "{:#?}", report.problems);
    let replayed = report.replayed.expect("decisions are made again");
    assert_eq!((replayed.entries, replayed.passed_over), (5, 0), "nobody decides on refunds");
    assert_eq!(replayed.decisions, 5 * 7, "seven plugins decided on five purchases");
    gateway.close().await;
}

/// An entry that no platform tells of, as the gateway's own commands and time make it.
async fn happens(gateway: &TestGateway, source: &str, event: Event, member: Option<MemberId>) -> EntryId {
    let (store, merchant) = (&gateway.gateway().store, gateway.merchant());
    let document = serde_json::to_string(&event).expect("an event is JSON");
    let digest = Digest::of(document.as_bytes());
    let arrival = NewArrival {
        merchant: merchant.clone(),
        source: source.into(),
        topic: event.kind().as_str().to_owned(),
        dedupe: document.clone(),
        test: false,
        digest,
        sealed: Vec::new(),
        received_at: NOON,
        note: None,
    };
    let appended = store.append(&[arrival], 60_000).await.expect("it is journalled");
    let [Appended::Accepted(arrival)] = appended.as_slice() else { panic!("it is not new: {appended:?}") };
    let entry = NewEntry {
        event,
        document,
        told: digest,
        note: None,
        digest,
        keys: Vec::new(),
        member,
        newcomer: None,
        referrers: Vec::new(),
        birthday: None,
        contact: Vec::new(),
        locale: None,
        consent: None,
        proof: perkgate_domain::member::Proof::Typed,
        doubt: None,
    };
    let result = AdmissionResult::Entries(vec![entry]);
    let admission =
        Admission { arrival: *arrival, merchant, source: source.into(), received_at: NOON, result, fetched: None };
    store.admit(&[admission], 0).await.expect("it is admitted");
    let told = store.arrival(*arrival).await.expect("arrivals are read").expect("it is there");
    gateway.settle().await;
    told.entry.expect("it says something")
}

/// Sells this reward for so many points.
async fn sells_reward(gateway: &TestGateway, title: &str, points: i64) {
    let gateway = gateway.gateway();
    let mut programme = gateway.store.programmes().await.expect("programmes are read").remove(0);
    let reward = serde_json::json!({
        "title": title, "kind": "custom", "price": {"wallet": "points", "amount": points}, "stock": null, "per_member": null,
        "valid_days": null, "from": null, "until": null, "returns_price": false, "undo_minutes": 600, "automatic": false,
        "code": null, "audience": null
    });
    programme.merchant.rules.rewards.insert("coffee".to_owned(), serde_json::from_value(reward).expect("a reward"));
    let by = Actor::command("anna@till");
    let note = Note::new(Some(&programme.merchant.id), &by, "programme.apply", NOON);
    gateway.store.apply(&programme, &[], &note).await.expect("it is applied");
    gateway.registry.refresh().await.expect("programmes are read");
}

async fn decided(gateway: &TestGateway, entry: EntryId) -> Vec<DecisionRecord> {
    let rows = gateway.gateway().store.decided(EntryId(entry.0 - 1), None, 1).await.expect("decisions are read");
    let row = rows.into_iter().find(|row| row.entry == entry).expect("something was decided on it");
    serde_json::from_str(&row.document).expect("decision records")
}

/// A shop whose plugins decide on everything there is to decide on.
async fn full_house() -> TestGateway {
    let guests = ["honest-kinds", "honest-profiles", "honest-redemptions", "honest-wakes", "honest-answers"];
    let installed: Vec<String> = guests.iter().map(|name| plugin_file(name)).collect();
    let pieces: Vec<&str> = [ESHOP, POINTS].into_iter().chain(installed.iter().map(String::as_str)).collect();
    let mut ground = Ground::of(&pieces);
    for name in guests {
        ground = ground.file(&format!("{name}.wasm"), hostile(name));
    }
    ground.open().await
}

/// Sells an order, edits it to have more lines, and gives a line back. Answers the entries of edit and refund.
async fn edited_and_refunded(gateway: &TestGateway) -> (EntryId, EntryId) {
    let eshop = FakeShop::at(gateway, "eshop");
    let sale = Sale::new(ORDER, &[("Obed", 1, 1_000), ("Káva", 2, 199)]).by(JANA);
    eshop.sells(&sale).await;
    gateway.settle().await;
    let mut purchase = gateway.explain("eshop", ORDER).await.purchase;
    let line = perkgate_domain::purchase::Line { id: "more".to_owned(), ..purchase.lines[0].clone() };
    purchase.total += line.total;
    purchase.lines.push(line);
    let edit = Event::Edit(Edit { id: "v2".to_owned(), at: purchase.placed_at.plus_ms(1), purchase });
    let edited = happens(gateway, "eshop", edit, None).await;
    eshop.refunds(77, &sale, &[(1, 1)]).await;
    gateway.settle().await;
    let refunds = gateway.explain("eshop", ORDER).await.refunds;
    (edited, refunds[0].0.id)
}

#[tokio::test]
async fn what_an_order_was_then_is_told_again() {
    let mut gateway = full_house().await;
    let tenfold = POINTS.replace("points = 1", "points = 10");
    let (edited, refunded) = edited_and_refunded(&gateway).await;
    let told = decided(&gateway, refunded).await;
    assert_eq!(told[0].about, Some(About::Purchase(edited)), "the refund is of the order as it was edited");
    assert_eq!(gateway.verify().await.problems, Vec::<String>::new());

    // Edited once more behind the refund, by the rules of today and those of then.
    let mut purchase = gateway.explain("eshop", ORDER).await.purchase;
    purchase.lines.truncate(1);
    purchase.total = purchase.lines[0].total;
    gateway.reapply(&[ESHOP, &tenfold]).await;
    let edit = Event::Edit(Edit { id: "v3".to_owned(), at: purchase.placed_at.plus_ms(2), purchase });
    let again = happens(&gateway, "eshop", edit, None).await;
    let told = decided(&gateway, again).await;
    assert_eq!(
        (told[0].installation.as_str(), told[0].settings_revision),
        ("points-per-spend", 1),
        "as it was asked then"
    );
    let report = gateway.verify().await;
    assert_eq!(report.problems, Vec::<String>::new());
    let replayed = report.replayed.expect("decisions are made again");
    assert_eq!((replayed.entries, replayed.decisions), (4, 4), "the order, two edits and a refund");

    // Another order than the one it gave back: the plugin uses other fuel on it.
    gateway.leaves_tampered();
    let mut hand = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
    let other = "update decisions set document = replace(document, $1, $2) where entry_id = $3";
    let (told, never) = (format!("\"about\":{{\"purchase\":{edited}}}"), "\"about\":{\"purchase\":1}");
    let changed = sqlx::query(other).bind(told).bind(never).bind(refunded.0).execute(&mut hand).await;
    assert_eq!(changed.expect("it is changed").rows_affected(), 1);
    let said = gateway.verify().await.problems.join("\n");
    assert!(
        said.contains(&format!("`honest-kinds` on entry {refunded} of kavarna comes to something else: fuel")),
        "{said}"
    );
    hand.close().await.expect("closed");
    gateway.close().await;
}

#[tokio::test]
async fn what_a_reward_was_then_is_told_again() {
    let gateway = full_house().await;
    sells_reward(&gateway, "Káva", 5).await;
    FakeShop::at(&gateway, "eshop").sells(&Sale::new(ORDER, &[("Obed", 1, 3_000)]).by(JANA)).await;
    gateway.settle().await;
    let jana = gateway.member(BY_JANA).await.member.id;
    let take = Redemption { id: "take".to_owned(), at: NOON, reward: "coffee".to_owned() };
    let taken = happens(&gateway, "perkgate", Event::Redemption(take), Some(jana.clone())).await;
    sells_reward(&gateway, "Dvojitá káva", 9).await;
    let reward = gateway.member(BY_JANA).await.rewards[0].id.clone();
    let undo = Undo { id: "undo".to_owned(), at: NOON.plus_ms(1), reward };
    let undone = happens(&gateway, "perkgate", Event::Undo(undo), Some(jana.clone())).await;
    for entry in [taken, undone] {
        let told = decided(&gateway, entry).await;
        let Some(About::Reward { key, title, price }) = &told[0].about else { panic!("a reward: {:?}", told[0].about) };
        let price = price.as_ref().map(|price| price.amount);
        assert_eq!((key.as_str(), title.as_str(), price), ("coffee", "Káva", Some(5)), "as it was when it was taken");
    }
    sells_reward(&gateway, "Čaj", 1).await;
    let wake = Woken {
        id: "w".to_owned(),
        at: NOON,
        installation: "honest-wakes".into(),
        cause: WakeCause::Asked,
        key: "k".to_owned(),
        data: vec![1, 2, 3],
    };
    let answer = Answer {
        id: "q".to_owned(),
        at: Moment(NOON.0 + 2),
        installation: "honest-answers".into(),
        key: "how".to_owned(),
        scale: Scale::Nps,
        score: 9,
        text: Some("Dobrá káva".to_owned()),
    };
    for event in [Event::Wake(wake), Event::Answer(answer), Event::Profile(Profile { id: "p".to_owned(), at: NOON })] {
        let entry = happens(&gateway, "perkgate", event, Some(jana.clone())).await;
        assert_eq!(decided(&gateway, entry).await.len(), 1);
    }
    let report = gateway.verify().await;
    assert_eq!(report.problems, Vec::<String>::new());
    let replayed = report.replayed.expect("decisions are made again");
    assert_eq!((replayed.entries, replayed.decisions, replayed.passed_over), (6, 6, 0));
    gateway.close().await;
}
