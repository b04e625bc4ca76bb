//! What happened in a shop, in one shape for every platform. Contact data is not here: it travels in
//! [`crate::member::Identity`] and is stored apart.

use crate::money::Currency;
use crate::time::Moment;
use serde::{Deserialize, Serialize};

/// One paid sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// The platform's own id of the order (or payment): what dedupes it for ever within its source.
    pub id: String,
    /// What staff call the order, where that differs: `#1001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where it was made.
    #[serde(default)]
    pub channel: Channel,
    /// When it was paid, or placed where the platform does not say.
    pub placed_at: Moment,
    /// The currency of every amount in here.
    pub currency: Currency,
    /// What the customer paid, minor units, tax and tip included.
    pub total: i64,
    /// The tax within `total`, minor units.
    #[serde(default)]
    pub tax: i64,
    /// What was taken off before `total`, minor units, not negative. For information: lines are already net of it.
    #[serde(default)]
    pub discount: i64,
    /// What `total` has beyond the sum of the lines, minor units; 0 if the lines add up.
    #[serde(default)]
    pub unaccounted: i64,
    /// Why the lines do not add up, wherever `unaccounted` is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unaccounted_reason: Option<String>,
    /// What was bought. Never empty for a purchase made by a connector.
    pub lines: Vec<Line>,
    /// Discount or reward codes the customer used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// The platform's id of the shop or till, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// Where a purchase was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// In a web shop.
    Online,
    /// At a till.
    InStore,
    /// The platform does not say.
    #[default]
    Unknown,
}

/// One line of a purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Unique within the purchase; the platform's id where it has one.
    pub id: String,
    /// The merchant's article number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// As the customer reads it.
    pub name: String,
    /// The merchant's category, where the platform tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Thousandths of a piece (or kilogram, litre…): 1000 is one. Never negative.
    pub quantity_milli: i64,
    /// Price of one before discounts, minor units, as the platform states it (with or without tax).
    pub unit: i64,
    /// What the customer paid for the line: after discounts, tax included, minor units. Negative only for a discount.
    pub total: i64,
    /// The tax within `total`, minor units.
    #[serde(default)]
    pub tax: i64,
    /// What the line is.
    #[serde(default)]
    pub kind: LineKind,
}

/// What a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// Goods or a service.
    #[default]
    Item,
    /// Delivery.
    Shipping,
    /// A tip.
    Tip,
    /// A surcharge.
    Fee,
    /// A gift card bought (not used).
    GiftCard,
    /// Money off the whole purchase; its total is negative.
    Discount,
}

impl LineKind {
    /// The name used in settings and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Shipping => "shipping",
            Self::Tip => "tip",
            Self::Fee => "fee",
            Self::GiftCard => "gift-card",
            Self::Discount => "discount",
        }
    }
}

/// Money given back on one purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The platform's own id of the refund; dedupes it for ever within its source.
    pub id: String,
    /// The [`Purchase::id`] it gives back.
    pub purchase: String,
    /// When it was made.
    pub at: Moment,
    /// The currency of `amount`.
    pub currency: Currency,
    /// All that was given back by this refund, minor units, positive. Ignored if `complete`.
    pub amount: i64,
    /// Gives back whatever of the purchase is left (a cancelled order).
    #[serde(default)]
    pub complete: bool,
    /// What of `amount` the platform attributes to lines; the rest belongs to the purchase as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RefundLine>,
}

/// The part of a refund that belongs to one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundLine {
    /// The [`Line::id`] given back.
    pub line: String,
    /// How much of it, in thousandths of a piece; 0 if the platform tells the amount only.
    #[serde(default)]
    pub quantity_milli: i64,
    /// The money given back for it, tax included, minor units; 0 if the platform tells the quantity only.
    #[serde(default)]
    pub amount: i64,
}

/// Why a purchase or refund cannot be believed, whatever platform it came from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Implausible(pub String);

