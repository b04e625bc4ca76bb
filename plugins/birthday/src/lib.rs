//! Stock plugin: a gift and a message for the birthday, once a year. It teaches civil wakes that ask for the next one, wakes for
//! members from before the installation, and a memory that cannot be tricked.

mod occasion;

use occasion::Occasion;
use perkgate::Gift;
use perkgate::prelude::*;
use perkgate::texts::Own;
use serde::Serialize;

/// The only wake, and the message's key in reports.
const BIRTHDAY: &str = "birthday";
/// Days from one gift to the next, whatever the birthday becomes in between. Less than a year, so that neither 29 February nor
/// another `days_before` costs anybody a year's gift.
const APART: i64 = 300;
/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    gift: Gift,
    message: bool,
    days_before: u8,
    hour: u8,
    min_days_member: u16,
    texts: OwnTexts,
}

/// Texts by language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    birthday: Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gift: Gift::default(),
            message: true,
            days_before: 0,
            hour: 9,
            min_days_member: 0,
            texts: OwnTexts::default(),
        }
    }
}

/// What is remembered about a member: the latest gift.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Memory {
    /// The day it was given, as `2026-11-21`.
    given: String,
    /// The year of the birthday it was given for.
    year: i32,
}

impl Settings {
    /// The day the gift for this birthday comes.
    fn call(&self, birthday: Date) -> Date {
        birthday.plus_days(-i64::from(self.days_before))
    }

    /// Whether a gift that comes on `day` may be given for this birthday.
    fn due(&self, birthday: Date, day: Date, memory: &Memory, facts: &Facts) -> Result<bool, Refusal> {
        let old_enough = || -> Result<bool, Refusal> {
            let member_days = facts.now.saturating_sub(facts.member()?.joined_at).div_euclid(DAY);
            Ok(member_days + birthday.since(facts.today()) >= i64::from(self.min_days_member))
        };
        let anew = Date::parse(&memory.given)
            .is_none_or(|given| birthday.parts().0 > memory.year && day.since(given) >= APART);
        Ok(anew && old_enough()?)
    }

    /// The wake for the next birthday there may be a gift for; none if no birthday is known.
    fn plan(&self, memory: &Memory, facts: &Facts) -> Result<Option<Wake>, Refusal> {
        let Some(day) = facts.birthday else { return Ok(None) };
        // Told of too late for the call, they are called as soon as it may be.
        let call = |birthday| self.call(birthday).max(facts.today());
        let mut birthday = facts.today().next(day);
        // A gift that may not even be given in three years is looked at again then.
        for _ in 0..3 {
            if self.due(birthday, call(birthday), memory, facts)? {
                break;
            }
            birthday = birthday.plus_days(1).next(day);
        }
        let hour_is_past = birthday == facts.today() && facts.local.hour >= self.hour;
        let wake = if hour_is_past {
            Wake::at(BIRTHDAY, facts.now)
        } else {
            Wake::civil(BIRTHDAY, facts.at_hour(call(birthday), self.hour))
        };
        Ok(Some(wake.with(birthday.to_string())))
    }

    /// The gift and the message for this birthday.
    fn give(&self, birthday: Date, facts: &Facts) -> Decide {
        let mut decisions = self.gift.decisions(BIRTHDAY, "Birthday")?;
        if self.message {
            let occasion = Occasion { ahead: birthday > facts.today(), gift: !self.gift.is_empty() };
            let own = &self.texts.birthday;
            let (language, text) = texts::choose(facts, own, |language| occasion.built_in(language));
            let mut values = self.gift.values(language);
            values.push(("date", texts::date(language, birthday)));
            decisions.push(text.message(BIRTHDAY, language, &facts.merchant, &values)?.into());
        }
        Ok(decisions)
    }
}

/// Asks to be called.
#[perkgate::joins]
pub fn on_join(_join: &Join, facts: &Facts, settings: Settings) -> Decide {
    Ok(settings.plan(&facts.recall(), facts)?.map(Decision::from).into_iter().collect())
}

/// Asks to be called: for members from before the plugin could be told of them, and where the birthday came with the purchase.
#[perkgate::purchases]
pub fn on_purchase(_purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    Ok(settings.plan(&facts.recall(), facts)?.map(Decision::from).into_iter().collect())
}

/// The birthday may be another now, or nobody's.
#[perkgate::profiles]
pub fn on_profile(_profile: &Profile, facts: &Facts, settings: Settings) -> Decide {
    let wake = settings.plan(&facts.recall(), facts)?;
    Ok(vec![wake.unwrap_or_else(|| Wake::cancel(BIRTHDAY)).into()])
}

/// The gift, if it may be given, and the wake for the next year.
#[perkgate::wakes]
pub fn on_wake(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    let mut memory = facts.recall();
    let mut decisions = Vec::new();
    if woken.cause == WakeCause::Asked {
        match called_for(woken, facts) {
            Some(birthday) if settings.due(birthday, facts.today(), &memory, facts)? => {
                decisions = settings.give(birthday, facts)?;
                memory = Memory { given: facts.today().to_string(), year: birthday.parts().0 };
                decisions.push(Decision::remember(&memory)?);
            }
            Some(_) => log::info("no gift: given not long ago, or a member for too short a time"),
            None => log::info("no gift: the birthday is another one now"),
        }
    }
    decisions.extend(settings.plan(&memory, facts)?.map(Decision::from));
    Ok(decisions)
}

/// The birthday this wake was asked for, if it is the member's still.
fn called_for(woken: &Woken, facts: &Facts) -> Option<Date> {
    let birthday = Date::parse(std::str::from_utf8(&woken.data).ok()?)?;
    let MonthDay { month, day } = facts.birthday?;
    (Date::new(birthday.parts().0, month, day) == birthday).then_some(birthday)
}

#[cfg(test)]
mod tests;
