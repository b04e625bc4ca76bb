//! Points for every purchase of at least a minimum.

use perkgate::prelude::*;

/// What the merchant sets; `settings.schema.json` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    points: i64,
    minimum: Option<Decimal>,
}

/// The rule: an ordinary function of what happened.
#[perkgate::purchases]
pub fn my_rule(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let minimum = settings.minimum.unwrap_or(Decimal::whole(0)).minor(facts.merchant.exponent)?;
    if purchase.total < minimum {
        log::info("nothing earned: the purchase is below the minimum");
        return Ok(vec![]);
    }
    Ok(vec![Earn::points(settings.points).because("Thank you for your purchase").into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample::{facts, line, purchase};

    #[test]
    fn a_purchase_below_the_minimum_earns_nothing() {
        let settings = || Settings { points: 5, minimum: Some(Decimal::whole(3)) };
        let small = my_rule(&purchase([line("tea", 299)]), &facts(), settings());
        let enough = my_rule(&purchase([line("tea", 300)]), &facts(), settings());
        assert_eq!(small, Ok(vec![]));
        assert_eq!(enough, Ok(vec![Earn::points(5).because("Thank you for your purchase").into()]));
    }
}
