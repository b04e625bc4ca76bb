//! Times as platforms write them: text in several spellings, numbers in several units.

use crate::connectors::Unreadable;
use perkgate_domain::time::Moment;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A point in time, as RFC 3339 text or as a whole number since 1970 (see [`unix`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Moment);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let read = match raw.get().as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw.get()).ok().and_then(|text| instant(&text)),
            _ => raw.get().parse().ok().map(unix),
        };
        read.map(Self)
            .ok_or_else(|| D::Error::custom("a time is RFC 3339 text with an offset, or milliseconds since 1970"))
    }
}

/// A time counted from 1970, in the unit that its size tells: clients mix up seconds, milliseconds, microseconds and nanoseconds, and no
/// two of them come near each other between 1973 and 5138.
pub(crate) fn unix(number: i64) -> Moment {
    match number.unsigned_abs() {
        0..100_000_000_000 => Moment::from_seconds(number),
        100_000_000_000..100_000_000_000_000 => Moment(number),
        100_000_000_000_000..100_000_000_000_000_000 => Moment(number / 1_000),
        _ => Moment(number / 1_000_000),
    }
}

/// Reads RFC 3339 text with its offset.
fn instant(text: &str) -> Option<Moment> {
    let text = text.trim();
    let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        // The last day of the calendar, with which some say "never": a time all the same, if not one that can be meant.
        let civil: jiff::civil::DateTime = text.get(..19)?.parse().ok()?;
        (civil.year() == 9999).then_some(jiff::Timestamp::MAX)
    })?;
    Some(Moment(stamp.as_millisecond()))
}

/// Reads an ISO 8601 time that carries its offset.
///
/// # Errors
/// A sentence with the field's name.
pub(crate) fn moment(text: &str, field: &str) -> Result<Moment, Unreadable> {
    instant(text).ok_or_else(|| Unreadable(format!("`{field}` is no time with an offset (`2026-01-31T12:00:00Z`)")))
}

/// Reads an ISO 8601 time that is in UTC if it does not say: WooCommerce's `*_gmt` fields carry no zone.
///
/// # Errors
/// A sentence with the field's name.
pub(crate) fn moment_gmt(text: &str, field: &str) -> Result<Moment, Unreadable> {
    let zoneless = || {
        let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| Moment(zoned.timestamp().as_millisecond()))
    };
    instant(text).or_else(zoneless).ok_or_else(|| Unreadable(format!("`{field}` is no time (`2026-01-31T12:00:00`)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_time_is_told_by_its_size() {
        let noon = Moment(1_780_315_200_000);
        for number in [1_780_315_200, 1_780_315_200_000, 1_780_315_200_000_000, 1_780_315_200_000_000_000] {
            assert_eq!(unix(number), noon);
            assert_eq!(serde_json::from_str::<When>(&number.to_string()).unwrap().0, noon);
        }
        assert_eq!(unix(0), Moment(0));
        assert_eq!(unix(i64::MIN), Moment(i64::MIN / 1_000_000));
        let never = moment("9999-12-31T23:59:59Z", "t").unwrap();
        assert!(never > moment("9999-12-29T00:00:00Z", "t").unwrap());
    }

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        assert_eq!(moment("2021-12-31T19:00:00-05:00", "t"), Ok(Moment(1_640_995_200_000)));
        assert_eq!(moment("2022-07-13T20:30:59.037339943Z", "t"), Ok(Moment(1_657_744_259_037)));
        assert_eq!(moment_gmt("2022-01-01T00:00:00", "t"), Ok(Moment(1_640_995_200_000)));
        assert_eq!(moment_gmt("2021-12-31T19:00:00-05:00", "t"), Ok(Moment(1_640_995_200_000)));
        assert!(moment("2022-01-01T00:00:00", "t").is_err() && moment_gmt("yesterday", "t").is_err());
    }
}
