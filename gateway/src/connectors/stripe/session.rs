//! Checkout sessions and their line items, which no event carries (github.com/stripe/openapi, `checkout.session`).

use super::shape::{Envelope, Person, Ref, Unit, entry, purchase};
use crate::connectors::assemble::{self, filled, less, per_piece, single};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::{Reading, Unreadable};
use perkgate_domain::member::Identity;
use perkgate_domain::purchase::{Line, LineKind, Purchase};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A checkout session.
#[derive(Deserialize)]
pub(super) struct Session {
    id: Id,
    created: i64,
    currency: Option<String>,
    amount_total: Option<Amount>,
    mode: Option<String>,
    payment_status: Option<String>,
    payment_intent: Option<Ref>,
    total_details: Option<TotalDetails>,
    shipping_cost: Option<ShippingCost>,
    currency_conversion: Option<Conversion>,
    customer: Option<Ref>,
    customer_details: Option<Person>,
    customer_email: Option<String>,
    locale: Option<String>,
    consent: Option<Consent>,
}

#[derive(Deserialize)]
struct TotalDetails {
    amount_tax: Option<Amount>,
    amount_discount: Option<Amount>,
}

#[derive(Deserialize)]
struct ShippingCost {
    amount_total: Option<Amount>,
    amount_tax: Option<Amount>,
}

/// The merchant's money where the buyer saw another.
#[derive(Deserialize)]
struct Conversion {
    amount_total: Amount,
    source_currency: String,
}

#[derive(Deserialize)]
struct Consent {
    promotions: Option<String>,
}

/// A page of `GET /v1/checkout/sessions/{id}/line_items`.
#[derive(Deserialize)]
pub(super) struct LineItems {
    pub(super) data: Vec<LineItem>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// A line of a checkout. `amount_total` is after discounts and with tax.
#[derive(Deserialize)]
pub(super) struct LineItem {
    pub(super) id: Id,
    description: Option<String>,
    quantity: Option<Amount>,
    amount_total: Amount,
    amount_subtotal: Option<Amount>,
    amount_tax: Option<Amount>,
    price: Option<Price>,
}

#[derive(Deserialize)]
struct Price {
    unit_amount: Option<Amount>,
    metadata: Option<BTreeMap<String, String>>,
}

impl LineItem {
    fn line(&self, index: usize, unit: Unit) -> Result<Line, Unreadable> {
        let field = |name: &str| format!("data[{index}].{name}");
        let quantity_milli = self.quantity.as_ref().map_or(Ok(1000), |quantity| quantity.milli(&field("quantity")))?;
        let total = unit.minor(&self.amount_total, &field("amount_total"))?;
        let price = if let Some(price) = self.price.as_ref().and_then(|price| price.unit_amount.as_ref()) {
            unit.minor(price, &field("price.unit_amount"))?
        } else {
            let before = self.amount_subtotal.as_ref().unwrap_or(&self.amount_total);
            per_piece(unit.minor(before, &field("amount_subtotal"))?, quantity_milli)?
        };
        Ok(Line {
            id: self.id.as_str().to_owned(),
            sku: self.price.as_ref().and_then(|price| filled(price.metadata.as_ref()?.get("sku").cloned())),
            name: filled(self.description.clone()).unwrap_or_else(|| "Item".to_owned()),
            category: None,
            quantity_milli,
            unit: price,
            total,
            tax: unit.optional(self.amount_tax.as_ref(), &field("amount_tax"))?,
            kind: LineKind::Item,
        })
    }
}

impl Session {
    /// Reads a checkout event: the session, and the connected account it is of.
    pub(super) fn read(body: &[u8]) -> Result<(Self, Option<String>), Unreadable> {
        let event: Envelope<Self> = parse::read(body, "the checkout event")?;
        Ok((event.data.object, event.account.map(String::from)))
    }
    /// The session's own id.
    pub(super) fn id(&self) -> &Id {
        &self.id
    }
    /// Why it does not count, if it does not.
    pub(super) fn not_paid(&self) -> Option<String> {
        if self.mode.as_deref() == Some("setup") {
            return Some("the checkout saves a payment method and sells nothing".to_owned());
        }
        match self.payment_status.as_deref() {
            Some("paid" | "no_payment_required") => None,
            status => {
                let shown: String = status.unwrap_or("unknown").chars().take(40).collect();
                Some(format!("the checkout is not paid: its payment status is `{shown}`"))
            }
        }
    }

    /// The purchase, with the fetched lines, if any.
    pub(super) fn purchase(self, items: &[LineItem]) -> Result<Reading, Unreadable> {
        let missing = |field: &str| Unreadable(format!("`data.object.{field}` is missing"));
        let seen = Unit::of(self.currency.as_deref().ok_or_else(|| missing("currency"))?, "data.object.currency")?;
        let amount = self.amount_total.as_ref().ok_or_else(|| missing("amount_total"))?;
        // Lines, tax and shipping are in the currency that the buyer saw. Where the shop counts in another, only its total is known.
        let (unit, total) = match &self.currency_conversion {
            Some(shop) => {
                let unit = Unit::of(&shop.source_currency, "data.object.currency_conversion.source_currency")?;
                (unit, unit.minor(&shop.amount_total, "data.object.currency_conversion.amount_total")?)
            }
            None => (seen, seen.minor(amount, "data.object.amount_total")?),
        };
        let foreign = unit.currency != seen.currency;
        let details = self.total_details.as_ref().filter(|_| !foreign);
        let tax = unit.optional(details.and_then(|details| details.amount_tax.as_ref()), "total_details.amount_tax")?;
        let off = details.and_then(|details| details.amount_discount.as_ref());
        let discount = unit.optional(off, "total_details.amount_discount")?;
        let cost = self.shipping_cost.as_ref().filter(|_| !foreign);
        let shipping = unit.optional(cost.and_then(|cost| cost.amount_total.as_ref()), "shipping_cost.amount_total")?;
        let shipping_tax = unit.optional(cost.and_then(|cost| cost.amount_tax.as_ref()), "shipping_cost.amount_tax")?;
        let mut lines = Vec::new();
        for (index, item) in items.iter().filter(|_| !foreign).enumerate() {
            lines.push(item.line(index, unit)?);
        }
        if lines.is_empty() {
            let net = less(total, shipping)?;
            lines.push(single("payment", "Payment", net, less(tax, shipping_tax)?, LineKind::Item));
        }
        if shipping > 0 {
            lines.push(single("shipping", "Shipping", shipping, shipping_tax, LineKind::Shipping));
        }
        let id = self.payment_intent.map_or_else(|| self.id.as_str().to_owned(), String::from);
        let purchase = Purchase { tax, discount, ..purchase(id, self.created, unit, total, lines) };
        let purchase = assemble::purchase(purchase, "Stripe's checkout has amounts that are on no line")?;
        let identity = self.customer_details.unwrap_or_default().identity(self.customer);
        let identity = Identity {
            email: identity.email.clone().or_else(|| filled(self.customer_email)),
            locale: filled(self.locale).filter(|locale| locale != "auto"),
            consent: self.consent.and_then(|consent| Some(consent.promotions?.as_str() == "opt_in")),
            ..identity
        };
        Ok(entry(purchase, identity))
    }
}
