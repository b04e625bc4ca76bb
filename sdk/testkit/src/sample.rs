//! What a case file leaves out: the same shop, day and member as `perkgate::sample` in the SDK.

use serde_json::{Map, Value, json};

/// 2026-11-21T11:00:00Z, milliseconds since 1970.
pub(crate) const NOW: i64 = 1_795_258_800_000;

/// The facts, as [`perkgate_domain::facts::Facts`] is written in JSON.
pub(crate) fn facts() -> Value {
    json!({
        "now": NOW,
        "local": {
            "year": 2026, "month": 11, "day": 21, "hour": 12, "minute": 0, "weekday": 6, "offset_minutes": 60,
        },
        "merchant": {
            "id": "kavaren", "name": "Kaváreň pri moste", "currency": "EUR", "timezone": "Europe/Bratislava", "locale": "sk",
        },
        "member": {
            "id": "mem_sample", "locale": null, "joined_at": NOW, "visits": 0, "spent": 0, "first_purchase_at": null,
            "last_purchase_at": null, "tier": null, "tags": [], "consent": true, "balances": {},
        },
        "settings": "{}",
        "memory": "",
        "dice": 0,
    })
}

/// Lays `over` upon `base`: objects key by key, anything else as a whole.
pub(crate) fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// A purchase with everything that follows from its lines filled in.
pub(crate) fn purchase(given: Value, currency: &Value) -> Value {
    let mut purchase = json!({
        "id": "1001", "placed_at": NOW, "currency": currency, "lines": [],
    });
    merge(&mut purchase, given);
    if let Some(Value::Array(lines)) = purchase.get_mut("lines") {
        for (index, line) in lines.iter_mut().enumerate() {
            *line = self::line(index, std::mem::take(line));
        }
    }
    let sum = |name: &str| -> Value {
        let lines = purchase["lines"].as_array();
        lines.into_iter().flatten().filter_map(|line| line[name].as_i64()).fold(0_i64, i64::saturating_add).into()
    };
    let (total, tax) = (sum("total"), sum("tax"));
    if let Value::Object(fields) = &mut purchase {
        put(fields, "total", total);
        put(fields, "tax", tax);
    }
    purchase
}

fn line(index: usize, given: Value) -> Value {
    let number = (index + 1).to_string();
    let mut line = json!({ "id": number, "quantity_milli": 1000 });
    merge(&mut line, given);
    let name = line["id"].clone();
    // The price of one, where it is a whole number; a test about unit prices states them.
    let unit = match (line["total"].as_i64(), line["quantity_milli"].as_i64()) {
        (Some(total), Some(quantity)) if quantity > 0 => total.saturating_mul(1000) / quantity,
        _ => 0,
    };
    if let Value::Object(fields) = &mut line {
        put(fields, "name", name);
        put(fields, "unit", unit.into());
    }
    line
}

/// A refund of that purchase.
pub(crate) fn refund(given: Value, purchase: &Value) -> Value {
    let mut refund = json!({
        "id": "2001", "purchase": purchase["id"], "at": NOW, "currency": purchase["currency"], "amount": 0,
    });
    merge(&mut refund, given);
    refund
}

/// What happens without a purchase, with every key it may have.
pub(crate) fn event(name: &str) -> Value {
    match name {
        "join" => json!({ "id": "3001", "at": NOW, "referrer": null }),
        "woken" => {
            json!({ "id": "4001", "at": NOW, "installation": "plugin", "cause": "asked", "key": "", "data": "" })
        }
        "redemption" => json!({
            "at": NOW, "undone": false, "reward": "free-coffee", "title": "Káva zdarma",
            "price": { "wallet": "points", "amount": 100 },
        }),
        "answer" => json!({
            "id": "5001", "at": NOW, "installation": "plugin", "key": "", "scale": "nps", "score": 10, "text": null,
        }),
        _ => json!({ "id": "3001", "at": NOW }),
    }
}

/// A fact that is only given to plugins that ask for it, or one item of such a list.
pub(crate) fn asked(name: &str, currency: &Value) -> Value {
    match name {
        "birthday" => json!({ "month": 3, "day": 8 }),
        "standing" => {
            json!({ "tier": null, "since": null, "until": null, "multiplier_milli": 1000, "progress": 0, "next": null })
        }
        "referral" => json!({ "code": "REF1234567", "referred": false }),
        "history" => json!({ "at": NOW, "total": 0, "currency": currency, "channel": "in-store", "location": null }),
        "favourites" => json!({ "sku": null, "name": "", "category": null, "purchases": 1, "last_at": NOW }),
        _ => json!({ "wallet": "points", "amount": 0, "matures_at": null, "expires_at": null }),
    }
}

/// [`merge`], as a value.
pub(crate) fn over(mut base: Value, given: Value) -> Value {
    merge(&mut base, given);
    base
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Value) {
    fields.entry(name).or_insert(value);
}
