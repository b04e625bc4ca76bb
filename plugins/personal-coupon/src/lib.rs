//! Stock plugin: money off what a member buys most. It teaches favourites, and titles in the member's language.

mod memory;
mod texts;

use memory::Memory;
use perkgate::prelude::*;
use perkgate::texts::{Own, choose, fill};

/// The only wake this plugin has.
const COUPON: &str = "coupon";
/// Characters of an item's name that a title has room for.
const NAME: usize = 100;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    every: Every,
    percent: u8,
    #[serde(default = "two_weeks")]
    valid_days: u32,
    #[serde(default = "five")]
    minimum_purchases: i64,
    #[serde(default = "two")]
    item_purchases: u32,
    #[serde(default)]
    exclude_categories: Vec<String>,
    #[serde(default)]
    exclude_skus: Vec<String>,
    #[serde(default = "ten")]
    hour: u8,
    #[serde(default = "personal_coupon")]
    key: String,
    #[serde(default)]
    texts: OwnTexts,
}

/// How often there is a coupon.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Every {
    Visits(i64),
    Days(u16),
}

/// Texts by language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    title: Own<String>,
    message: Own,
}

fn two_weeks() -> u32 {
    14
}

fn five() -> i64 {
    5
}

fn two() -> u32 {
    2
}

fn ten() -> u8 {
    10
}

fn personal_coupon() -> String {
    "personal-coupon".to_owned()
}

impl Settings {
    /// What a merchant without the schema may get wrong.
    fn check(&self) -> Result<(), Refusal> {
        if matches!(self.every, Every::Visits(..=0) | Every::Days(0)) {
            return Err(Refusal::not_configured("`every` is 1 or more visits, or 1 or more days"));
        }
        if !(1..=100).contains(&self.percent) || self.hour > 23 || self.valid_days == 0 {
            return Err(Refusal::not_configured("`percent` is 1 to 100, `hour` 0 to 23, `valid_days` 1 or more"));
        }
        Ok(())
    }

    /// What the next coupon is for: the member's first favourite that is not excluded and was not the last one's.
    fn favourite<'a>(&self, facts: &'a Facts, memory: &Memory) -> Option<&'a Favourite> {
        facts.favourites.iter().find(|favourite| {
            let excluded = favourite.is_in(&self.exclude_categories) || favourite.is_one_of(&self.exclude_skus);
            favourite.purchases >= self.item_purchases && !excluded && memory::item(favourite) != memory.item
        })
    }

    /// The coupon and the message about it; nothing if there is no favourite for it. `visits` are those of the member so far.
    fn coupon(&self, facts: &Facts, visits: i64, memory: &mut Memory) -> Decide {
        if visits < self.minimum_purchases {
            log::info(&format!("no coupon: {visits} purchases, {} are needed", self.minimum_purchases));
            return Ok(Vec::new());
        }
        let Some(favourite) = self.favourite(facts, memory) else {
            log::info("no coupon: the member has no favourite but that of the last one");
            return Ok(Vec::new());
        };
        let today = Date::of(&facts.local);
        (memory.item, memory.visit, memory.day) = (memory::item(favourite), visits, Some(today));
        let values = |language: &str| {
            let until = today.plus_days(i64::from(self.valid_days));
            [
                ("percent", self.percent.to_string()),
                ("item", favourite.name.chars().take(NAME).collect()),
                ("until", perkgate::texts::date(language, until)),
            ]
        };
        let (language, title) = choose(facts, &self.texts.title, texts::title);
        let title = fill(&title, "title", &facts.merchant, &values(language))?;
        let (language, message) = choose(facts, &self.texts.message, texts::message);
        let message = message.message("personal-coupon", language, &facts.merchant, &values(language))?;
        Ok(vec![Reward::new(self.key.as_str(), title).valid_days(self.valid_days).into(), message.into()])
    }
}

/// Every so many visits a coupon; or, after a purchase, a wake when the next one is due.
#[perkgate::purchases]
pub fn personal_coupon_on_visit(_purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    settings.check()?;
    let mut memory = Memory::recall(&facts.memory);
    let visit = facts.member()?.visits.saturating_add(1);
    let today = Date::of(&facts.local);
    let mut decisions = Vec::new();
    match settings.every {
        // Counted from the last coupon: a visit that was given back and made again brings no second one.
        Every::Visits(visits) if visit - memory.visit >= visits => {
            decisions = settings.coupon(facts, visit, &mut memory)?;
        }
        // Asked for by a purchase, so nobody who stays away gets coupons for ever.
        Every::Days(days) if memory.wake.is_none_or(|day| day < today) => {
            let due = memory.day.unwrap_or(today).plus_days(i64::from(days)).max(today.plus_days(1));
            memory.wake = Some(due);
            decisions.push(Wake::civil(COUPON, due.at(settings.hour, 0)).into());
        }
        Every::Visits(_) | Every::Days(_) => {}
    }
    if !decisions.is_empty() {
        decisions.push(Decision::Remember(memory.remember()));
    }
    Ok(decisions)
}

/// The day of a coupon has come.
#[perkgate::wakes]
pub fn personal_coupon_on_day(_woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    settings.check()?;
    let mut memory = Memory { wake: None, ..Memory::recall(&facts.memory) };
    let mut decisions = Vec::new();
    if matches!(settings.every, Every::Days(_)) {
        decisions = settings.coupon(facts, facts.member()?.visits, &mut memory)?;
    }
    decisions.push(Decision::Remember(memory.remember()));
    Ok(decisions)
}

#[cfg(test)]
mod tests;
