//! Nothing that arrives stops the others, and nothing is believed that cannot be meant: late webhooks, clocks that are wrong, rows that
//! are damaged.

use super::{BY_JANA, JANA};
use perkgate_domain::delivery::TOO_OLD;
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::Clock as _;
use perkgate_tests::programme::{OWN, POINTS, webhook};
use perkgate_tests::{FakeShop, NOON, TestGateway};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

const DAY_MS: i64 = 24 * 3_600_000;
const TOM: &str = "tom@example.com";
const BY_TOM: &str = "email:tom@example.com";
/// A minute more than the longest wait before a failure is tried again.
const NEXT_TRY_MS: i64 = 11 * 60_000;

fn days_ago(days: i64) -> Moment {
    NOON.plus_ms(-days * DAY_MS)
}

fn tiers(window: &str) -> String {
    format!("\n[tiers]\nby = \"spend\"\n{window}\nlevels = [ {{ name = \"silver\", at = \"100.00\" }} ]\n")
}

fn sale(id: &str, cents: i64, at: &Value, email: &str) -> Vec<u8> {
    let customer = json!({"email": email, "consent": true});
    json!({
        "type": "purchase",
        "timestamp": at,
        "data": {"purchase": {"id": id, "currency": "EUR", "total": cents}, "customer": customer},
    })
    .to_string()
    .into_bytes()
}

fn refund(id: &str, sale: &str, cents: i64, at: Moment) -> Vec<u8> {
    json!({
        "type": "refund",
        "timestamp": at.0,
        "data": {"refund": {"id": id, "purchase": sale, "currency": "EUR", "amount": cents}},
    })
    .to_string()
    .into_bytes()
}

async fn points(gateway: &TestGateway, key: &str) -> i64 {
    gateway.member(key).await.member.wallets.get("points").map_or(0, |wallet| wallet.available)
}

async fn told(gateway: &TestGateway, shop: &FakeShop, body: Vec<u8>) {
    shop.tells(None, body).await.is(200, "accepted");
    gateway.settle().await;
    gateway.gateway().pipeline.drain().await.expect("nothing stops the loops");
}

