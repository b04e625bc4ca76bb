//! Stock plugin: a digital stamp card. It teaches balances, memory, and rewards that cost something.

mod day;

use day::Day;
use perkgate::prelude::*;

/// Rewards of one purchase. With an earn and a memory that is the gateway's limit of 32 decisions; further full cards stay in
/// the wallet and give their rewards with the next purchase.
const CARDS: i64 = 30;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    reward: FullCard,
    #[serde(default = "ten")]
    goal: i64,
    #[serde(default)]
    per: Per,
    #[serde(default)]
    categories: Vec<String>,
    minimum: Option<Decimal>,
    daily_limit: Option<i64>,
    #[serde(default = "stamps")]
    wallet: String,
}

/// What a full card gives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FullCard {
    #[serde(default = "full_card")]
    key: String,
    title: String,
    valid_days: Option<u32>,
}

/// What a stamp is given for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Per {
    #[default]
    Visit,
    Item,
    Category,
}

fn ten() -> i64 {
    10
}

fn stamps() -> String {
    "stamps".to_owned()
}

fn full_card() -> String {
    "full-card".to_owned()
}

impl Settings {
    /// What no schema can say, and what a merchant without the schema may get wrong.
    fn check(&self) -> Result<(), Refusal> {
        if self.goal < 1 || self.daily_limit.is_some_and(|limit| limit < 1) {
            return Err(Refusal::not_configured("`goal` and `daily_limit` are 1 or more"));
        }
        match (self.per, self.categories.is_empty()) {
            (Per::Category, true) => Err(Refusal::not_configured("`per = \"category\"` needs `categories`")),
            (Per::Visit | Per::Item, false) => Err(Refusal::not_configured("`categories` needs `per = \"category\"`")),
            _ => Ok(()),
        }
    }

    /// Whether a line is goods that were paid for and that this card is about. What was free earns no stamp.
    fn counts(&self, line: &Line) -> bool {
        line.kind == LineKind::Item && line.total > 0 && (self.per != Per::Category || line.is_in(&self.categories))
    }

    /// Stamps by line, before any limit. A visit's stamp lies on the most expensive line, so that it goes back with it.
    fn stamps(&self, purchase: &Purchase) -> Vec<Share> {
        let lines = purchase.lines.iter().filter(|line| self.counts(line));
        if self.per == Per::Visit {
            // Of equals the first: `max_by_key` alone would take the last.
            let dearest = lines.rev().max_by_key(|line| line.total);
            return dearest.map(|line| Share::new(line.id.as_str(), 1)).into_iter().collect();
        }
        // What is weighed is a piece, whatever it weighs.
        lines.map(|line| Share::new(line.id.as_str(), (line.quantity_milli / 1000).max(1))).collect()
    }

    fn below_minimum(&self, purchase: &Purchase, facts: &Facts) -> Result<bool, Refusal> {
        let Some(minimum) = self.minimum else { return Ok(false) };
        let minimum = minimum.minor(facts.merchant.exponent)?;
        if minimum > 0 {
            purchase.in_currency_of(&facts.merchant)?;
        }
        Ok(points::Eligible::of(purchase, Basis::AfterTax, |line| self.counts(line)).total() < minimum)
    }
}

/// Stamps for the purchase, and a reward for every card they fill.
#[perkgate::purchases]
pub fn stamp_card(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    settings.check()?;
    let member = facts.member()?;
    if settings.below_minimum(purchase, facts)? {
        log::info("no stamp: the purchase is below the minimum");
        return Ok(Vec::new());
    }
    let mut shares = settings.stamps(purchase);
    let day = Day::recall(&facts.memory, &facts.local);
    if let Some(limit) = settings.daily_limit {
        at_most(&mut shares, (limit - day.count()).max(0));
    }
    let stamps = shares.iter().fold(0_i64, |sum, share| sum.saturating_add(share.amount));
    if stamps == 0 {
        log::info("no stamp: nothing that earns one, or the day's limit is reached");
        return Ok(Vec::new());
    }
    let reason = match (settings.per, stamps) {
        (Per::Visit, _) => "1 stamp for a visit".to_owned(),
        (_, 1) => "1 stamp for 1 piece".to_owned(),
        (_, stamps) => format!("{stamps} stamps for {stamps} pieces"),
    };
    let held = member.balance(&settings.wallet).available.saturating_add(stamps);
    let cards = (held / settings.goal).clamp(0, CARDS);
    let mut decisions = vec![Earn::new(settings.wallet.as_str(), stamps).because(reason).shared(shares).into()];
    for _ in 0..cards {
        let FullCard { key, title, valid_days } = &settings.reward;
        let reward = Reward::new(key.as_str(), title.as_str()).priced(settings.wallet.as_str(), settings.goal);
        decisions.push(Reward { valid_days: *valid_days, ..reward }.into());
    }
    if settings.daily_limit.is_some()
        && let Some(memory) = day.with(stamps)
    {
        decisions.push(Decision::Remember(memory));
    }
    Ok(decisions)
}

/// Leaves at most `limit` stamps: the first lines keep theirs.
fn at_most(shares: &mut Vec<Share>, limit: i64) {
    let mut left = limit;
    for share in shares.iter_mut() {
        share.amount = share.amount.min(left);
        left -= share.amount;
    }
    shares.retain(|share| share.amount > 0);
}

#[cfg(test)]
mod tests;
