//! On which days and at what hours, by the shop's clock: settings of rules that hold at some times only.

use crate::LocalTime;
use serde::{Deserialize, Deserializer, de};

/// A time of the day. In settings it is text: `"11:30"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// Minutes since midnight, below 1,440.
    minute: u16,
}

impl TimeOfDay {
    /// 0 to 23.
    #[must_use]
    pub fn hour(self) -> u8 {
        u8::try_from(self.minute / 60).unwrap_or(0)
    }
    /// 0 to 59.
    #[must_use]
    pub fn minute(self) -> u8 {
        u8::try_from(self.minute % 60).unwrap_or(0)
    }
}

/// Days of the week, each 1 (Monday) to 7 (Sunday). None named are all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weekdays {
    days: Vec<u8>,
}

impl Weekdays {
    /// Whether that day is one of them.
    #[must_use]
    pub fn has(&self, weekday: u8) -> bool {
        self.days.is_empty() || self.days.contains(&weekday)
    }
}

/// From one minute of the day up to another; past midnight if the second is earlier. In settings
/// `{ "from": "11:30", "to": "14:00" }`, where `to` may be `"24:00"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    from: TimeOfDay,
    #[serde(deserialize_with = "minute_of_day")]
    to: u16,
}

/// Hours of some days of the week. In settings `{ "weekdays": [1, 2], "from": "22:00", "to": "02:00" }`; without `weekdays`
/// it is every day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    #[serde(default)]
    weekdays: Weekdays,
    from: TimeOfDay,
    #[serde(deserialize_with = "minute_of_day")]
    to: u16,
}

impl Window {
    /// Whether `local` is within it, as [`open`] says.
    #[must_use]
    pub fn is_open(&self, local: &LocalTime) -> bool {
        open(&self.weekdays, Some(Hours { from: self.from, to: self.to }), local)
    }
}

/// Whether `local` is within the hours of one of the weekdays. What is past midnight belongs to the day the hours began on.
/// Hours that end when they begin are the whole day, and so are none.
#[must_use]
pub fn open(weekdays: &Weekdays, hours: Option<Hours>, local: &LocalTime) -> bool {
    let today = local.weekday;
    let yesterday = if today == 1 { 7 } else { today - 1 };
    let Some(Hours { from: TimeOfDay { minute: from }, to }) = hours.filter(|hours| hours.from.minute != hours.to)
    else {
        return weekdays.has(today);
    };
    let now = local.minute_of_day();
    if from < to {
        weekdays.has(today) && (from..to).contains(&now)
    } else {
        now >= from && weekdays.has(today) || now < to && weekdays.has(yesterday)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match minute_of_day(deserializer)? {
            1440 => Err(de::Error::custom("`24:00` is the end of a day; its beginning is `00:00`")),
            minute => Ok(Self { minute }),
        }
    }
}

impl<'de> Deserialize<'de> for Weekdays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let days = Vec::<u8>::deserialize(deserializer)?;
        match days.iter().find(|day| !(1..=7).contains(*day)) {
            Some(day) => Err(de::Error::custom(format_args!("weekdays are 1 (Monday) to 7 (Sunday), not {day}"))),
            None => Ok(Self { days }),
        }
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
    use crate::sample;

    fn at(weekday: u8, hour: u8, minute: u8) -> LocalTime {
        LocalTime { hour, minute, weekday, ..sample::facts().local }
    }

    fn hours(from: &str, to: &str) -> Option<Hours> {
        serde_json::from_str(&format!(r#"{{"from":"{from}","to":"{to}"}}"#)).expect("hours")
    }

    fn on(days: &[u8]) -> Weekdays {
        Weekdays { days: days.to_vec() }
    }

    #[test]
    fn the_first_minute_is_in_and_the_last_is_out() {
        let lunch = hours("11:00", "14:00");
        assert!(!open(&on(&[]), lunch, &at(1, 10, 59)));
        assert!(open(&on(&[]), lunch, &at(1, 11, 0)));
        assert!(open(&on(&[]), lunch, &at(1, 13, 59)));
        assert!(!open(&on(&[]), lunch, &at(1, 14, 0)));
    }

    #[test]
    fn a_night_belongs_to_the_day_it_began_on() {
        let night = hours("22:00", "02:00");
        assert!(open(&on(&[7]), night, &at(7, 23, 30)));
        assert!(open(&on(&[7]), night, &at(1, 1, 59)));
        assert!(!open(&on(&[7]), night, &at(1, 2, 0)));
        assert!(!open(&on(&[7]), night, &at(7, 1, 0)));
        assert!(!open(&on(&[7]), night, &at(1, 23, 0)));
    }

    #[test]
    fn no_days_are_all_days_and_no_hours_are_all_hours() {
        assert!(open(&on(&[]), None, &at(3, 3, 3)));
        assert!(open(&on(&[3]), None, &at(3, 3, 3)));
        assert!(!open(&on(&[4]), None, &at(3, 3, 3)));
        assert!(open(&on(&[]), hours("08:00", "08:00"), &at(3, 3, 3)));
        assert!(open(&on(&[]), hours("20:00", "24:00"), &at(3, 23, 59)));
    }

    #[test]
    fn a_window_is_hours_of_some_days() {
        let read = |json: &str| serde_json::from_str::<Window>(json).map_err(|error| error.to_string());
        let window = read(r#"{"weekdays":[5],"from":"22:00","to":"02:00"}"#).expect("a window");
        assert!(window.is_open(&at(6, 1, 0)) && !window.is_open(&at(5, 1, 0)));
        assert!(read(r#"{"from":"08:00","to":"24:00"}"#).expect("every day").is_open(&at(7, 23, 0)));
        assert!(read(r#"{"weekdays":[0],"from":"08:00","to":"09:00"}"#).expect_err("no day").contains("not 0"));
    }

    #[test]
    fn what_is_no_time_is_named() {
        for text in ["11", "24:01", "9:00", "11:60", "+1:00", "aa:bb", "24:00"] {
            let read = serde_json::from_str::<Hours>(&format!(r#"{{"from":"{text}","to":"12:00"}}"#));
            assert!(read.expect_err(text).to_string().contains(text));
        }
        let time: TimeOfDay = serde_json::from_str(r#""09:05""#).expect("a time");
        assert_eq!((time.hour(), time.minute()), (9, 5));
    }
}
