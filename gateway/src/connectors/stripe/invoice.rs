//! `invoice.paid`: the one event of Stripe's that carries lines itself (up to ten; docs.stripe.com/api/invoices).

use super::shape::{Address, Envelope, Person, Ref, Unit, entry, purchase};
use crate::connectors::assemble::{self, filled, less, per_piece, single, sum};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::{Reading, Unreadable};
use perkgate_domain::purchase::{Line, LineKind, Purchase};
use serde::Deserialize;

/// Money is without tax and before discounts on lines, with both in the totals. Where the tax and the payment stand changed with
/// API version 2025-03-31; both places are read.
#[derive(Deserialize)]
struct Invoice {
    id: Id,
    number: Option<String>,
    created: i64,
    status_transitions: Option<Transitions>,
    currency: String,
    amount_paid: Amount,
    tax: Option<Amount>,
    total_taxes: Option<Vec<Tax>>,
    total_discount_amounts: Option<Vec<Discount>>,
    payment_intent: Option<Ref>,
    charge: Option<Ref>,
    payments: Option<Payments>,
    lines: Option<Lines>,
    customer: Option<Ref>,
    customer_email: Option<String>,
    customer_phone: Option<String>,
    customer_name: Option<String>,
    customer_address: Option<Address>,
}

#[derive(Deserialize)]
struct Transitions {
    paid_at: Option<i64>,
}

#[derive(Deserialize)]
struct Payments {
    #[serde(default)]
    data: Vec<InvoicePayment>,
}

#[derive(Deserialize)]
struct InvoicePayment {
    payment: Option<PaymentOf>,
}

#[derive(Deserialize)]
struct PaymentOf {
    payment_intent: Option<Ref>,
    charge: Option<Ref>,
}

#[derive(Deserialize)]
struct Lines {
    #[serde(default)]
    data: Vec<InvoiceLine>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct InvoiceLine {
    id: Id,
    description: Option<String>,
    quantity: Option<Amount>,
    amount: Amount,
    discount_amounts: Option<Vec<Discount>>,
    tax_amounts: Option<Vec<Tax>>,
    taxes: Option<Vec<Tax>>,
}

#[derive(Deserialize)]
struct Discount {
    amount: Amount,
}

#[derive(Deserialize)]
struct Tax {
    amount: Amount,
    inclusive: Option<bool>,
    #[serde(rename = "tax_behavior")]
    behavior: Option<String>,
}

impl Tax {
    /// On top of the line's amount, not within it.
    fn on_top(&self) -> bool {
        self.inclusive == Some(false) || self.behavior.as_deref() == Some("exclusive")
    }
}

impl InvoiceLine {
    fn line(&self, index: usize, unit: Unit) -> Result<Line, Unreadable> {
        let field = |name: &str| format!("data.object.lines.data[{index}].{name}");
        let amount = unit.minor(&self.amount, &field("amount"))?;
        let quantity_milli = self.quantity.as_ref().map_or(Ok(1000), |quantity| quantity.milli(&field("quantity")))?;
        let discounts = self.discount_amounts.iter().flatten();
        let off = sum(discounts.map(|part| unit.minor(&part.amount, &field("discount_amounts"))))?;
        let taxes = || self.taxes.iter().chain(&self.tax_amounts).flatten();
        let minor = |tax: &Tax| unit.minor(&tax.amount, &field("taxes"));
        let on_top = sum(taxes().filter(|tax| tax.on_top()).map(minor))?;
        let total = sum([less(amount, off), Ok(on_top)])?;
        let name = filled(self.description.clone()).unwrap_or_else(|| "Item".to_owned());
        // A proration gives money back for time not used.
        let kind = if total < 0 { LineKind::Discount } else { LineKind::Item };
        let tax = sum(taxes().map(minor))?;
        let price = per_piece(amount, quantity_milli)?;
        Ok(Line { quantity_milli, unit: price, ..single(self.id.as_str(), &name, total, tax, kind) })
    }
}

/// The purchase of a paid invoice.
pub(super) fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    let invoice = parse::read::<Envelope<Invoice>>(body, "the invoice event")?.data.object;
    let unit = Unit::of(&invoice.currency, "data.object.currency")?;
    let total = unit.minor(&invoice.amount_paid, "data.object.amount_paid")?;
    if total == 0 {
        return Ok(Reading::Nothing("nothing was paid: the invoice is of 0 or settled from a balance".to_owned()));
    }
    let tax = match &invoice.total_taxes {
        Some(taxes) => sum(taxes.iter().map(|tax| unit.minor(&tax.amount, "data.object.total_taxes")))?,
        None => unit.optional(invoice.tax.as_ref(), "data.object.tax")?,
    };
    let discounts = invoice.total_discount_amounts.iter().flatten();
    let discount = sum(discounts.map(|part| unit.minor(&part.amount, "data.object.total_discount_amounts")))?;
    let mut lines = Vec::new();
    // A list that was cut off would leave most of the total on no line.
    for (index, line) in invoice.lines.iter().filter(|lines| !lines.has_more).flat_map(|lines| &lines.data).enumerate()
    {
        lines.push(line.line(index, unit)?);
    }
    if lines.is_empty() {
        lines.push(single("payment", "Payment", total, tax, LineKind::Item));
    }
    let newer = invoice.payments.and_then(|payments| payments.data.into_iter().find_map(|payment| payment.payment));
    let (intent, charge) = newer.map_or((None, None), |payment| (payment.payment_intent, payment.charge));
    let paid = invoice.payment_intent.or(intent).or(invoice.charge).or(charge);
    let id = paid.map_or_else(|| invoice.id.into(), String::from);
    let placed = invoice.status_transitions.and_then(|transitions| transitions.paid_at).unwrap_or(invoice.created);
    let purchase =
        Purchase { reference: filled(invoice.number), tax, discount, ..purchase(id, placed, unit, total, lines) };
    let purchase =
        assemble::purchase(purchase, "Stripe's invoice has amounts that are on no line (a customer's balance)")?;
    let person = Person {
        email: invoice.customer_email,
        phone: invoice.customer_phone,
        name: invoice.customer_name,
        address: invoice.customer_address,
    };
    Ok(entry(purchase, person.identity(invoice.customer)))
}
