//! On which days and at what hours, by the shop's clock.

use perkgate::LocalTime;
use serde::{Deserialize, Deserializer, de};

/// From one minute of the day up to another; past midnight if the second is earlier.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hours {
    #[serde(deserialize_with = "minute_of_day")]
    from: u16,
    #[serde(deserialize_with = "minute_of_day")]
    to: u16,
}

/// Whether `local` is within the hours of one of the weekdays. What is past midnight belongs to the day the hours began on.
/// Hours that end when they begin are the whole day.
pub(crate) fn open(weekdays: &[u8], hours: Option<Hours>, local: &LocalTime) -> bool {
    let on = |day: u8| weekdays.is_empty() || weekdays.contains(&day);
    let today = local.weekday;
    let yesterday = if today == 1 { 7 } else { today - 1 };
    let Some(Hours { from, to }) = hours.filter(|hours| hours.from != hours.to) else { return on(today) };
    let now = local.minute_of_day();
    if from < to {
        on(today) && (from..to).contains(&now)
    } else {
        now >= from && on(today) || now < to && on(yesterday)
    }
}

/// Reads `11:30`; `24:00` is the end of the day.
fn minute_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let read = text.split_once(':').and_then(|(hour, minute)| Some((number(hour)?, number(minute)?)));
    match read {
        Some((hour, minute)) if hour < 24 && minute < 60 || (hour, minute) == (24, 0) => Ok(hour * 60 + minute),
        _ => Err(de::Error::custom(format_args!("`{text}` is not a time of day such as \"11:30\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;

    fn at(weekday: u8, hour: u8, minute: u8) -> LocalTime {
        LocalTime { weekday, hour, minute, ..sample::facts().local }
    }

    fn hours(from: &str, to: &str) -> Option<Hours> {
        serde_json::from_str(&format!(r#"{{"from":"{from}","to":"{to}"}}"#)).expect("hours")
    }

    #[test]
    fn the_first_minute_is_in_and_the_last_is_out() {
        let lunch = hours("11:00", "14:00");
        assert!(!open(&[], lunch, &at(1, 10, 59)));
        assert!(open(&[], lunch, &at(1, 11, 0)));
        assert!(open(&[], lunch, &at(1, 13, 59)));
        assert!(!open(&[], lunch, &at(1, 14, 0)));
    }

    #[test]
    fn a_night_belongs_to_the_day_it_began_on() {
        let night = hours("22:00", "02:00");
        assert!(open(&[7], night, &at(7, 23, 30)));
        assert!(open(&[7], night, &at(1, 1, 59)));
        assert!(!open(&[7], night, &at(1, 2, 0)));
        assert!(!open(&[7], night, &at(7, 1, 0)));
        assert!(!open(&[7], night, &at(1, 23, 0)));
    }

    #[test]
    fn no_days_are_all_days_and_no_hours_are_all_hours() {
        assert!(open(&[], None, &at(3, 3, 3)));
        assert!(open(&[3], None, &at(3, 3, 3)));
        assert!(!open(&[4], None, &at(3, 3, 3)));
        assert!(open(&[], hours("08:00", "08:00"), &at(3, 3, 3)));
        assert!(open(&[], hours("20:00", "24:00"), &at(3, 23, 59)));
    }

    #[test]
    fn what_is_no_time_is_named() {
        for text in ["11", "24:01", "9:00", "11:60", "+1:00", "aa:bb"] {
            let read = serde_json::from_str::<Hours>(&format!(r#"{{"from":"{text}","to":"12:00"}}"#));
            assert!(read.expect_err(text).to_string().contains(text));
        }
    }
}
