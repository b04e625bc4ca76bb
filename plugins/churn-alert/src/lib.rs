//! Stock plugin: a task for the merchant when a regular is late by their own rhythm, and tags for segments. It teaches tasks, and tags that
//! are kept up to date by looking again exactly when they would change.

mod segment;
mod task;

use perkgate::days;
use perkgate::prelude::*;
use perkgate::texts::Own;
use segment::Segment;
use serde::Serialize;

/// The only wake.
const LOOK: &str = "look";
/// The task's key.
const LATE: &str = "late";

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    min_visits: i64,
    factor: Decimal,
    min_days: i64,
    max_days: i64,
    hour: u8,
    champion: Threshold,
    occasional: Threshold,
    tasks: bool,
    tags: bool,
    texts: OwnTexts,
}

/// Who is in a segment: at least so many visits, the latest at most so many days ago.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Threshold {
    visits: Option<i64>,
    days: Option<i64>,
}

/// Texts by language; a task's title is the subject.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    late: Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_visits: 5,
            factor: Decimal::whole(2),
            min_days: 14,
            max_days: 365,
            hour: 8,
            champion: Threshold::default(),
            occasional: Threshold::default(),
            tasks: true,
            tags: true,
            texts: OwnTexts::default(),
        }
    }
}

/// What is remembered about a member: after which purchase the merchant was told that they are late, milliseconds since 1970.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Memory {
    told: Option<i64>,
}

/// A member as they look on a day.
struct Look {
    visits: i64,
    /// The latest purchase, milliseconds since 1970.
    last: i64,
    /// Its day.
    since: Date,
    /// Days since then.
    away: i64,
    /// The usual days between visits, and the days after which they are late; only of regulars.
    regular: Option<(i64, i64)>,
}

impl Look {
    /// As it is with a purchase at `also` or without one; none for whoever never bought anything.
    fn at(facts: &Facts, settings: &Settings, also: Option<i64>) -> Result<Option<Self>, Refusal> {
        let member = facts.member()?;
        // A purchase that is told of late may be older than the latest.
        let Some(last) = member.last_purchase_at.max(also) else { return Ok(None) };
        let visits = member.visits.saturating_add(also.is_some().into());
        let since = facts.day_of(last);
        let away = facts.today().since(since).max(0);
        let mut regular = None;
        if let Some(rhythm) = facts.rhythm(also).filter(|_| visits >= settings.min_visits) {
            regular = Some((rhythm, days::times(settings.factor, rhythm)?.max(settings.min_days)));
        }
        Ok(Some(Self { visits, last, since, away, regular }))
    }

    /// The segment they are in, as far as visits and days say.
    fn segment(&self, settings: &Settings) -> Option<Segment> {
        let late = self.regular.is_some_and(|(_, late)| (late..=settings.max_days).contains(&self.away));
        let within = |(visits, days): (i64, i64)| self.visits >= visits && self.away <= days;
        if late {
            Some(Segment::AtRisk)
        } else if within(settings.champions()) {
            Some(Segment::Champion)
        } else if within(settings.occasional()) {
            Some(Segment::Occasional)
        } else {
            None
        }
    }

    /// The wake for the next day on which another segment begins or ends by time alone; none if none will.
    fn again(&self, facts: &Facts, settings: &Settings) -> Option<Decision> {
        let ends = [settings.champions(), settings.occasional()].into_iter();
        let ends = ends.filter(|(visits, _)| self.visits >= *visits).map(|(_, days)| days.saturating_add(1));
        let late = self.regular.map(|(_, late)| late);
        let gone = late.map(|_| settings.max_days.saturating_add(1));
        // While they are at risk they are in no other segment.
        let others = ends.chain(late).filter(|_| self.segment(settings) != Some(Segment::AtRisk));
        let next = others.chain(gone).filter(|days| *days > self.away).min()?;
        Some(Wake::civil(LOOK, facts.at_hour(self.since.plus_days(next), settings.hour)).into())
    }
}

impl Settings {
    fn champions(&self) -> (i64, i64) {
        (self.champion.visits.unwrap_or(10), self.champion.days.unwrap_or(60))
    }

    fn occasional(&self) -> (i64, i64) {
        (self.occasional.visits.unwrap_or(2), self.occasional.days.unwrap_or(180))
    }

    /// The tags, a task if the member is late and the merchant was not told yet, and the next look.
    fn decide(&self, look: &Look, facts: &Facts) -> Decide {
        let segment = look.segment(self);
        let mut decisions = if self.tags { segment::tags(segment, &facts.member()?.tags) } else { Vec::new() };
        let memory: Memory = facts.recall();
        if let (true, Some(Segment::AtRisk), Some((rhythm, _))) = (self.tasks, segment, look.regular)
            && memory.told != Some(look.last)
        {
            decisions.push(task::late(look, rhythm, facts, &self.texts.late)?);
            decisions.push(Decision::remember(&Memory { told: Some(look.last) })?);
        }
        decisions.extend(look.again(facts, self));
        Ok(decisions)
    }
}

/// Back again: the tags as they are with this purchase, and the next look.
#[perkgate::purchases]
pub fn on_purchase(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let look = Look::at(facts, &settings, Some(purchase.placed_at))?;
    look.map_or(Ok(Vec::new()), |look| settings.decide(&look, facts))
}

/// Something may have changed by time alone; and members from before the installation are looked at once.
#[perkgate::wakes]
pub fn on_wake(_woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    let look = Look::at(facts, &settings, None)?;
    look.map_or(Ok(Vec::new()), |look| settings.decide(&look, facts))
}

#[cfg(test)]
mod tests;
