//! `[[rewards]]`: the catalogue of what members may take and what the merchant gives.

use super::reading::{At, Section};
use super::rules::{DAYS, Ground};
use super::{checks, days};
use perkgate_domain::decision::Price;
use perkgate_domain::limits;
use perkgate_domain::rules::{Audience, CatalogueReward, RewardKind};
use perkgate_domain::time::Moment;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

#[rustfmt::skip]
pub(super) const KEYS: &[&str] = &[
    "key", "title", "titles", "kind", "item", "amount", "percent", "price", "stock", "per_member", "valid_days", "from", "until",
    "returns_price", "undo_minutes", "automatic", "code", "only",
];
/// Kinds of reward, each with the key that says how much or what.
const KINDS: &[(&str, Option<&str>)] =
    &[("custom", None), ("free-item", Some("item")), ("amount-off", Some("amount")), ("percent-off", Some("percent"))];
/// How many of something there may be.
const COUNT: RangeInclusive<i64> = 1..=u32::MAX as i64;

/// What other rewards were called, with the lines.
#[derive(Default)]
struct Seen {
    keys: BTreeMap<String, usize>,
    codes: BTreeMap<String, usize>,
}

/// All `[[rewards]]`, by key. `tiers` are the names of the ladder's levels.
pub(super) fn rewards(
    sections: &[Section<'_>],
    tiers: &[String],
    ground: &Ground,
) -> BTreeMap<String, CatalogueReward> {
    let mut seen = Seen::default();
    sections.iter().filter_map(|section| reward(section, &mut seen, tiers, ground)).collect()
}

fn reward(
    section: &Section<'_>,
    seen: &mut Seen,
    tiers: &[String],
    ground: &Ground,
) -> Option<(String, CatalogueReward)> {
    let key = section.needed_text("key", "\"free-coffee\"").and_then(|found| {
        section.checked("key", found.line, checks::id(found.value))?;
        section.first("key", found, &mut seen.keys)?;
        Some(found.value.to_owned())
    });
    let title = section.needed_text("title", "\"Free coffee\"");
    let title = title.and_then(|found| section.checked("title", found.line, checks::title(found.value)));
    let titles = titles(section);
    let kind = kind(section, ground);
    let code = section.text("code").and_then(|found| {
        section.first("code", found, &mut seen.codes)?;
        section.checked("code", found.line, checks::code(found.value))
    });
    let (from, until) = season(section, ground);
    let audience = section.inner("only", &["tag", "tier"]).and_then(|only| audience(section, &only, tiers));
    let price = price(section);
    let (stock, per_member) = (section.number("stock", COUNT), section.number("per_member", COUNT));
    let valid_days = section.number("valid_days", DAYS);
    let (returns_price, automatic) = (section.flag("returns_price"), section.flag("automatic"));
    let undo_minutes = section.number("undo_minutes", 0..=i64::from(limits::UNDO_MINUTES)).unwrap_or_default();
    let extras = [("automatic", automatic), ("returns_price", returns_price), ("undo_minutes", undo_minutes > 0)];
    hold_together(section, &extras);
    let reward = CatalogueReward {
        title: title?,
        titles,
        kind: kind?,
        price,
        stock,
        per_member,
        valid_days,
        from,
        until,
        returns_price,
        undo_minutes,
        automatic,
        code,
        audience,
    };
    Some((key?, reward))
}

/// Complains about what contradicts itself. `extras` are what a reward that is taken may have besides, each with whether
/// it is wished for.
fn hold_together(section: &Section<'_>, extras: &[(&str, bool)]) {
    let mut wished = extras.iter().filter(|(_, wished)| *wished).map(|(key, _)| *key);
    if section.has("code") {
        let stray = ["price", "valid_days"].into_iter().filter(|key| section.has(key));
        for key in stray.chain(wished) {
            let complaint = "means nothing to a reward with a `code`, which nobody takes; leave one of the two out";
            section.say_of(section.line_of(key), key, complaint);
        }
        return;
    }
    if !section.has("price") {
        for key in wished {
            let complaint = "needs a price; add `price = { points = 100 }`, or leave it out";
            section.say_of(section.line_of(key), key, complaint);
        }
    } else if !section.has("valid_days") && wished.any(|key| key == "returns_price") {
        let complaint = "is for a code that lapses; add `valid_days = 30`, or leave it out";
        section.say_of(section.line_of("returns_price"), "returns_price", complaint);
    }
}

fn titles(section: &Section<'_>) -> BTreeMap<String, String> {
    let Some(written) = section.words("titles") else { return BTreeMap::new() };
    section.at_most(written.line, "titles", written.keys().count(), limits::TITLES);
    let title = |language: At<&str>| {
        section.checked("titles", language.line, checks::locale(language.value));
        let found = written.text(language.value)?;
        let title = written.checked(language.value, found.line, checks::title(found.value))?;
        Some((language.value.to_owned(), title))
    };
    written.keys().filter_map(title).collect()
}

fn kind(section: &Section<'_>, ground: &Ground) -> Option<RewardKind> {
    let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
    let kind = match section.text("kind") {
        Some(found) => section.known("kind", found, &words, "kind of reward")?,
        None if section.has("kind") => return None,
        None => "custom".to_owned(),
    };
    for (other, key) in KINDS.iter().filter_map(|(other, key)| Some((*other, (*key)?))) {
        if other != kind && section.has(key) {
            let complaint = format!("means nothing to kind \"{kind}\"; leave it out, or write kind = \"{other}\"");
            section.say_of(section.line_of(key), key, complaint);
        }
    }
    match kind.as_str() {
        "free-item" => {
            let found = section.needed_text("item", "\"espresso\"")?;
            section.checked("item", found.line, checks::title(found.value)).map(RewardKind::FreeItem)
        }
        "amount-off" => {
            section.need("amount", "\"5.00\"");
            let (found, currency) = (section.decimal("amount")?, ground.currency?);
            let minor = checks::positive(&found.value, currency.exponent(), limits::AMOUNT);
            section.checked("amount", found.line, minor).map(RewardKind::AmountOff)
        }
        "percent-off" => {
            section.need("percent", "10");
            section.number("percent", 1..=100).map(RewardKind::PercentOff)
        }
        _ => Some(RewardKind::Custom),
    }
}

fn price(section: &Section<'_>) -> Option<Price> {
    let written = section.words("price")?;
    let wallets: Vec<At<&str>> = written.keys().collect();
    let [wallet] = wallets.as_slice() else {
        let complaint = format!("names {} wallets and must name one, as in {{ points = 100 }}", wallets.len());
        section.say_of(written.line, "price", complaint);
        return None;
    };
    section.checked("price", wallet.line, checks::wallet(wallet.value));
    let amount = written.number(wallet.value, 1..=limits::AMOUNT)?;
    Some(Price { wallet: wallet.value.to_owned(), amount })
}

/// From the first moment of the first day to the first moment after the last.
fn season(section: &Section<'_>, ground: &Ground) -> (Option<Moment>, Option<Moment>) {
    let (from, until) = (days::day(section, "from"), days::day(section, "until"));
    if let (Some(from), Some(until)) = (from, until)
        && until.value < from.value
    {
        section.say_of(until.line, "until", "is before `from`; write a day that is not");
    }
    let begin = from.and_then(|from| days::first_moment(from.value, &ground.zone));
    (begin, until.and_then(|until| days::end(until.value, &ground.zone)))
}

fn audience(section: &Section<'_>, only: &Section<'_>, tiers: &[String]) -> Option<Audience> {
    if only.has("tag") == only.has("tier") {
        let complaint = "takes one of `tag` and `tier`, as in { tag = \"champion\" }";
        section.say_of(only.line, "only", complaint);
        return None;
    }
    if let Some(found) = only.text("tag") {
        return only.checked("tag", found.line, checks::title(found.value)).map(Audience::Tag);
    }
    let found = only.text("tier")?;
    if tiers.is_empty() {
        let complaint = format!("is \"{}\", and [tiers] has no level; add it there", checks::shown(found.value));
        only.say_of(found.line, "tier", complaint);
        return None;
    }
    let names: Vec<&str> = tiers.iter().map(String::as_str).collect();
    only.known("tier", found, &names, "tier").map(Audience::Tier)
}
