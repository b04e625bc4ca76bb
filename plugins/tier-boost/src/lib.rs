//! Stock plugin: more points for members of a tier. It teaches how a member stands in the merchant's tiers.
//!
//! It earns only what goes beyond the base rate; the base itself is another installation's, usually of `points-per-spend`.

use perkgate::points::{Eligible, Multiplier, Rate};
use perkgate::prelude::*;
use std::collections::BTreeMap;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    points: i64,
    per: Decimal,
    basis: Basis,
    exclude_kinds: Vec<LineKind>,
    exclude_categories: Vec<String>,
    exclude_skus: Vec<String>,
    rounding: Rounding,
    multipliers: BTreeMap<String, Multiplier>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            points: 1,
            per: Decimal::whole(1),
            basis: Basis::default(),
            exclude_kinds: vec![LineKind::Shipping, LineKind::Tip, LineKind::Fee, LineKind::GiftCard],
            exclude_categories: Vec::new(),
            exclude_skus: Vec::new(),
            rounding: Rounding::default(),
            multipliers: BTreeMap::new(),
        }
    }
}

impl Settings {
    fn counts(&self, line: &Line) -> bool {
        !self.exclude_kinds.contains(&line.kind)
            && !line.is_in(&self.exclude_categories)
            && !line.is_one_of(&self.exclude_skus)
    }
}

/// Points for what the tier's multiplier gives beyond the base rate.
#[perkgate::purchases]
pub fn tier_boost(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let standing = facts.standing()?;
    let Some(tier) = &standing.tier else {
        log::info("nothing earned: the member is in no tier");
        return Ok(Vec::new());
    };
    purchase.in_currency_of(&facts.merchant)?;
    let multiplier = settings.multipliers.get(tier).copied().unwrap_or(Multiplier::milli(standing.multiplier_milli));
    let per = settings.per.minor(facts.merchant.exponent)?;
    let base = Rate { points: settings.points, per, rounding: settings.rounding };
    let Some(rate) = multiplier.beyond(base)? else {
        log::info(&format!("nothing earned: the tier {tier} has the multiplier {multiplier}"));
        return Ok(Vec::new());
    };
    let eligible = Eligible::of(purchase, settings.basis, |line| settings.counts(line));
    let earned = points::per_spend(&eligible, rate)?;
    if earned.amount == 0 {
        log::info("nothing earned: what goes beyond the base is no whole point");
        return Ok(Vec::new());
    }
    let reason = format!("{multiplier} times the points for the tier {tier}");
    Ok(vec![Earn::points(earned.amount).because(reason).shared(earned.shares).into()])
}

#[cfg(test)]
mod tests;
