//! Square's payments with and without their orders, refunds and customers.

use crate::connectors::testing::{
    NOW, admitted, arrival, entries, nothing, read, read_with, shown, signed, source, the_join, the_purchase,
    the_refund, verify, with_api,
};
use crate::connectors::{Cause, Connector as _, Reading, Unreadable};
use perkgate_domain::programme::Source;
use perkgate_domain::purchase::Channel;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

fn event(kind: &str, name: &str, object: &Value) -> String {
    let mut envelope = json!({ "type": kind, "event_id": "e-1", "merchant_id": "M", "data": { "object": {} } });
    envelope["data"]["object"][name] = object.clone();
    envelope.to_string()
}

fn usd(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

/// 12.00 and a tip of 1.50.
fn payment() -> Value {
    json!({
        "id": "pay_1", "order_id": "ord_1", "location_id": "L1", "customer_id": "C1", "status": "COMPLETED",
        "created_at": "2026-03-01T10:00:00Z", "updated_at": "2026-03-01T10:00:05Z", "amount_money": usd(1200),
        "tip_money": usd(150), "total_money": usd(1350), "buyer_email_address": "jo@example.com", "receipt_number": "pay1",
        "source_type": "CARD"
    })
}

/// Two and a half pounds of coffee, a service charge, a tip.
fn order() -> String {
    let line = json!({
        "uid": "u1", "name": "Coffee", "variation_name": "Pound", "quantity": "2.5", "base_price_money": usd(400),
        "total_tax_money": usd(100), "total_discount_money": usd(100), "total_money": usd(1000), "item_type": "ITEM"
    });
    let gift =
        json!({ "uid": "u2", "name": "Gift card", "quantity": "1", "total_money": usd(100), "item_type": "GIFT_CARD" });
    let charges = json!([
        { "uid": "s1", "name": "Service", "total_money": usd(100), "treatment_type": "LINE_ITEM_TREATMENT" },
        { "uid": "s2", "name": "Spread", "total_money": usd(50), "treatment_type": "APPORTIONED_TREATMENT" }
    ]);
    json!({ "order": {
        "id": "ord_1", "line_items": [line, gift], "service_charges": charges, "total_money": usd(1350),
        "total_tax_money": usd(100), "total_discount_money": usd(100), "total_tip_money": usd(150)
    } })
    .to_string()
}

fn with_token() -> Source {
    with_api(source("square"), "token", None)
}

fn paid(payment: &Value) -> Result<Reading, Unreadable> {
    read(&source("square"), None, event("payment.updated", "payment", payment))
}

#[test]
fn without_an_api_a_payment_is_one_line_and_a_tip() {
    let reading = paid(&payment());
    let who = entries(reading.clone()).remove(0).identity.unwrap();
    let purchase = the_purchase(reading);
    assert_eq!(shown(&purchase), [("payment", 1000, 1200, "item"), ("tip", 1000, 150, "tip")]);
    assert_eq!((purchase.id.as_str(), purchase.total, purchase.channel), ("pay_1", 1350, Channel::InStore));
    assert_eq!((purchase.placed_at, purchase.location.as_deref()), (Moment(1_772_359_200_000), Some("L1")));
    assert_eq!((who.customer_id.as_deref(), who.email.as_deref()), (Some("C1"), Some("jo@example.com")));
}

#[test]
fn a_payment_counts_once_completed() {
    for status in ["APPROVED", "PENDING", "CANCELED", "FAILED"] {
        let mut payment = payment();
        payment["status"] = json!(status);
        assert!(nothing(read(&with_token(), None, event("payment.created", "payment", &payment))).contains(status));
    }
}

#[test]
fn later_tellings_of_a_payment_are_the_same_purchase() {
    let mut later = payment();
    later["updated_at"] = json!("2026-03-05T10:00:00Z");
    later["refunded_money"] = usd(100);
    later["processing_fee"] = json!([{ "amount_money": usd(30) }]);
    assert_eq!(the_purchase(paid(&payment())), the_purchase(paid(&later)));
}

#[test]
fn the_order_is_asked_for_before_its_payment_is_read() {
    let body = event("payment.updated", "payment", &payment());
    let Ok(Reading::Fetch(requests)) = read(&with_token(), None, &body) else { panic!("a fetch") };
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].url, "https://connect.squareup.com/v2/orders/ord_1");
    assert!(requests[0].headers.contains(&("authorization".to_owned(), "Bearer token".to_owned())));
    assert!(requests[0].headers.iter().any(|(name, _)| name == "square-version"));
    assert!(!format!("{requests:?}").contains("token"));
    let local = with_api(source("square"), "token", Some("http://localhost:1/"));
    let Ok(Reading::Fetch(requests)) = read(&local, None, &body) else { panic!("a fetch") };
    assert_eq!(requests[0].url, "http://localhost:1/v2/orders/ord_1");
    let sandbox = Source { test: true, ..with_token() };
    let Ok(Reading::Fetch(requests)) = read(&sandbox, None, &body) else { panic!("a fetch") };
    assert_eq!(requests[0].url, "https://connect.squareupsandbox.com/v2/orders/ord_1");
    let mut hostile = payment();
    hostile["order_id"] = json!("../customers");
    assert!(read(&with_token(), None, event("payment.updated", "payment", &hostile)).is_err());
}

