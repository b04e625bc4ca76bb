//! Stripe's families of events, line items page by page, and its header in all its forms.

use crate::connectors::testing::{
    NOW, SECRET, admitted, arrival, entries, nothing, read, read_with, shown, source, the_join, the_purchase,
    the_refund, verify, with_api, with_options,
};
use crate::connectors::{Admitted, Cause, Connector as _, Reading, Rejected, Unreadable};
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

fn event(topic: &str, object: &Value) -> String {
    json!({ "id": "evt_1", "object": "event", "type": topic, "livemode": true, "created": 1_772_366_300, "data": { "object": object } })
        .to_string()
}

/// 20.00 of goods with 3.33 of tax, and 5.00 of shipping with 0.83.
fn session() -> Value {
    json!({
        "id": "cs_1", "object": "checkout.session", "created": 1_772_366_000, "currency": "eur", "amount_total": 2500,
        "amount_subtotal": 2084, "mode": "payment", "payment_status": "paid", "payment_intent": "pi_1",
        "total_details": { "amount_tax": 416, "amount_discount": 100, "amount_shipping": 417 },
        "shipping_cost": { "amount_total": 500, "amount_tax": 83 }, "customer": "cus_1", "locale": "auto",
        "customer_details": { "email": "jo@example.com", "phone": "+421905123456", "name": "Jo", "address": { "country": "SK" } },
        "consent": { "promotions": "opt_in" }, "currency_conversion": null
    })
}

fn checkout(session: &Value) -> Result<Reading, Unreadable> {
    read(&source("stripe"), None, event("checkout.session.completed", session))
}

fn family(name: &str) -> Source {
    with_options("stripe", json!({ "events": name }))
}

#[test]
fn a_paid_checkout_is_a_purchase_named_by_its_payment_intent() {
    let purchase = the_purchase(checkout(&session()));
    assert_eq!(shown(&purchase), [("payment", 1000, 2000, "item"), ("shipping", 1000, 500, "shipping")]);
    assert_eq!((purchase.id.as_str(), purchase.tax, purchase.discount), ("pi_1", 416, 100));
    assert_eq!(purchase.placed_at, Moment(1_772_366_000_000));
    let who = entries(checkout(&session())).remove(0).identity.unwrap();
    assert_eq!((who.customer_id.as_deref(), who.consent, who.locale), (Some("cus_1"), Some(true), None));
    // The second telling, after a slow payment.
    let body = event("checkout.session.async_payment_succeeded", &session());
    assert_eq!(the_purchase(read(&source("stripe"), None, body)), purchase);
    let mut guest = session();
    guest["payment_intent"] = json!({ "id": "pi_9", "object": "payment_intent" });
    assert_eq!(the_purchase(checkout(&guest)).id, "pi_9");
    guest["payment_intent"] = Value::Null;
    assert_eq!(the_purchase(checkout(&guest)).id, "cs_1");
}

#[test]
fn a_checkout_counts_once_paid() {
    let mut session = session();
    session["payment_status"] = json!("unpaid");
    assert!(nothing(checkout(&session)).contains("unpaid"));
    session["payment_status"] = json!("no_payment_required");
    assert_eq!(the_purchase(checkout(&session)).total, 2500);
    session["mode"] = json!("setup");
    assert!(nothing(checkout(&session)).contains("sells nothing"));
}

#[test]
fn the_shops_money_counts_where_the_buyer_saw_another() {
    let mut session = session();
    session["currency_conversion"] =
        json!({ "amount_total": 2700, "amount_subtotal": 2200, "source_currency": "usd", "fx_rate": "1.08" });
    let purchase = the_purchase(checkout(&session));
    assert_eq!((purchase.currency.as_str(), purchase.total), ("USD", 2700));
    assert_eq!(shown(&purchase), [("payment", 1000, 2700, "item")]);
}

fn page(ids: &[&str], total: i64, has_more: bool) -> String {
    let item = |id: &&str| {
        json!({ "id": id, "description": "Shirt", "quantity": 2, "amount_total": total, "amount_tax": 100, "amount_subtotal": 1000,
            "price": { "unit_amount": 500, "metadata": { "sku": "SHIRT" } } })
    };
    json!({ "object": "list", "data": ids.iter().map(item).collect::<Vec<_>>(), "has_more": has_more }).to_string()
}

