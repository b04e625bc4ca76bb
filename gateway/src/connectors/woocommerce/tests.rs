//! WooCommerce's orders through their states, their refunds with and without lines, and the greeting.

use super::WooCommerce;
use crate::connectors::testing::{
    NOW, admitted, arrival, entries, nothing, read, read_with, shown, signed, source, the_join, the_purchase,
    the_refund, verify, with_api,
};
use crate::connectors::{Admitted, Cause, Connector as _, Reading, Unreadable};
use perkgate_domain::event::Event;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

/// Two mugs with a coupon, shipping, a tip as a fee, a discount as a fee: 21.60 + 6.00 + 2.00 - 1.00.
fn order() -> Value {
    json!({
        "id": 727, "number": "W-727", "status": "processing", "currency": "EUR",
        "date_created_gmt": "2026-03-01T09:00:00", "date_paid_gmt": "2026-03-01T09:05:00",
        "date_modified_gmt": "2026-03-01T09:05:01", "discount_total": "2.00", "discount_tax": "0.40",
        "total": "28.60", "total_tax": "4.60", "customer_id": 0, "prices_include_tax": false,
        "billing": { "first_name": "Jana", "last_name": "K", "email": "jana@example.com", "phone": "0905 123 456", "country": "SK" },
        "line_items": [{ "id": 315, "name": "Mug &ndash; Blue &amp; White", "sku": "MUG", "quantity": 2, "price": 9.0,
            "subtotal": "20.00", "subtotal_tax": "4.00", "total": "18.00", "total_tax": "3.60", "meta_data": [] }],
        "shipping_lines": [{ "id": 317, "method_title": "Flat rate", "total": "5.00", "total_tax": "1.00" }],
        "fee_lines": [{ "id": 318, "name": "Tip for us", "total": "2.00", "total_tax": "0.00" },
                      { "id": 319, "name": "Loyal", "total": "-1.00", "total_tax": "0.00" }],
        "coupon_lines": [{ "id": 320, "code": "spring", "discount": "2.00" }], "refunds": []
    })
}

fn with(changes: Value) -> String {
    let mut order = order();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (key, value) in changes {
        order[&key] = value;
    }
    order.to_string()
}

fn told(changes: Value) -> Result<Reading, Unreadable> {
    read(&source("woocommerce"), Some("order.updated"), with(changes))
}

#[test]
fn a_paid_order_is_a_purchase_with_every_amount_on_a_line() {
    let purchase = the_purchase(told(json!({})));
    assert_eq!(
        shown(&purchase),
        [
            ("315", 2000, 2160, "item"),
            ("317", 1000, 600, "shipping"),
            ("318", 1000, 200, "tip"),
            ("319", 1000, -100, "discount")
        ]
    );
    assert_eq!((purchase.total, purchase.tax, purchase.discount, purchase.unaccounted), (2860, 460, 240, 0));
    assert_eq!((purchase.lines[0].name.as_str(), purchase.lines[0].unit), ("Mug – Blue & White", 1000));
    assert_eq!((purchase.reference.as_deref(), purchase.codes), (Some("W-727"), vec!["spring".to_owned()]));
    assert_eq!(purchase.placed_at, Moment(1_772_355_900_000));
    let who = entries(told(json!({}))).remove(0).identity.unwrap();
    assert_eq!(
        (who.customer_id, who.email.as_deref(), who.country.as_deref()),
        (None, Some("jana@example.com"), Some("SK"))
    );
    assert_eq!(
        entries(told(json!({ "customer_id": 25 }))).remove(0).identity.unwrap().customer_id.as_deref(),
        Some("25")
    );
}

#[test]
fn every_telling_of_a_sale_is_the_same_purchase() {
    let first = the_purchase(read(&source("woocommerce"), Some("order.created"), with(json!({}))));
    let later = json!({ "status": "completed", "date_modified_gmt": "2026-03-09T09:00:00", "date_completed_gmt": "2026-03-09T09:00:00" });
    assert_eq!(the_purchase(told(later)), first);
    let refunded = json!({ "status": "refunded", "refunds": [{ "id": 9, "reason": "", "total": "-28.60" }] });
    assert_eq!(the_purchase(told(refunded)), first);
    assert_eq!(the_purchase(told(json!({ "status": "cancelled" }))), first);
}

