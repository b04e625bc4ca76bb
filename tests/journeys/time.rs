//! Time as an input: a gateway that was down for weeks comes to the same as one that never slept.

use super::{BY_JANA, JANA};
use perkgate_domain::time::Moment;
use perkgate_tests::programme::OWN;
use perkgate_tests::{FakeShop, NOON, TestGateway};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DAY: i64 = 24 * 3600;
const BY_TOM: &str = "email:tom@example.com";

/// Points that mature after a day and expire a month later, two tiers, and whoever acts by time.
const RULES: &str = r#"
[wallets.points]
matures = { days = 1 }
expires = { days = 30, round = "month" }

[tiers]
by = "spend"
window = "rolling"
days = 40
levels = [ { name = "silver", at = "25.00", multiplier = "1.5", tag = "silver" }, { name = "gold", at = "500.00", multiplier = "2" } ]

[[rewards]]
key = "coffee"
title = "Káva zadarmo"
price = { points = 25 }
automatic = true
valid_days = 10
returns_price = true

[[plugins]]
plugin = "points-per-spend"
settings = { points = 1, per = "1.00" }
grants = ["earn"]

[[plugins]]
plugin = "birthday"
settings = { gift = { points = 100, valid_days = 3 }, days_before = 7 }
grants = ["earn", "message", "wake", "remember"]

[[plugins]]
plugin = "win-back"
settings = { steps = [ { days = 45, gift = { points = 7, valid_days = 14 } } ] }
grants = ["earn", "message", "wake", "remember", "tag"]

[[plugins]]
plugin = "referral"
settings = { friend = { points = 11 }, referrer = { points = 13 }, hold_days = 14 }
grants = ["earn", "message", "wake", "remember"]

[[channels]]
kind = "webhook"
url = "http://127.0.0.1:9/"
secret = "whsec_a2F2YXJuYS1vdXRnb2luZy1zaWduaW5nLWtleQ=="
"#;

fn purchase(id: &str, cents: i64, at: Moment, customer: &Value) -> Vec<u8> {
    let line = json!({"id": "1", "name": "Obed", "quantity_milli": 1000, "unit": cents, "total": cents});
    json!({
        "type": "purchase",
        "data": {
            "purchase": {"id": id, "currency": "EUR", "total": cents, "placed_at": at.0, "lines": [line]},
            "customer": customer,
        },
    })
    .to_string()
    .into_bytes()
}

/// Everything that is to be the same, whenever it was looked at.
async fn outcome(gateway: &TestGateway) -> (Vec<Value>, BTreeSet<String>) {
    let mut members = Vec::new();
    for key in [BY_JANA, BY_TOM] {
        let view = gateway.member(key).await;
        let member = &view.member;
        let mut rewards: Vec<_> =
            view.rewards.iter().map(|held| json!([held.key, held.state, held.issued_at, held.expires_at])).collect();
        rewards.sort_by_key(Value::to_string);
        members.push(json!({
            "wallets": member.wallets, "tier": member.tier, "climb": member.climb, "tags": member.tags,
            "visits": member.visits, "rewards": rewards,
        }));
    }
    let mut said = BTreeSet::new();
    for state in ["due", "dead", "delivered", "suppressed"] {
        for view in gateway.deliveries(state).await {
            said.insert(format!("{}: {}", view.delivery.message.key, view.delivery.message.text));
        }
    }
    (members, said)
}

/// Two customers over four months, the gateway awake on these days only. The shop's webhooks come when it is awake.
async fn four_months(awake: &[i64]) -> (Vec<Value>, BTreeSet<String>) {
    let mut gateway = TestGateway::open(&[RULES, OWN]).await;
    let at = |day: i64| NOON.plus_ms(day * DAY * 1_000);
    let mut code = String::new();
    let (mut told, mut last) = (0, 0);
    for day in awake {
        gateway.clock().set(at(*day));
        // Down in between; on the next day it is merely still there.
        if std::mem::replace(&mut last, *day) + 1 < *day {
            gateway.restart().await;
        }
        let shop = FakeShop::at(&gateway, "own");
        let jana = json!({"email": JANA, "consent": true, "birthday": "1990-06-20"});
        let tom = json!({"email": "tom@example.com", "consent": true, "referrer": code});
        let sales = [
            (0, purchase("j1", 1_000, at(0), &jana)),
            (10, purchase("j2", 2_000, at(10), &jana)),
            (10, purchase("t1", 3_000, at(10), &tom)),
            (31, purchase("j3", 500, at(31), &jana)),
        ];
        while let Some((_, body)) = sales.get(told).filter(|(on, _)| on <= day) {
            shop.tells(None, body.clone()).await.is(200, "accepted");
            told += 1;
        }
        gateway.settle().await;
        gateway.gateway().pipeline.drain().await.expect("what is due is seen to");
        if code.is_empty() {
            let jana = gateway.member(BY_JANA).await.member.id;
            code = gateway.gateway().vault.referral_code("kavarna", &jana);
        }
    }
    let outcome = outcome(&gateway).await;
    gateway.close().await;
    outcome
}

#[tokio::test]
async fn weeks_late_is_the_same_as_on_time() {
    let on_time: Vec<i64> = (0..=120).collect();
    let (members, said) = four_months(&on_time).await;
    // Worth comparing: everything that time does was done.
    let jana = &members[0];
    assert_eq!(jana["wallets"]["points"]["available"], 0, "{jana:#}");
    let lost = jana["wallets"]["points"]["expired"].as_i64();
    assert!(lost.is_some_and(|lost| lost > 100), "{jana:#}");
    assert!(jana["rewards"].as_array().is_some_and(|rewards| rewards.len() > 2), "{jana:#}");
    assert_eq!((jana["tier"].as_str(), jana["visits"].as_i64()), (None, Some(3)), "{jana:#}");
    for key in ["birthday:", "referral:", "referral-friend:", "win-back"] {
        assert!(said.iter().any(|text| text.starts_with(key)), "{key}: {said:#?}");
    }
    let late = four_months(&[0, 10, 31, 33, 70, 120]).await;
    assert_eq!((&late.0, &late.1), (&members, &said));
}