#[test]
fn lines_are_fetched_page_by_page() {
    let source = with_api(source("stripe"), "sk_test", None);
    let mut body: Value = serde_json::from_str(&event("checkout.session.completed", &session())).unwrap();
    body["account"] = json!("acct_1");
    let body = body.to_string();
    let Ok(Reading::Fetch(first)) = read(&source, None, &body) else { panic!("a fetch") };
    assert_eq!(first[0].url, "https://api.stripe.com/v1/checkout/sessions/cs_1/line_items?limit=100");
    assert!(first[0].headers.contains(&("authorization".to_owned(), "Bearer sk_test".to_owned())));
    assert!(first[0].headers.contains(&("stripe-account".to_owned(), "acct_1".to_owned())));
    let one = page(&["li_1"], 1200, true);
    let Ok(Reading::Fetch(second)) = read_with(&source, None, &body, &[(&first[0].key, &one)]) else {
        panic!("a fetch")
    };
    assert!(second[0].url.ends_with("line_items?limit=100&starting_after=li_1"));
    let two = page(&["li_2"], 800, false);
    let purchase = the_purchase(read_with(&source, None, &body, &[(&first[0].key, &one), (&second[0].key, &two)]));
    assert_eq!(
        shown(&purchase),
        [("li_1", 2000, 1200, "item"), ("li_2", 2000, 800, "item"), ("shipping", 1000, 500, "shipping")]
    );
    assert_eq!(
        (purchase.unaccounted, purchase.lines[0].sku.as_deref(), purchase.lines[0].unit),
        (0, Some("SHIRT"), 500)
    );
    // A page that leads nowhere new ends in a bound, not in a loop.
    let endless = page(&["li_1"], 1200, true);
    let again = [("line_items", endless.as_str()), ("line_items:li_1", endless.as_str())];
    assert!(read_with(&source, None, &body, &again).unwrap_err().0.contains("500"));
}

#[test]
fn one_family_counts_and_the_others_say_why_not() {
    let intent = json!({ "id": "pi_1", "created": 1_772_366_000, "currency": "eur", "amount_received": 1350,
        "amount_details": { "tip": { "amount": 150 } }, "customer": null, "receipt_email": "jo@example.com" });
    let body = event("payment_intent.succeeded", &intent);
    assert!(nothing(read(&source("stripe"), None, &body)).contains("`checkout` events, not `payment_intent`"));
    let purchase = the_purchase(read(&family("payment_intent"), None, &body));
    assert_eq!(shown(&purchase), [("payment", 1000, 1200, "item"), ("tip", 1000, 150, "tip")]);
    assert_eq!(purchase.id, "pi_1");

    let mut charge = json!({ "id": "ch_1", "created": 1_772_366_000, "currency": "jpy", "captured": true, "amount_captured": 1350,
        "payment_intent": "pi_1", "billing_details": { "email": null, "name": "Jo" }, "receipt_email": "jo@example.com" });
    let read_charge = |charge: &Value| read(&family("charge"), None, event("charge.succeeded", charge));
    let purchase = the_purchase(read_charge(&charge));
    assert_eq!((purchase.id.as_str(), purchase.total, purchase.currency.as_str()), ("pi_1", 1350, "JPY"));
    charge["payment_intent"] = Value::Null;
    assert_eq!(the_purchase(read_charge(&charge)).id, "ch_1");
    charge["captured"] = json!(false);
    assert!(nothing(read_charge(&charge)).contains("not captured"));
}

#[test]
fn a_paid_invoice_brings_its_lines() {
    let lines = json!([
        { "id": "il_1", "description": "Box", "quantity": 2, "amount": 2000, "discount_amounts": [{ "amount": 200 }],
          "taxes": [{ "amount": 360, "tax_behavior": "exclusive" }] },
        { "id": "il_2", "description": "Unused time", "quantity": 1, "amount": -500, "tax_amounts": [{ "amount": 0, "inclusive": true }] }
    ]);
    let mut invoice = json!({
        "id": "in_1", "number": "A-1", "created": 1_772_300_000, "status_transitions": { "paid_at": 1_772_366_000 },
        "currency": "eur", "amount_paid": 1560, "total_taxes": [{ "amount": 360 }], "total_discount_amounts": [{ "amount": 200 }],
        "payments": { "data": [{ "payment": { "type": "payment_intent", "payment_intent": "pi_7" } }] },
        "lines": { "data": lines, "has_more": false }, "customer": "cus_1", "customer_email": "jo@example.com"
    });
    let read_invoice = |invoice: &Value| read(&family("invoice"), None, event("invoice.paid", invoice));
    let purchase = the_purchase(read_invoice(&invoice));
    assert_eq!(shown(&purchase), [("il_1", 2000, 2160, "item"), ("il_2", 1000, -500, "discount")]);
    assert_eq!((purchase.id.as_str(), purchase.tax, purchase.discount, purchase.unaccounted), ("pi_7", 360, 200, -100));
    assert_eq!(purchase.placed_at, Moment(1_772_366_000_000));
    invoice["lines"]["has_more"] = json!(true);
    assert_eq!(shown(&the_purchase(read_invoice(&invoice))), [("payment", 1000, 1560, "item")]);
    invoice["amount_paid"] = json!(0);
    assert!(nothing(read_invoice(&invoice)).contains("nothing was paid"));
}

#[test]
fn refunds_meet_their_purchase_whatever_the_family() {
    let mut refund = json!({ "id": "re_1", "created": 1_772_366_200, "currency": "eur", "amount": 500, "status": "succeeded",
        "payment_intent": "pi_1", "charge": "ch_1" });
    let read_refund = |refund: &Value| read(&source("stripe"), None, event("refund.created", refund));
    let given = the_refund(read_refund(&refund));
    assert_eq!((given.id.as_str(), given.purchase.as_str(), given.amount), ("re_1", "pi_1", 500));
    assert_eq!(the_refund(read(&source("stripe"), None, event("refund.updated", &refund))), given);
    refund["payment_intent"] = Value::Null;
    assert_eq!(the_refund(read_refund(&refund)).purchase, "ch_1");
    refund["charge"] = Value::Null;
    assert!(nothing(read_refund(&refund)).contains("no payment"));
    refund["status"] = json!("pending");
    assert!(nothing(read_refund(&refund)).contains("pending"));
    assert!(nothing(read(&source("stripe"), None, event("charge.refunded", &json!({})))).contains("refund.created"));
}

