//! Stock plugin: a welcome, with a gift, and a second word to whoever has not bought anything yet. It teaches joins, wakes that are
//! called off, and what is done once for ever.

mod occasion;

use occasion::Occasion;
use perkgate::Gift;
use perkgate::prelude::*;
use perkgate::texts::Own;
use serde::Serialize;

/// The wake for the second message.
const REMINDER: &str = "reminder";

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    gift: Gift,
    message: bool,
    remind_after_days: Option<u16>,
    hour: u8,
    texts: OwnTexts,
}

/// Texts by language, for each occasion.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    welcome: Own,
    reminder: Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self { gift: Gift::default(), message: true, remind_after_days: None, hour: 10, texts: OwnTexts::default() }
    }
}

/// What is remembered about a member.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Memory {
    welcomed: bool,
}

/// Welcomes, and asks to be called in time for the second message.
#[perkgate::joins]
pub fn on_join(_join: &Join, facts: &Facts, settings: Settings) -> Decide {
    if !is_new(facts)? {
        log::info("no welcome: welcomed before, or a customer already");
        return Ok(Vec::new());
    }
    let mut decisions = welcome(facts, &settings)?;
    if let Some(days) = settings.remind_after_days {
        let time = facts.at_hour(facts.today().plus_days(days.into()), settings.hour);
        decisions.push(Wake::civil(REMINDER, time).into());
    }
    decisions.push(Decision::remember(&Memory { welcomed: true })?);
    Ok(decisions)
}

/// Welcomes whoever never joined; the first purchase calls the second message off.
#[perkgate::purchases]
pub fn on_purchase(_purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    if is_new(facts)? {
        let mut decisions = welcome(facts, &settings)?;
        decisions.push(Decision::remember(&Memory { welcomed: true })?);
        return Ok(decisions);
    }
    log::info("no welcome: welcomed before, or a customer already");
    let waiting = settings.remind_after_days.is_some() && facts.member()?.first_purchase_at.is_none();
    Ok(waiting.then(|| Wake::cancel(REMINDER).into()).into_iter().collect())
}

/// The second message, if it is still wanted and there was no purchase in the meantime.
#[perkgate::wakes]
pub fn on_wake(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    if woken.key != REMINDER || settings.remind_after_days.is_none() || facts.member()?.first_purchase_at.is_some() {
        log::info("no second message: there was a purchase, or it is no longer set");
        return Ok(Vec::new());
    }
    Ok(vec![message(Occasion::Reminder, facts, &settings.texts.reminder, &Gift::default())?])
}

/// Neither welcomed before nor a customer from before this plugin was installed.
fn is_new(facts: &Facts) -> Result<bool, Refusal> {
    let Memory { welcomed } = facts.recall();
    // A member whose only purchase was given back has no visits, and was a customer all the same.
    Ok(!welcomed && facts.member()?.first_purchase_at.is_none())
}

/// The gift and the message.
fn welcome(facts: &Facts, settings: &Settings) -> Decide {
    let Settings { gift, texts: own, .. } = settings;
    let mut decisions = gift.decisions("welcome", "Welcome")?;
    if settings.message {
        let occasion = if gift.is_empty() { Occasion::Welcome } else { Occasion::WelcomeGift };
        decisions.push(message(occasion, facts, &own.welcome, gift)?);
    }
    Ok(decisions)
}

fn message(occasion: Occasion, facts: &Facts, own: &Own, gift: &Gift) -> Result<Decision, Refusal> {
    let (language, text) = texts::choose(facts, own, |language| occasion.built_in(language));
    Ok(text.message(occasion.key(), language, &facts.merchant, &gift.values(language))?.into())
}

#[cfg(test)]
mod tests;