#[test]
fn a_fetched_order_gives_the_lines() {
    let body = event("payment.updated", "payment", &payment());
    let purchase = the_purchase(read_with(&with_token(), None, body, &[("order", &order())]));
    assert_eq!(
        shown(&purchase),
        [
            ("u1", 2500, 1000, "item"),
            ("u2", 1000, 100, "gift-card"),
            ("s1", 1000, 100, "fee"),
            ("tip", 1000, 150, "tip")
        ]
    );
    assert_eq!((purchase.id.as_str(), purchase.tax, purchase.discount, purchase.unaccounted), ("pay_1", 100, 100, 0));
    assert_eq!((purchase.lines[0].name.as_str(), purchase.lines[0].unit), ("Coffee - Pound", 400));
}

#[test]
fn each_payment_of_a_split_tender_is_its_own_purchase() {
    let mut half = payment();
    half["total_money"] = usd(675);
    half["tip_money"] = Value::Null;
    let body = event("payment.updated", "payment", &half);
    let purchase = the_purchase(read_with(&with_token(), None, body, &[("order", &order())]));
    assert_eq!(shown(&purchase), [("payment", 1000, 675, "item")]);
}

#[test]
fn cash_rounding_is_unaccounted() {
    let body = event("payment.updated", "payment", &payment());
    let rounded = order().replace(r#""amount":1000,"#, r#""amount":998,"#);
    let purchase = the_purchase(read_with(&with_token(), None, body, &[("order", &rounded)]));
    assert_eq!(purchase.unaccounted, 2);
}

#[test]
fn a_broken_answer_is_told_from_a_broken_webhook() {
    let body = event("payment.updated", "payment", &payment());
    let error = read_with(&with_token(), None, body, &[("order", r#"{"errors":[]}"#)]).unwrap_err();
    assert!(error.0.contains("Square's answer"), "{error}");
}

#[test]
fn a_completed_refund_is_of_its_payment() {
    let mut refund = json!({
        "id": "ref_1", "payment_id": "pay_1", "order_id": "ord_2", "status": "COMPLETED", "amount_money": usd(500),
        "created_at": "2026-03-02T10:00:00Z"
    });
    let read = |refund: &Value| read(&source("square"), None, event("refund.updated", "refund", refund));
    let whole = the_refund(read(&refund));
    assert_eq!((whole.id.as_str(), whole.purchase.as_str(), whole.amount), ("ref_1", "pay_1", 500));
    refund["status"] = json!("PENDING");
    assert!(nothing(read(&refund)).contains("PENDING"));
    refund["status"] = json!("COMPLETED");
    refund["payment_id"] = Value::Null;
    assert!(nothing(read(&refund)).contains("no payment"));
}

#[test]
fn a_new_customer_joins_and_not_unsubscribing_is_no_consent() {
    let customer = |unsubscribed| {
        let customer = json!({ "id": "C1", "created_at": "2026-03-01T10:00:00Z", "given_name": "Jo", "family_name": "Day",
            "phone_number": "+12125550100", "preferences": { "email_unsubscribed": unsubscribed } });
        read(&source("square"), None, event("customer.created", "customer", &customer))
    };
    assert_eq!(the_join(customer(false)).id, "C1");
    let who = |unsubscribed| entries(customer(unsubscribed)).remove(0).identity.unwrap();
    assert_eq!((who(false).consent, who(true).consent), (None, Some(false)));
    assert_eq!(who(true).name.as_deref(), Some("Jo Day"));
}

#[test]
fn the_sandbox_is_a_test_and_the_old_signature_is_not_read() {
    let body = event("payment.updated", "payment", &payment());
    assert!(!admitted(&source("square"), None, &body).stamp().test);
    assert!(admitted(&Source { test: true, ..source("square") }, None, &body).stamp().test);
    let good = signed(&source("square"), None, &body);
    let signature = good.header("x-square-hmacsha256-signature").unwrap();
    let old = arrival(&[("x-square-signature", signature)], &body, NOW);
    assert_eq!(verify(&source("square"), old).unwrap_err().cause, Cause::BadSignature);
}

#[test]
fn a_source_needs_the_url_that_square_signs() {
    for url in [None, Some(String::new()), Some("gateway.example".to_owned())] {
        assert!(super::Square.check(&Source { url, ..source("square") }).unwrap_err().contains("`url`"));
    }
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    let sentence = |key: &str, value: Value| {
        let mut payment = payment();
        payment[key] = value;
        paid(&payment).unwrap_err().0
    };
    assert!(sentence("total_money", json!({ "amount": 1.5, "currency": "USD" })).contains("finer"));
    assert!(sentence("total_money", json!({ "amount": 100, "currency": "EUZ" })).contains("EUZ"));
    assert!(sentence("total_money", json!({ "amount": 100 })).contains("currency"));
    assert!(sentence("tip_money", json!({ "amount": 100, "currency": "EUR" })).contains("another currency"));
    assert!(sentence("tip_money", json!({ "amount": 1400, "currency": "USD" })).contains("negative"));
    assert!(sentence("total_money", Value::Null).contains("total_money"));
}