#[test]
fn stripes_units_are_not_always_isos() {
    let total = |currency: &str, amount: i64| {
        let mut session = session();
        session["currency"] = json!(currency);
        session["amount_total"] = json!(amount);
        session["shipping_cost"] = Value::Null;
        session["total_details"] = Value::Null;
        checkout(&session).map(|reading| the_purchase(Ok(reading)).total)
    };
    assert_eq!(total("isk", 4000), Ok(40));
    assert_eq!(total("ugx", 4000), Ok(40));
    assert_eq!(total("mga", 40), Ok(4000));
    assert_eq!(total("jpy", 40), Ok(40));
    assert_eq!(total("kwd", 4000), Ok(4000));
    assert!(total("isk", 4050).unwrap_err().0.contains("finer"));
}

#[test]
fn a_new_customer_joins() {
    let customer = json!({ "id": "cus_1", "created": 1_772_366_000, "email": "jo@example.com", "name": "Jo", "phone": null,
        "preferred_locales": ["sk"], "address": null });
    let reading = read(&source("stripe"), None, event("customer.created", &customer));
    let who = entries(reading.clone()).remove(0).identity.unwrap();
    assert_eq!(the_join(reading).id, "cus_1");
    assert_eq!((who.customer_id.as_deref(), who.locale.as_deref()), (Some("cus_1"), Some("sk")));
}

#[test]
fn test_mode_and_event_id_are_in_the_body() {
    let live = admitted(&source("stripe"), None, event("charge.refunded", &json!({})));
    assert_eq!((live.stamp().dedupe.as_str(), live.stamp().test), ("evt_1", false));
    let test = event("charge.refunded", &json!({})).replace("\"livemode\":true", "\"livemode\":false");
    assert!(admitted(&source("stripe"), None, test).stamp().test);
}

fn header(value: &str, body: &str) -> Result<Admitted, Rejected> {
    verify(&source("stripe"), arrival(&[("stripe-signature", value)], body, NOW))
}

#[test]
fn the_header_is_a_list_in_which_one_signature_has_to_fit() {
    let body = event("charge.refunded", &json!({}));
    let good = super::Stripe.sign(body.as_bytes(), None, "", &source("stripe"), NOW).unwrap().remove(1).1;
    assert!(header(&format!("{good},v1=potato"), &body).is_ok());
    assert!(header(&format!("v0=00,{}", good.replace(",v1=", ",v1=00,v1=")), &body).is_ok());
    // stripe-dotnet's EventUtilityTest.cs has the first four.
    for bad in [
        "bad_header",
        "t=,v1=..",
        "t,v1=,v0=",
        "t,v1=,",
        "",
        "t=1772366400",
        &good.replace("v1=", "v0="),
        &format!("{good},t=1"),
    ] {
        assert_eq!(header(bad, &body).unwrap_err().cause, Cause::BadSignature, "{bad}");
    }
    // The time is signed: it cannot be moved.
    assert_eq!(header(&good.replace("t=1772366400", "t=1772366401"), &body).unwrap_err().cause, Cause::BadSignature);
}

#[test]
fn the_secret_is_taken_as_it_stands_and_not_decoded() {
    let body = event("charge.refunded", &json!({}));
    let bare = Source { secrets: vec![SECRET.trim_start_matches("whsec_").to_owned()], ..source("stripe") };
    let good = super::Stripe.sign(body.as_bytes(), None, "", &source("stripe"), NOW).unwrap().remove(1).1;
    let other = super::Stripe.sign(body.as_bytes(), None, "", &bare, NOW).unwrap().remove(1).1;
    assert!(header(&good, &body).is_ok());
    assert_eq!(header(&other, &body).unwrap_err().cause, Cause::BadSignature);
}

#[test]
fn a_thin_event_is_ignored_in_a_sentence() {
    let body = r#"{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.error","livemode":false}"#;
    let good = super::Stripe.sign(body.as_bytes(), None, "", &source("stripe"), NOW).unwrap().remove(1).1;
    let rejected = header(&good, body).unwrap_err();
    assert_eq!(rejected.cause, Cause::UnknownTopic);
    assert!(rejected.detail.contains("snapshot"));
}

#[test]
fn options_are_checked() {
    assert!(super::Stripe.check(&family("invoice")).is_ok());
    assert!(super::Stripe.check(&family("sales")).unwrap_err().contains("checkout"));
    assert!(
        super::Stripe
            .check(&with_options("stripe", json!({ "event": "charge" })))
            .unwrap_err()
            .contains("options.event")
    );
    assert!(super::Stripe.check(&with_options("stripe", json!({ "events": 1 }))).is_err());
}
