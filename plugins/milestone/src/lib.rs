//! Stock plugin: gifts for visits, for what was spent, and for the years with the shop. It teaches joins, yearly wakes, and being
//! called for the members there are already.

mod memory;
mod texts;

use memory::Memory;
use perkgate::prelude::*;
use perkgate::texts::Own;
use texts::Reached;

/// The only wake this plugin has.
const ANNIVERSARY: &str = "anniversary";
/// Milestones of one purchase: with three decisions each, below the gateway's limit of 32. Lower ones are passed over.
const AT_ONCE: usize = 8;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    visits: Vec<Step>,
    spent: Vec<Amount>,
    anniversaries: Vec<Step>,
    hour: u8,
    wallet: String,
    texts: OwnTexts,
}

/// Milestones that are counted: one number, or every so many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at: Option<i64>,
    every: Option<i64>,
    points: Option<i64>,
    reward: Option<Prize>,
}

/// A milestone of spend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    at: Decimal,
    points: Option<i64>,
    reward: Option<Prize>,
}

/// A reward as a gift.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prize {
    #[serde(default = "milestone_key")]
    key: String,
    title: String,
    valid_days: Option<u32>,
}

/// Texts by language, for each kind.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    visits: Own,
    spent: Own,
    anniversaries: Own,
}

fn milestone_key() -> String {
    "milestone".to_owned()
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            visits: Vec::new(),
            spent: Vec::new(),
            anniversaries: Vec::new(),
            hour: 9,
            wallet: "points".to_owned(),
            texts: OwnTexts::default(),
        }
    }
}

impl Settings {
    /// What no schema can say, and what a merchant without the schema may get wrong.
    fn check(&self) -> Result<(), Refusal> {
        let mut steps = self.visits.iter().chain(&self.anniversaries);
        if !steps.all(|step| matches!((step.at, step.every), (Some(1..), None) | (None, Some(1..)))) {
            return Err(Refusal::not_configured("a milestone has either `at` or `every`, 1 or more"));
        }
        let counted = self.visits.iter().chain(&self.anniversaries).map(|step| step.points);
        if counted.chain(self.spent.iter().map(|amount| amount.points)).flatten().any(|points| points < 1) {
            return Err(Refusal::not_configured("`points` are 1 or more"));
        }
        if self.hour > 23 { Err(Refusal::not_configured("`hour` is 0 to 23")) } else { Ok(()) }
    }
}

impl Step {
    /// The milestone of a number: one that names it goes before one that only divides it.
    fn of(steps: &[Self], number: i64) -> Option<&Self> {
        let divides = |step: &&Self| step.every.is_some_and(|every| number % every == 0);
        steps.iter().find(|step| step.at == Some(number)).or_else(|| steps.iter().find(divides))
    }
}

/// What a milestone decides: its points, its reward, and the message about both.
fn gift(reached: Reached, points: Option<i64>, prize: Option<&Prize>, facts: &Facts, settings: &Settings) -> Decide {
    let mut decisions = Vec::new();
    if let Some(points) = points {
        let reason = reached.reason(&facts.merchant);
        decisions.push(Earn::new(settings.wallet.as_str(), points).because(reason).into());
    }
    if let Some(Prize { key, title, valid_days }) = prize {
        decisions.push(Reward { valid_days: *valid_days, ..Reward::new(key.as_str(), title.as_str()) }.into());
    }
    let title = prize.map(|prize| prize.title.as_str());
    decisions.push(texts::message(reached, points, title, facts, &settings.texts)?.into());
    Ok(decisions)
}

/// Asks for the next anniversary of joining after today, unless that was done.
fn look_ahead(facts: &Facts, settings: &Settings, memory: &mut Memory) -> Result<Option<Decision>, Refusal> {
    let today = Date::of(&facts.local);
    if settings.anniversaries.is_empty() || memory.wake.is_some_and(|day| day > today) {
        return Ok(None);
    }
    let (_, month, day) = Date::of_moment(facts.member()?.joined_at, &facts.local).parts();
    let next = today.plus_days(1).next(MonthDay { month, day });
    memory.wake = Some(next);
    Ok(Some(Wake::civil(ANNIVERSARY, next.at(settings.hour, 0)).into()))
}

/// Looks ahead, and remembers what has changed.
fn finish(mut decisions: Vec<Decision>, facts: &Facts, settings: &Settings, mut memory: Memory) -> Decide {
    decisions.extend(look_ahead(facts, settings, &mut memory)?);
    if memory != Memory::recall(&facts.memory) {
        decisions.push(Decision::Remember(memory.remember()));
    }
    Ok(decisions)
}

/// Gifts for the visit and for what has been spent with it. What was reached once is not reached again, so goods given back and
/// bought again bring nothing.
#[perkgate::purchases]
pub fn milestones(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    settings.check()?;
    let member = facts.member()?;
    let mut memory = Memory::recall(&facts.memory);
    let mut decisions = Vec::new();
    let visit = member.visits.saturating_add(1);
    if let Some(step) = Step::of(&settings.visits, visit).filter(|_| visit > memory.visit) {
        memory.visit = visit;
        decisions.extend(gift(Reached::Visit(visit), step.points, step.reward.as_ref(), facts, &settings)?);
    }
    if purchase.currency == facts.merchant.currency {
        let after = member.spent.saturating_add(purchase.total);
        let mut reached = Vec::new();
        for amount in &settings.spent {
            let at = amount.at.minor(facts.merchant.exponent)?;
            // Only what this purchase reaches: members of long standing do not get everything at once.
            if member.spent.max(memory.spent) < at && at <= after {
                reached.push((at, amount));
            }
        }
        reached.sort_by_key(|(at, _)| *at);
        let passed_over = reached.len().saturating_sub(AT_ONCE);
        for (at, amount) in reached.into_iter().skip(passed_over) {
            memory.spent = at;
            decisions.extend(gift(Reached::Spent(at), amount.points, amount.reward.as_ref(), facts, &settings)?);
        }
    }
    finish(decisions, facts, &settings, memory)
}

/// Somebody new: their first anniversary is a year from now.
#[perkgate::joins]
pub fn joined(_join: &Join, facts: &Facts, settings: Settings) -> Decide {
    settings.check()?;
    finish(Vec::new(), facts, &settings, Memory::recall(&facts.memory))
}

/// An anniversary; or the plugin was just installed, and looks ahead for a member there was already.
#[perkgate::wakes]
pub fn anniversary(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    settings.check()?;
    let mut memory = Memory::recall(&facts.memory);
    let mut decisions = Vec::new();
    if woken.cause == WakeCause::Asked {
        let (today, joined) = (Date::of(&facts.local), Date::of_moment(facts.member()?.joined_at, &facts.local));
        let ((year, ..), (began, month, day)) = (today.parts(), joined.parts());
        // On 28 February it is a year since 29 February: `Date::new` sees to it.
        let years = i64::from(year - began) - i64::from(Date::new(year, month, day) > today);
        if let Some(step) = Step::of(&settings.anniversaries, years).filter(|_| years > memory.years) {
            memory.years = years;
            decisions = gift(Reached::Years(years), step.points, step.reward.as_ref(), facts, &settings)?;
        }
    }
    finish(decisions, facts, &settings, memory)
}

#[cfg(test)]
mod tests;
