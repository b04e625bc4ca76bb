//! A case file: what happened, what the plugin is told, what it should decide.
//!
//! ```json
//! { "about": "…", "settings": {…}, "source": "till",
//!   "purchase": {…},                     or "refund" with its "purchase", or "join"
//!   "facts": { "now": 0, "local": {…}, "merchant": {…}, "member": {…}, "memory": "hex", "dice": 0 },
//!   "expect": { "decisions": […] }       or { "refused": "not-configured", "why": "part of the sentence" } or { "fault": "fuel" },
//! }                                      and, with any of them, "log": ["part of a line", …]
//! ```
//!
//! What is left out of the event and the facts is filled in; what stands there has the shape of the gateway's own JSON.

use crate::sample;
use perkgate_domain::facts::Facts;
use perkgate_domain::purchase::{Join, Purchase, Refund};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One case, complete.
#[derive(Clone, Debug)]
pub struct Case {
    /// One sentence: what it shows.
    pub about: String,
    /// The merchant's source it comes by.
    pub source: String,
    /// What happened.
    pub happening: Happening,
    /// What the plugin may be told, settings included.
    pub facts: Facts,
    /// What it should decide, if the file says so.
    pub expect: Option<Expect>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A paid sale.
    Purchase(Purchase),
    /// Money given back on a purchase.
    Refund(Refund, Purchase),
    /// A new customer.
    Join(Join),
}

/// What a plugin should decide.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// These decisions in this order. Fields that are not stated are not compared.
    pub decisions: Option<Vec<Value>>,
    /// A refusal: `not-configured`, `unsupported` or `broken`.
    pub refused: Option<String>,
    /// A fault of this kind.
    pub fault: Option<String>,
    /// A part of the refusal's or the fault's sentence.
    pub why: Option<String>,
    /// Parts of lines that it logs.
    #[serde(default)]
    pub log: Vec<String>,
}

/// Why a case file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file or folder cannot be read.
    #[error("{path} cannot be read: {error}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is nothing to run.
    #[error("{0} has no case: put files such as first.json there")]
    None(PathBuf),
    /// Something in the file is not as it should be.
    #[error("{path}: {message}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What to mend.
        message: String,
    },
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    about: String,
    #[serde(default = "till")]
    source: String,
    #[serde(default)]
    settings: Value,
    purchase: Option<Value>,
    refund: Option<Value>,
    join: Option<Value>,
    #[serde(default)]
    facts: FactsGiven,
    expect: Option<Expect>,
}

/// The facts as far as a file gives them; a name that is none of them is a mistake.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsGiven {
    now: Option<Value>,
    local: Option<Value>,
    merchant: Option<Value>,
    member: Option<Value>,
    memory: Option<Value>,
    dice: Option<Value>,
}

fn till() -> String {
    "till".to_owned()
}

impl Case {
    /// Reads a case file.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let text = std::fs::read_to_string(path).map_err(|error| CaseError::Read { path: path.to_owned(), error })?;
        Self::parse(&text).map_err(|message| CaseError::File { path: path.to_owned(), message })
    }

    /// Reads a case.
    ///
    /// # Errors
    /// A sentence that says what to mend.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let facts = facts(file.facts, file.settings)?;
        let currency = Value::from(facts.merchant.currency.as_str());
        let happening = happening(file.purchase, file.refund, file.join, &currency)?;
        if let Some(expect) = &file.expect {
            let ways = [expect.decisions.is_some(), expect.refused.is_some(), expect.fault.is_some()];
            if ways.iter().filter(|way| **way).count() != 1 {
                return Err("`expect` has one of `decisions`, `refused` and `fault`".to_owned());
            }
        }
        Ok(Self { about: file.about, source: file.source, happening, facts, expect: file.expect })
    }
}

fn facts(given: FactsGiven, settings: Value) -> Result<Facts, String> {
    let mut facts = sample::facts();
    let FactsGiven { now, local, merchant, member, memory, dice } = given;
    for (name, value) in
        [("now", now), ("local", local), ("merchant", merchant), ("member", member), ("memory", memory), ("dice", dice)]
    {
        if let Some(value) = value {
            known_keys(name, &facts[name], &value)?;
            sample::merge(&mut facts[name], value);
        }
    }
    let settings = if settings.is_null() { json!({}) } else { settings };
    facts["settings"] = Value::from(settings.to_string());
    serde_json::from_value(facts).map_err(|error| format!("`facts`: {error}"))
}

