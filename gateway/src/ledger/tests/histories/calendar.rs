//! The model's calendar: UTC, worked out by days since 1970.

use super::steps::DAY;
use jiff::civil::Date;
use perkgate_domain::facts::MonthDay;
use perkgate_domain::rules::Round;

/// The first moment after the day that lies `days` days after that of `at`.
pub(super) fn end_of_day(at: i64, days: u32) -> i64 {
    (at.div_euclid(DAY) + i64::from(days) + 1) * DAY
}

fn date(at: i64) -> Date {
    let days = i32::try_from(at.div_euclid(DAY)).expect("a day of this age");
    Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(days))
}

fn moment(date: Date) -> i64 {
    let days = Date::constant(1970, 1, 1).until(date).expect("a day of this age").get_days();
    i64::from(days) * DAY
}

/// The first moment after the month, quarter or year that `at` lies in.
pub(super) fn end_of(at: i64, round: Round) -> i64 {
    let day = date(at);
    let (year, month) = match round {
        Round::Month => (day.year(), day.month()),
        Round::Quarter => (day.year(), (day.month() + 2) / 3 * 3),
        Round::Year => (day.year(), 12),
    };
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    moment(Date::constant(year, month, 1))
}

/// The first moment after the next of these days, today counted.
pub(super) fn next_date(at: i64, days: &[MonthDay]) -> i64 {
    let listed = |day: Date| {
        days.iter().any(|one| {
            let month = i8::try_from(one.month).expect("1 to 12");
            let last = Date::constant(day.year(), month, 1).days_in_month();
            let wanted = i8::try_from(one.day).expect("1 to 31").min(last);
            (day.month(), day.day()) == (month, wanted)
        })
    };
    let start = at.div_euclid(DAY) * DAY;
    let next = (0..=366).map(|days| start + days * DAY).find(|start| listed(date(*start)));
    next.expect("every day comes within a year") + DAY
}

/// Day and month, as numbers.
pub(super) fn day_and_month(at: i64) -> (i64, (i16, i8)) {
    let day = date(at);
    (at.div_euclid(DAY), (day.year(), day.month()))
}
