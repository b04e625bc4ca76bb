//! When the next look at what expires is due.

use perkgate::{CivilTime, Date, Facts, Refusal};
use serde::Deserialize;

/// How often there may be a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Every {
    /// On one day of the week.
    Weekly,
    /// On every day.
    Daily,
}

impl Every {
    /// Days from one to the next.
    pub(crate) fn days(self) -> i64 {
        match self {
            Self::Weekly => 7,
            Self::Daily => 1,
        }
    }

    /// The first such time after now that is not before `day`. The same, whenever before it that is asked: so purchases do not put
    /// it off.
    pub(crate) fn next(self, facts: &Facts, day: Date, weekday: u8, hour: u8) -> Result<CivilTime, Refusal> {
        if !(1..=7).contains(&weekday) {
            return Err(Refusal::not_configured(format!("`weekday` is 1 (Monday) to 7 (Sunday), not {weekday}")));
        }
        let CivilTime { year, month, day, hour, minute } = facts.at_hour(day, hour);
        let first = Date::new(year, month, day);
        let wait = match self {
            Self::Weekly => (i64::from(weekday) - i64::from(first.weekday())).rem_euclid(7),
            Self::Daily => 0,
        };
        Ok(first.plus_days(wait).at(hour, minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;

    fn next(every: Every, day: &str, weekday: u8, hour: u8) -> String {
        // The sample's day is Saturday, 21 November 2026, 12:00.
        let time = every.next(&sample::facts(), Date::parse(day).expect(day), weekday, hour).expect("a time");
        format!("{} {}", Date::new(time.year, time.month, time.day), time.hour)
    }

    #[test]
    fn it_is_the_first_such_time_from_the_day_on() {
        assert_eq!(next(Every::Daily, "2026-11-21", 1, 13), "2026-11-21 13");
        assert_eq!(next(Every::Daily, "2026-11-21", 1, 12), "2026-11-22 12");
        assert_eq!(next(Every::Weekly, "2026-11-21", 6, 13), "2026-11-21 13");
        assert_eq!(next(Every::Weekly, "2026-11-21", 6, 12), "2026-11-28 12");
        assert_eq!(next(Every::Weekly, "2026-11-30", 1, 9), "2026-11-30 9");
        assert_eq!(next(Every::Weekly, "2026-12-01", 1, 9), "2026-12-07 9");
    }

    #[test]
    fn a_day_that_is_none_is_named() {
        let refused = Every::Weekly.next(&sample::facts(), Date::new(2026, 1, 1), 8, 9);
        assert!(matches!(refused, Err(Refusal::NotConfigured(why)) if why.contains('8')));
    }
}
