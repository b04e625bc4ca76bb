//! Civil time in a merchant's zone: what its clocks and calendar show, and at which moment they show it.
//!
//! Clocks are set. A civil time that they show twice means the first of the two; one that they skip means the first moment after
//! the gap. 29 February of a common year is the 28th. No moment is too early or too late: what would leave the calendar stays at its
//! end.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, Timestamp};
use perkgate_domain::decision::CivilTime;
use perkgate_domain::facts::{LocalTime, MonthDay};
use perkgate_domain::time::Moment;

#[cfg(test)]
mod tests;

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From the first of a month.
    Month,
    /// From the first of January, April, July or October.
    Quarter,
    /// From the first of January.
    Year,
}

/// A merchant's time zone; UTC where the name is not known.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone with this IANA name. Merchant files are checked, so it is known; UTC if it is not.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(TimeZone::get(name).unwrap_or(TimeZone::UTC))
    }

    /// What the clocks and the calendar show.
    #[must_use]
    pub fn local(&self, at: Moment) -> LocalTime {
        let stamp = stamp(at);
        let offset = self.0.to_offset(stamp);
        let civil = offset.to_datetime(stamp);
        let small = |number: i8| u8::try_from(number).unwrap_or(0);
        LocalTime {
            year: i32::from(civil.year()),
            month: small(civil.month()),
            day: small(civil.day()),
            hour: small(civil.hour()),
            minute: small(civil.minute()),
            weekday: small(civil.weekday().to_monday_one_offset()),
            offset_minutes: offset.seconds() / 60,
        }
    }

    /// The civil day, as `2026-11-21`.
    #[must_use]
    pub fn date(&self, at: Moment) -> String {
        self.local(at).date()
    }

    /// When the clocks show this. A day that its month does not have is the month's last.
    #[must_use]
    pub fn moment(&self, civil: CivilTime) -> Moment {
        let small = |number: u8, most: i8| i8::try_from(number).unwrap_or(most).min(most);
        let time = Time::constant(small(civil.hour, 23), small(civil.minute, 59), 0, 0);
        self.resolve(day_of(civil.year, civil.month, civil.day).to_datetime(time))
    }

    /// The first moment of the civil day that `at` lies in.
    #[must_use]
    pub fn day_start(&self, at: Moment) -> Moment {
        self.start(self.civil(at).date()).min(at)
    }

    /// The same civil time so many civil days later; `at` itself for none.
    #[must_use]
    pub fn days_later(&self, at: Moment, days: u32) -> Moment {
        // By the clocks alone, the second of two equal times would be taken for the first.
        if days == 0 {
            return at;
        }
        let civil = self.civil(at);
        self.resolve(later(civil.date(), days.into()).to_datetime(civil.time())).max(at)
    }

    /// When what is valid for so many days ends: the first moment after the civil day that lies `days` days after that of `at`.
    #[must_use]
    pub fn end_of_day(&self, at: Moment, days: u32) -> Moment {
        self.end(later(self.civil(at).date(), days.into())).max(at)
    }

    /// The first moment after the period that `at` lies in. A period's first moment lies in it.
    #[must_use]
    pub fn end_of(&self, at: Moment, period: Period) -> Moment {
        let date = self.civil(at).date();
        let last = match period {
            Period::Month => date.month(),
            Period::Quarter => (date.month() - 1) / 3 * 3 + 3,
            Period::Year => 12,
        };
        let last = Date::new(date.year(), last, 1).unwrap_or(date).last_of_month();
        self.end(last).max(at)
    }

    /// The first moment after the next of these days; `after`'s own civil day counts. None only where there are no days.
    #[must_use]
    pub fn next_date(&self, after: Moment, days: &[MonthDay]) -> Option<Moment> {
        let today = self.civil(after).date();
        let year = i32::from(today.year());
        let next = |day: &MonthDay| {
            let date = day_of(year, day.month, day.day);
            if date < today { day_of(year + 1, day.month, day.day) } else { date }
        };
        days.iter().map(next).min().map(|date| self.end(date).max(after))
    }

    /// The anniversary so many years later, or earlier for negative ones; `at` itself for none.
    #[must_use]
    pub fn years_later(&self, at: Moment, years: i32) -> Moment {
        if years == 0 {
            return at;
        }
        let civil = self.civil(at);
        let small = |number: i8| u8::try_from(number).unwrap_or(1);
        let year = i32::from(civil.year()).saturating_add(years);
        self.resolve(day_of(year, small(civil.month()), small(civil.day())).to_datetime(civil.time()))
    }

    /// What clocks and calendar show, to the millisecond.
    fn civil(&self, at: Moment) -> DateTime {
        self.0.to_datetime(stamp(at))
    }

    /// The first moment of a day. Where the clocks go from 23:59 to 01:00 that is not midnight.
    fn start(&self, date: Date) -> Moment {
        self.resolve(date.to_datetime(Time::midnight()))
    }

    /// The first moment after a day.
    fn end(&self, date: Date) -> Moment {
        date.tomorrow().map_or(Moment(Timestamp::MAX.as_millisecond()), |next| self.start(next))
    }

    /// The first moment at which the clocks show this, or the first after the gap it lies in.
    fn resolve(&self, civil: DateTime) -> Moment {
        let stamp = match self.0.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => stamp_of(civil, offset),
            AmbiguousOffset::Fold { before, .. } => stamp_of(civil, before),
            AmbiguousOffset::Gap { before, after } => {
                // Read by the new offset a skipped time lies before the change, by the old one it does not.
                let (earlier, later) = (stamp_of(civil, after), stamp_of(civil, before));
                self.0
                    .following(earlier)
                    .take_while(|change| change.timestamp() <= later)
                    .find(|change| change.offset() == after)
                    .map_or(later, |change| change.timestamp())
            }
        };
        Moment(stamp.as_millisecond())
    }
}

/// The nearest moment that the calendar has.
fn stamp(at: Moment) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// When clocks that are `offset` from UTC show this.
fn stamp_of(civil: DateTime, offset: Offset) -> Timestamp {
    offset.to_timestamp(civil).unwrap_or(if civil.year() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A day of a year: the month's last where it has fewer days, the calendar's nearest year where that ends.
fn day_of(year: i32, month: u8, day: u8) -> Date {
    let year = i16::try_from(year.clamp(-9999, 9999)).unwrap_or(0);
    let month = i8::try_from(month.clamp(1, 12)).unwrap_or(1);
    let first = Date::constant(year, month, 1);
    let day = i8::try_from(day.max(1)).unwrap_or(i8::MAX).min(first.days_in_month());
    Date::constant(year, month, day)
}

/// So many days later, or the calendar's last day.
fn later(date: Date, days: i64) -> Date {
    let span = Span::new().try_days(days);
    span.and_then(|span| date.checked_add(span)).unwrap_or(Date::MAX)
}
