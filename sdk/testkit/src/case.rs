//! A case file: what happened, what the plugin is told, what it should decide.
//!
//! ```json
//! { "about": "…", "settings": {…}, "source": "till",
//!   "purchase": {…},                     or "refund" with its "purchase", "join", "profile", "woken", "redemption", "answer"
//!   "facts": { "now": 0, "local": {…}, "merchant": {…}, "member": {…}, "memory": "hex", "dice": 0, "birthday": {…},
//!              "standing": {…}, "referral": {…}, "history": [{…}], "favourites": [{…}], "coming": [{…}] },
//!   "expect": { "decisions": […] }       or { "refused": "not-configured", "why": "part of the sentence" } or { "fault": "fuel" },
//! }                                      and, with any of them, "log": ["part of a line", …]
//! ```
//!
//! What is left out of the event and the facts is filled in; what stands there has the shape of the gateway's own JSON.

use perkgate_domain::decision::Price;
use perkgate_domain::event::{Answer, Join, Profile, Woken};
use perkgate_domain::facts::Facts;
use perkgate_domain::purchase::{Purchase, Refund};
use perkgate_domain::time::Moment;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

mod facts;
mod happening;
#[cfg(test)]
mod tests;

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
    /// Somebody who said something about themselves.
    Profile(Profile),
    /// A time that has come.
    Woken(Woken),
    /// A reward taken from the catalogue, or given back.
    Redemption(Taken),
    /// An answer to the plugin's question.
    Answer(Answer),
}

/// A reward taken from the catalogue, or given back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// When.
    pub at: Moment,
    /// It was given back.
    #[serde(default)]
    pub undone: bool,
    /// Of the catalogue.
    pub reward: String,
    /// As the member reads it.
    pub title: String,
    /// What it cost.
    pub price: Option<Price>,
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
    profile: Option<Value>,
    woken: Option<Value>,
    redemption: Option<Value>,
    answer: Option<Value>,
    #[serde(default)]
    facts: Map<String, Value>,
    expect: Option<Expect>,
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
        let mut file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let facts = facts::read(std::mem::take(&mut file.facts), std::mem::take(&mut file.settings))?;
        let currency = Value::from(facts.merchant.currency.as_str());
        let happening = happening::read(&mut file, &currency)?;
        if let Some(expect) = &file.expect {
            let ways = [expect.decisions.is_some(), expect.refused.is_some(), expect.fault.is_some()];
            if ways.iter().filter(|way| **way).count() != 1 {
                return Err("`expect` has one of `decisions`, `refused` and `fault`".to_owned());
            }
        }
        Ok(Self { about: file.about, source: file.source, happening, facts, expect: file.expect })
    }
}

/// Whether every key that is given is one there is. A key without a value gives nothing.
fn known(path: &str, given: &Value, there: &Value) -> Result<(), String> {
    match (given, there) {
        (Value::Object(given), Value::Object(there)) => {
            for (key, value) in given {
                let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
                match there.get(key) {
                    Some(there) => known(&format!("{path}.{key}"), value, there)?,
                    None if nothing && path == "facts" => {}
                    None => return Err(format!("`{path}.{key}` does not exist")),
                }
            }
            Ok(())
        }
        (Value::Array(given), Value::Array(there)) => {
            for (index, (given, there)) in given.iter().zip(there).enumerate() {
                known(&format!("{path}[{index}]"), given, there)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
