//! Stock plugin: multiplied points in the happy hours of the week. It teaches local time.

use perkgate::hours::Window;
use perkgate::points::{Eligible, Multiplier, Rate};
use perkgate::prelude::*;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    windows: Vec<Window>,
    #[serde(default = "double")]
    multiplier: Multiplier,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default = "one")]
    points: i64,
    #[serde(default = "one_unit")]
    per: Decimal,
    #[serde(default)]
    basis: Basis,
    #[serde(default)]
    rounding: Rounding,
}

fn double() -> Multiplier {
    Multiplier::milli(2000)
}

fn one() -> i64 {
    1
}

fn one_unit() -> Decimal {
    Decimal::whole(1)
}

impl Settings {
    /// Goods, of the categories if there are any.
    fn counts(&self, line: &Line) -> bool {
        line.kind == LineKind::Item && (self.categories.is_empty() || line.is_in(&self.categories))
    }
}

/// Points for what the multiplier gives beyond the base rate, if the purchase was made in a happy hour.
#[perkgate::purchases]
pub fn happy_hour(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    if settings.windows.is_empty() {
        return Err(Refusal::not_configured("`windows` has no happy hour"));
    }
    // The entry's own time by the shop's clock: a webhook that comes late still counts for when it was bought.
    if !settings.windows.iter().any(|window| window.is_open(&facts.local)) {
        log::info("nothing earned: it is no happy hour");
        return Ok(Vec::new());
    }
    purchase.in_currency_of(&facts.merchant)?;
    let per = settings.per.minor(facts.merchant.exponent)?;
    let base = Rate { points: settings.points, per, rounding: settings.rounding };
    let Some(rate) = settings.multiplier.beyond(base)? else {
        return Err(Refusal::not_configured("`multiplier` is above 1"));
    };
    let eligible = Eligible::of(purchase, settings.basis, |line| settings.counts(line));
    let earned = points::per_spend(&eligible, rate)?;
    if earned.amount == 0 {
        log::info("nothing earned: what counts in the happy hour makes no whole point");
        return Ok(Vec::new());
    }
    let reason = format!("Happy hour: {} times the points", settings.multiplier);
    Ok(vec![Earn::points(earned.amount).because(reason).shared(earned.shares).into()])
}

#[cfg(test)]
mod tests;
