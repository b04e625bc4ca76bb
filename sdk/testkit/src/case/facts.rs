//! The facts of a case: what the file gives, laid over the sample. What could not be told by a gateway is a mistake.

use super::known;
use crate::sample;
use perkgate_domain::facts::{Facts, MonthDay};
use perkgate_domain::limits::{COMING, FAVOURITES, HISTORY};
use serde_json::{Map, Value, json};

/// How a fact is given.
enum Shape {
    /// It is in the sample; the file changes it.
    Sample,
    /// It is there only if the file gives it; what that leaves out is filled in.
    Asked,
    /// A list of at most so many, each item filled in.
    List(usize),
}

/// The facts there are. The merchant comes before what is in its currency.
const FACTS: [(&str, Shape); 12] = [
    ("now", Shape::Sample),
    ("local", Shape::Sample),
    ("merchant", Shape::Sample),
    ("member", Shape::Sample),
    ("memory", Shape::Sample),
    ("dice", Shape::Sample),
    ("birthday", Shape::Asked),
    ("standing", Shape::Asked),
    ("referral", Shape::Asked),
    ("history", Shape::List(HISTORY)),
    ("favourites", Shape::List(FAVOURITES)),
    ("coming", Shape::List(COMING)),
];

/// Reads them, with the settings.
///
/// # Errors
/// A sentence that says what to mend.
pub(super) fn read(given: Map<String, Value>, settings: Value) -> Result<Facts, String> {
    let facts = filled_in(given.clone())?;
    let facts: Facts = serde_json::from_value(facts).map_err(|error| format!("`facts`: {error}"))?;
    // The domain ignores keys it does not know in facts; in a test such a key is a mistake.
    let told = serde_json::to_value(&facts).map_err(|error| format!("`facts`: {error}"))?;
    known("facts", &Value::Object(given), &told)?;
    if let Some(day) = facts.birthday
        && MonthDay::parse(&day.to_string()) != Some(day)
    {
        return Err(format!("`facts.birthday`: {day} is no day of any year"));
    }
    let settings = if settings.is_null() { json!({}) } else { settings };
    Ok(Facts { settings: settings.to_string(), ..facts })
}

/// The sample with what is given laid over it.
fn filled_in(mut given: Map<String, Value>) -> Result<Value, String> {
    let mut facts = sample::facts();
    for (name, shape) in FACTS {
        let Some(value) = given.remove(name) else { continue };
        let currency = facts["merchant"]["currency"].clone();
        facts[name] = match (shape, value) {
            (Shape::Sample, value) => sample::over(facts[name].take(), value),
            (Shape::Asked, value) => sample::over(sample::asked(name, &currency), value),
            (Shape::List(most), Value::Array(items)) if items.len() > most => {
                return Err(format!("`facts.{name}` has at most {most} items, this one has {}", items.len()));
            }
            (Shape::List(_), Value::Array(items)) => {
                items.into_iter().map(|item| sample::over(sample::asked(name, &currency), item)).collect()
            }
            (Shape::List(_), _) => return Err(format!("`facts.{name}` is a list")),
        };
    }
    match given.keys().next() {
        Some(unknown) => Err(format!("`facts.{unknown}` does not exist")),
        None => Ok(facts),
    }
}
