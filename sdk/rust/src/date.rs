//! Days of the calendar: counting them, and the times on them. Pure arithmetic; what the merchant's clocks make of a civil time the
//! gateway decides.

use crate::{CivilTime, LocalTime, MonthDay};
use serde::{Deserialize, Deserializer, de};

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01.
    days: i64,
}

impl Date {
    /// The day of a year; a day beyond the month's end is its last, so 29 February of a common year is the 28th.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8) -> Self {
        let month = month.clamp(1, 12);
        let day = day.clamp(1, month_days(year, month));
        // Years begin in March, so that a leap day is the last of its year; 146,097 days are 400 years.
        let shifted = i64::from(year) - i64::from(month <= 2);
        let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let of_year = (153 * (i64::from(month) + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
        Self { days: era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468 }
    }
    /// The day on which it is that time there.
    #[must_use]
    pub fn of(local: &LocalTime) -> Self {
        Self::new(local.year, local.month, local.day)
    }
    /// The day of a moment, milliseconds since 1970, by the offset the merchant's clocks have at `local`. On the other side of a
    /// clock change the true day may be the one beside it for moments within an hour of midnight.
    #[must_use]
    pub fn of_moment(moment: i64, local: &LocalTime) -> Self {
        let there = moment.saturating_add(i64::from(local.offset_minutes) * 60_000);
        Self { days: there.div_euclid(86_400_000) }
    }
    /// Reads `2026-11-21`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let (year, month, day) =
            (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let date = Self::new(year, month, day);
        // Nothing else: neither 2026-1-2 nor a day that the month does not have.
        (date.to_string() == text).then_some(date)
    }
    /// Year, month, day.
    #[must_use]
    pub fn parts(self) -> (i32, u8, u8) {
        let (era, of_era) = ((self.days + 719_468).div_euclid(146_097), (self.days + 719_468).rem_euclid(146_097));
        let of = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * of + of / 4 - of / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let small = |number: i64| u8::try_from(number).unwrap_or(1);
        (i32::try_from(era * 400 + of + next).unwrap_or(1970), small(month), small(day))
    }
    /// Four bytes for a plugin's memory: the number 20261121, big-endian, so that later days are greater. A day of no year from 0 to
    /// 9999 is the nearest one that is.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        let (year, month, day) = self.clamp(Self::new(0, 1, 1), Self::new(9999, 12, 31)).parts();
        (year.unsigned_abs() * 10_000 + u32::from(month) * 100 + u32::from(day)).to_be_bytes()
    }
    /// Reads [`Date::to_bytes`]; none if there is no such day.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        let number = u32::from_be_bytes(bytes);
        let year = i32::try_from(number / 10_000).ok()?;
        let (month, day) = (u8::try_from(number / 100 % 100).ok()?, u8::try_from(number % 100).ok()?);
        let date = Self::new(year, month, day);
        (date.parts() == (year, month, day)).then_some(date)
    }
    /// 1 (Monday) to 7 (Sunday).
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.days + 3).rem_euclid(7) + 1).unwrap_or(1)
    }
    /// This many days later.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self { days: self.days.saturating_add(days).clamp(-500_000_000, 500_000_000) }
    }
    /// The same day so many months later, or the last day of a month that is too short: a month after 31 January is 28 February,
    /// and two months after it 31 March.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let (year, month, day) = self.parts();
        let count = year.saturating_mul(12).saturating_add(i32::from(month) - 1).saturating_add(months);
        Self::new(count.div_euclid(12), u8::try_from(count.rem_euclid(12) + 1).unwrap_or(1), day)
    }
    /// Days from `earlier` to here; negative if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.days - earlier.days
    }
    /// The first such day from here on, this one included; 29 February is the 28th in common years.
    #[must_use]
    pub fn next(self, day: MonthDay) -> Self {
        let (year, ..) = self.parts();
        let this_year = Self::new(year, day.month, day.day);
        if this_year >= self { this_year } else { Self::new(year.saturating_add(1), day.month, day.day) }
    }
    /// That hour and minute of the day.
    #[must_use]
    pub fn at(self, hour: u8, minute: u8) -> CivilTime {
        let (year, month, day) = self.parts();
        CivilTime { year, month, day, hour, minute }
    }
}

/// As `2026-11-21`.
impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// From `"2026-11-21"`.
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a day such as \"2026-11-21\"")))
    }
}

