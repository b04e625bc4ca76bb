//! Bad input, and what it gets: a status and a stored cause. Nothing panics, nothing is lost, and the next good purchase counts.

use super::{BY_JANA, JANA, ORDER};

use perkgate_domain::limits::DoorLimits;
use perkgate_tests::programme::{ESHOP, OWN, PAY, POINTS};
use perkgate_tests::{FakeShop, Ground, Reply, Sale, TestGateway, until};
use std::collections::BTreeMap;

/// A source that takes nothing at present.
const PAUSED: &str = r#"
[[sources]]
id = "resting"
platform = "shopify"
secrets = ["shpss-resting"]
paused = true
"#;

fn coffee() -> Sale {
    Sale::new(ORDER, &[("Flat white", 2, 320)]).by(JANA)
}

/// The body of a good purchase with some text in it replaced.
fn crooked(shop: &FakeShop, what: &str, by: &str) -> Vec<u8> {
    let text = String::from_utf8(shop.body(&coffee())).expect("text");
    assert!(text.contains(what), "{what} is not in {text}");
    text.replace(what, by).into_bytes()
}

/// Whatever came before: this one counts.
async fn a_good_purchase_still_settles(gateway: &TestGateway) {
    let eshop = FakeShop::at(gateway, "eshop");
    eshop.delivers(None, "the good one", eshop.body(&coffee())).await.is(200, "accepted");
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 6);
}

