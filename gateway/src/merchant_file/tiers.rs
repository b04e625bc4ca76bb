//! `[tiers]` of a merchant file: the ladder of levels.

use super::checks;
use super::reading::{At, Section};
use super::rules::Ground;
use perkgate_domain::limits;
use perkgate_domain::rules::{Downgrade, Level, Measure, Tiers, Window};
use std::collections::BTreeMap;

pub(super) const KEYS: &[&str] = &["by", "wallet", "window", "days", "downgrade", "grace_days", "levels"];
const LEVEL_KEYS: &[&str] = &["name", "at", "multiplier", "tag"];

/// The ladder, none only if something was said; and the names of its levels, whatever else is wrong with them.
pub(super) fn tiers(section: &Section<'_>, ground: &Ground) -> (Option<Tiers>, Vec<String>) {
    let by = measure(section);
    let window = window(section);
    let downgrade = section.text("downgrade").map_or(Some(Downgrade::OneStep), |found| downgrade(section, found));
    let grace_days = section.number("grace_days", 0..=i64::from(limits::RULE_DAYS)).unwrap_or_default();
    let (levels, names) = levels(section, by.as_ref(), ground);
    let read = || Some(Tiers { by: by?, window: window?, downgrade: downgrade?, grace_days, levels });
    (read(), names)
}

fn measure(section: &Section<'_>) -> Option<Measure> {
    let found = section.needed_text("by", "\"points\"")?;
    let by = section.known("by", found, &["points", "spend", "visits"], "measure")?;
    if by == "points" {
        let wallet = section.text("wallet").map_or(Some("points"), |found| {
            section.checked("wallet", found.line, checks::wallet(found.value).map(|()| found.value))
        });
        return wallet.map(|wallet| Measure::Points(wallet.to_owned()));
    }
    if section.has("wallet") {
        let complaint = format!("means nothing to by = \"{by}\"; leave it out");
        section.say_of(section.line_of("wallet"), "wallet", complaint);
    }
    Some(if by == "spend" { Measure::Spend } else { Measure::Visits })
}

fn window(section: &Section<'_>) -> Option<Window> {
    let found = section.needed_text("window", "\"calendar-year\"")?;
    let words = ["rolling", "calendar-year", "membership-year"];
    let window = section.known("window", found, &words, "window")?;
    if window == "rolling" {
        section.need("days", "365");
        return section.number("days", 1..=i64::from(limits::ROLLING_DAYS)).map(Window::Rolling);
    }
    if section.has("days") {
        let complaint = format!("means nothing to window = \"{window}\"; leave it out, or write window = \"rolling\"");
        section.say_of(section.line_of("days"), "days", complaint);
    }
    Some(if window == "calendar-year" { Window::Calendar } else { Window::Membership })
}

fn downgrade(section: &Section<'_>, found: At<&str>) -> Option<Downgrade> {
    let word = section.known("downgrade", found, &["one-step", "to-earned"], "downgrade")?;
    Some(if word == "to-earned" { Downgrade::ToEarned } else { Downgrade::OneStep })
}

/// The levels without anything wrong, and the names of all.
fn levels(section: &Section<'_>, by: Option<&Measure>, ground: &Ground) -> (Vec<Level>, Vec<String>) {
    const EXAMPLE: &str = "[{ name = \"silver\", at = 100 }]";
    section.need("levels", EXAMPLE);
    let before = section.reading.count();
    let line = section.line_of("levels");
    let written = section.inner_tables("levels", LEVEL_KEYS);
    section.at_most(line, "levels", written.len(), limits::LEVELS);
    if written.is_empty() && section.has("levels") && section.reading.count() == before {
        section.say_of(line, "levels", format!("is empty; write at least one, as in {EXAMPLE}"));
    }
    let (mut levels, mut names, mut seen, mut below) = (Vec::new(), Vec::new(), BTreeMap::new(), 0);
    for section in &written {
        let name = section.needed_text("name", "\"silver\"").and_then(|found| {
            names.push(found.value.to_owned());
            let name = section.checked("name", found.line, checks::title(found.value));
            section.first("name", found, &mut seen).and(name)
        });
        let at = at(section, by, ground);
        if at.is_some_and(|at| at <= below) {
            let complaint = "is not above that of the level before; write the levels lowest first";
            section.say_of(section.line_of("at"), "at", complaint);
        }
        below = at.unwrap_or(below);
        let multiplier_milli = multiplier(section);
        let tag = section.text("tag").and_then(|found| section.checked("tag", found.line, checks::title(found.value)));
        if let (Some(name), Some(at), Some(multiplier_milli)) = (name, at, multiplier_milli) {
            levels.push(Level { name, at, multiplier_milli, tag });
        }
    }
    (levels, names)
}

/// What a level takes: whole units or visits, or minor units of money. Not to be told without knowing what it is counted in.
fn at(section: &Section<'_>, by: Option<&Measure>, ground: &Ground) -> Option<i64> {
    section.need("at", "100");
    let found = section.decimal("at")?;
    let places = match by? {
        Measure::Spend => ground.currency?.exponent(),
        Measure::Points(_) | Measure::Visits => 0,
    };
    section.checked("at", found.line, checks::positive(&found.value, places, limits::AMOUNT))
}

fn multiplier(section: &Section<'_>) -> Option<u32> {
    if !section.has("multiplier") {
        return Some(1000);
    }
    let found = section.decimal("multiplier")?;
    let most = i64::from(limits::MULTIPLIER_MILLI);
    let milli = section.checked("multiplier", found.line, checks::positive(&found.value, 3, most))?;
    u32::try_from(milli).ok()
}