impl Purchase {
    /// Checks what every connector promises: bounded and unique lines, no negative quantity, amounts that add up or a reason.
    ///
    /// # Errors
    /// [`Implausible`] names the first thing that does not hold.
    pub fn check(&self) -> Result<(), Implausible> {
        use crate::limits;
        let fail = |text: String| Err(Implausible(text));
        if self.id.is_empty() || self.id.len() > limits::EXTERNAL_ID_BYTES {
            return fail(format!(
                "a purchase id has 1 to {} bytes, this one {}",
                limits::EXTERNAL_ID_BYTES,
                self.id.len()
            ));
        }
        if self.lines.len() > limits::LINES {
            return fail(format!("{} lines are more than the {} a purchase may have", self.lines.len(), limits::LINES));
        }
        if self.codes.len() > limits::CODES {
            return fail(format!("{} codes are more than the {} a purchase may have", self.codes.len(), limits::CODES));
        }
        let mut ids: Vec<&str> = self.lines.iter().map(|line| line.id.as_str()).collect();
        ids.sort_unstable();
        if let Some([twice, _]) = ids.array_windows().find(|[one, next]| one == next) {
            return fail(format!("two lines have the id `{twice}`"));
        }
        for line in &self.lines {
            if line.quantity_milli < 0 {
                return fail(format!("line `{}` has a negative quantity", line.id));
            }
            if line.total < 0 && line.kind != LineKind::Discount {
                return fail(format!("line `{}` has a negative total and is no discount", line.id));
            }
        }
        if self.total < 0 {
            return fail("the total is negative".to_owned());
        }
        let sum = self.lines.iter().try_fold(self.unaccounted, |sum, line| sum.checked_add(line.total));
        match sum {
            Some(sum) if sum == self.total => {}
            Some(sum) => return fail(format!("lines and `unaccounted` make {sum}, the total is {}", self.total)),
            None => return fail("the lines' totals do not fit in 64 bits".to_owned()),
        }
        if self.unaccounted != 0 && self.unaccounted_reason.is_none() {
            return fail(format!("{} is unaccounted for and no reason is given", self.unaccounted));
        }
        Ok(())
    }
}

impl Refund {
    /// Checks what every connector promises: an id, amounts that are not negative, a bounded number of lines.
    ///
    /// # Errors
    /// [`Implausible`] names the first thing that does not hold.
    pub fn check(&self) -> Result<(), Implausible> {
        use crate::limits;
        if self.id.is_empty() || self.id.len() > limits::EXTERNAL_ID_BYTES || self.purchase.is_empty() {
            return Err(Implausible("a refund needs an id of its own and its purchase's".to_owned()));
        }
        if self.lines.len() > limits::LINES {
            return Err(Implausible(format!(
                "{} lines are more than the {} a refund may have",
                self.lines.len(),
                limits::LINES
            )));
        }
        if self.amount < 0 || self.lines.iter().any(|line| line.amount < 0 || line.quantity_milli < 0) {
            return Err(Implausible("a refund's amounts and quantities are not negative".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purchase() -> Purchase {
        let line = |id: &str, total| Line {
            id: id.into(),
            sku: None,
            name: id.into(),
            category: None,
            quantity_milli: 1000,
            unit: total,
            total,
            tax: 0,
            kind: LineKind::Item,
        };
        Purchase {
            id: "1".into(),
            reference: None,
            channel: Channel::Online,
            placed_at: Moment(0),
            currency: Currency::parse("EUR").expect("known"),
            total: 300,
            tax: 0,
            discount: 0,
            unaccounted: 0,
            unaccounted_reason: None,
            lines: vec![line("a", 100), line("b", 200)],
            codes: vec![],
            location: None,
        }
    }

    #[test]
    fn a_purchase_adds_up_or_says_why() {
        assert_eq!(purchase().check(), Ok(()));
        let mut off = purchase();
        off.total = 301;
        assert!(off.check().is_err());
        off.unaccounted = 1;
        assert!(off.check().is_err());
        off.unaccounted_reason = Some("cash rounding".into());
        assert_eq!(off.check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut negative = purchase();
        negative.lines[0].quantity_milli = -1000;
        assert!(negative.check().is_err());
        let mut twice = purchase();
        twice.lines[1].id = "a".into();
        assert!(twice.check().is_err());
        let mut overflow = purchase();
        overflow.lines[0].total = i64::MAX;
        assert!(overflow.check().is_err());
    }
}
