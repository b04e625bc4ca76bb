//! Perkgate's own format: the schema, its examples, and what the reader makes of them.

use super::{SCHEMA, Standard};
use crate::connectors::testing::{OTHER, entries, read, shown, source, the_join, the_purchase, the_refund};
use crate::connectors::{Connector as _, Reading, Unreadable};
use perkgate_domain::programme::Source;
use perkgate_domain::purchase::{Channel, Purchase};
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn told(body: &Value) -> Result<Reading, Unreadable> {
    read(&source("standard-webhooks"), None, body.to_string())
}

fn sale(purchase: Value) -> Result<Reading, Unreadable> {
    let mut body = json!({ "type": "purchase", "timestamp": "2026-03-01T10:00:00Z", "data": { "purchase": {
        "id": "R-1", "currency": "EUR", "total": 500 } } });
    let Value::Object(purchase) = purchase else { panic!("changes are an object") };
    for (key, value) in purchase {
        body["data"]["purchase"][key] = value;
    }
    told(&body)
}

#[test]
fn the_schemas_examples_are_valid_and_read() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let examples = schema["examples"].as_array().unwrap();
    assert!(examples.len() >= 5);
    for example in examples {
        let errors: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{example}: {errors:?}");
        assert!(matches!(told(example), Ok(Reading::Entries(entries)) if entries.len() == 1), "{example}");
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let purchase = |key: &str, value: Value| {
        let mut body = schema["examples"][1].clone();
        body["data"]["purchase"][key] = value;
        body
    };
    let line = |key: &str, value: Value| {
        let mut body = schema["examples"][1].clone();
        body["data"]["purchase"]["lines"][0][key] = value;
        body
    };
    let mut no_amount = schema["examples"][2].clone();
    no_amount["data"]["refund"].as_object_mut().unwrap().remove("amount");
    let mut stranger = schema["examples"][0].clone();
    stranger["data"]["customer"]["e_mail"] = json!("x");
    for body in [
        purchase("total", json!("5.00")),
        purchase("total", json!(5.5)),
        purchase("total", json!(-1)),
        purchase("currency", json!("EURO")),
        purchase("placed_at", json!("2026-03-01 10:00")),
        purchase("placed_at", json!("yesterday")),
        purchase("channel", json!("market")),
        purchase("totl", json!(1)),
        purchase("id", json!("")),
        purchase("id", Value::Null),
        line("quantity_milli", json!(-1)),
        line("kind", json!("gift")),
        line("prise", json!(1)),
        line("total", Value::Null),
        no_amount,
        stranger,
        json!({ "type": "refund", "data": schema["examples"][0]["data"] }),
        json!({ "type": "join", "data": { "join": { "id": "1" } } }),
    ] {
        assert!(!validator.is_valid(&body), "{body}");
        assert!(told(&body).is_err(), "{body}");
    }
}

#[test]
fn what_a_till_leaves_out_is_worked_out() {
    let purchase = the_purchase(sale(json!({})));
    assert_eq!(shown(&purchase), [("1", 1000, 500, "item")]);
    assert_eq!((purchase.placed_at, purchase.channel), (Moment(1_772_359_200_000), Channel::Unknown));
    let lines = json!([{ "name": "Tea", "total": 300, "quantity_milli": 1500 }, { "name": "Cake", "total": 199 }]);
    let purchase = the_purchase(sale(json!({ "lines": lines })));
    assert_eq!(shown(&purchase), [("1", 1500, 300, "item"), ("2", 1000, 199, "item")]);
    assert_eq!((purchase.lines[0].unit, purchase.lines[1].unit, purchase.unaccounted), (200, 199, 1));
    assert!(purchase.unaccounted_reason.is_some());
}

#[test]
fn what_a_till_states_it_is_held_to() {
    let lines = json!([{ "name": "Tea", "total": 300 }]);
    let stated = sale(json!({ "lines": lines, "unaccounted": 200, "unaccounted_reason": "rounding" }));
    assert_eq!(the_purchase(stated).unaccounted_reason.as_deref(), Some("rounding"));
    assert!(sale(json!({ "lines": lines, "unaccounted": 100 })).unwrap_err().0.contains("unaccounted"));
    let twice = json!([{ "id": "a", "name": "Tea", "total": 300 }, { "id": "a", "name": "Tea", "total": 200 }]);
    assert!(sale(json!({ "lines": twice })).unwrap_err().0.contains("`a`"));
}

#[test]
fn perkgates_own_writing_of_a_purchase_is_read_back() {
    let purchase: Purchase = the_purchase(told(&schema()["examples"][1]));
    let written = json!({ "type": "purchase", "data": { "purchase": purchase } });
    assert_eq!(the_purchase(told(&written)), purchase);
}

#[test]
fn refunds_joins_and_customers_are_read() {
    let schema = schema();
    let refund = the_refund(told(&schema["examples"][2]));
    assert_eq!((refund.purchase.as_str(), refund.amount, refund.lines[0].quantity_milli), ("R-20260301-18", 350, 1000));
    assert!(the_refund(told(&schema["examples"][3])).complete);
    assert_eq!(the_join(told(&schema["examples"][4])).id, "4711");
    let who = entries(told(&schema["examples"][0])).remove(0).identity.unwrap();
    assert_eq!(who.card.as_deref(), Some("C-4711"));
    let nameless = json!({ "type": "purchase", "timestamp": 1, "data": {
        "purchase": { "id": "1", "currency": "EUR", "total": 1 }, "customer": { "name": "Jo" } } });
    assert_eq!(entries(told(&nameless)).remove(0).identity, None);
}

#[test]
fn errors_lead_to_the_place() {
    let sentence = |body: Value| told(&body).unwrap_err().0;
    let data = |purchase: Value| json!({ "type": "purchase", "data": { "purchase": purchase } });
    assert!(sentence(data(json!({ "id": "1", "currency": "EUR", "total": 1 }))).contains("placed_at"));
    let misspelt = sentence(data(json!({ "id": "1", "currency": "EUR", "totl": 1 })));
    assert!(misspelt.contains("unknown field `totl`") && misspelt.contains("purchase.totl"), "{misspelt}");
    assert!(sentence(data(json!({ "id": "1", "currency": "EUZ", "total": 1 }))).contains("EUZ"));
    let line = json!({ "id": "1", "currency": "EUR", "total": 1, "lines": [{ "name": "a", "total": "1" }] });
    assert!(sentence(data(line)).contains("`purchase.lines[0].total`: expected i64"));
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    let body = format!(r#"{{"type":"purchase","data":{{"purchase":{deep}}}}}"#);
    assert!(read(&source("standard-webhooks"), None, body).is_err());
}

#[test]
fn the_secret_is_decoded_and_its_length_checked() {
    let with = |secret: &str| Source { secrets: vec![secret.to_owned()], ..source("standard-webhooks") };
    assert_eq!(Standard.check(&with(OTHER)), Ok(()));
    assert_eq!(Standard.check(&with(OTHER.trim_start_matches("whsec_"))), Ok(()));
    for (secret, says) in [
        ("whsec_c2hvcnQ=", "5 bytes"),
        ("whsec_!!!!", "base64"),
        ("whpk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "asymmetric"),
        ("whsec_", "0 bytes"),
    ] {
        assert!(Standard.check(&with(secret)).unwrap_err().contains(says), "{secret}");
    }
}