/// Waits until so many rejections of each cause are kept.
async fn kept(gateway: &TestGateway, wanted: &[(&str, usize)]) {
    let wanted: BTreeMap<String, usize> = wanted.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect();
    until(&format!("rejections are kept: {wanted:?}"), async || {
        let mut causes: BTreeMap<String, usize> = BTreeMap::new();
        for rejection in gateway.rejections().await {
            assert!(!rejection.detail.is_empty() && !rejection.detail.contains("jana"), "{}", rejection.detail);
            *causes.entry(rejection.cause).or_default() += 1;
        }
        (causes == wanted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_not_proven_is_turned_away_unauthorised() {
    let gateway = TestGateway::open(&[ESHOP, PAY, OWN, POINTS]).await;
    let (eshop, pay, own) =
        (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "pay"), FakeShop::at(&gateway, "own"));
    let body = eshop.body(&coffee());
    let signed = eshop.signs(None, "forged", &body);
    let refused = |reply: Reply, cause: &str| {
        let reply = reply.is(401, "rejected");
        assert_eq!(reply.cause(), cause);
    };

    refused(eshop.posts(&signed, crooked(&eshop, "6.40", "9.40")).await, "bad_signature");
    refused(eshop.posts(&signed, written_anew(&body)).await, "bad_signature");
    refused(eshop.posts(&[], body.clone()).await, "bad_signature");
    let twice = [signed.clone(), signed.clone()].concat();
    refused(eshop.posts(&twice, body.clone()).await, "bad_signature");
    // Another source's signature is nobody's here.
    refused(pay.posts(&signed, body.clone()).await, "bad_signature");
    let empty: Vec<_> = signed
        .iter()
        .map(|(name, value)| (name.clone(), if name.contains("hmac") { String::new() } else { value.clone() }))
        .collect();
    refused(eshop.posts(&empty, body).await, "bad_signature");

    for (shop, seconds) in [(&pay, -3_600), (&pay, 3_600), (&own, -301), (&own, 301)] {
        let body = shop.body(&coffee());
        let at = perkgate_tests::NOON.plus_ms(seconds * 1_000);
        refused(shop.posts(&shop.signs_at(at, None, "old", &body), body).await, "stale");
    }
    // Right at the edge of the window it is believed.
    let body = own.body(&Sale::new(7, &[("Voda", 1, 100)]));
    let at = perkgate_tests::NOON.plus_ms(-300_000);
    own.posts(&own.signs_at(at, None, "edge", &body), body).await.is(200, "accepted");

    kept(&gateway, &[("bad_signature", 6), ("stale", 4)]).await;
    a_good_purchase_still_settles(&gateway).await;
    gateway.close().await;
}

/// The same document, written by another serialiser.
fn written_anew(body: &[u8]) -> Vec<u8> {
    let document: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    serde_json::to_vec_pretty(&document).expect("JSON")
}

#[tokio::test]
async fn what_is_signed_and_cannot_be_a_webhook_is_turned_away() {
    let gateway = TestGateway::open(&[ESHOP, PAUSED, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let whole = eshop.body(&coffee());
    let nested = format!("{}1{}", "[".repeat(400_000), "]".repeat(400_000));
    let unreadable: [(&str, Vec<u8>); 7] = [
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("blank", b"   \n".to_vec()),
        ("deeply nested", nested.into_bytes()),
        ("invalid UTF-8", [&whole[..20], &[0xff, 0xfe], &whole[20..]].concat()),
        ("NaN", crooked(&eshop, "\"total_price\":\"6.40\"", "\"total_price\":NaN")),
        ("not an object", b"[1, 2]".to_vec()),
    ];
    let count = unreadable.len();
    for (name, body) in unreadable {
        let reply = eshop.tells(None, body).await;
        assert_eq!((reply.status, reply.cause()), (400, "unreadable"), "{name}: {}", reply.body);
    }
    eshop.tells(Some("products/create"), b"{\"id\":1}".to_vec()).await.is(200, "ignored");
    let resting = FakeShop::at(&gateway, "resting");
    let reply = resting.tells(None, resting.body(&coffee())).await.is(503, "rejected");
    assert!(reply.cause() == "source_paused" && reply.retry_after.is_some(), "{reply:?}");

    kept(&gateway, &[("unreadable", count), ("unknown_topic", 1), ("source_paused", 1)]).await;
    a_good_purchase_still_settles(&gateway).await;
    gateway.close().await;
}

#[tokio::test]
async fn a_hundred_mebibytes_are_refused_before_they_are_read() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let declared = ("content-length", (100 * 1024 * 1024).to_string());
    assert_eq!(eshop.writes(&[declared], b"", 0).await, 413, "by what it declares, with nothing sent");

    // Nothing declared: 64 KiB at a time, a little beyond the cap of 4 MiB.
    let chunk = [b"10000\r\n", vec![b' '; 0x1_0000].as_slice(), b"\r\n"].concat();
    let streamed = ("transfer-encoding", "chunked".to_owned());
    assert_eq!(eshop.writes(std::slice::from_ref(&streamed), &chunk, 65).await, 413);

    // Right at the cap it is read: what is wrong is the missing signature.
    let cap = DoorLimits::default().body_bytes;
    for (bytes, status) in [(cap, 401), (cap + 1, 413)] {
        let declared = ("content-length", bytes.to_string());
        assert_eq!(eshop.writes(&[declared], &vec![b' '; bytes], 1).await, status, "{bytes} bytes");
    }
    kept(&gateway, &[("too_large", 3), ("bad_signature", 1)]).await;
    a_good_purchase_still_settles(&gateway).await;
    gateway.close().await;
}

#[tokio::test]
async fn what_leads_nowhere_is_told_so() {
    let gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let body = eshop.body(&coffee());
    let signed = eshop.signs(None, "lost", &body);
    let base = eshop.url().replace("/kavarna/eshop", "");
    for wrong in ["/kavarna/nowhere", "/nobody/eshop", "/kavarna/%00", "/kavarna/..%2f..%2fetc"] {
        assert_eq!(eshop.posts_to(&format!("{base}{wrong}"), &signed, body.clone()).await.status, 404, "{wrong}");
    }
    assert_eq!(eshop.gets("/in/kavarna/eshop").await.0, 405);
    a_good_purchase_still_settles(&gateway).await;
    gateway.close().await;
}

#[tokio::test]
async fn what_is_proven_and_cannot_be_believed_is_parked_with_its_cause() {
    let mut gateway = TestGateway::open(&[ESHOP, OWN, POINTS]).await;
    let (eshop, own) = (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "own"));
    let of_shopify = |what: &str, by: &str| crooked(&eshop, what, by);
    let deep = format!("\"note\":{}{},\"currency\"", "[".repeat(400_000), "]".repeat(400_000));
    let total = "\"total_price\":\"6.40\"";
    let cases: [(&str, &FakeShop, Vec<u8>, &str); 10] = [
        ("NaN in a text", &eshop, of_shopify(total, "\"total_price\":\"NaN\""), "total_price"),
        ("infinity", &eshop, of_shopify(total, "\"total_price\":1e400"), "total_price"),
        ("a negative total", &eshop, of_shopify(total, "\"total_price\":\"-6.40\""), "negative"),
        ("beyond 64 bits", &eshop, of_shopify(total, "\"total_price\":\"99999999999999999999.00\""), "total_price"),
        ("a negative quantity", &eshop, of_shopify("\"quantity\":2", "\"quantity\":-2"), "quantity"),
        ("an unknown currency", &eshop, of_shopify("\"currency\":\"EUR\"", "\"currency\":\"XQZ\""), "currency"),
        ("no lines at all", &eshop, of_shopify("\"line_items\"", "\"line_itemz\""), "line_items"),
        (
            "negative, by the till",
            &own,
            crooked(&own, "\"quantity_milli\":2000", "\"quantity_milli\":-2000"),
            "quantity",
        ),
        ("an id with a NUL", &own, crooked(&own, &format!("\"id\":\"{ORDER}\""), "\"id\":\"8\\u00002\""), "NUL"),
        ("a reference with a NUL", &eshop, of_shopify("\"name\":\"#", "\"name\":\"#\\u0000"), "NUL"),
    ];
    let mut parked = 0;
    for (name, shop, body, word) in cases {
        let reply = shop.tells(None, body).await.is(200, "accepted");
        gateway.settle().await;
        let arrival = gateway.arrival(reply.arrival()).await;
        let note = arrival.note.unwrap_or_default();
        assert_eq!((arrival.state.as_str(), arrival.entry), ("parked", None), "{name}: {note}");
        assert!(note.contains(word), "{name}: {note}");
        assert!(!note.contains("broke") && !note.contains(JANA), "{name}: {note}");
        parked += 1;
        assert_eq!(gateway.depth().await.parked, parked, "{name}");
    }
    // Depth that nobody reads hurts nobody.
    eshop.tells(None, of_shopify("\"currency\"", &deep)).await.is(200, "accepted");
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 6);
    a_good_purchase_still_settles(&gateway).await;
    gateway.leaves_parked(parked);
    gateway.close().await;
}

#[tokio::test]
async fn what_no_journal_keeps_is_turned_away_before_it_is_written() {
    let gateway = TestGateway::open(&[ESHOP, PAY, POINTS]).await;
    let pay = FakeShop::at(&gateway, "pay");
    // What dedupes it is in the body, which may say anything.
    let long = format!("\"evt_{}", "9".repeat(700));
    for event in ["\"evt_\\u0000", &long] {
        let reply = pay.tells(None, crooked(&pay, "\"evt_", event)).await;
        assert_eq!((reply.status, reply.cause()), (400, "unreadable"), "{}", reply.body);
    }
    kept(&gateway, &[("unreadable", 2)]).await;
    a_good_purchase_still_settles(&gateway).await;
    gateway.close().await;
}

#[tokio::test]
async fn rejections_are_bounded_in_number() {
    let door = DoorLimits { rejections_kept: 5, ..DoorLimits::default() };
    let gateway = Ground::of(&[ESHOP, PAY, POINTS]).door(door).open().await;
    let (eshop, pay) = (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "pay"));
    pay.posts(&[], b"another source".to_vec()).await.is(401, "rejected");
    for number in 0..12 {
        eshop.posts(&[], format!("forgery {number}").into_bytes()).await.is(401, "rejected");
    }
    let newest = gateway.gateway().vault.digest(&gateway.merchant(), b"forgery 11").to_string();
    let newest = newest.trim_start_matches("sha256:");
    let rejections = until("the last forgery is kept", async || {
        Some(gateway.rejections().await).filter(|kept| kept.iter().any(|rejection| rejection.digest.ends_with(newest)))
    })
    .await;
    let of_eshop = rejections.iter().filter(|rejection| rejection.source.as_str() == "eshop").count();
    assert_eq!((of_eshop, rejections.len()), (5, 6), "the newest of each source");
    assert!(rejections[0].digest.ends_with(newest));
    a_good_purchase_still_settles(&gateway).await;
    gateway.close().await;
}
