//! The ladder of tiers. Up at once; down only when the time is over for which a tier was reached, with grace, and after a change of the
//! rules by whichever of the old and the new asks less: nobody loses a tier because a rule was edited.

use super::apply::tag;
use super::desk::Desk;
use super::say;
use crate::ladder::Ladder;
use perkgate_domain::rules::{Downgrade, Measure, Window};
use perkgate_domain::time::Moment;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Counts what the ladder goes by, on the day it happened.
pub(super) fn count(desk: &mut Desk<'_>, counts: impl Fn(&Measure) -> bool, at: Moment, amount: i64) {
    let Some(tiers) = desk.terms.merchant.rules.tiers.as_ref().filter(|tiers| counts(&tiers.by)) else { return };
    let day = desk.terms.zone.day_start(at);
    let latest = desk.through();
    let days = &mut desk.book.member.climb.days;
    match days.binary_search_by_key(&day, |(day, _)| *day) {
        Ok(place) => days[place].1 = days[place].1.saturating_add(amount),
        Err(place) => days.insert(place, (day, amount)),
    }
    // As far back as any look may go, and a day for the clocks.
    let window = match tiers.window {
        Window::Rolling(days) => i64::from(days),
        Window::Calendar | Window::Membership => 2 * 366,
    };
    let horizon = latest.plus_ms(-(window + i64::from(tiers.grace_days) + 2).saturating_mul(DAY_MS));
    days.retain(|(day, amount)| *day >= horizon && *amount != 0);
}

/// Looks at the tier as of `at`.
pub(super) fn review(desk: &mut Desk<'_>, at: Moment) {
    let terms = desk.terms;
    let Some(tiers) = &terms.merchant.rules.tiers else { return };
    let ladder = Ladder { tiers, zone: terms.zone };
    let member = &desk.book.member;
    let progress = ladder.progress(member, at);
    let (rank, reached) = (ladder.rank(member), ladder.reached(progress));
    let foreign = member.tier.is_some() && rank.is_none();
    if reached > rank && !foreign {
        set(desk, &ladder, reached, at);
        let until = ladder.hold(&desk.book.member, at);
        desk.book.member.climb.until = Some(until);
        return;
    }
    let Some(level) = rank.map(|rank| &tiers.levels[rank]) else {
        if foreign {
            review_foreign(desk, &ladder, reached, at);
        }
        return;
    };
    if progress >= level.at {
        let mut held = desk.book.member.clone();
        held.climb.took = level.at;
        let until = ladder.hold(&held, at);
        let climb = &mut desk.book.member.climb;
        climb.took = level.at;
        climb.until = Some(match tiers.window {
            Window::Rolling(_) => until,
            Window::Calendar | Window::Membership => climb.until.map_or(until, |old| old.max(until)),
        });
    } else if desk.book.member.climb.until.is_none() {
        // The ladder is newer than the member's tier.
        desk.book.member.climb.until = Some(ladder.hold(&desk.book.member, at));
    } else if desk.book.member.climb.until.is_some_and(|until| until <= at) {
        let measured = progress.max(ladder.last_period(&desk.book.member, at));
        if measured >= level.at.min(desk.book.member.climb.took) {
            desk.book.member.climb.took = level.at;
        } else {
            let below = match tiers.downgrade {
                Downgrade::OneStep => rank.and_then(|rank| rank.checked_sub(1)),
                Downgrade::ToEarned => ladder.reached(measured),
            };
            set(desk, &ladder, below, at);
        }
        desk.book.member.climb.until = desk.book.member.tier.as_ref().map(|_| ladder.hold_on(&desk.book.member, at));
    }
}

/// A tier that the ladder does not have stays for a full period after the ladder first met it.
fn review_foreign(desk: &mut Desk<'_>, ladder: &Ladder<'_>, reached: Option<usize>, at: Moment) {
    match desk.book.member.climb.until {
        None => desk.book.member.climb.until = Some(ladder.hold(&desk.book.member, at)),
        Some(until) if until <= at => {
            set(desk, ladder, reached, at);
            let held = desk.book.member.tier.as_ref().map(|_| ladder.hold(&desk.book.member, at));
            desk.book.member.climb.until = held;
        }
        Some(_) => {}
    }
}

/// What a plugin decided: it stays for a full period.
pub(super) fn put(desk: &mut Desk<'_>, name: Option<&str>) {
    let at = desk.at();
    let Some(tiers) = &desk.terms.merchant.rules.tiers else {
        if desk.book.member.tier.as_deref() != name {
            desk.book.member.tier = name.map(str::to_owned);
            desk.book.member.climb.since = Some(at);
            say::tier_changed(desk, at);
        }
        return;
    };
    let ladder = Ladder { tiers, zone: desk.terms.zone };
    let level = name.and_then(|name| tiers.levels.iter().position(|level| level.name == name));
    set(desk, &ladder, level, at);
    if level.is_none() {
        desk.book.member.tier = name.map(str::to_owned);
    }
    desk.book.member.climb.until = name.map(|_| ladder.hold(&desk.book.member, at));
}

/// Puts the member on a level, or on none.
fn set(desk: &mut Desk<'_>, ladder: &Ladder<'_>, level: Option<usize>, at: Moment) {
    let member = &mut desk.book.member;
    let level = level.and_then(|level| ladder.tiers.levels.get(level));
    if member.tier.as_deref() == level.map(|level| level.name.as_str()) {
        return;
    }
    for other in &ladder.tiers.levels {
        if let Some(name) = &other.tag {
            tag(&mut member.tags, name, level.is_some_and(|level| level.tag.as_ref() == Some(name)));
        }
    }
    member.tier = level.map(|level| level.name.clone());
    member.climb.since = level.map(|_| at);
    member.climb.took = level.map_or(0, |level| level.at);
    say::tier_changed(desk, at);
}