fn month_days(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        for (text, days, weekday) in
            [("1970-01-01", 0, 4), ("2000-02-29", 11_016, 2), ("2026-11-21", 20_778, 6), ("1969-12-31", -1, 3)]
        {
            let date = Date::parse(text).expect(text);
            assert_eq!((date.days, date.weekday(), date.to_string().as_str()), (days, weekday, text));
        }
        for wrong in [
            "",
            "x",
            "2026-1",
            "2026-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-1-2",
            "+2026-01-02",
            "2026-+1-02",
            "26-01-02",
            "2026-01-02 ",
            "2026-01-02-03",
            "-2026-01-02",
        ] {
            assert_eq!(Date::parse(wrong), None, "{wrong}");
            let read = serde_json::from_value::<Date>(serde_json::Value::from(wrong));
            assert!(read.expect_err(wrong).to_string().contains(wrong));
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut date = Date::new(1899, 12, 31);
        for year in 1900..2300 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (month, days) in
                [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate()
            {
                let month = u8::try_from(month + 1).expect("a month");
                for day in 1..=days {
                    let next = Date::new(year, month, day);
                    assert_eq!((next.since(date), date.plus_days(1)), (1, next));
                    assert_eq!(next.parts(), (year, month, day));
                    assert_eq!(next.weekday(), date.weekday() % 7 + 1);
                    date = next;
                }
            }
        }
        assert_eq!(date.since(Date::new(1899, 12, 31)), 146_097);
    }

    #[test]
    fn a_day_beyond_the_months_end_is_its_last() {
        assert_eq!(Date::new(2027, 2, 29), Date::new(2027, 2, 28));
        assert_eq!(Date::new(2028, 2, 30), Date::new(2028, 2, 29));
        assert_eq!(Date::new(2026, 4, 31), Date::new(2026, 4, 30));
        assert_eq!(Date::new(2026, 0, 0), Date::new(2026, 1, 1));
        assert_eq!(Date::new(2026, 255, 255), Date::new(2026, 12, 31));
    }

    #[test]
    fn days_are_counted_forth_and_back() {
        let date = Date::new(2026, 11, 21);
        assert_eq!(date.plus_days(365), Date::new(2027, 11, 21));
        assert_eq!(date.plus_days(-21), Date::new(2026, 10, 31));
        assert_eq!((date.since(date.plus_days(40)), date.plus_days(40).since(date)), (-40, 40));
        for far in [i64::MIN, i64::MAX] {
            let there = date.plus_days(far);
            assert_eq!(there.plus_days(0), there);
            assert!((1..=7).contains(&there.weekday()));
        }
        for year in [i32::MIN, i32::MAX] {
            assert!(Date::new(year, 12, 31).next(MonthDay { month: 1, day: 1 }).weekday() >= 1);
        }
    }

    #[test]
    fn a_day_has_its_times() {
        let facts = crate::sample::facts();
        let today = Date::of(&facts.local);
        assert_eq!((today, today.weekday()), (Date::new(2026, 11, 21), facts.local.weekday));
        assert_eq!(today.at(9, 30), CivilTime { year: 2026, month: 11, day: 21, hour: 9, minute: 30 });
        let birthday = today.next(MonthDay { month: 2, day: 29 });
        assert_eq!(birthday.at(9, 0), CivilTime { year: 2027, month: 2, day: 28, hour: 9, minute: 0 });
        assert_eq!(today.next(MonthDay { month: 11, day: 21 }), today);
        assert_eq!(today.next(MonthDay { month: 11, day: 20 }), Date::new(2027, 11, 20));
    }

    #[test]
    fn a_leap_day_is_kept_on_the_28th_in_common_years() {
        let leap = MonthDay { month: 2, day: 29 };
        let next = |from: &str| Date::parse(from).expect(from).next(leap).to_string();
        assert_eq!(
            [next("2027-01-01"), next("2027-03-01"), next("2028-02-28")],
            ["2027-02-28", "2028-02-29", "2028-02-29"]
        );
        assert_eq!(Date::new(2027, 2, 28).next(MonthDay { month: 2, day: 28 }), Date::new(2027, 2, 28));
    }

    #[test]
    fn a_memory_keeps_days_in_four_bytes_that_sort() {
        let day = Date::new(2026, 11, 21);
        assert_eq!(day.to_bytes(), [0x01, 0x35, 0x29, 0x01]);
        assert_eq!(Date::from_bytes(day.to_bytes()), Some(day));
        assert!(Date::new(2027, 1, 1).to_bytes() > day.to_bytes());
        assert_eq!(Date::from_bytes(Date::new(-5, 1, 1).to_bytes()), Some(Date::new(0, 1, 1)));
        assert_eq!([Date::from_bytes([0; 4]), Date::from_bytes([255; 4])], [None, None]);
    }

    #[test]
    fn months_keep_the_day_where_they_can() {
        let plus = |from: &str, months| Date::parse(from).expect(from).plus_months(months).to_string();
        assert_eq!(
            [plus("2027-01-31", 1), plus("2028-01-31", 1), plus("2027-01-31", 2)],
            ["2027-02-28", "2028-02-29", "2027-03-31"]
        );
        assert_eq!(
            [plus("2026-11-21", 14), plus("2026-11-21", 1), plus("2026-01-15", -1)],
            ["2028-01-21", "2026-12-21", "2025-12-15"]
        );
    }

    #[test]
    fn a_moment_is_on_the_day_the_clocks_have_then() {
        let facts = crate::sample::facts();
        assert_eq!(Date::of_moment(facts.now, &facts.local), Date::of(&facts.local));
        // Half past eleven at night by UTC is past midnight in Bratislava.
        let late = facts.now + (12 * 60 + 30) * 60_000;
        assert_eq!(Date::of_moment(late, &facts.local).to_string(), "2026-11-22");
        assert_eq!(Date::of_moment(-1, &LocalTime { offset_minutes: 0, ..facts.local }).to_string(), "1969-12-31");
    }
}
