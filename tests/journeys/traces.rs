//! Traces: where the time of one webhook went, told to a collector by OTLP.

use super::{JANA, ORDER};
use perkgate_gateway::clock::Clock as _;
use perkgate_gateway::telemetry::TraceTarget;
use perkgate_tests::programme::{ESHOP, POINTS, THANKS, webhook};
use perkgate_tests::{Collector, FakeInbox, FakeShop, Ground, Sale, Says, TestGateway, Told, until};
use std::num::NonZeroU64;

async fn traced(collector: &Collector, one_in: u64, channel: &str) -> TestGateway {
    let target = TraceTarget { collector: collector.url(), one_in: NonZeroU64::new(one_in).expect("one at least") };
    Ground::of(&[ESHOP, POINTS, THANKS, channel]).at_present().traces(target).open().await
}

fn sale(gateway: &TestGateway, order: u64) -> Sale {
    let at = gateway.clock().now().plus_ms(-1_000);
    Sale::new(order, &[("Espresso", 1, 250)]).by(JANA).consenting().at(at)
}

#[track_caller]
fn only<'a>(spans: &'a [Told], name: &str) -> &'a Told {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    let [span] = found.as_slice() else { panic!("one span `{name}`, not {}: {spans:#?}", found.len()) };
    span
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_webhook_is_one_trace_from_the_door_to_the_delivery() {
    let (collector, inbox) = (Collector::open().await, FakeInbox::open().await);
    inbox.will_say(&[Says::Status(500)]);
    let mut gateway = traced(&collector, 1, &webhook(&inbox.url())).await;
    let shop = FakeShop::at(&gateway, "eshop");
    let body = shop.body(&sale(&gateway, ORDER));
    shop.delivers(Some("orders/paid"), "first", body.clone()).await.is(200, "accepted");
    gateway.settle().await;
    shop.delivers(Some("orders/paid"), "first", body).await.is(200, "duplicate");
    until("the first attempt is recorded", async || {
        gateway.deliveries("due").await.into_iter().find(|found| found.attempts == 1)
    })
    .await;
    // What another process does later, here the same one after a restart, goes on in the same trace.
    gateway.restart().await;
    gateway.later(10);
    gateway.sent().await;
    gateway.close().await;

    let spans = collector.told();
    let root = spans.iter().find(|span| span.name == "receive" && span.parent.is_empty()).expect("a root");
    assert_eq!(root.attributes["perkgate.answer"], "accepted");
    assert_eq!(root.attributes["http.response.status_code"], "200");
    assert!(spans.iter().all(|span| span.trace == root.trace), "one trace: {spans:#?}");
    let again = spans.iter().find(|span| span.name == "receive" && !span.parent.is_empty()).expect("told again");
    assert_eq!(again.attributes["perkgate.answer"], "duplicate");
    let (read, settle) = (only(&spans, "read"), only(&spans, "settle"));
    assert_eq!(read.attributes["perkgate.outcome"], "entries");
    assert_eq!(
        (settle.attributes["perkgate.state"].as_str(), settle.attributes["perkgate.kind"].as_str()),
        ("settled", "purchase")
    );
    for span in [again, read, settle] {
        assert_eq!(span.parent, root.id, "{span:#?}");
    }
    for part in ["plan", "commit"] {
        assert_eq!(only(&spans, part).parent, settle.id);
    }
    let mut attempts: Vec<_> = spans.iter().filter(|span| span.name == "deliver").collect();
    attempts.sort_by_key(|span| span.attributes["perkgate.attempt"].clone());
    let [first, second] = attempts.as_slice() else { panic!("two attempts: {attempts:#?}") };
    assert!(first.error.contains("500") && second.error.is_empty(), "{attempts:#?}");
    assert_eq!(second.attributes["http.response.status_code"], "200");
    assert!(attempts.iter().all(|span| span.parent == root.id));
    // In the order in which it happened, and no span ends before it begins.
    assert!(root.time.0 <= read.time.0 && read.time.0 <= settle.time.0 && settle.time.1 <= second.time.0, "{spans:#?}");
    assert!(spans.iter().all(|span| span.time.0 <= span.time.1));
    // Nothing in them names the customer.
    let text = format!("{spans:?}");
    assert!(!text.contains("jana") && !text.contains("mem_"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_webhook_leaves_no_trace_and_an_unreadable_one_says_so() {
    let collector = Collector::open().await;
    let mut gateway = traced(&collector, 1, "").await;
    let shop = FakeShop::at(&gateway, "eshop");
    let (body, unsigned) =
        (shop.body(&sale(&gateway, ORDER)), [("content-type".to_owned(), "application/json".to_owned())]);
    assert_eq!(shop.posts(&unsigned, body).await.status, 401);
    shop.delivers(Some("orders/paid"), "odd", b"{\"id\": 1}".to_vec()).await.is(200, "accepted");
    collector.hears("read", 1).await;
    gateway.leaves_parked(1);
    gateway.close().await;
    let spans = collector.told();
    assert_eq!(only(&spans, "read").attributes["perkgate.outcome"], "parked");
    assert_eq!(only(&spans, "receive").attributes["perkgate.answer"], "accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_webhook_in_a_few_is_traced_whole() {
    let collector = Collector::open().await;
    let gateway = traced(&collector, 4, "").await;
    let shop = FakeShop::at(&gateway, "eshop");
    // Which are traced depends on the key. That it is none, or nearly all, happens once in ten billion runs.
    for number in 0..80 {
        shop.sells(&sale(&gateway, ORDER + number)).await.is(200, "accepted");
    }
    gateway.settle().await;
    gateway.close().await;
    let of = |name: &str| {
        let mut traces: Vec<_> =
            collector.told().into_iter().filter(|span| span.name == name).map(|span| span.trace).collect();
        traces.sort();
        traces
    };
    let received = of("receive");
    assert!((1..60).contains(&received.len()), "{} of 80", received.len());
    assert_eq!((received.clone(), received.clone()), (of("read"), of("settle")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_gone_holds_up_nobody() {
    let collector = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let target = TraceTarget { collector, one_in: NonZeroU64::MIN };
    let gateway = Ground::of(&[ESHOP, POINTS]).at_present().traces(target).open().await;
    FakeShop::at(&gateway, "eshop").sells(&sale(&gateway, ORDER)).await.is(200, "accepted");
    gateway.settle().await;
    assert_eq!(gateway.balance(super::BY_JANA, "points").await, 2);
    gateway.close().await;
}