#[test]
fn an_order_counts_once_paid() {
    for status in ["pending", "on-hold", "failed", "cancelled", "checkout-draft"] {
        assert!(nothing(told(json!({ "status": status, "date_paid_gmt": null }))).contains(status));
    }
    let draft = json!({ "status": "checkout-draft", "date_paid_gmt": "2026-03-01T09:05:00" });
    assert!(nothing(told(draft)).contains("checkout-draft"));
    let cash = the_purchase(told(json!({ "date_paid_gmt": null })));
    assert_eq!(cash.placed_at, Moment(1_772_355_600_000));
    assert_eq!(the_purchase(told(json!({ "status": "my-own-status" }))).total, 2860);
}

#[test]
fn refunds_and_cancellation_are_read_from_the_order() {
    let refunds = json!([{ "id": 9, "total": "-10.80" }, { "id": 10, "total": "-2.00" }]);
    let entries = entries(told(json!({ "refunds": refunds, "status": "cancelled" })));
    let refunds: Vec<_> = entries[1..]
        .iter()
        .map(|entry| match &entry.event {
            Event::Refund(refund) => (refund.id.as_str(), refund.purchase.as_str(), refund.amount, refund.complete),
            other => panic!("no refund: {other:?}"),
        })
        .collect();
    assert_eq!(refunds, [("9", "727", 1080, false), ("10", "727", 200, false), ("cancel:727", "727", 2860, true)]);
}

#[test]
fn a_refunds_lines_are_fetched_from_the_shop() {
    let source = with_api(source("woocommerce"), "ck_a:cs_b", Some("https://shop.example/"));
    let body = with(json!({ "refunds": [{ "id": 9, "total": "-10.80" }] }));
    let Ok(Reading::Fetch(requests)) = read(&source, None, &body) else { panic!("a fetch") };
    assert_eq!(requests[0].url, "https://shop.example/wp-json/wc/v3/orders/727/refunds/9");
    assert_eq!(requests[0].headers, [("authorization".to_owned(), "Basic Y2tfYTpjc19i".to_owned())]);
    let meta =
        |id: Value| json!([{ "key": "_other", "value": { "a": 1 } }, { "key": "_refunded_item_id", "value": id }]);
    let answer = json!({
        "id": 9, "amount": "10.80",
        "line_items": [{ "id": 401, "quantity": -1, "total": "-9.00", "total_tax": "-1.80", "meta_data": meta(json!("315")) }],
        "shipping_lines": [{ "id": 402, "total": "0.00", "total_tax": "0.00", "meta_data": meta(json!(317)) }]
    });
    let reading = read_with(&source, None, &body, &[("refund:9", &answer.to_string())]);
    let refund = the_refund(reading);
    assert_eq!(refund.amount, 1080);
    assert_eq!(refund.lines.len(), 1);
    assert_eq!(
        (refund.lines[0].line.as_str(), refund.lines[0].quantity_milli, refund.lines[0].amount),
        ("315", 1000, 1080)
    );
    // An order without refunds asks nothing.
    assert!(matches!(read(&source, None, with(json!({}))), Ok(Reading::Entries(_))));
}

#[test]
fn more_decimals_than_the_currency_has_are_rounded_and_accounted_for() {
    let lines = json!([{ "id": 315, "name": "Mug", "quantity": 3, "subtotal": "9.9999", "total": "9.9999", "total_tax": "2.0049" }]);
    let changes = json!({ "line_items": lines, "shipping_lines": [], "fee_lines": [], "total": "12.0100" });
    let purchase = the_purchase(told(changes));
    assert_eq!((purchase.lines[0].total, purchase.lines[0].unit, purchase.unaccounted), (1200, 333, 1));
    assert!(purchase.unaccounted_reason.unwrap().contains("rounding"));
}

#[test]
fn a_new_customer_joins() {
    let body = json!({ "id": 25, "date_created_gmt": "2026-03-01T09:00:00", "email": "jana@example.com", "first_name": "",
        "last_name": "", "billing": { "first_name": "Jana", "last_name": "K", "email": "", "phone": "0905", "country": "SK" } });
    let reading = read(&source("woocommerce"), Some("customer.created"), body.to_string());
    let who = entries(reading.clone()).remove(0).identity.unwrap();
    assert_eq!(the_join(reading).id, "25");
    assert_eq!((who.name.as_deref(), who.phone.as_deref()), (Some("Jana K"), Some("0905")));
}

