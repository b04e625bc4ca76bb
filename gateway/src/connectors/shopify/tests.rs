//! Shopify's bodies as the documentation shapes them, and what becomes of them.

use crate::connectors::testing::{
    NOW, admitted, arrival, entries, nothing, read, shown, signed, source, the_join, the_purchase, the_refund, verify,
    with_options,
};
use crate::connectors::{Arrival, Cause, Reading};
use perkgate_domain::event::Event;
use perkgate_domain::purchase::Channel;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

/// An order of two shirts and a gift card with tax on top, a discount, shipping and a POS tip: 33.60 + 10.00 + 5.50 + 2.00.
fn order() -> Value {
    json!({
        "id": 820_982_911_946_154_508_u64, "name": "#1001", "created_at": "2026-03-01T10:00:00+01:00",
        "processed_at": "2026-03-01T10:00:05+01:00", "cancelled_at": null, "currency": "EUR",
        "presentment_currency": "USD", "financial_status": "paid", "source_name": "pos", "location_id": 655_441_491,
        "total_price": "51.10", "current_total_price": "51.10", "total_tax": "6.10", "total_discounts": "2.00",
        "total_tip_received": "2.00", "taxes_included": false, "test": false,
        "line_items": [
            { "id": 1, "sku": "SHIRT", "name": "Shirt - M", "title": "Shirt", "product_id": 7, "quantity": 2, "price": "15.00",
              "total_discount": "0.00", "discount_allocations": [{ "amount": "2.00" }], "tax_lines": [{ "price": "5.60" }] },
            { "id": 2, "sku": null, "title": "Gift card", "product_id": 8, "quantity": 1, "price": "10.00", "gift_card": true,
              "discount_allocations": [], "tax_lines": [] }
        ],
        "shipping_lines": [
            { "id": 3, "title": "Courier", "price": "5.00", "discounted_price": "5.00", "discount_allocations": [],
              "tax_lines": [{ "price": "0.50" }] }
        ],
        "discount_codes": [{ "code": "SPRING", "amount": "2.00" }],
        "email": "jana@example.com", "phone": null, "customer_locale": "sk", "buyer_accepts_marketing": false,
        "billing_address": { "name": "Jana K", "phone": "0905 123 456", "country_code": "SK" },
        "customer": { "id": 115_310_627_314_723_954_u64, "email": "jana@example.com", "first_name": "Jana", "last_name": "K",
            "phone": null, "email_marketing_consent": { "state": "subscribed" } },
        "refunds": [], "updated_at": "2026-03-01T10:00:10+01:00"
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

fn sale(changes: Value) -> Result<Reading, crate::connectors::Unreadable> {
    read(&source("shopify"), Some("orders/updated"), with(changes))
}

#[test]
fn a_paid_order_is_a_purchase_with_every_amount_on_a_line() {
    let purchase = the_purchase(sale(json!({})));
    assert_eq!(
        shown(&purchase),
        [
            ("1", 2000, 3360, "item"),
            ("2", 1000, 1000, "gift-card"),
            ("3", 1000, 550, "shipping"),
            ("tip", 1000, 200, "tip")
        ]
    );
    assert_eq!((purchase.total, purchase.tax, purchase.discount, purchase.unaccounted), (5110, 610, 200, 0));
    assert_eq!(
        (purchase.lines[0].unit, purchase.lines[0].tax, purchase.lines[0].sku.as_deref()),
        (1500, 560, Some("SHIRT"))
    );
    assert_eq!(purchase.id, "820982911946154508");
    assert_eq!(purchase.placed_at, Moment(1_772_355_605_000));
    assert_eq!((purchase.channel, purchase.location.as_deref()), (Channel::InStore, Some("655441491")));
    assert_eq!((purchase.codes, purchase.reference.as_deref()), (vec!["SPRING".to_owned()], Some("#1001")));
}

#[test]
fn every_telling_of_a_sale_is_the_same_purchase() {
    let told = |topic, changes| {
        let reading = read(&source("shopify"), Some(topic), with(changes));
        serde_json::to_string(&the_purchase(reading)).unwrap()
    };
    let first = told("orders/create", json!({}));
    assert_eq!(first, told("orders/paid", json!({ "updated_at": "2026-03-01T11:00:00Z" })));
    let later = json!({
        "financial_status": "partially_refunded", "updated_at": "2026-04-01T11:00:00Z", "current_total_price": "1.00",
        "refunds": [{ "id": 5 }], "closed_at": "2026-04-01T11:00:00Z", "tags": "vip"
    });
    assert_eq!(first, told("orders/updated", later));
    assert_eq!(
        first,
        told("orders/updated", json!({ "financial_status": "refunded", "cancelled_at": "2026-04-01T11:00:00Z" }))
    );
}

#[test]
fn an_order_counts_once_paid() {
    for status in ["pending", "authorized", "partially_paid", "voided"] {
        assert!(nothing(sale(json!({ "financial_status": status }))).contains(status));
    }
    assert!(nothing(sale(json!({ "financial_status": null }))).contains("unknown"));
}

#[test]
fn taxes_within_prices_are_not_added_again() {
    let changes = json!({ "taxes_included": true, "total_price": "45.00" });
    let purchase = the_purchase(sale(changes));
    assert_eq!(purchase.lines[0].total, 2800);
    assert_eq!((purchase.lines[0].tax, purchase.unaccounted), (560, 0));
}

#[test]
fn what_no_line_explains_is_said_to_be_unaccounted() {
    let purchase = the_purchase(sale(json!({ "total_price": "51.12" })));
    assert_eq!(purchase.unaccounted, 2);
    assert!(purchase.unaccounted_reason.unwrap().contains("Shopify"));
}

#[test]
fn a_tip_of_the_web_checkout_is_its_line() {
    let mut lines = order()["line_items"].clone();
    lines
        .as_array_mut()
        .unwrap()
        .push(json!({ "id": 9, "title": "Tip", "product_id": null, "quantity": 1, "price": "2.00" }));
    let purchase = the_purchase(sale(json!({ "line_items": lines })));
    assert_eq!(shown(&purchase)[2], ("9", 1000, 200, "tip"));
    assert_eq!((purchase.lines.len(), purchase.unaccounted), (4, 0));
}

#[test]
fn the_buyer_is_known_by_what_the_order_tells() {
    let who = entries(sale(json!({}))).remove(0).identity.unwrap();
    assert_eq!(who.customer_id.as_deref(), Some("115310627314723954"));
    assert_eq!((who.email.as_deref(), who.phone.as_deref()), (Some("jana@example.com"), Some("0905 123 456")));
    assert_eq!(
        (who.name.as_deref(), who.country.as_deref(), who.locale.as_deref()),
        (Some("Jana K"), Some("SK"), Some("sk"))
    );
    assert_eq!(who.consent, Some(true));
    let walk_in = json!({ "customer": null, "email": "", "billing_address": null, "buyer_accepts_marketing": null });
    assert_eq!(entries(sale(walk_in)).remove(0).identity, None);
}

#[test]
fn a_cancelled_order_gives_back_whatever_is_left() {
    let changes = json!({ "cancelled_at": "2026-03-02T10:00:00Z", "financial_status": "refunded" });
    let refund = the_refund(read(&source("shopify"), Some("orders/cancelled"), with(changes.clone())));
    assert_eq!((refund.id.as_str(), refund.purchase.as_str()), ("cancel:820982911946154508", "820982911946154508"));
    assert!(refund.complete && refund.amount == 5110 && refund.at == Moment(1_772_445_600_000));
    // Told by the other topic as well, and told the same.
    let both = entries(sale(changes));
    assert_eq!(both.len(), 2);
    assert_eq!(both[1].event, Event::Refund(refund));
    let never = json!({ "cancelled_at": "2026-03-02T10:00:00Z", "financial_status": "voided" });
    assert!(nothing(read(&source("shopify"), Some("orders/cancelled"), with(never))).contains("never paid"));
}

/// Half of the shirts with 2.80 of tax on top, and the shipping: 14.00 + 2.80 + 5.50.
fn refund() -> Value {
    json!({
        "id": 509_562_969, "order_id": 820_982_911_946_154_508_u64, "created_at": "2026-03-03T10:00:00Z",
        "refund_line_items": [{ "id": 1, "line_item_id": 1, "quantity": 1, "subtotal": 14.0, "total_tax": 2.8 }],
        "transactions": [
            { "kind": "refund", "status": "success", "amount": "22.30", "currency": "EUR" },
            { "kind": "refund", "status": "failure", "amount": "22.30", "currency": "EUR" },
            { "kind": "sale", "status": "success", "amount": "51.10", "currency": "EUR" }
        ],
        "order_adjustments": [{ "kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-0.50" }]
    })
}

fn refunded(change: impl Fn(&mut Value)) -> Result<Reading, crate::connectors::Unreadable> {
    let mut refund = refund();
    change(&mut refund);
    read(&source("shopify"), Some("refunds/create"), refund.to_string())
}

#[test]
fn a_refund_is_what_the_successful_transactions_gave_back() {
    let refund = the_refund(refunded(|_| ()));
    assert_eq!((refund.id.as_str(), refund.amount, refund.complete), ("509562969", 2230, false));
    assert_eq!(refund.lines.len(), 1);
    assert_eq!(
        (refund.lines[0].line.as_str(), refund.lines[0].quantity_milli, refund.lines[0].amount),
        ("1", 1000, 1680)
    );
    for status in ["pending", "failure"] {
        let reason = nothing(refunded(|refund| refund["transactions"][0]["status"] = json!(status)));
        assert!(reason.contains("no money"));
    }
}

#[test]
fn a_refunds_shipping_goes_to_its_line_where_the_body_says_which() {
    let refund = the_refund(refunded(|refund| {
        let money = |amount: &str| json!({ "shop_money": { "amount": amount, "currency_code": "EUR" } });
        let line = json!({
            "shipping_line": { "id": 3 }, "subtotal_amount_set": money("5.00"), "tax_amount_set": money("0.50")
        });
        refund["refund_shipping_lines"] = json!([line]);
    }));
    assert_eq!((refund.lines[1].line.as_str(), refund.lines[1].amount), ("3", 550));
}

#[test]
fn a_refunds_tax_is_added_only_where_prices_are_without() {
    let refund = the_refund(refunded(|refund| refund["transactions"][0]["amount"] = json!("19.50")));
    assert_eq!((refund.amount, refund.lines[0].amount), (1950, 1400));
}

#[test]
fn a_buyers_foreign_money_is_not_the_shops() {
    let set = |shop: &str, buyer: &str| json!({ "shop_money": { "amount": shop, "currency_code": "EUR" }, "presentment_money": { "amount": buyer, "currency_code": "USD" } });
    let refund = the_refund(refunded(|refund| {
        refund["transactions"][0] =
            json!({ "kind": "refund", "status": "success", "amount": "18.48", "currency": "USD" });
        refund["refund_line_items"][0]["subtotal_set"] = set("14.00", "15.40");
        refund["refund_line_items"][0]["total_tax_set"] = set("2.80", "3.08");
        refund["order_adjustments"] = json!([]);
    }));
    assert_eq!((refund.currency.as_str(), refund.amount, refund.lines[0].amount), ("EUR", 1680, 1680));
}

#[test]
fn a_new_customer_joins() {
    let body = json!({ "id": 207_119_551, "created_at": "2026-03-01T10:00:00Z", "email": "jana@example.com", "phone": null,
        "first_name": "Jana", "last_name": null, "accepts_marketing": false, "default_address": { "country_code": "SK", "phone": "1" } });
    let reading = read(&source("shopify"), Some("customers/create"), body.to_string());
    let who = entries(reading.clone()).remove(0).identity.unwrap();
    assert_eq!(the_join(reading).id, "207119551");
    assert_eq!(
        (who.customer_id.as_deref(), who.consent, who.country.as_deref()),
        (Some("207119551"), Some(false), Some("SK"))
    );
}

#[test]
fn a_signed_body_is_not_taken_under_another_topic() {
    let source = source("shopify");
    let customer =
        json!({ "id": 1, "created_at": "2026-03-01T10:00:00Z", "admin_graphql_api_id": "gid://shopify/Customer/1" });
    let refund = json!({ "id": 2, "order_id": 1, "created_at": "2026-03-01T10:00:00Z", "transactions": [] });
    let order = with(json!({}));
    for (topic, body) in [
        ("customers/create", order.clone()),
        ("customers/create", refund.to_string()),
        ("refunds/create", order),
        ("refunds/create", customer.to_string()),
        ("orders/paid", refund.to_string()),
        ("orders/cancelled", customer.to_string()),
    ] {
        let rejected = verify(&source, signed(&source, Some(topic), &body)).unwrap_err();
        assert_eq!(rejected.cause, Cause::Unreadable, "{topic} {body}");
        assert!(rejected.detail.contains("a topic is not signed"), "{}", rejected.detail);
    }
    assert!(verify(&source, signed(&source, Some("customers/create"), customer.to_string())).is_ok());
}

#[test]
fn one_family_of_headers_is_read_and_never_both() {
    let source = source("shopify");
    let body = with(json!({}));
    let signature = signed(&source, None, &body).header("x-shopify-hmac-sha256").unwrap().to_owned();
    let newer = [
        ("shopify-hmac-sha256", signature.as_str()),
        ("shopify-topic", "Order"),
        ("shopify-action", "update"),
        ("shopify-webhook-id", "w2"),
    ];
    let Ok(crate::connectors::Admitted::Event(event)) = verify(&source, arrival(&newer, &body, NOW)) else {
        panic!("admitted")
    };
    assert_eq!((event.stamp().topic.as_str(), event.stamp().dedupe.as_str()), ("orders/updated", "orders/updated:w2"));
    // A good signature of the newer family does not help a bad one of the older, nor does its topic.
    let mixed = [&newer[..], &[("x-shopify-hmac-sha256", "AAAA"), ("x-shopify-topic", "orders/paid")]].concat();
    assert_eq!(verify(&source, arrival(&mixed, &body, NOW)).unwrap_err().cause, Cause::BadSignature);
    let half = [("x-shopify-hmac-sha256", signature.as_str()), ("shopify-topic", "orders/paid")];
    assert_eq!(verify(&source, arrival(&half, &body, NOW)).unwrap_err().cause, Cause::BadSignature);
}

#[test]
fn test_orders_and_other_shops_are_told_apart() {
    let source = source("shopify");
    assert!(!admitted(&source, None, with(json!({}))).stamp().test);
    assert!(admitted(&source, None, with(json!({ "test": true }))).stamp().test);
    assert!(admitted(&source, Some("refunds/create"), r#"{"transactions":[{"test":true}]}"#).stamp().test);
    let one = with_options("shopify", json!({ "shop": "one.myshopify.com" }));
    let other = signed(&source, None, with(json!({})));
    assert_eq!(verify(&one, other).unwrap_err().cause, Cause::BadSignature);
    assert!(verify(&one, signed(&one, None, with(json!({})))).is_ok());
}

#[test]
fn a_delivery_without_an_id_is_named_by_its_body() {
    let source = source("shopify");
    let full = signed(&source, None, with(json!({})));
    let headers = full.headers.iter().filter(|(name, _)| name != "x-shopify-webhook-id").cloned().collect();
    let Ok(crate::connectors::Admitted::Event(event)) = verify(&source, Arrival { headers, ..full }) else {
        panic!("admitted")
    };
    assert!(event.stamp().dedupe.starts_with("orders/paid:sha256:"));
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    let sentence = |changes| sale(changes).unwrap_err().0;
    assert!(sentence(json!({ "currency": "EUZ" })).contains("EUZ"));
    assert!(sentence(json!({ "total_price": "NaN" })).contains("total_price"));
    assert!(sentence(json!({ "total_price": "1e400" })).contains("too large"));
    assert!(sentence(json!({ "total_price": "-1.00" })).contains("negative"));
    assert!(sentence(json!({ "processed_at": "soon" })).contains("processed_at"));
    assert!(sentence(json!({ "line_items": [{ "id": 1, "quantity": -1, "price": "1.00" }] })).contains("negative"));
    let huge = json!({ "id": 1, "quantity": "9999999999", "price": "99999999999.00" });
    assert!(sentence(json!({ "line_items": [huge] })).contains("too large"));
    assert!(sentence(json!({ "line_items": [{ "id": 1, "price": "1.00" }] })).contains("line_items[0]"));
    let least = json!({ "id": 1, "quantity": 1, "price": "0", "total_discount": "-92233720368547758.08" });
    assert!(sentence(json!({ "line_items": [least] })).contains("too large"));
    let many: Vec<Value> = (0..501).map(|id| json!({ "id": id, "quantity": 1, "price": "1.00" })).collect();
    assert!(sentence(json!({ "line_items": many })).contains("503 lines"));
}
