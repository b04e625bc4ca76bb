//! Stock plugin: a partner's offer when a purchase matches. It teaches offers and local time.

use perkgate::hours::{Hours, Weekdays};
use perkgate::prelude::*;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    key: String,
    title: String,
    text: String,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    skus: Vec<String>,
    minimum: Option<Decimal>,
    #[serde(default)]
    weekdays: Weekdays,
    hours: Option<Hours>,
    first_members: Option<u32>,
    valid_days: Option<u32>,
}

impl Settings {
    /// Whether a line is among the goods the offer is about.
    fn matches(&self, line: &Line) -> bool {
        let any = self.categories.is_empty() && self.skus.is_empty();
        line.kind == LineKind::Item && (any || line.is_in(&self.categories) || line.is_one_of(&self.skus))
    }

    /// What keeps the offer from being made, if anything does.
    fn obstacle(&self, purchase: &Purchase, facts: &Facts) -> Result<Option<String>, Refusal> {
        if !hours::open(&self.weekdays, self.hours, &facts.local) {
            return Ok(Some("it is not the day or the hour for it".to_owned()));
        }
        if !purchase.lines.iter().any(|line| self.matches(line)) {
            return Ok(Some("nothing of what it is about was bought".to_owned()));
        }
        let Some(minimum) = self.minimum else { return Ok(None) };
        let minimum = minimum.minor(facts.merchant.exponent)?;
        if minimum > 0 {
            purchase.in_currency_of(&facts.merchant)?;
        }
        let spent = points::Eligible::of(purchase, Basis::AfterTax, |line| self.matches(line)).total();
        Ok((spent < minimum).then(|| {
            let (spent, minimum) = (money::plain(spent, &facts.merchant), money::plain(minimum, &facts.merchant));
            format!("the matching goods cost {spent}, the minimum is {minimum}")
        }))
    }
}

/// The partner's offer, if the purchase matches.
#[perkgate::purchases]
pub fn partner_offer(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    if let Some(why) = settings.obstacle(purchase, facts)? {
        log::info(&format!("no offer: {why}"));
        return Ok(Vec::new());
    }
    let Settings { key, title, text, first_members, valid_days, .. } = settings;
    Ok(vec![Offer { limit: first_members, valid_days, ..Offer::new(key, title, text) }.into()])
}

#[cfg(test)]
mod tests;
