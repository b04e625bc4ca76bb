//! Stock plugin: a message before points or anything else of a member's expires. It teaches what is coming, and wakes that look often
//! enough and no oftener.

mod schedule;
mod words;

use perkgate::prelude::*;
use perkgate::texts::Own;
use schedule::Every;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use words::WalletNames;

/// The only wake.
const LOOK: &str = "look";
/// The message's key in reports.
const EXPIRY: &str = "expiry";

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    days_before: u16,
    min_amount: i64,
    every: Every,
    weekday: u8,
    hour: u8,
    wallets: Vec<String>,
    wallet_names: WalletNames,
    texts: OwnTexts,
}

/// Texts by language, for each occasion.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    one_day: Own,
    several_days: Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            days_before: 14,
            min_amount: 1,
            every: Every::Weekly,
            weekday: 1,
            hour: 10,
            wallets: Vec::new(),
            wallet_names: WalletNames::new(),
            texts: OwnTexts::default(),
        }
    }
}

/// What is remembered about a member: of which last days they were told, by wallet, as days since 1970.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
struct Memory {
    told: BTreeMap<String, BTreeSet<i64>>,
}

impl Memory {
    fn has(&self, wallet: &str, day: Date) -> bool {
        self.told.get(wallet).is_some_and(|days| days.contains(&number(day)))
    }

    /// Also forgets days that are past.
    fn add(&mut self, wallet: &str, days: impl Iterator<Item = Date>, today: Date) {
        self.told.entry(wallet.to_owned()).or_default().extend(days.map(number));
        for days in self.told.values_mut() {
            days.retain(|day| *day >= number(today));
        }
        self.told.retain(|_, days| !days.is_empty());
    }
}

/// Days since 1970.
fn number(day: Date) -> i64 {
    day.since(Date::new(1970, 1, 1))
}

/// Amounts that will be lost and were not spoken of, by wallet and by the last day they can be used.
type Expiring<'a> = BTreeMap<&'a str, BTreeMap<Date, i64>>;

impl Settings {
    /// How many days ahead is looked: at least as far as the next look.
    fn window(&self) -> i64 {
        i64::from(self.days_before).max(self.every.days())
    }

    /// What can be used already and was not spoken of.
    fn expiring<'a>(&self, facts: &'a Facts, memory: &Memory) -> Expiring<'a> {
        let mut found = Expiring::new();
        for Coming { wallet, amount, matures_at, expires_at } in &facts.coming {
            let Some(expires) = expires_at.filter(|expires| *expires > facts.now) else { continue };
            // What expires at midnight can be used until the day before.
            let last = facts.day_of(expires - 1);
            let usable = matures_at.is_none_or(|matures| matures <= facts.now);
            let wanted = self.wallets.is_empty() || self.wallets.contains(wallet);
            if usable && wanted && !memory.has(wallet, last) {
                let sum = found.entry(wallet).or_default().entry(last).or_insert(0);
                *sum = amount.saturating_add(*sum);
            }
        }
        found
    }

    /// The wake for the next look: in time for what is known to expire, and often enough for what is not known yet.
    fn plan(&self, facts: &Facts, memory: &Memory) -> Result<Decision, Refusal> {
        let expiring = self.expiring(facts, memory);
        let first = expiring.values().filter_map(|days| days.keys().next()).min();
        let unknown = facts.today().plus_days((self.window() - self.every.days() + 1).max(1));
        let day = first.map_or(unknown, |first| first.plus_days(-self.window()).min(unknown));
        Ok(Wake::civil(LOOK, self.every.next(facts, day, self.weekday, self.hour)?).into())
    }

    /// A message for each wallet of which enough will be lost soon.
    fn remind(&self, facts: &Facts, memory: &mut Memory) -> Decide {
        let until = facts.today().plus_days(self.window());
        let mut decisions = Vec::new();
        for (wallet, days) in self.expiring(facts, memory) {
            let soon: BTreeMap<Date, i64> = days.into_iter().take_while(|(day, _)| *day <= until).collect();
            let amount = soon.values().fold(0_i64, |sum, amount| sum.saturating_add(*amount));
            let (Some((first, _)), Some((last, _))) = (soon.first_key_value(), soon.last_key_value()) else { continue };
            if amount >= self.min_amount {
                decisions.push(self.message(wallet, amount, (*first, *last), facts)?);
                memory.add(wallet, soon.into_keys(), facts.today());
            }
        }
        Ok(decisions)
    }

    fn message(
        &self,
        wallet: &str,
        amount: i64,
        (first, last): (Date, Date),
        facts: &Facts,
    ) -> Result<Decision, Refusal> {
        let several = first != last;
        let own = if several { &self.texts.several_days } else { &self.texts.one_day };
        let (language, text) = texts::choose(facts, own, |language| words::built_in(language, several));
        let mut values = vec![
            ("amount", words::amount(&self.wallet_names, wallet, language, amount)),
            ("date", texts::date(language, first)),
        ];
        if several {
            values.push(("last", texts::date(language, last)));
        }
        Ok(text.message(EXPIRY, language, &facts.merchant, &values)?.into())
    }
}

/// Asks for the first look.
#[perkgate::joins]
pub fn on_join(_join: &Join, facts: &Facts, settings: Settings) -> Decide {
    Ok(vec![settings.plan(facts, &facts.recall())?])
}

/// Asks for the next look.
#[perkgate::purchases]
pub fn on_purchase(_purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    Ok(vec![settings.plan(facts, &facts.recall())?])
}

/// Looks, and asks for the next look. Members from before the installation are only asked about.
#[perkgate::wakes]
pub fn on_wake(woken: &Woken, facts: &Facts, settings: Settings) -> Decide {
    let mut memory = facts.recall();
    let mut decisions = Vec::new();
    if woken.cause == WakeCause::Asked {
        decisions = settings.remind(facts, &mut memory)?;
        if decisions.is_empty() {
            log::info("no message: nothing expires soon that was not spoken of");
        } else {
            decisions.push(Decision::remember(&memory)?);
        }
    }
    decisions.push(settings.plan(facts, &memory)?);
    Ok(decisions)
}

#[cfg(test)]
mod tests;
