//! Whom raw bytes name: every address, number, card and customer id that stands anywhere in a body, blinded as a member's key is.
//!
//! A connector reads only what it knows. When somebody is forgotten, everything that came in is asked whether it names them, also what no
//! connector read: an order that was not paid, a body with a wrong signature, a note that a customer wrote. So this reads more than it
//! has to; that a number which is no phone's is blinded in vain harms nothing.

use super::{card, customer, email, key, phone};
use crate::vault::Vault;
use perkgate_domain::ids::SourceId;
use perkgate_domain::member::{KeyKind, MemberKey};
use perkgate_domain::programme::Merchant;
use serde_json::Value;
use std::collections::BTreeSet;

/// A card's code is looked for among texts of these lengths.
const CARD: std::ops::RangeInclusive<usize> = 4..=64;
/// Digits a phone number has at least.
const DIGITS: usize = 7;
/// Countries that numbers without a country code are read in, at most.
const COUNTRIES: usize = 4;

/// The keys of everybody whom `bytes` may name, each once.
#[must_use]
pub fn persons(vault: &Vault, merchant: &Merchant, source: &SourceId, bytes: &[u8]) -> Vec<MemberKey> {
    let text = String::from_utf8_lossy(bytes);
    let mut search = Search { vault, merchant, source, countries: Vec::new(), found: BTreeSet::new() };
    search.countries.extend(merchant.country.clone());
    if let Ok(body) = serde_json::from_str::<Value>(&text) {
        search.countries(&body);
        search.value(&body, "", "");
    } else {
        // Cut off, a form, or no format at all.
        search.text(&text);
        search.text(&decoded(&text));
    }
    search.found.into_iter().collect()
}

struct Search<'a> {
    vault: &'a Vault,
    merchant: &'a Merchant,
    source: &'a SourceId,
    countries: Vec<String>,
    found: BTreeSet<MemberKey>,
}

impl Search<'_> {
    /// A platform writes a number without its country code and the country beside it.
    fn countries(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(code) if name.to_lowercase().contains("country") && code.len() == 2 => {
                            if self.countries.len() < COUNTRIES && !self.countries.contains(code) {
                                self.countries.push(code.clone());
                            }
                        }
                        field => self.countries(field),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.countries(item)),
            _ => {}
        }
    }

    fn value(&mut self, value: &Value, name: &str, within: &str) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(field, value)| self.value(value, field, name)),
            Value::Array(items) => items.iter().for_each(|item| self.value(item, name, within)),
            Value::String(text) => self.leaf(text, name, within),
            Value::Number(number) => self.leaf(&number.to_string(), name, within),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn leaf(&mut self, text: &str, name: &str, within: &str) {
        let of_somebody = |name: &str| {
            let name = name.to_lowercase();
            ["customer", "client", "buyer", "member"].iter().any(|word| name.contains(word))
        };
        if of_somebody(name) || of_somebody(within) {
            self.add(KeyKind::Id, customer(self.source, text));
        }
        if CARD.contains(&text.len()) {
            self.add(KeyKind::Card, card(text));
        }
        self.number(text);
        self.text(text);
    }

    /// Addresses and numbers between other words.
    fn text(&mut self, text: &str) {
        let between = |c: char| c.is_whitespace() || "\"'`<>()[]{},;:&=?|\\".contains(c);
        for word in text.split(between).filter(|word| word.contains('@')) {
            self.add(KeyKind::Email, email(word.trim_end_matches(['.', '!'])));
            self.add(KeyKind::Email, email(word));
        }
        for run in text.split(|c: char| !(c.is_ascii_digit() || c.is_whitespace() || "+-/().".contains(c))) {
            self.number(run);
        }
        for word in text.split(|c: char| !(c.is_ascii_digit() || "+-/().".contains(c))) {
            self.number(word.trim_end_matches('.'));
        }
    }

    fn number(&mut self, text: &str) {
        if text.len() > 64 || text.bytes().filter(u8::is_ascii_digit).count() < DIGITS {
            return;
        }
        self.add(KeyKind::Phone, phone(text, [None, None]));
        for country in self.countries.clone() {
            self.add(KeyKind::Phone, phone(text, [Some(&country), None]));
        }
    }

    fn add(&mut self, kind: KeyKind, normalised: Option<String>) {
        self.found.extend(normalised.map(|text| key(self.vault, self.merchant, kind, &text)));
    }
}

/// What a form means by `%40` and `+`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%');
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Known, known};
    use perkgate_domain::member::Identity;

    #[test]
    fn whoever_is_named_anywhere_is_found_by_their_keys() {
        let (vault, source) = (Vault::new([1; 32]), SourceId::from("eshop"));
        let merchant = Merchant {
            id: "kavarna".into(),
            name: "Kaviareň".into(),
            currency: perkgate_domain::money::Currency::parse("EUR").unwrap(),
            timezone: "Europe/Bratislava".into(),
            locale: "sk".into(),
            country: Some("SK".into()),
            url: None,
            rules: perkgate_domain::rules::Rules::default(),
        };
        let jana = Identity {
            customer_id: Some("6890".into()),
            email: Some("jana@example.com".into()),
            phone: Some("+421905123456".into()),
            card: Some("KAV-0042".into()),
            ..Identity::default()
        };
        let Known { keys, .. } = known(&vault, &merchant, &source, &jana);
        let [card, id, email, phone] = keys.as_slice() else { panic!("four keys: {keys:?}") };
        let finds = |body: &str, wanted: &[&MemberKey]| {
            let found = persons(&vault, &merchant, &source, body.as_bytes());
            for key in [card, id, email, phone] {
                assert_eq!(found.contains(key), wanted.contains(&key), "{:?} in {body}", key.kind);
            }
        };
        finds(r#"{"customer": {"id": 6890, "email": "Jana@Example.com"}, "total": "6.40"}"#, &[id, email]);
        finds(r#"{"note": "volajte 0905 123 456, alebo jana@example.com."}"#, &[email, phone]);
        finds(r#"{"sale": {"loyalty": "kav 0042"}, "billing": {"phone": "0905/123456"}}"#, &[card, phone]);
        finds("score=2&text=jana%40example.com+%2B421905123456", &[email, phone]);
        finds(r#"{"email": "jana@example.com", "cut"#, &[email]);
        finds(r#"{"order": {"id": 6890, "email": "eva@example.com", "phone": "0905 123 457"}}"#, &[]);
    }
}
