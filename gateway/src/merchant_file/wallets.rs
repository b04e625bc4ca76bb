//! `[wallets.…]`: what a wallet's units live by.

use super::reading::{At, Said, Section};
use super::rules::{DAYS, Ground};
use super::{checks, days};
use perkgate_domain::facts::MonthDay;
use perkgate_domain::limits;
use perkgate_domain::rules::{Activity, ExpiryRule, Maturity, RefundPolicy, Round, WalletTerms};
use std::collections::BTreeMap;

const KEYS: &[&str] = &["matures", "expires", "refunds"];

/// The windows that the file has, right or wrong.
pub(super) struct Windows {
    /// The merchant's return window.
    pub(super) returns: bool,
    /// A source's refund window.
    pub(super) refunds: bool,
}

/// All `[wallets.…]`, by name.
pub(super) fn wallets(file: &Section<'_>, windows: &Windows, ground: &Ground) -> BTreeMap<String, WalletTerms> {
    let Some(all) = file.words("wallets") else { return BTreeMap::new() };
    file.at_most(all.line, "wallets", all.keys().count(), limits::WALLETS);
    let mut wallets = BTreeMap::new();
    for name in all.keys() {
        file.checked("wallets", name.line, checks::wallet(name.value));
        let Some(section) = all.table(name.value, format!("[wallets.{}]", checks::shown(name.value)), KEYS) else {
            continue;
        };
        let terms = WalletTerms {
            matures: matures(&section, windows, ground).unwrap_or_default(),
            expires: expires(&section).unwrap_or_default(),
            refunds: section.text("refunds").and_then(|found| refunds(&section, found)).unwrap_or_default(),
        };
        wallets.insert(name.value.to_owned(), terms);
    }
    wallets
}

fn matures(section: &Section<'_>, windows: &Windows, ground: &Ground) -> Option<Maturity> {
    let wanted = "a word or a table, as in \"return-window\" or { days = 14 }";
    let table = match section.said("matures", &["days", "on"], wanted)? {
        Said::Word(found) => return matures_by_word(section, found, windows),
        Said::Table(table) => table,
    };
    match (table.has("days"), table.has("on")) {
        (true, false) => table.number("days", DAYS).map(Maturity::Days),
        (false, true) => days::first_moment(days::day(&table, "on")?.value, &ground.zone).map(Maturity::On),
        _ => {
            let cure = "takes one of `days` and `on`, as in { days = 14 } or { on = 2026-12-24 }";
            section.say_of(table.line, "matures", cure);
            None
        }
    }
}

fn matures_by_word(section: &Section<'_>, found: At<&str>, windows: &Windows) -> Option<Maturity> {
    let words = ["at-once", "return-window", "refund-window"];
    match section.known("matures", found, &words, "time")?.as_str() {
        "return-window" => {
            if !windows.returns {
                let cure = "is \"return-window\", and [merchant] has none; add `return_window_days = 14` to it";
                section.say_of(found.line, "matures", cure);
            }
            Some(Maturity::ReturnWindow)
        }
        "refund-window" => {
            if !windows.refunds {
                let cure =
                    "is \"refund-window\", and no source has one; add `refund_window_days = 30` to a [[sources]]";
                section.say_of(found.line, "matures", cure);
            }
            Some(Maturity::RefundWindow)
        }
        _ => Some(Maturity::AtOnce),
    }
}

fn expires(section: &Section<'_>) -> Option<ExpiryRule> {
    let wanted = "a word or a table, as in \"never\" or { days = 365 }";
    let table = match section.said("expires", &["days", "dates", "round", "after"], wanted)? {
        Said::Word(found) => {
            return section.known("expires", found, &["never"], "time").map(|_| ExpiryRule::Never);
        }
        Said::Table(table) => table,
    };
    let has = |key: &str| table.has(key);
    let complaint = match (has("days"), has("dates")) {
        (false, false) => Some("lacks `days` or `dates`; write { days = 365 } or { dates = [\"12-31\"] }"),
        (_, true) if has("days") || has("round") || has("after") => {
            Some("has `dates` and something else; `dates` stand alone, as in { dates = [\"12-31\"] }")
        }
        _ if has("round") && has("after") => {
            Some("has `round` and `after`; an end that moves with activity is not rounded: leave one of them out")
        }
        _ => None,
    };
    if let Some(complaint) = complaint {
        section.say_of(table.line, "expires", complaint);
        return None;
    }
    if has("dates") {
        return Some(ExpiryRule::Dates(dates(&table)));
    }
    let days = table.number("days", DAYS);
    if let Some(found) = table.text("after") {
        let by = after(&table, found)?;
        return Some(ExpiryRule::Sliding { days: days?, by });
    }
    let round = table.text("round").and_then(|found| round(&table, found));
    Some(ExpiryRule::Days { days: days?, round })
}

/// In the order of the year, so that the order in the file means nothing.
fn dates(table: &Section<'_>) -> Vec<MonthDay> {
    let before = table.reading.count();
    let (line, found) = (table.line_of("dates"), table.list("dates"));
    table.at_most(line, "dates", found.len(), limits::EXPIRY_DATES);
    let mut dates = Vec::new();
    for date in found {
        let Some(day) = table.checked("dates", date.line, days::month_day(date.value)) else { continue };
        if dates.contains(&day) {
            table.say_of(date.line, "dates", format!("has \"{day}\" twice; leave one out"));
        }
        dates.push(day);
    }
    if dates.is_empty() && table.reading.count() == before {
        table.say_of(line, "dates", "is empty; write the days, as in [\"06-30\", \"12-31\"]");
    }
    dates.sort_by_key(|day| (day.month, day.day));
    dates
}

fn after(table: &Section<'_>, found: At<&str>) -> Option<Activity> {
    let word = table.known("after", found, &["purchase", "redemption", "any"], "activity")?;
    Some(match word.as_str() {
        "redemption" => Activity::Redemption,
        "any" => Activity::Any,
        _ => Activity::Purchase,
    })
}

fn round(table: &Section<'_>, found: At<&str>) -> Option<Round> {
    let word = table.known("round", found, &["month", "quarter", "year"], "time to round up to")?;
    Some(match word.as_str() {
        "quarter" => Round::Quarter,
        "year" => Round::Year,
        _ => Round::Month,
    })
}

fn refunds(section: &Section<'_>, found: At<&str>) -> Option<RefundPolicy> {
    let word = section.known("refunds", found, &["pending-only", "to-zero", "negative"], "policy")?;
    Some(match word.as_str() {
        "pending-only" => RefundPolicy::PendingOnly,
        "to-zero" => RefundPolicy::ToZero,
        _ => RefundPolicy::Negative,
    })
}
