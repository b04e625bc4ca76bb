//! The rules of a programme that are no plugin's, put together from where they stand in the file.

use super::reading::Section;
use super::{caps, catalogue, days, tiers, wallets};
use jiff::tz::TimeZone;
use perkgate_domain::limits;
use perkgate_domain::money::Currency;
use perkgate_domain::rules::Rules;
use std::ops::RangeInclusive;

/// How many days a rule may speak of.
pub(super) const DAYS: RangeInclusive<i64> = 1..=limits::RULE_DAYS as i64;

/// What amounts and days are read by.
pub(super) struct Ground {
    /// None if the merchant's is missing or wrong, which was said: amounts cannot be told then.
    pub(super) currency: Option<Currency>,
    /// UTC if the merchant's is missing or wrong: days are still checked, and the file is refused anyway.
    pub(super) zone: TimeZone,
}

impl Ground {
    pub(super) fn new(currency: Option<Currency>, timezone: Option<&str>) -> Self {
        let zone = timezone.and_then(|name| TimeZone::get(name).ok());
        Self { currency, zone: zone.unwrap_or(TimeZone::UTC) }
    }
}

impl Default for Ground {
    fn default() -> Self {
        Self::new(None, None)
    }
}

/// All rules; what is wrong is left out, since the file is refused anyway.
pub(super) fn rules(
    file: &Section<'_>,
    merchant: Option<&Section<'_>>,
    sources: &[Section<'_>],
    ground: &Ground,
) -> Rules {
    let windows = wallets::Windows {
        returns: merchant.is_some_and(|merchant| merchant.has("return_window_days")),
        refunds: sources.iter().any(|source| source.has("refund_window_days")),
    };
    let ladder = file.table("tiers", "[tiers]", tiers::KEYS).map(|section| tiers::tiers(&section, ground));
    let (tiers, names) = ladder.unwrap_or_default();
    let rewards = file.tables("rewards", "[[rewards]]", catalogue::KEYS);
    if let Some(extra) = rewards.get(limits::REWARDS) {
        file.at_most(extra.line, "rewards", rewards.len(), limits::REWARDS);
    }
    Rules {
        wallets: wallets::wallets(file, &windows, ground),
        return_window_days: merchant.and_then(|merchant| merchant.number("return_window_days", DAYS)),
        tiers,
        rewards: catalogue::rewards(&rewards, &names, ground),
        caps: merchant.map(caps::caps).unwrap_or_default(),
        since: merchant.and_then(|merchant| {
            let day = days::day(merchant, "since")?;
            days::first_moment(day.value, &ground.zone)
        }),
        count_earlier: merchant.is_some_and(|merchant| {
            let counts = merchant.flag("count_earlier");
            if counts && !merchant.has("since") {
                let complaint = "says what counts of the time before the programme, and [merchant] does not say when it began; add `since = 2026-01-01`";
                merchant.say_of(merchant.line_of("count_earlier"), "count_earlier", complaint.to_owned());
            }
            counts
        }),
    }
}
