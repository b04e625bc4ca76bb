//! Stock plugin: points for every unit of money spent. It teaches earning with shares per line.

use perkgate::prelude::*;

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
    minimum: Decimal,
    rounding: Rounding,
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
            minimum: Decimal::whole(0),
            rounding: Rounding::default(),
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

/// Points for what counts of a purchase.
#[perkgate::purchases]
pub fn points_per_spend(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let merchant = &facts.merchant;
    purchase.in_currency_of(merchant)?;
    let minimum = settings.minimum.minor(merchant.exponent)?;
    let per = settings.per.minor(merchant.exponent)?;
    let rate = points::Rate { points: settings.points, per, rounding: settings.rounding };
    let eligible = points::Eligible::of(purchase, settings.basis, |line| settings.counts(line));
    let earned = points::per_spend(&eligible, rate)?;
    if eligible.total() < minimum {
        let counts = money::plain(eligible.total(), merchant);
        log::info(&format!("nothing earned: {counts} counts, the minimum is {}", money::plain(minimum, merchant)));
        return Ok(Vec::new());
    }
    if earned.amount == 0 {
        let counts = money::plain(eligible.total(), merchant);
        log::info(&format!("nothing earned: {counts} counts, which is no whole point"));
        return Ok(Vec::new());
    }
    let word = if settings.points == 1 { "point" } else { "points" };
    let reason = format!("{} {word} per {}", settings.points, money::plain(per, merchant));
    Ok(vec![Earn::points(earned.amount).because(reason).shared(earned.shares).into()])
}

#[cfg(test)]
mod tests;
