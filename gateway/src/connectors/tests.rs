//! What holds for every connector: published vectors, forgeries, rotation, windows, and bodies that are no bodies.

use super::testing::{NOW, OTHER, SECRET, arrival, signed, source, verify};
use super::{Admitted, Arrival, Cause, Context, find, platforms};
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A body each platform could send, its topic, and the header that carries the signature.
const SAMPLES: &[(&str, Option<&str>, &str, &str)] = &[
    ("generic-hmac", None, r#"{"id":"1","total":"1.00","at":1772366400}"#, "x-till-signature"),
    ("shopify", Some("orders/paid"), r#"{"id":1,"test":false}"#, "x-shopify-hmac-sha256"),
    ("square", None, r#"{"type":"payment.updated","event_id":"e1","data":{}}"#, "x-square-hmacsha256-signature"),
    (
        "standard-webhooks",
        None,
        r#"{"type":"purchase","timestamp":1772366400000,"data":{"purchase":{"id":"1","currency":"EUR","total":100}}}"#,
        "webhook-signature",
    ),
    (
        "stripe",
        None,
        r#"{"id":"evt_1","object":"event","type":"charge.refunded","livemode":true,"data":{"object":{}}}"#,
        "stripe-signature",
    ),
    ("woocommerce", Some("order.updated"), r#"{"id":1,"status":"pending"}"#, "x-wc-webhook-signature"),
];

/// What a forger does to a header.
type Change = fn(&[u8]) -> Vec<u8>;

fn cause(source: &Source, arrival: Arrival) -> Cause {
    verify(source, arrival).expect_err("rejected").cause
}

fn replace(mut arrival: Arrival, name: &str, change: impl Fn(&[u8]) -> Vec<u8>) -> Arrival {
    for (_, value) in arrival.headers.iter_mut().filter(|(header, _)| header == name) {
        *value = change(value);
    }
    arrival
}

#[test]
fn every_platform_is_found_by_its_name_once() {
    let names: Vec<&str> = platforms().collect();
    assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(names, SAMPLES.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    for name in names {
        assert_eq!(find(name).unwrap().platform(), name);
        assert_eq!(find(name).unwrap().check(&source(name)), Ok(()));
    }
    assert!(find("Shopify").is_none());
}

#[test]
fn what_is_signed_verifies_and_what_is_not_does_not() {
    for (platform, topic, body, header) in SAMPLES {
        let source = source(platform);
        let good = signed(&source, *topic, body);
        assert!(matches!(verify(&source, good.clone()), Ok(Admitted::Event(_))), "{platform}");
        // Another body, a cut one, and the same JSON written again.
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        for changed in [body.replace('1', "2").into_bytes(), body.as_bytes()[..body.len() - 1].to_vec(), pretty, vec![]]
        {
            assert_eq!(
                cause(&source, Arrival { body: changed.into(), ..good.clone() }),
                Cause::BadSignature,
                "{platform}"
            );
        }
        // No signature, an empty one, a cut one, another alphabet's, no text, one backwards, and two of them.
        let without = good.headers.iter().filter(|(name, _)| name != header).cloned().collect();
        assert_eq!(cause(&source, Arrival { headers: without, ..good.clone() }), Cause::BadSignature, "{platform}");
        let changes: [Change; 5] = [
            |_| vec![],
            |value| value[..value.len() - 4].to_vec(),
            |_| b"!!!!".to_vec(),
            |_| vec![0xff, 0xfe],
            |value| value.iter().rev().copied().collect(),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            assert_eq!(
                cause(&source, replace(good.clone(), header, change)),
                Cause::BadSignature,
                "{platform} {index}"
            );
        }
        let mut twice = good.clone();
        let again = twice.headers.iter().find(|(name, _)| name == header).unwrap().clone();
        twice.headers.push(again);
        assert_eq!(cause(&source, twice), Cause::BadSignature, "{platform}");
    }
}

#[test]
fn any_active_secret_may_sign_and_an_unusable_one_proves_nobody() {
    for (platform, topic, body, _) in SAMPLES {
        let connector = find(platform).unwrap();
        let old = source(platform);
        let rotating = Source { secrets: vec![OTHER.to_owned(), SECRET.to_owned()], ..source(platform) };
        let new = Source { secrets: vec![OTHER.to_owned()], ..source(platform) };
        assert!(verify(&rotating, signed(&old, *topic, body)).is_ok(), "{platform}");
        assert!(verify(&rotating, signed(&new, *topic, body)).is_ok(), "{platform}");
        assert_eq!(cause(&new, signed(&old, *topic, body)), Cause::BadSignature, "{platform}");
        for secrets in
            [vec![], vec![String::new()], vec![SECRET.to_owned(), " ".to_owned()], vec![format!("{SECRET}\n")]]
        {
            let bad = Source { secrets, ..source(platform) };
            assert!(connector.check(&bad).unwrap_err().contains("secret"), "{platform}");
            assert!(connector.sign(body.as_bytes(), *topic, "d", &bad, NOW).is_err(), "{platform}");
            assert_eq!(cause(&bad, signed(&old, *topic, body)), Cause::BadSignature, "{platform}");
        }
    }
}

#[test]
fn signed_times_are_believed_for_five_minutes_either_way() {
    for (platform, topic, body, _) in SAMPLES {
        if !matches!(*platform, "stripe" | "standard-webhooks" | "generic-hmac") {
            continue;
        }
        let source = source(platform);
        let at = |ms| Arrival { received_at: NOW.plus_ms(ms), ..signed(&source, *topic, body) };
        assert!(verify(&source, at(300_999)).is_ok() && verify(&source, at(-300_000)).is_ok(), "{platform}");
        assert_eq!(cause(&source, at(301_000)), Cause::Stale, "{platform}");
        assert_eq!(cause(&source, at(-300_001)), Cause::Stale, "{platform}");
        // A forgery is told nothing about the clock.
        let forged = Arrival { body: b"{}".to_vec().into(), ..at(900_000) };
        assert_eq!(cause(&source, forged), Cause::BadSignature, "{platform}");
    }
}

#[test]
fn a_signed_body_that_is_none_is_unreadable_and_never_a_panic() {
    let deep = "[".repeat(100_000);
    let bodies: &[&[u8]] =
        &[b"", b"{", b"null", b"[]", b"1e400", b"NaN", b"\"", b"{\"id\":\xff}", b"{\"id\":1e400,", deep.as_bytes()];
    for (platform, topic, ..) in SAMPLES {
        let source = source(platform);
        for body in bodies {
            let outcome = verify(&source, signed(&source, *topic, body));
            let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
            match outcome {
                Err(rejected) => assert!(
                    matches!(rejected.cause, Cause::Unreadable | Cause::UnknownTopic),
                    "{platform} {shown}: {rejected:?}"
                ),
                // A generic mapping without conditions takes any JSON; then reading it says what is missing.
                Ok(Admitted::Event(verified)) => {
                    let context = Context { source: &source, fetched: &BTreeMap::new() };
                    assert!(find(platform).unwrap().normalise(&verified, context).is_err(), "{platform} {shown}");
                }
                Ok(Admitted::Handshake { .. }) => panic!("{platform} {shown}: a handshake"),
            }
        }
    }
}

#[test]
fn rejections_carry_no_secret_and_no_body() {
    for (platform, topic, ..) in SAMPLES {
        let source = source(platform);
        let body = r#"{"id":["jana@example.com"],"type":["jana@example.com"],"event_id":{},"data":7}"#;
        if let Err(rejected) = verify(&source, signed(&source, *topic, body)) {
            assert!(!rejected.detail.contains("jana") && !rejected.detail.contains(SECRET), "{platform}: {rejected}");
        }
    }
}

#[test]
fn an_unknown_topic_is_told_only_after_the_signature() {
    for (platform, body) in [
        ("shopify", r#"{"id":1}"#),
        ("square", r#"{"type":"order.updated","event_id":"e"}"#),
        ("stripe", r#"{"id":"evt_1","type":"x","livemode":true}"#),
        ("woocommerce", r#"{"id":1}"#),
        ("standard-webhooks", r#"{"type":"x","data":{}}"#),
    ] {
        let source = source(platform);
        let good = signed(&source, Some("products/update"), body);
        assert_eq!(cause(&source, good.clone()), Cause::UnknownTopic, "{platform}");
        assert_eq!(cause(&source, Arrival { body: b"{}".to_vec().into(), ..good }), Cause::BadSignature, "{platform}");
    }
}

/// Published vectors, with their sources. Their bodies are no purchases, so a signature that holds shows as another cause.
#[test]
fn published_vectors_hold() {
    // Shopify/shopify-app-js packages/apps/shopify-api/lib/webhooks/__tests__/validate.test.ts
    let shopify = Source { secrets: vec!["test_secret_key".to_owned()], ..source("shopify") };
    let headers = [
        ("x-shopify-hmac-sha256", "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g="),
        ("x-shopify-topic", "orders/create"),
        ("x-shopify-webhook-id", "w1"),
    ];
    assert!(verify(&shopify, arrival(&headers, r#"{"foo": "bar"}"#, NOW)).is_ok());
    assert_eq!(cause(&shopify, arrival(&headers, r#"{"foo":"bar"}"#, NOW)), Cause::BadSignature);

    // square/square-nodejs-sdk tests/integration/webhooks.test.ts
    let square = Source {
        secrets: vec!["Ibxx_5AKakO-3qeNVR61Dw".to_owned()],
        url: Some("https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9".to_owned()),
        ..source("square")
    };
    let body = concat!(
        r#"{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","#,
        r#""event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","#,
        r#""data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}"#
    );
    let headers = [("x-square-hmacsha256-signature", "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=")];
    assert!(matches!(verify(&square, arrival(&headers, body, NOW)), Ok(Admitted::Handshake { status: 200, .. })));
    let pretty = body.replace(',', ", ");
    assert_eq!(cause(&square, arrival(&headers, pretty, NOW)), Cause::BadSignature);
    let slash = Source { url: square.url.as_ref().map(|url| format!("{url}/")), ..square };
    assert_eq!(cause(&slash, arrival(&headers, body, NOW)), Cause::BadSignature);
    let square = Source {
        secrets: vec!["signature-key".to_owned()],
        url: Some("https://webhook.site/webhooks".to_owned()),
        ..source("square")
    };
    let headers = [("x-square-hmacsha256-signature", "W3FlCNk5IA3ZQ2LHTWoajvzfaDu/OwY2tNHIHC3IUOA=")];
    let body = r#"{"data":{"type":"webhooks","id":"fake_id"}}"#;
    assert_eq!(cause(&square, arrival(&headers, body, NOW)), Cause::Unreadable);

    // standard-webhooks/standard-webhooks libraries/rust/src/lib.rs and libraries/javascript/src/webhook.test.ts
    for (secret, id, time, body, signature) in [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ] {
        let source = Source { secrets: vec![secret.to_owned()], ..source("standard-webhooks") };
        let now = Moment::from_seconds(time.parse().unwrap());
        let headers = |signature| [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)];
        assert_eq!(cause(&source, arrival(&headers(signature), body, now)), Cause::Unreadable);
        let asymmetric = signature.replace("v1,", "v1a,");
        for bad in ["v1,", "v1,dawfeoifkpqwoekfpqoekf", &signature[..11], &asymmetric] {
            assert_eq!(cause(&source, arrival(&headers(bad), body, now)), Cause::BadSignature, "{bad}");
        }
        let listed = format!("v2,zzz v1a,{} {signature} v1,AAAA", &signature[3..]);
        assert_eq!(cause(&source, arrival(&headers(&listed), body, now)), Cause::Unreadable);
    }
}

/// The folder of facts beside the repository, where there is one.
fn shared() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if path.join("vectors.json").is_file() {
        return Some(path);
    }
    println!("skipped: there is no folder `shared` beside the repository");
    None
}

#[test]
fn the_collected_vectors_hold() {
    let Some(shared) = shared() else { return };
    let vectors: Vec<serde_json::Value> =
        serde_json::from_slice(&std::fs::read(shared.join("vectors.json")).unwrap()).unwrap();
    let mut tried = 0;
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().map(str::to_owned);
        let Some(connector) = find(vector["platform"].as_str().unwrap()) else { continue };
        let source = Source {
            secrets: text("secret").into_iter().collect(),
            url: text("notification_url"),
            ..source(connector.platform())
        };
        let mut headers: Vec<(String, Vec<u8>)> = vec![
            ("x-shopify-topic".to_owned(), b"orders/paid".to_vec()),
            ("x-wc-webhook-topic".to_owned(), b"order.updated".to_vec()),
        ];
        for (name, value) in vector["header"].as_object().unwrap() {
            headers.push((name.to_ascii_lowercase(), value.as_str().unwrap().as_bytes().to_vec()));
        }
        let received_at = Moment::from_seconds(vector["now"].as_i64().unwrap_or(0));
        let good = Arrival { headers, body: text("body").unwrap().into_bytes().into(), received_at };
        let holds =
            |arrival| !matches!(verify(&source, arrival), Err(rejected) if rejected.cause == Cause::BadSignature);
        assert!(holds(good.clone()), "{vector}");
        assert!(!holds(Arrival { body: [&good.body[..], b" "].concat().into(), ..good }), "{vector}");
        tried += 1;
    }
    assert!(tried >= 5);
}

/// Bodies as the platforms document them: platform, topic, file.
const PAYLOADS: &[(&str, Option<&str>, &str)] = &[
    ("shopify", Some("orders/paid"), "shopify-orders_official-sample.json"),
    ("shopify", Some("orders/cancelled"), "shopify-orders_official-sample.json"),
    ("shopify", Some("refunds/create"), "shopify-refunds_create-from-rest-fixture.json"),
    ("shopify", Some("customers/create"), "shopify-customers_create-from-rest-fixture.json"),
    ("square", None, "square-payment.created.json"),
    ("square", None, "square-refund.created.json"),
    ("square", None, "square-customer.created.json"),
    ("stripe", None, "stripe-checkout.session.completed.json"),
    ("stripe", None, "stripe-charge.refunded.json"),
    ("stripe", None, "stripe-refund.created.json"),
    ("stripe", None, "stripe-customer.created.json"),
    ("woocommerce", Some("order.created"), "woocommerce-order.created.json"),
    ("woocommerce", Some("customer.created"), "woocommerce-customer.created.json"),
];

#[test]
fn the_collected_payloads_are_read() {
    let Some(shared) = shared() else { return };
    for (platform, topic, file) in PAYLOADS {
        let body = std::fs::read(shared.join("payloads").join(file)).unwrap();
        let reading = super::testing::read(&source(platform), *topic, body);
        assert!(reading.is_ok(), "{file}: {reading:?}");
    }
    // The same order, paid: every amount of Shopify's own sample is accounted for.
    let sample = std::fs::read_to_string(shared.join("payloads/shopify-orders_official-sample.json")).unwrap();
    let paid = sample.replace("\"voided\"", "\"paid\"");
    let purchase = super::testing::the_purchase(super::testing::read(&source("shopify"), Some("orders/updated"), paid));
    assert_eq!((purchase.id.as_str(), purchase.total, purchase.unaccounted), ("820982911946154508", 38_800, 0));
    assert_eq!(
        super::testing::shown(&purchase),
        [
            ("866550311766439020", 1000, 19_900, "item"),
            ("141249953214522974", 1000, 19_900, "item"),
            ("271878346596884015", 1000, 1_000, "shipping"),
            ("discount", 1000, -2_000, "discount"),
        ]
    );
    let order = std::fs::read(shared.join("payloads/woocommerce-order.created.json")).unwrap();
    let purchase =
        super::testing::the_purchase(super::testing::read(&source("woocommerce"), Some("order.created"), order));
    assert_eq!((purchase.total, purchase.tax, purchase.unaccounted), (2_935, 135, 0));
    assert_eq!(purchase.lines[1].name, "Ship Your Idea – Color: Black, Size: M Test");
}

/// Signed and mangled: whatever a platform, a plugin of a shop or a proxy does to a body, the answer is a sentence.
#[test]
fn mangled_bodies_never_panic() {
    let shared = shared();
    let payloads = PAYLOADS.iter().filter_map(|(platform, topic, file)| {
        let body = std::fs::read(shared.as_ref()?.join("payloads").join(file)).ok()?;
        // Paid and completed, so that reading goes all the way.
        let body = String::from_utf8(body).ok()?.replace("voided", "paid").replace("APPROVED", "COMPLETED");
        Some((*platform, *topic, body.replace("PENDING", "COMPLETED").into_bytes()))
    });
    let samples = SAMPLES.iter().map(|(platform, topic, body, _)| (*platform, *topic, body.as_bytes().to_vec()));
    for (platform, topic, body) in payloads.chain(samples) {
        let source = source(platform);
        let step = (body.len() / 40).max(1);
        for at in (0..body.len()).step_by(step) {
            // The next digit becomes a huge number, a negative one, or text; a byte is lost; a bracket comes in.
            let digit = body[at..].iter().position(u8::is_ascii_digit).map_or(at, |found| at + found);
            for (place, with) in [
                (digit, "9223372036854775808"),
                (digit, "-9"),
                (digit, "1e999"),
                (digit, "x"),
                (at, ""),
                (at, "["),
                (at, "}"),
            ] {
                let mangled = [&body[..place], with.as_bytes(), &body[place + 1..]].concat();
                if let Ok(Admitted::Event(verified)) = verify(&source, signed(&source, topic, mangled)) {
                    let context = Context { source: &source, fetched: &BTreeMap::new() };
                    let _sentence_or_reading = find(platform).unwrap().normalise(&verified, context);
                }
            }
        }
    }
}