async fn stalled(gateway: &TestGateway) -> Vec<String> {
    let stalled = gateway.gateway().store.stalled(&gateway.merchant(), 100).await.expect("a list");
    stalled.into_iter().map(|item| format!("{} {} {}", item.kind, item.id, item.cause.unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_late_webhook_about_a_tier_that_has_ended_stops_nobody() {
    for (window, then, late) in [
        ("window = \"rolling\"\ndays = 30", 32, 20),
        ("window = \"calendar-year\"", 800, 700),
        ("window = \"membership-year\"", 800, 700),
    ] {
        for by_refund in [true, false] {
            let gateway = TestGateway::open(&[&tiers(window), OWN, POINTS]).await;
            let shop = FakeShop::at(&gateway, "own");
            told(&gateway, &shop, sale("A", 20_000, &json!(days_ago(then).0), JANA)).await;
            let body = if by_refund {
                refund("R", "A", 100, days_ago(late))
            } else {
                sale("L", 100, &json!(days_ago(late).0), JANA)
            };
            told(&gateway, &shop, body).await;
            told(&gateway, &shop, sale("B", 500, &json!(NOON.0), JANA)).await;
            told(&gateway, &shop, sale("O", 900, &json!(NOON.0), TOM)).await;
            assert_eq!(stalled(&gateway).await, Vec::<String>::new(), "{window}");
            assert_eq!(points(&gateway, BY_TOM).await, 9, "{window}");
            let jana = gateway.member(BY_JANA).await.member;
            assert!(jana.due_at.is_none_or(|due| due > NOON), "{window}: {jana:?}");
            assert_eq!(points(&gateway, BY_JANA).await, if by_refund { 204 } else { 206 }, "{window}");
            gateway.close().await;
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_moves_nobody_beyond_ours() {
    let rules = "\n[wallets.points]\nexpires = { days = 365 }\n";
    let year = |years: i64| json!(NOON.plus_ms(years * 366 * DAY_MS).0);
    for (what, at) in [
        ("microseconds", json!(NOON.0 * 1_000)),
        ("nanoseconds", json!(NOON.0 * 1_000_000)),
        ("seconds", json!(NOON.0 / 1_000)),
        ("in twenty years", year(20)),
        ("the end of the calendar", json!("9999-12-31T23:59:59Z")),
        ("the end of numbers", json!(i64::MAX)),
        ("the beginning of .NET's calendar", json!("0001-01-01T00:00:00Z")),
        ("the beginning of Unix time", json!(0)),
    ] {
        let gateway = TestGateway::open(&[&tiers("window = \"membership-year\""), rules, OWN, POINTS]).await;
        let shop = FakeShop::at(&gateway, "own");
        told(&gateway, &shop, sale("A", 50_000, &json!(days_ago(1).0), JANA)).await;
        told(&gateway, &shop, sale("X", 100, &at, JANA)).await;
        told(&gateway, &shop, sale("B", 3_000, &json!(NOON.0), JANA)).await;
        let jana = gateway.member(BY_JANA).await.member;
        assert_eq!(points(&gateway, BY_JANA).await, 531, "{what}");
        assert!(jana.through <= NOON && jana.last_purchase_at == Some(NOON), "{what}: {jana:?}");
        assert_eq!((jana.joined_at, jana.tier.as_deref()), (days_ago(1), Some("silver")), "{what}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_time_that_was_replaced_is_noted_and_a_repetition_is_no_conflict() {
    let gateway = TestGateway::open(&[OWN, POINTS]).await;
    let shop = FakeShop::at(&gateway, "own");
    let body = sale("X", 100, &json!("9999-12-31T23:59:59Z"), JANA);
    let first = shop.delivers(None, "first", body.clone()).await.is(200, "accepted").arrival();
    gateway.settle().await;
    let note = gateway.gateway().store.arrival(first).await.expect("a look").expect("the arrival").note;
    assert!(note.as_deref().is_some_and(|note| note.contains("9999-12-3")), "{note:?}");
    // Told again a minute later, when another time would be put in its place.
    gateway.clock().set(gateway.clock().now().plus_ms(60_000));
    let again = shop.delivers(None, "second", body).await.is(200, "accepted").arrival();
    gateway.settle().await;
    let again = gateway.gateway().store.arrival(again).await.expect("a look").expect("the arrival");
    assert_eq!(again.state, "read", "{again:?}");
    assert_eq!(points(&gateway, BY_JANA).await, 1);
    gateway.close().await;
}

#[tokio::test]
async fn what_is_too_old_is_settled_and_not_sent() {
    let channel = webhook("http://127.0.0.1:9/");
    let thanks = "\n[[plugins]]\nplugin = \"thank-you\"\ngrants = [\"message\"]\n";
    let gateway = TestGateway::open(&[OWN, POINTS, thanks, &channel]).await;
    let shop = FakeShop::at(&gateway, "own");
    told(&gateway, &shop, sale("old", 1_000, &json!(days_ago(10).0), JANA)).await;
    let suppressed = gateway.deliveries("suppressed").await;
    assert_eq!(suppressed.len(), 1);
    assert!(suppressed[0].delivery.note.as_deref().is_some_and(|note| note == TOO_OLD), "{suppressed:?}");
    assert_eq!(points(&gateway, BY_JANA).await, 10);
    gateway.close().await;
}

#[tokio::test]
async fn history_counts_if_the_merchant_says_so_and_gives_nothing() {
    for (counts, visits, spent) in [("", 1, 3_000), ("count_earlier = true\n", 2, 9_000)] {
        let since = format!("since = 2026-05-30\n{counts}");
        let tiers = tiers("window = \"rolling\"\ndays = 365").replace("100.00", "80.00");
        let gateway = TestGateway::open(&[&since, &tiers, OWN, POINTS]).await;
        let shop = FakeShop::at(&gateway, "own");
        told(&gateway, &shop, sale("H", 10_000, &json!(days_ago(100).0), JANA)).await;
        // What counted is taken off again, and what did not is not.
        told(&gateway, &shop, refund("R", "H", 4_000, NOON)).await;
        told(&gateway, &shop, sale("B", 3_000, &json!(NOON.0), JANA)).await;
        let jana = gateway.member(BY_JANA).await.member;
        assert_eq!(points(&gateway, BY_JANA).await, 30);
        assert_eq!((jana.visits, jana.spent), (visits, spent));
        assert_eq!(jana.tier.is_some(), visits == 2);
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_damaged_member_waits_alone_and_goes_on_when_mended() {
    let mut gateway = TestGateway::open(&[OWN, POINTS]).await;
    let shop = FakeShop::at(&gateway, "own");
    told(&gateway, &shop, sale("A", 1_000, &json!(NOON.0), JANA)).await;
    let path = gateway.database();
    let mut hand = SqliteConnection::connect(&path).await.expect("the database opens");
    let damage = "update members set climb = 'x' || climb";
    sqlx::query(damage).execute(&mut hand).await.expect("a row is damaged");

    // Both in one batch, and one more of the damaged member's, which waits behind the first.
    for (id, who) in [("B", JANA), ("C", TOM), ("D", JANA)] {
        shop.tells(None, sale(id, 2_000, &json!(NOON.0), who)).await.is(200, "accepted");
    }
    perkgate_tests::until("tom's purchase is settled", async || {
        let found = gateway.gateway().store.stalled(&gateway.merchant(), 10).await.expect("a list");
        (found.len() == 1).then_some(())
    })
    .await;
    let waiting = stalled(&gateway).await;
    assert!(waiting[0].starts_with("purchase B a stored"), "{waiting:?}");
    perkgate_tests::until("tom has his points", async || {
        gateway.find_member(BY_TOM).await.filter(|view| view.member.visits == 1).map(|_| ())
    })
    .await;

    // Again and again, until a person is asked for.
    for _ in 0..20 {
        gateway.clock().set(gateway.clock().now().plus_ms(NEXT_TRY_MS));
        let _ = gateway.gateway().pipeline.drain().await;
        if gateway.gateway().store.stalled(&gateway.merchant(), 10).await.expect("a list")[0].state == "failed" {
            break;
        }
    }
    let found = gateway.gateway().store.stalled(&gateway.merchant(), 10).await.expect("a list");
    assert_eq!((found.len(), found[0].state.as_str(), found[0].attempts), (1, "failed", 12), "{found:?}");
    // A third entry of the member does not overtake the failed one.
    shop.tells(None, sale("E", 500, &json!(NOON.0), JANA)).await.is(200, "accepted");
    gateway.gateway().pipeline.drain().await.expect("the others go on");

    sqlx::query("update members set climb = substr(climb, 2) where climb like 'x%'")
        .execute(&mut hand)
        .await
        .expect("the row is mended");
    let retried = gateway.gateway().store.retry(Some(&gateway.merchant()), None).await.expect("it is asked for");
    assert_eq!(retried, 1);
    gateway.settle().await;
    assert_eq!(points(&gateway, BY_JANA).await, 10 + 20 + 20 + 5);
    assert_eq!(stalled(&gateway).await, Vec::<String>::new());
    gateway.restart().await;
    gateway.close().await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_put_aside_for_a_person() {
    let gateway = TestGateway::open(&[OWN, POINTS]).await;
    let shop = FakeShop::at(&gateway, "own");
    told(&gateway, &shop, sale("A", 1_000, &json!(NOON.0), JANA)).await;
    let mut hand = SqliteConnection::connect(&gateway.database()).await.expect("the database opens");
    // As if its last byte had been lost, and it had still to be settled.
    for statement in [
        "insert into waiting (entry_id, merchant_id, source_id, member_id, state)
         select entry_id + 1000, merchant_id, source_id, member_id, 'queued' from entries",
        "insert into entries (entry_id, merchant_id, source_id, kind, external_id, arrival_id, member_id, document, digest, happened_at)
         select entry_id + 1000, merchant_id, source_id, kind, 'broken', arrival_id, member_id, substr(document, 2), digest, happened_at
         from entries",
    ] {
        sqlx::query(statement).execute(&mut hand).await.expect("it is written");
    }
    shop.tells(None, sale("C", 700, &json!(NOON.0), TOM)).await.is(200, "accepted");
    perkgate_tests::until("tom has his points", async || {
        gateway.find_member(BY_TOM).await.filter(|view| view.member.visits == 1).map(|_| ())
    })
    .await;
    let found = perkgate_tests::until("the damaged entry is listed", async || {
        let found = gateway.gateway().store.stalled(&gateway.merchant(), 10).await.expect("a list");
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!((found[0].id.as_str(), found[0].state.as_str()), ("broken", "failed"), "{found:?}");
    for statement in ["delete from waiting where entry_id = 1001", "delete from entries where entry_id = 1001"] {
        sqlx::query(statement).execute(&mut hand).await.expect("it is taken out again");
    }
    gateway.close().await;
}
