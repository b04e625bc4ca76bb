//! Stock plugin: tells members what they have. It teaches balances, what is coming, and why to look later.
//!
//! Facts are as they stood before the entry, so after a purchase the balance is not the new one yet. The plugin asks to be woken two
//! minutes later, when everything about the purchase is settled, and writes the message then.

mod memory;
mod texts;

use memory::Memory;
use perkgate::prelude::*;
use texts::OwnTexts;

/// The wake after a purchase; another purchase before it comes replaces it.
const SETTLED: &str = "after-purchase";
const MONTHLY: &str = "monthly";
/// From a purchase to the message about it, milliseconds.
const LATER_MS: i64 = 120_000;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    after_purchase: bool,
    monthly: Option<Monthly>,
    at_most_days: u16,
    wallets: Vec<String>,
    tiers_by: TiersBy,
    expiry_days: u16,
    texts: OwnTexts,
}

/// A day of every month; where a month is shorter, its last.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Monthly {
    day: u8,
    hour: u8,
}

/// What the merchant's tiers go by, which the facts do not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TiersBy {
    #[default]
    Points,
    Spent,
    Visits,
    /// Tiers are not spoken of.
    Nothing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            after_purchase: true,
            monthly: None,
            at_most_days: 7,
            wallets: vec!["points".to_owned()],
            tiers_by: TiersBy::default(),
            expiry_days: 60,
            texts: OwnTexts::default(),
        }
    }
}

impl Monthly {
    /// The next such day after today.
    fn after(self, today: Date) -> Date {
        let (year, month, _) = today.parts();
        let this = Date::new(year, month, self.day);
        if this > today {
            return this;
        }
        let (year, month, _) = Date::new(year, month, 1).plus_months(1).parts();
        Date::new(year, month, self.day)
    }
}

impl Settings {
    /// What a merchant without the schema may get wrong.
    fn check(&self) -> Result<(), Refusal> {
        if self.monthly.is_some_and(|monthly| !(1..=31).contains(&monthly.day) || monthly.hour > 23) {
            return Err(Refusal::not_configured("`monthly.day` is 1 to 31, `monthly.hour` 0 to 23"));
        }
        if self.wallets.is_empty() {
            return Err(Refusal::not_configured("`wallets` names none to tell about"));
        }
        Ok(())
    }
}

/// One call: what is remembered, and what is decided.
struct Teller<'a> {
    facts: &'a Facts,
    settings: &'a Settings,
    today: Date,
    memory: Memory,
    decisions: Vec<Decision>,
}

impl<'a> Teller<'a> {
    fn open(facts: &'a Facts, settings: &'a Settings) -> Result<Self, Refusal> {
        settings.check()?;
        let (today, memory) = (Date::of(&facts.local), Memory::recall(&facts.memory));
        Ok(Self { facts, settings, today, memory, decisions: Vec::new() })
    }

    /// Whether the last message is long enough ago.
    fn may_tell(&self) -> bool {
        self.memory.told.is_none_or(|told| self.today.since(told) >= i64::from(self.settings.at_most_days))
    }

    fn tell(&mut self) -> Result<(), Refusal> {
        if !self.may_tell() {
            log::info("no message: the last one is not long enough ago");
            return Ok(());
        }
        match texts::message(self.facts, self.settings)? {
            Some(message) => {
                self.memory.told = Some(self.today);
                self.decisions.push(message.into());
            }
            None => log::info("no message: the member has nothing"),
        }
        Ok(())
    }

    /// Asks for the next day of the month, unless that was done, and remembers what has changed.
    fn close(mut self) -> Vec<Decision> {
        if let Some(monthly) = self.settings.monthly
            && self.memory.monthly.is_none_or(|day| day <= self.today)
        {
            let next = monthly.after(self.today);
            self.memory.monthly = Some(next);
            self.decisions.push(Wake::civil(MONTHLY, next.at(monthly.hour, 0)).into());
        }
        if self.memory != Memory::recall(&self.facts.memory) {
            self.decisions.push(Decision::Remember(self.memory.remember()));
        }
        self.decisions
    }
}

/// A purchase: in two minutes its points are there, and then is the time to tell.
#[perkgate::purchases]
pub fn bought(_purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let mut teller = Teller::open(facts, &settings)?;
    if settings.after_purchase && teller.may_tell() {
        teller.decisions.push(Wake::at(SETTLED, facts.now.saturating_add(LATER_MS)).into());
    }
    Ok(teller.close())
}

/// Somebody new, who will be told every month.
#[perkgate::joins]
pub fn joined(_join: &Join, facts: &Facts, settings: Settings) -> Decide {
    Ok(Teller::open(facts, &settings)?.close())
}

/// The time to tell; or the plugin was just installed, and asks for the day of the month.
#[perkgate::wakes]
pub fn time_to_tell(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    let mut teller = Teller::open(facts, &settings)?;
    let wanted = match woken.key.as_str() {
        SETTLED => settings.after_purchase,
        MONTHLY => settings.monthly.is_some(),
        _ => false,
    };
    if woken.cause == WakeCause::Asked && wanted {
        teller.tell()?;
    }
    Ok(teller.close())
}

#[cfg(test)]
mod tests;
