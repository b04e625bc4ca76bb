//! What happened in a case: what the file gives, filled in. What no gateway would tell is a mistake.

use super::{File, Happening, known};
use crate::sample;
use perkgate_domain::event::Answer;
use perkgate_domain::purchase::{Purchase, Refund};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Takes the one happening out of a file.
///
/// # Errors
/// A sentence that says what to mend.
pub(super) fn read(file: &mut File, currency: &Value) -> Result<Happening, String> {
    let mut happenings = Vec::new();
    match (file.purchase.take(), file.refund.take()) {
        (Some(purchase), None) => {
            happenings.push(Happening::Purchase(whole(sample::purchase(purchase, currency))?));
        }
        (Some(purchase), Some(refund)) => {
            let purchase = sample::purchase(purchase, currency);
            let refund: Refund = parse("refund", sample::refund(refund, &purchase))?;
            refund.check().map_err(|error| format!("`refund`: {error}"))?;
            happenings.push(Happening::Refund(refund, whole(purchase)?));
        }
        (None, Some(_)) => return Err("a `refund` comes with its `purchase`".to_owned()),
        (None, None) => {}
    }
    let others = [
        ("join", file.join.take()),
        ("profile", file.profile.take()),
        ("woken", file.woken.take()),
        ("redemption", file.redemption.take()),
        ("answer", file.answer.take()),
    ];
    for (name, given) in others {
        if let Some(given) = given {
            happenings.push(other(name, given)?);
        }
    }
    match (happenings.pop(), happenings.is_empty()) {
        (Some(happening), true) => Ok(happening),
        _ => Err("a case has one of `purchase` (with a `refund` of it or without), `join`, `profile`, `woken`, \
                  `redemption` and `answer`"
            .to_owned()),
    }
}

/// What happened without a purchase.
fn other(name: &str, given: Value) -> Result<Happening, String> {
    let sample = sample::event(name);
    known(name, &given, &sample)?;
    let value = sample::over(sample, given);
    Ok(match name {
        "join" => Happening::Join(parse(name, value)?),
        "profile" => Happening::Profile(parse(name, value)?),
        "woken" => Happening::Woken(parse(name, value)?),
        "redemption" => Happening::Redemption(parse(name, value)?),
        _ => {
            let answer: Answer = parse(name, value)?;
            let scores = answer.scale.scores();
            if !scores.contains(&answer.score) {
                let (scale, least, most) = (answer.scale.as_str(), scores.start(), scores.end());
                return Err(format!("`answer`: {scale} is answered with {least} to {most}, not {}", answer.score));
            }
            Happening::Answer(answer)
        }
    })
}

fn whole(value: Value) -> Result<Purchase, String> {
    let purchase: Purchase = parse("purchase", value)?;
    purchase.check().map_err(|error| format!("`purchase`: {error}"))?;
    Ok(purchase)
}

fn parse<T: DeserializeOwned>(what: &str, value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("`{what}`: {error}"))
}
