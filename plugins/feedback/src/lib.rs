//! Stock plugin: a question after a purchase, a task for every discontented answer, a code for every delighted one. It teaches asking and
//! answers, lots, and tags that replace each other.

mod answer;
mod words;

use answer::Mood;
use perkgate::Gift;
use perkgate::prelude::*;
use perkgate::texts::{Own, Text};
use serde::Serialize;

/// The only wake.
const ASK: &str = "ask";
/// The question's key, which the answer has too.
const PURCHASE: &str = "purchase";
/// An hour in milliseconds.
const HOUR: i64 = 3_600_000;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    scale: Question,
    after_hours: u16,
    at_most_days: u16,
    share_percent: u8,
    valid_days: u32,
    thanks: Gift,
    tasks: bool,
    messages: bool,
    tags: bool,
    texts: OwnTexts,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Question {
    Nps,
    Csat,
}

/// Texts by language, for each occasion; a task's title is the subject.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    ask_nps: Own,
    ask_csat: Own,
    promoter: Own,
    detractor: Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            scale: Question::Nps,
            after_hours: 24,
            at_most_days: 90,
            share_percent: 100,
            valid_days: 14,
            thanks: Gift::default(),
            tasks: true,
            messages: true,
            tags: true,
            texts: OwnTexts::default(),
        }
    }
}

/// What is remembered about a member.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Memory {
    /// When they were last asked, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<i64>,
    /// The question that is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
}

/// A question that is to come.
#[derive(Debug, Deserialize, Serialize)]
struct Pending {
    /// About which purchase: source and id.
    purchase: String,
    /// When, milliseconds since 1970.
    due: i64,
}

/// Asks to be called after the purchase, unless the member was asked not long ago or the lot falls otherwise.
#[perkgate::purchases]
pub fn on_purchase(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let mut memory: Memory = facts.recall();
    let not_again = i64::from(settings.at_most_days) * 24 * HOUR;
    let obstacle = if memory.pending.as_ref().is_some_and(|pending| pending.due > facts.now) {
        Some("there will be one about an earlier purchase")
    } else if memory.asked.is_some_and(|asked| facts.now < asked.saturating_add(not_again)) {
        Some("the member was asked not long ago")
    } else if facts.dice % 100 >= u64::from(settings.share_percent) {
        Some("the lot fell on other purchases")
    } else {
        None
    };
    if let Some(why) = obstacle {
        log::info(&format!("no question: {why}"));
        return Ok(Vec::new());
    }
    let due = facts.now.saturating_add(i64::from(settings.after_hours) * HOUR);
    memory.pending = Some(Pending { purchase: name(purchase), due });
    Ok(vec![Wake::at(ASK, due).into(), Decision::remember(&memory)?])
}

/// Calls the question about a purchase off when some of it was given back.
#[perkgate::refunds]
pub fn on_refund(_refund: &Refund, purchase: &Purchase, facts: &Facts) -> Decide {
    let mut memory: Memory = facts.recall();
    if memory.pending.take_if(|pending| pending.purchase == name(purchase)).is_none() {
        return Ok(Vec::new());
    }
    Ok(vec![Wake::cancel(ASK).into(), Decision::remember(&memory)?])
}

/// The question.
#[perkgate::wakes]
pub fn on_wake(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    let memory: Memory = facts.recall();
    if woken.key != ASK || memory.pending.is_none() {
        log::info("no question: it was called off");
        return Ok(Vec::new());
    }
    let remembered = Decision::remember(&Memory { asked: Some(facts.now), pending: None })?;
    Ok(vec![settings.ask(facts)?.into(), remembered])
}

/// What follows from an answer.
#[perkgate::answers]
pub fn on_answer(answer: &Answer, facts: &Facts, settings: Settings) -> Decide {
    let mood = Mood::of(answer);
    let mut decisions = settings.thanks.decisions("feedback", "Thank you for your answer")?;
    if settings.tags {
        decisions.extend(mood.tags(&facts.member()?.tags));
    }
    match mood {
        Mood::Detractor if settings.tasks => decisions.push(answer::task(answer, facts, &settings.texts.detractor)?),
        Mood::Promoter if settings.messages => decisions.push(answer::invitation(facts, &settings.texts.promoter)?),
        _ => {}
    }
    Ok(decisions)
}

impl Settings {
    fn ask(&self, facts: &Facts) -> Result<Ask, Refusal> {
        let (scale, own) = match self.scale {
            Question::Nps => (Scale::Nps, &self.texts.ask_nps),
            Question::Csat => (Scale::Csat, &self.texts.ask_csat),
        };
        let thanks = !self.thanks.is_empty();
        let (language, text) = texts::choose(facts, own, |language| words::question(language, scale, thanks));
        let mut values = self.thanks.values(language);
        // The gateway puts the link in.
        values.push(("link", "{link}".to_owned()));
        let Text { subject, text } = text.filled(ASK, &facts.merchant, &values)?;
        Ok(Ask::new(PURCHASE, scale, language, subject, text).valid_days(self.valid_days))
    }
}

fn name(purchase: &Purchase) -> String {
    format!("{}/{}", purchase.source, purchase.id)
}

#[cfg(test)]
mod tests;
