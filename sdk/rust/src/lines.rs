//! What rules ask about a purchase, its lines, and what a member buys often.

use crate::{Favourite, Line, Merchant, Purchase, Refusal};

impl Line {
    /// Whether it is of one of these categories; upper and lower case are the same.
    #[must_use]
    pub fn is_in(&self, categories: &[String]) -> bool {
        is_in(self.category.as_deref(), categories)
    }
    /// Whether its article number is one of these.
    #[must_use]
    pub fn is_one_of(&self, skus: &[String]) -> bool {
        self.sku.as_ref().is_some_and(|sku| skus.contains(sku))
    }
}

impl Favourite {
    /// Whether it is of one of these categories; upper and lower case are the same.
    #[must_use]
    pub fn is_in(&self, categories: &[String]) -> bool {
        is_in(self.category.as_deref(), categories)
    }
    /// Whether its article number is one of these.
    #[must_use]
    pub fn is_one_of(&self, skus: &[String]) -> bool {
        self.sku.as_ref().is_some_and(|sku| skus.contains(sku))
    }
}

/// What has no category is in none, not even in the empty one.
fn is_in(category: Option<&str>, categories: &[String]) -> bool {
    let category = category.map(str::to_lowercase);
    category.is_some_and(|category| categories.iter().any(|wanted| wanted.to_lowercase() == category))
}

impl Purchase {
    /// For rules about amounts of money in their settings, which are in the shop's currency.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] if the purchase is in another one.
    pub fn in_currency_of(&self, merchant: &Merchant) -> Result<(), Refusal> {
        if self.currency == merchant.currency {
            return Ok(());
        }
        Err(Refusal::unsupported(format!(
            "the purchase is in {}, the rule is about amounts in {}",
            self.currency, merchant.currency
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn goods_are_known_by_category_and_article() {
        let mut cup = sample::line("cup", 300);
        assert!(!cup.is_in(&[String::new()]));
        cup.category = Some("Káva".to_owned());
        assert!(cup.is_in(&["tea".to_owned(), "KÁVA".to_owned()]) && !cup.is_in(&[]));
        assert!(cup.is_one_of(&["cup".to_owned()]) && !cup.is_one_of(&["Cup".to_owned()]));
        let Line { sku, name, category, .. } = cup;
        let favourite = Favourite { sku, name, category, purchases: 1, last_at: 0 };
        assert!(favourite.is_in(&["káva".to_owned()]) && favourite.is_one_of(&["cup".to_owned()]));
    }

    #[test]
    fn another_currency_is_named() {
        let mut purchase = sample::purchase([]);
        assert_eq!(purchase.in_currency_of(&sample::merchant()), Ok(()));
        purchase.currency = "CZK".to_owned();
        let refused = purchase.in_currency_of(&sample::merchant());
        assert!(matches!(refused, Err(Refusal::Unsupported(why)) if why.contains("CZK") && why.contains("EUR")));
    }
}
