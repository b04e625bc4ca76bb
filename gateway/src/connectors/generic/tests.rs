//! The mapping: schemes, conditions, pointers, and options that cannot work.

use super::Generic;
use crate::connectors::testing::{
    admitted, entries, nothing_is_admitted, read, shown, signed, the_purchase, the_refund, verify, with_options,
};
use crate::connectors::{Cause, Connector as _};
use perkgate_domain::programme::Source;
use perkgate_domain::purchase::Channel;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

/// A till that sends decimal amounts, its event's type in the body, and signs as GitHub does.
fn options() -> Value {
    json!({
        "header": "X-Hub-Signature-256", "prefix": "sha256=", "topic": "/type", "delivery": "/event",
        "purchase": {
            "topics": ["sale.completed", "sale.changed"], "id": "/sale/id", "currency": "/sale/currency", "total": "/sale/total",
            "tax": "/sale/vat", "placed_at": "/sale/time", "location": "/till", "reference": "/sale/receipt", "channel": "in-store",
            "card": "/sale/who/card", "email": "/sale/who/email", "customer_id": "/sale/who/id", "phone": "/sale/who/phone",
            "lines": { "each": "/sale/items", "id": "/n", "name": "/title", "sku": "/sku", "category": "/group",
                       "quantity": "/qty", "unit": "/price", "total": "/amount", "tax": "/vat" }
        },
        "refund": {
            "topics": ["sale.refunded"], "id": "/refund/id", "purchase": "/sale/id", "currency": "EUR", "amount": "/refund/amount",
            "at": "/refund/time", "lines": { "each": "/refund/items", "line": "/n", "quantity": "/qty", "amount": "/amount" }
        }
    })
}

fn source() -> Source {
    with_options("generic-hmac", options())
}

/// What a merchant gets wrong in the options.
type Change = fn(&mut Value);

const SALE: &str = r#"{"event":"e-77","type":"sale.completed","till":3,"sale":{"id":9007199254740993,"currency":"eur","total":12.50,
    "vat":"2.08","time":1772366400,"receipt":"A1","who":{"card":"C-1","email":"","id":null},"items":[
    {"n":"1","title":"Tea","sku":"T","group":"hot","qty":1.5,"price":4,"amount":6.0,"vat":1},
    {"n":"2","title":"Cake","qty":2,"price":"3.333333","amount":null},
    {"n":"3","title":"Off","amount":"-0.17"}]}}"#;

#[test]
fn a_mapped_sale_is_a_purchase() {
    let purchase = the_purchase(read(&source(), None, SALE));
    assert_eq!(shown(&purchase), [("1", 1500, 600, "item"), ("2", 2000, 666, "item"), ("3", 1000, -17, "discount")]);
    assert_eq!(
        (purchase.id.as_str(), purchase.total, purchase.tax, purchase.unaccounted),
        ("9007199254740993", 1250, 208, 1)
    );
    assert_eq!((purchase.channel, purchase.location.as_deref()), (Channel::InStore, Some("3")));
    assert_eq!((purchase.lines[0].unit, purchase.lines[0].category.as_deref()), (400, Some("hot")));
    assert_eq!(purchase.placed_at, Moment(1_772_366_400_000));
    let who = entries(read(&source(), None, SALE)).remove(0).identity.unwrap();
    assert_eq!((who.card.as_deref(), who.email, who.customer_id), (Some("C-1"), None, None));
}

#[test]
fn topic_and_delivery_may_stand_in_the_body_or_in_headers() {
    let stamp = admitted(&source(), None, SALE).stamp().clone();
    assert_eq!((stamp.topic.as_str(), stamp.dedupe.as_str()), ("sale.completed", "e-77"));
    let mut options = options();
    options["topic"] = json!("X-Till-Topic");
    options["delivery"] = json!("X-Till-Delivery");
    let source = with_options("generic-hmac", options);
    let stamp = admitted(&source, Some("sale.changed"), SALE).stamp().clone();
    assert_eq!((stamp.topic.as_str(), stamp.dedupe.as_str()), ("sale.changed", "delivery-1"));
    let rejected = verify(&source, signed(&source, Some("till.opened"), SALE)).unwrap_err();
    assert_eq!(rejected.cause, Cause::UnknownTopic);
}

#[test]
fn a_mapped_refund_counts_without_its_sign() {
    let body = r#"{"event":"e-78","type":"sale.refunded","sale":{"id":9007199254740993},"refund":{"id":5,"amount":"-6.00",
        "time":"2026-03-02T10:00:00","items":[{"n":1,"qty":-1.5,"amount":-6}]}}"#;
    let refund = the_refund(read(&source(), None, body));
    assert_eq!((refund.id.as_str(), refund.purchase.as_str(), refund.amount), ("5", "9007199254740993", 600));
    assert_eq!(
        (refund.lines[0].line.as_str(), refund.lines[0].quantity_milli, refund.lines[0].amount),
        ("1", 1500, 600)
    );
}