/// The domain ignores keys it does not know in facts; in a test such a key is a mistake.
fn known_keys(name: &str, known: &Value, given: &Value) -> Result<(), String> {
    let (Value::Object(known), Value::Object(given)) = (known, given) else { return Ok(()) };
    match given.keys().find(|key| !known.contains_key(*key)) {
        Some(key) => Err(format!("`facts.{name}.{key}` does not exist")),
        None => Ok(()),
    }
}

fn happening(
    purchase: Option<Value>,
    refund: Option<Value>,
    join: Option<Value>,
    currency: &Value,
) -> Result<Happening, String> {
    let wrong = |what: &str| {
        let what = what.to_owned();
        move |error: serde_json::Error| format!("`{what}`: {error}")
    };
    let whole = |value: Value| -> Result<Purchase, String> {
        let purchase: Purchase = serde_json::from_value(value).map_err(wrong("purchase"))?;
        purchase.check().map_err(|error| format!("`purchase`: {error}"))?;
        Ok(purchase)
    };
    match (purchase, refund, join) {
        (Some(purchase), None, None) => whole(sample::purchase(purchase, currency)).map(Happening::Purchase),
        (Some(purchase), Some(refund), None) => {
            let purchase = sample::purchase(purchase, currency);
            let refund: Refund = serde_json::from_value(sample::refund(refund, &purchase)).map_err(wrong("refund"))?;
            refund.check().map_err(|error| format!("`refund`: {error}"))?;
            Ok(Happening::Refund(refund, whole(purchase)?))
        }
        (None, None, Some(join)) => {
            serde_json::from_value(sample::join(join)).map(Happening::Join).map_err(wrong("join"))
        }
        _ => Err("a case has a `purchase`, a `refund` with its `purchase`, or a `join`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_filled_in_and_adds_up() {
        let case =
            Case::parse(r#"{"purchase":{"lines":[{"total":300,"tax":50},{"total":200,"quantity_milli":2000}]}}"#)
                .expect("a case");
        let Happening::Purchase(purchase) = &case.happening else { panic!("a purchase") };
        assert_eq!((purchase.total, purchase.tax, purchase.lines[1].unit), (500, 50, 100));
        assert_eq!((purchase.lines[1].id.as_str(), purchase.currency.as_str()), ("2", "EUR"));
        assert_eq!((case.facts.settings.as_str(), case.facts.merchant.locale.as_str()), ("{}", "sk"));
    }

    #[test]
    fn facts_are_laid_over_the_sample() {
        let case = Case::parse(
            r#"{"join":{},"settings":{"a":1},"facts":{"local":{"hour":9},"merchant":{"currency":"JPY"},"memory":"0102"}}"#,
        )
        .expect("a case");
        assert_eq!((case.facts.local.hour, case.facts.local.day), (9, 21));
        assert_eq!((case.facts.merchant.currency.as_str(), &case.facts.memory[..]), ("JPY", &[1, 2][..]));
        assert_eq!(case.facts.settings, r#"{"a":1}"#);
    }

    #[test]
    fn a_refund_belongs_to_its_purchase() {
        let case = Case::parse(r#"{"purchase":{"id":"7","lines":[{"total":300}]},"refund":{"amount":100}}"#);
        let Happening::Refund(refund, purchase) = case.expect("a case").happening else { panic!("a refund") };
        assert_eq!((refund.purchase, purchase.id), ("7".to_owned(), "7".to_owned()));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, named) in [
            (r#"{"purchase":{"lines":[]},"expects":{}}"#, "expects"),
            (r#"{"purchase":{"lines":[]},"facts":{"member":{"visit":1}}}"#, "facts.member.visit"),
            (r#"{"purchase":{"lines":[{"total":1,"totle":2}]}}"#, "totle"),
            (r#"{"purchase":{"lines":[{"total":-1}]}}"#, "negative"),
            (r#"{"refund":{"amount":1}}"#, "with its `purchase`"),
            (r#"{"join":{},"expect":{}}"#, "one of"),
            (r#"{"join":{},"facts":{"memory":"0"}}"#, "hexadecimal"),
        ] {
            let message = Case::parse(text).expect_err(text);
            assert!(message.contains(named), "{text}: {message}");
        }
    }
}