#[test]
fn a_signed_body_is_not_taken_under_another_topic() {
    let source = source("woocommerce");
    let customer =
        json!({ "id": 25, "date_created_gmt": "2026-03-01T09:00:00", "role": "customer", "username": "jana" });
    let product = json!({ "id": 26, "date_created_gmt": "2026-03-01T09:00:00", "sku": "", "name": "Mug" });
    for (topic, body) in [
        ("customer.created", with(json!({}))),
        ("customer.created", product.to_string()),
        ("order.updated", customer.to_string()),
    ] {
        let rejected = verify(&source, signed(&source, Some(topic), &body)).unwrap_err();
        assert_eq!(rejected.cause, Cause::Unreadable, "{topic} {body}");
        assert!(rejected.detail.contains("a topic is not signed"), "{}", rejected.detail);
    }
    assert!(verify(&source, signed(&source, Some("customer.created"), customer.to_string())).is_ok());
}

#[test]
fn the_greeting_is_answered_and_nothing_else_goes_unsigned() {
    let ping = |headers: &[(&str, &str)], body: &str| verify(&source("woocommerce"), arrival(headers, body, NOW));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert!(matches!(ping(&form, "webhook_id=12"), Ok(Admitted::Handshake { status: 200, .. })));
    for body in
        ["webhook_id=", "webhook_id=1&x=2", "webhook_id=abc", "webhook_id=123456789012345678901", "{\"webhook_id\":1}"]
    {
        assert_eq!(ping(&form, body).unwrap_err().cause, Cause::BadSignature, "{body}");
    }
    assert_eq!(
        ping(&[("x-wc-webhook-topic", "order.updated")], "webhook_id=12").unwrap_err().cause,
        Cause::BadSignature
    );
}

#[test]
fn equal_bodies_are_one_delivery_whatever_their_delivery_id() {
    let source = source("woocommerce");
    let stamp = |topic, changes| admitted(&source, Some(topic), with(changes)).stamp().clone();
    assert_eq!(stamp("order.updated", json!({})), stamp("order.updated", json!({})));
    assert_ne!(stamp("order.updated", json!({})).dedupe, stamp("order.created", json!({})).dedupe);
    assert_ne!(
        stamp("order.updated", json!({})).dedupe,
        stamp("order.updated", json!({ "status": "completed" })).dedupe
    );
}

#[test]
fn the_secret_is_its_plain_characters() {
    // Computed from the formula of generate_signature() in class-wc-webhook.php; the shop stores `s3cr&amp;t`.
    let source = Source { secrets: vec!["s3cr&t".to_owned()], ..source("woocommerce") };
    let body = r#"{"id":727,"status":"processing","currency":"USD","total":"29.35"}"#;
    let headers = [
        ("x-wc-webhook-signature", "4HCXIDLYEsjEE0W48WD6JgzbrUtKepXKGqRt3vMjIO0="),
        ("x-wc-webhook-topic", "order.updated"),
    ];
    assert!(verify(&source, arrival(&headers, body, NOW)).is_ok());
}

#[test]
fn a_rest_error_in_place_of_an_order_is_named() {
    let source = source("woocommerce");
    let body = r#"{"code":"woocommerce_rest_cannot_view","message":"Sorry","data":{"status":403}}"#;
    let rejected = verify(&source, signed(&source, None, body)).unwrap_err();
    assert_eq!(rejected.cause, Cause::Unreadable);
    assert!(rejected.detail.contains("woocommerce_rest_cannot_view"));
}

#[test]
fn sources_are_checked() {
    let check = |token: &str, base| WooCommerce.check(&with_api(source("woocommerce"), token, base));
    assert!(check("ck_a:cs_b", Some("https://shop.example")).is_ok());
    assert!(check("ck_a", Some("https://shop.example")).unwrap_err().contains("api.token"));
    assert!(check("ck_a:cs_b", None).unwrap_err().contains("api.base"));
    assert!(WooCommerce.check(&Source { test: true, ..source("woocommerce") }).unwrap_err().contains("`test`"));
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    let sentence = |changes| told(changes).unwrap_err().0;
    assert!(sentence(json!({ "currency": "BTC" })).contains("BTC"));
    assert!(sentence(json!({ "total": "NaN" })).contains("`total`"));
    assert!(
        sentence(json!({ "line_items": [{ "id": 1, "quantity": -1, "total": "1" }] })).contains("negative quantity")
    );
    assert!(sentence(json!({ "line_items": [{ "id": 1, "quantity": 1, "total": "1e400" }] })).contains("too large"));
    assert!(sentence(json!({ "date_paid_gmt": "soon" })).contains("date_paid_gmt"));
    assert!(sentence(json!({ "line_items": "none" })).contains("line_items"));
}
