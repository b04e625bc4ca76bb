//! Stock plugin: a message on the first purchase, the Nth visit and milestones of spend. It teaches languages and plural rules.
//!
//! Consent is not asked about here: the gateway holds back messages to members who did not agree, and records that it did.

mod occasion;

use occasion::Occasion;
use perkgate::prelude::*;
use perkgate::texts::Own;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    first_purchase: bool,
    visits: Vec<i64>,
    visits_every: Option<i64>,
    milestones: Vec<Decimal>,
    texts: OwnTexts,
}

/// Texts by language, for each occasion.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnTexts {
    first_purchase: Own,
    visit: Own,
    milestone: Own,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            first_purchase: true,
            visits: Vec::new(),
            visits_every: None,
            milestones: Vec::new(),
            texts: OwnTexts::default(),
        }
    }
}

impl Settings {
    fn own(&self, occasion: Occasion) -> &Own {
        match occasion {
            Occasion::FirstPurchase => &self.texts.first_purchase,
            Occasion::Visit(_) => &self.texts.visit,
            Occasion::Milestone(_) => &self.texts.milestone,
        }
    }

    /// What this purchase is an occasion for. The first purchase is not also thanked for as a visit.
    fn occasions(&self, purchase: &Purchase, facts: &Facts) -> Result<Vec<Occasion>, Refusal> {
        let member = facts.member()?;
        let visit = member.visits.saturating_add(1);
        // Somebody whose only purchase was given back has no visits, and yet was welcomed already.
        let first = visit == 1 && member.first_purchase_at.is_none();
        let every = self.visits_every.is_some_and(|every| every > 0 && visit % every == 0);
        let mut occasions = Vec::new();
        if first && self.first_purchase {
            occasions.push(Occasion::FirstPurchase);
        } else if every || self.visits.contains(&visit) {
            occasions.push(Occasion::Visit(visit));
        }
        if purchase.currency == facts.merchant.currency {
            let after = member.spent.saturating_add(purchase.total);
            let mut reached = Vec::new();
            for milestone in &self.milestones {
                let milestone = milestone.minor(facts.merchant.exponent)?;
                if member.spent < milestone && milestone <= after {
                    reached.push(milestone);
                }
            }
            // Several at once are one occasion: the highest.
            occasions.extend(reached.into_iter().max().map(Occasion::Milestone));
        }
        Ok(occasions)
    }
}

/// A message for each occasion, in the member's language where there is a text in it.
#[perkgate::purchases]
pub fn thank_you(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let occasions = settings.occasions(purchase, facts)?;
    if occasions.is_empty() {
        log::info("no message: neither first purchase, visit nor milestone");
    }
    occasions.into_iter().map(|occasion| message(occasion, facts, settings.own(occasion))).collect()
}

fn message(occasion: Occasion, facts: &Facts, own: &Own) -> Result<Decision, Refusal> {
    let (language, text) = texts::choose(facts, own, |language| occasion.built_in(language));
    let values = occasion.values(language, &facts.merchant);
    Ok(text.message(occasion.key(), language, &facts.merchant, &values)?.into())
}

#[cfg(test)]
mod tests;
