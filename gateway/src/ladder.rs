//! The merchant's tiers in its civil time: what counts when, and how long a level lasts. Pure; moving a member up and down is the
//! ledger's.

use crate::civil::{Period, Zone};
use perkgate_domain::facts::{NextTier, Standing};
use perkgate_domain::member::Member;
use perkgate_domain::rules::{Rules, Tiers, Window};
use perkgate_domain::time::Moment;

/// The mean length of a Gregorian year: 365.2425 days.
const YEAR_MS: i64 = 31_556_952_000;

/// How a member stands at `at`, for plugins and whoever asks.
#[must_use]
pub fn standing(rules: &Rules, zone: &Zone, member: &Member, at: Moment) -> Standing {
    let nothing = Standing {
        tier: member.tier.clone(),
        since: member.climb.since,
        until: None,
        multiplier_milli: 1000,
        progress: 0,
        next: None,
    };
    let Some(tiers) = &rules.tiers else { return nothing };
    let ladder = Ladder { tiers, zone };
    let progress = ladder.progress(member, at);
    let rank = ladder.rank(member);
    let above = rank.max(ladder.reached(progress)).map_or(0, |rank| rank + 1);
    Standing {
        until: member.climb.until,
        multiplier_milli: rank.map_or(1000, |rank| tiers.levels[rank].multiplier_milli),
        progress,
        next: tiers.levels.get(above).map(|level| NextTier {
            name: level.name.clone(),
            at: level.at,
            missing: level.at.saturating_sub(progress).max(0),
        }),
        ..nothing
    }
}

/// A merchant's tiers in its civil time.
#[derive(Clone, Copy, Debug)]
pub struct Ladder<'a> {
    /// The rules.
    pub tiers: &'a Tiers,
    /// The merchant's.
    pub zone: &'a Zone,
}

impl Ladder<'_> {
    /// Where on the ladder the member's tier is.
    #[must_use]
    pub fn rank(&self, member: &Member) -> Option<usize> {
        let tier = member.tier.as_ref()?;
        self.tiers.levels.iter().position(|level| level.name == *tier)
    }

    /// The highest level that takes no more than this.
    #[must_use]
    pub fn reached(&self, progress: i64) -> Option<usize> {
        self.tiers.levels.iter().rposition(|level| level.at <= progress)
    }

    /// When what happened on a day stops counting.
    fn counts_until(&self, member: &Member, day: Moment) -> Moment {
        match self.tiers.window {
            Window::Rolling(days) => self.zone.days_later(day, days),
            Window::Calendar | Window::Membership => self.period_end(member, day),
        }
    }

    /// The end of the year that `at` lies in.
    fn period_end(&self, member: &Member, at: Moment) -> Moment {
        if self.tiers.window != Window::Membership {
            return self.zone.end_of(at, Period::Year);
        }
        let joined = self.zone.day_start(member.joined_at);
        // Counted by mean years this is at most one too many or too few, whatever the leap years.
        let years = i32::try_from(at.since_ms(joined) / YEAR_MS).unwrap_or(0).saturating_sub(1).max(0);
        let mut ends = (years..).take(4).map(|year| self.zone.years_later(joined, year));
        ends.find(|end| *end > at).unwrap_or_else(|| self.zone.end_of(at, Period::Year))
    }

    /// What counts at `at`: an entry that comes late must not be helped by days that lie after it.
    #[must_use]
    pub fn progress(&self, member: &Member, at: Moment) -> i64 {
        let days = member.climb.days.iter().filter(|(day, _)| *day <= at && self.counts_until(member, *day) > at);
        days.fold(0, |sum: i64, (_, amount)| sum.saturating_add(*amount))
    }

    /// What counted in the year that ended last.
    #[must_use]
    pub fn last_period(&self, member: &Member, at: Moment) -> i64 {
        if let Window::Rolling(_) = self.tiers.window {
            return 0;
        }
        let ends = member.climb.days.iter().map(|(day, amount)| (self.period_end(member, *day), amount));
        let ended = ends.filter(|(end, _)| *end <= at && self.period_end(member, *end) > at);
        ended.fold(0, |sum: i64, (_, amount)| sum.saturating_add(*amount))
    }

    /// How long a level lasts that is reached at `at`.
    #[must_use]
    pub fn hold(&self, member: &Member, at: Moment) -> Moment {
        let end = match self.tiers.window {
            Window::Rolling(days) => {
                let mut left = self.progress(member, at);
                let falls = member.climb.days.iter().filter_map(|(day, amount)| {
                    let end = self.counts_until(member, *day);
                    if *day > at || end <= at {
                        return None;
                    }
                    left = left.saturating_sub(*amount);
                    (left < member.climb.took).then_some(end)
                });
                falls.into_iter().next().unwrap_or_else(|| self.zone.days_later(at, days))
            }
            Window::Calendar | Window::Membership => self.period_end(member, self.period_end(member, at)),
        };
        self.with_grace(end)
    }

    /// How long a level lasts that was kept or stepped down to at `at`.
    #[must_use]
    pub fn hold_on(&self, member: &Member, at: Moment) -> Moment {
        match self.tiers.window {
            Window::Rolling(_) if self.progress(member, at) >= member.climb.took => self.hold(member, at),
            Window::Rolling(_) => self.zone.days_later(at, self.tiers.grace_days.max(1)),
            Window::Calendar | Window::Membership => self.with_grace(self.period_end(member, at)),
        }
    }

    fn with_grace(&self, end: Moment) -> Moment {
        if self.tiers.grace_days == 0 { end } else { self.zone.days_later(end, self.tiers.grace_days) }
    }
}