#[test]
fn mappings_may_be_told_apart_by_what_is_there() {
    let source = with_options(
        "generic-hmac",
        json!({
            "header": "sig", "algorithm": "sha512", "encoding": "base64", "money": "minor",
            "purchase": { "when": "/sale", "id": "/sale", "currency": "EUR", "total": "/total", "placed_at": "/at" },
            "refund": { "when": "/refund", "id": "/refund", "purchase": "/sale", "currency": "EUR", "amount": "/total", "at": "/at" }
        }),
    );
    let purchase = the_purchase(read(&source, None, r#"{"sale":"1","refund":null,"total":1250,"at":1772366400000}"#));
    assert_eq!((purchase.total, purchase.placed_at), (1250, Moment(1_772_366_400_000)));
    let refund = the_refund(read(&source, None, r#"{"sale":"1","refund":"2","total":-250,"at":1772366400}"#));
    assert_eq!((refund.purchase.as_str(), refund.amount), ("1", 250));
    assert_eq!(nothing_is_admitted(&source, r#"{"total":1}"#), Cause::UnknownTopic);
    assert!(admitted(&source, None, r#"{"sale":"1"}"#).stamp().dedupe.starts_with("purchase:sha256:"));
    assert!(read(&source, None, r#"{"sale":"1","total":12.5,"at":1}"#).unwrap_err().0.contains("`/total`"));
}

#[test]
fn every_scheme_signs_and_verifies() {
    for algorithm in ["sha1", "sha256", "sha512"] {
        for encoding in ["hex", "base64"] {
            for timestamp in [None, Some("X-Time")] {
                let mut options = options();
                options["algorithm"] = json!(algorithm);
                options["encoding"] = json!(encoding);
                options["prefix"] = json!("v=");
                if let Some(timestamp) = timestamp {
                    options["timestamp_header"] = json!(timestamp);
                }
                let source = with_options("generic-hmac", options);
                let good = signed(&source, None, SALE);
                assert!(verify(&source, good.clone()).is_ok());
                let mut moved = good;
                for (_, value) in moved.headers.iter_mut().filter(|(name, _)| name == "x-time") {
                    *value = b"1772366401".to_vec();
                }
                assert_eq!(verify(&source, moved).is_ok(), timestamp.is_none(), "{algorithm} {encoding}");
            }
        }
    }
}

#[test]
fn a_signature_without_its_prefix_is_none() {
    let mut good = signed(&source(), None, SALE);
    for (_, value) in good.headers.iter_mut().filter(|(name, _)| name == "x-hub-signature-256") {
        *value = value.strip_prefix(b"sha256=").unwrap().to_vec();
    }
    assert_eq!(verify(&source(), good).unwrap_err().cause, Cause::BadSignature);
}

#[test]
fn options_that_cannot_work_are_refused_by_name() {
    let check = |change: fn(&mut Value)| {
        let mut options = options();
        change(&mut options);
        Generic.check(&with_options("generic-hmac", options))
    };
    assert_eq!(check(|_| ()), Ok(()));
    let refused: [(Change, &str); 11] = [
        (|options| options["hedder"] = json!("x"), "hedder"),
        (|options| options["header"] = json!(" "), "options.header"),
        (|options| options["algorithm"] = json!("md5"), "md5"),
        (|options| options["signed"] = json!("timestamp.body"), "timestamp_header"),
        (
            |options| {
                options["timestamp_header"] = json!("t");
                options["signed"] = json!("body");
            },
            "not signed",
        ),
        (|options| options["tolerance"] = json!(0), "tolerance"),
        (|options| options["purchase"]["id"] = json!("sale.id"), "JSON pointer"),
        (|options| options["purchase"]["currency"] = json!("EURO"), "EURO"),
        (
            |options| {
                options["purchase"] = Value::Null;
                options["refund"] = Value::Null;
            },
            "options.purchase",
        ),
        (|options| options["refund"]["topics"] = json!([]), "every purchase"),
        (|options| options["purchase"]["lines"] = json!({ "each": "/a", "id": "/b" }), "`total` or `unit`"),
    ];
    for (change, says) in refused {
        let error = check(change).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn what_is_missing_is_named_by_its_pointer() {
    let sentence = |from: &str, to: &str| read(&source(), None, SALE.replace(from, to)).unwrap_err().0;
    assert!(sentence("\"total\"", "\"tota\"").contains("`/sale/total` is missing"));
    assert!(sentence("\"eur\"", "\"eu\"").contains("`/sale/currency`"));
    assert!(sentence("12.50", "12.505").contains("`/sale/total`"));
    assert!(sentence("12.50", "1e400").contains("too large"));
    assert!(sentence("12.50", "\"NaN\"").contains("NaN"));
    assert!(sentence("\"qty\":2", "\"qty\":-2").contains("negative quantity"));
    assert!(sentence("\"amount\":\"-0.17\"", "\"a\":1").contains("item 2 of `/sale/items`"));
    assert!(sentence("1772366400", "\"soon\"").contains("`/sale/time`"));
}

#[test]
fn kinds_told_apart_by_an_unsigned_header_are_doubted() {
    let doubt = |change: fn(&mut Value)| {
        let mut source = source();
        let mut options = Value::Object(source.options.clone());
        change(&mut options);
        source.options = options.as_object().unwrap().clone();
        Generic.doubt(&source)
    };
    assert_eq!(doubt(|options| options["topic"] = json!("/type")), None);
    assert!(doubt(|options| options["topic"] = json!("X-Topic")).unwrap().contains("is a header, which is not signed"));
    assert_eq!(
        doubt(|options| {
            options["topic"] = json!("X-Topic");
            options["refund"]["when"] = json!("/refund");
        }),
        None
    );
    assert_eq!(
        doubt(|options| {
            options["topic"] = json!("X-Topic");
            options["refund"] = Value::Null;
        }),
        None
    );
}
