//! Civil days: as merchants write them, and the moments at which they begin where the merchant is.

use super::checks::shown;
use super::reading::{At, Section};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use perkgate_domain::facts::MonthDay;
use perkgate_domain::time::Moment;

/// Years that rules may speak of. What lies outside is a slip of the pen.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;

/// A day, as TOML has it or in quotes, if the key is there.
pub(super) fn day(section: &Section<'_>, key: &str) -> Option<At<Date>> {
    let found = section.day(key)?;
    // jiff reads more than this, and a time behind a day would silently be lost.
    let shape = found.value.len() == "2026-12-24".len() && found.value.as_bytes().get(4) == Some(&b'-');
    let date = found.value.parse().ok().filter(|date: &Date| shape && YEARS.contains(&date.year()));
    let complaint = || {
        let (first, last) = (YEARS.start(), YEARS.end());
        let value = shown(&found.value);
        format!("is \"{value}\"; write a day of the years {first} to {last}, as in 2026-12-24, and no time")
    };
    let value = section.checked(key, found.line, date.ok_or_else(complaint))?;
    Some(At { line: found.line, value })
}

/// When a day begins. Where the clocks skip midnight, that is when they go on: the day's first moment all the same.
pub(super) fn first_moment(day: Date, zone: &TimeZone) -> Option<Moment> {
    let begin = day.to_zoned(zone.clone()).ok()?;
    Some(Moment(begin.timestamp().as_millisecond()))
}

/// When the day after begins.
pub(super) fn end(day: Date, zone: &TimeZone) -> Option<Moment> {
    first_moment(day.tomorrow().ok()?, zone)
}

/// A day of any year, as `06-30`.
pub(super) fn month_day(text: &str) -> Result<MonthDay, String> {
    let day = MonthDay::parse(text).filter(|_| text.len() == "06-30".len());
    day.ok_or_else(|| format!("has \"{}\"; write month and day with two digits each, as in \"06-30\"", shown(text)))
}
