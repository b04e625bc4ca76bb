//! Stock plugin: growing offers for members who have not come for long. It teaches the history and a member's rhythm, wakes that every
//! purchase puts off, and a hold-out group by which the effect can be measured.

mod group;
mod occasion;

use group::Group;
use occasion::Occasion;
use perkgate::prelude::*;
use perkgate::texts::Own;
use perkgate::{Gift, days};
use serde::Serialize;

/// The only wake: a later one replaces an earlier one, so a purchase stops what was to come.
const WAKE: &str = "win-back";

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    steps: Vec<Step>,
    rhythm_factor: Decimal,
    hour: u8,
    max_days: Option<u32>,
    messages: bool,
    hold_out_percent: u8,
    seed: String,
    texts: OwnTexts,
}

/// One offer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    days: u16,
    #[serde(default)]
    gift: Gift,
    #[serde(default)]
    texts: Own,
}

/// Texts by language, for each occasion.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    first: Own,
    later: Own,
}

impl Default for Settings {
    fn default() -> Self {
        let step = |days| Step { days, gift: Gift::default(), texts: Own::new() };
        Self {
            steps: [45, 60, 90].map(step).into(),
            rhythm_factor: Decimal::whole(2),
            hour: 10,
            max_days: None,
            messages: true,
            hold_out_percent: 0,
            seed: "1".to_owned(),
            texts: OwnTexts::default(),
        }
    }
}

/// What is remembered about a member.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Memory {
    /// The purchase after which they stayed away, milliseconds since 1970.
    last: i64,
    /// Steps done since, those passed over included.
    done: usize,
}

/// How long a member has been away, and when each step is due.
struct Lapse {
    last: i64,
    /// Steps done since.
    done: usize,
    /// The day of the latest purchase.
    since: Date,
    /// Days after it, step by step.
    due: Vec<i64>,
}

impl Lapse {
    /// As it is with a purchase at `also` or without one; none for whoever never bought anything.
    fn of(facts: &Facts, settings: &Settings, also: Option<i64>) -> Result<Option<Self>, Refusal> {
        let Settings { steps, rhythm_factor, .. } = settings;
        let Some(first) = steps.first().filter(|_| steps.windows(2).all(|two| two[0].days < two[1].days)) else {
            return Err(Refusal::not_configured("`steps` are one or more, in growing order of `days`"));
        };
        // A purchase that is told of late may be older than the latest.
        let Some(last) = facts.member()?.last_purchase_at.max(also) else { return Ok(None) };
        let usual = facts.rhythm(also).map_or(Ok(0), |rhythm| days::times(*rhythm_factor, rhythm))?;
        // All steps are put off alike; else those below the rhythm would all fall on one day.
        let later = (usual - i64::from(first.days)).max(0);
        let due = steps.iter().map(|step| i64::from(step.days).saturating_add(later)).collect();
        let memory: Memory = facts.recall();
        let done = if memory.last == last { memory.done } else { 0 };
        Ok(Some(Self { last, done, since: facts.day_of(last), due }))
    }

    fn days_away(&self, facts: &Facts) -> i64 {
        facts.today().since(self.since)
    }

    /// The highest step that is due and not done. Those below it are passed over.
    fn due_now(&self, facts: &Facts) -> Option<usize> {
        let away = self.days_away(facts);
        (self.done..self.due.len()).rev().find(|step| self.due[*step] <= away)
    }

    /// The wake for the next step; none after the last.
    fn plan(&self, facts: &Facts, settings: &Settings) -> Option<Decision> {
        let day = self.since.plus_days(*self.due.get(self.done)?).max(facts.today());
        let in_time = settings.max_days.is_none_or(|most| day.since(self.since) <= i64::from(most));
        in_time.then(|| Wake::civil(WAKE, facts.at_hour(day, settings.hour)).into())
    }
}

/// The time without purchases begins anew.
#[perkgate::purchases]
pub fn on_purchase(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let lapse = Lapse::of(facts, &settings, Some(purchase.placed_at))?;
    Ok(lapse.and_then(|lapse| lapse.plan(facts, &settings)).into_iter().collect())
}

/// What is due, and the wake for what comes next. Members from before the installation are only asked about.
#[perkgate::wakes]
pub fn on_wake(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    let Some(mut lapse) = Lapse::of(facts, &settings, None)? else { return Ok(Vec::new()) };
    let step = lapse.due_now(facts).filter(|_| woken.cause == WakeCause::Asked);
    let Some(step) = step else { return Ok(lapse.plan(facts, &settings).into_iter().collect()) };
    let member = facts.member()?;
    let group = Group::of(&member.id, &settings.seed, settings.hold_out_percent);
    let mut decisions = if settings.hold_out_percent > 0 { group.tags(&member.tags) } else { Vec::new() };
    if group == Group::HeldOut {
        log::info("nothing: the member is held out, to compare with");
        lapse.done = lapse.due.len();
    } else {
        decisions.extend(settings.offer(step, lapse.days_away(facts), facts)?);
        lapse.done = step + 1;
    }
    decisions.push(Decision::remember(&Memory { last: lapse.last, done: lapse.done })?);
    decisions.extend(lapse.plan(facts, &settings));
    Ok(decisions)
}

impl Settings {
    /// The gift and the message of a step.
    fn offer(&self, index: usize, away: i64, facts: &Facts) -> Decide {
        let Some(step) = self.steps.get(index) else { return Ok(Vec::new()) };
        let key = format!("{WAKE}-{}", index + 1);
        let mut decisions = step.gift.decisions(&key, &format!("Win-back after {away} days"))?;
        if self.messages {
            let occasion = Occasion { later: index > 0, gift: !step.gift.is_empty() };
            let mut own = if occasion.later { self.texts.later.clone() } else { self.texts.first.clone() };
            own.extend(step.texts.clone());
            let (language, text) = texts::choose(facts, &own, |language| occasion.built_in(language));
            let mut values = step.gift.values(language);
            values.push(("days", days::counted(language, away)));
            decisions.push(text.message(&key, language, &facts.merchant, &values)?.into());
        }
        Ok(decisions)
    }
}

#[cfg(test)]
mod tests;
