//! Stock plugin: a paid pass with perks while it is valid. It teaches wakes, tags, refunds, and a memory that is a small machine.
//!
//! Every call goes the same way: see what has fallen due, take in what happened, ask to be woken for what falls due next.

mod desk;
mod pass;
mod texts;

use desk::Desk;
use perkgate::prelude::*;
use perkgate::texts::Own;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    skus: Vec<String>,
    length: Span,
    #[serde(default = "member_pass")]
    tag: String,
    pause_tag: Option<String>,
    extra: Option<Extra>,
    reward: Option<Regular>,
    #[serde(default = "seven")]
    remind_days: u16,
    #[serde(default = "nine")]
    hour: u8,
    #[serde(default)]
    texts: OwnTexts,
}

/// A length of time by the calendar.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Span {
    Days(u16),
    Months(u16),
}

/// Points for what members spend, besides the usual ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    points: i64,
    per: Decimal,
    #[serde(default)]
    basis: Basis,
    #[serde(default)]
    rounding: Rounding,
}

/// A reward at the beginning and again after every period.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Regular {
    #[serde(default = "members_reward")]
    key: String,
    title: String,
    every: Span,
    valid_days: Option<u32>,
}

/// Texts by language, for each message.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    started: Own,
    reminder: Own,
    ended: Own,
    reward: Own,
}

fn member_pass() -> String {
    "member-pass".to_owned()
}

fn members_reward() -> String {
    "members-reward".to_owned()
}

fn seven() -> u16 {
    7
}

fn nine() -> u8 {
    9
}

impl Span {
    fn is_empty(self) -> bool {
        matches!(self, Self::Days(0) | Self::Months(0))
    }

    /// The day after that many of it.
    fn after(self, day: Date, times: u16) -> Date {
        match self {
            Self::Days(days) => day.plus_days(i64::from(days) * i64::from(times)),
            Self::Months(months) => day.plus_months(i32::from(months) * i32::from(times)),
        }
    }
}

impl Settings {
    /// What a merchant without the schema may get wrong.
    fn check(&self) -> Result<(), Refusal> {
        if self.skus.is_empty() {
            return Err(Refusal::not_configured("`skus` names no article that is a pass"));
        }
        if self.length.is_empty() || self.reward.as_ref().is_some_and(|reward| reward.every.is_empty()) {
            return Err(Refusal::not_configured("`length` and `reward.every` are a day or more"));
        }
        if self.hour > 23 {
            return Err(Refusal::not_configured("`hour` is 0 to 23"));
        }
        Ok(())
    }

    /// Whether a line is a pass, whatever it cost: one may be a present.
    fn is_pass(&self, line: &Line) -> bool {
        line.is_one_of(&self.skus)
    }
}

/// A purchase earns extra points while the pass is valid, and may start or extend it.
#[perkgate::purchases]
pub fn membership(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let mut desk = Desk::open(facts, &settings)?;
    desk.catch_up()?;
    desk.extra_points(purchase)?;
    desk.sell(purchase)?;
    Ok(desk.close())
}

/// A refund of a pass takes the time off again that it added.
#[perkgate::refunds]
pub fn take_back(refund: &Refund, purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let mut desk = Desk::open(facts, &settings)?;
    desk.take_back(refund, purchase)?;
    Ok(desk.close())
}

/// Something has fallen due: a reward, the reminder, the end, or a look whether the pass is paused.
#[perkgate::wakes]
pub fn due(_woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    let mut desk = Desk::open(facts, &settings)?;
    desk.catch_up()?;
    Ok(desk.close_woken())
}

#[cfg(test)]
mod tests;
