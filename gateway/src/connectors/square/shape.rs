//! Payments, orders, refunds and customers as Square writes them (github.com/square/connect-api-specification). Money is
//! whole minor units with its currency.

use crate::connectors::assemble::{self, filled, full_name, less, per_piece, single};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::{Happening, Reading, Unreadable};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::member::{Identity, Proof};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund};
use serde::Deserialize;

/// The envelope of every event: `data.object.<kind>`.
#[derive(Deserialize)]
struct Envelope<T> {
    data: Data<T>,
}
#[derive(Deserialize)]
struct Data<T> {
    object: T,
}

#[derive(Deserialize)]
struct Money {
    amount: Option<Amount>,
    currency: Option<String>,
}

impl Money {
    fn currency(&self, field: &str) -> Result<Currency, Unreadable> {
        let code = self.currency.as_deref().ok_or_else(|| Unreadable(format!("`{field}.currency` is missing")))?;
        Currency::parse(code).map_err(|error| Unreadable(format!("`{field}.currency`: {error}")))
    }
    fn minor(&self, currency: Currency, field: &str) -> Result<i64, Unreadable> {
        if self.currency(field)? != currency {
            return Err(Unreadable(format!("`{field}` is in another currency than the payment")));
        }
        // Square leaves out an amount of nothing.
        self.amount.as_ref().map_or(Ok(0), |amount| amount.whole(field))
    }
}

fn minor(money: Option<&Money>, currency: Currency, field: &str) -> Result<i64, Unreadable> {
    money.map_or(Ok(0), |money| money.minor(currency, field))
}

#[derive(Deserialize)]
struct Address {
    country: Option<String>,
}

#[derive(Deserialize)]
struct PaymentObject {
    payment: Payment,
}

/// A payment. `total_money` has the tip in it, `amount_money` has not.
#[derive(Deserialize)]
pub(super) struct Payment {
    id: Id,
    order_id: Option<Id>,
    location_id: Option<Id>,
    customer_id: Option<Id>,
    created_at: String,
    status: Option<String>,
    total_money: Money,
    tip_money: Option<Money>,
    buyer_email_address: Option<String>,
    receipt_number: Option<String>,
    billing_address: Option<Address>,
}

#[derive(Deserialize)]
struct OrderAnswer {
    order: Order,
}

/// An order as `GET /v2/orders/{id}` answers. Totals are of the sale; returns stand apart and are not read.
#[derive(Deserialize)]
pub(super) struct Order {
    customer_id: Option<Id>,
    total_money: Option<Money>,
    total_tax_money: Option<Money>,
    total_discount_money: Option<Money>,
    total_tip_money: Option<Money>,
    line_items: Option<Vec<LineItem>>,
    service_charges: Option<Vec<ServiceCharge>>,
}

#[derive(Deserialize)]
struct LineItem {
    uid: Option<Id>,
    name: Option<String>,
    variation_name: Option<String>,
    quantity: Amount,
    item_type: Option<String>,
    base_price_money: Option<Money>,
    total_tax_money: Option<Money>,
    total_money: Option<Money>,
}

#[derive(Deserialize)]
struct ServiceCharge {
    uid: Option<Id>,
    name: Option<String>,
    treatment_type: Option<String>,
    total_tax_money: Option<Money>,
    total_money: Option<Money>,
}

impl Order {
    /// Reads the API's answer.
    pub(super) fn read(answer: &[u8]) -> Result<Self, Unreadable> {
        parse::read::<OrderAnswer>(answer, "Square's answer about the order").map(|answer| answer.order)
    }

    fn lines(&self, currency: Currency) -> Result<Vec<Line>, Unreadable> {
        let mut lines = Vec::new();
        for (index, item) in self.line_items.iter().flatten().enumerate() {
            lines.push(item.line(index, currency)?);
        }
        for (index, charge) in self.service_charges.iter().flatten().enumerate() {
            // An apportioned charge is within the lines' totals already.
            if charge.treatment_type.as_deref() == Some("APPORTIONED_TREATMENT") {
                continue;
            }
            let total = minor(charge.total_money.as_ref(), currency, "order.service_charges[].total_money")?;
            let tax = minor(charge.total_tax_money.as_ref(), currency, "order.service_charges[].total_tax_money")?;
            let id = charge.uid.as_ref().map_or_else(|| format!("charge-{}", index + 1), |uid| uid.as_str().to_owned());
            let name = filled(charge.name.clone()).unwrap_or_else(|| "Service charge".to_owned());
            lines.push(single(&id, &name, total, tax, LineKind::Fee));
        }
        Ok(lines)
    }
}

impl LineItem {
    fn line(&self, index: usize, currency: Currency) -> Result<Line, Unreadable> {
        let field = |name: &str| format!("order.line_items[{index}].{name}");
        let quantity_milli = self.quantity.milli(&field("quantity"))?;
        let total = minor(self.total_money.as_ref(), currency, &field("total_money"))?;
        let unit = match &self.base_price_money {
            Some(price) => price.minor(currency, &field("base_price_money"))?,
            None => per_piece(total, quantity_milli)?,
        };
        let names = [filled(self.name.clone()), filled(self.variation_name.clone())];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" - ");
        Ok(Line {
            id: self.uid.as_ref().map_or_else(|| format!("line-{}", index + 1), |uid| uid.as_str().to_owned()),
            sku: None,
            name: if name.is_empty() { "Custom amount".to_owned() } else { name },
            category: None,
            quantity_milli,
            unit,
            total,
            tax: minor(self.total_tax_money.as_ref(), currency, &field("total_tax_money"))?,
            kind: if self.item_type.as_deref() == Some("GIFT_CARD") { LineKind::GiftCard } else { LineKind::Item },
        })
    }
}

impl Payment {
    /// Reads the body of a payment event.
    pub(super) fn read(body: &[u8]) -> Result<Self, Unreadable> {
        parse::read::<Envelope<PaymentObject>>(body, "the payment event").map(|event| event.data.object.payment)
    }
    /// Why it does not count, if it does not.
    pub(super) fn not_completed(&self) -> Option<String> {
        let status = self.status.as_deref().unwrap_or("unknown");
        let shown: String = status.chars().take(40).collect();
        (status != "COMPLETED").then(|| format!("the payment is not completed: its status is `{shown}`"))
    }
    /// The order that was paid.
    pub(super) fn order_id(&self) -> Option<&Id> {
        self.order_id.as_ref()
    }

    /// The purchase, with the order's lines where this payment paid the whole order.
    pub(super) fn purchase(self, order: Option<Order>) -> Result<Reading, Unreadable> {
        let currency = self.total_money.currency("data.object.payment.total_money")?;
        let total = self.total_money.minor(currency, "data.object.payment.total_money")?;
        let tip = minor(self.tip_money.as_ref(), currency, "data.object.payment.tip_money")?;
        let customer = self.customer_id.clone().or_else(|| order.as_ref()?.customer_id.clone());
        // With a split tender the order's lines were paid by several payments, none of which can have them all.
        let whole = match order {
            Some(order) if minor(order.total_money.as_ref(), currency, "order.total_money")? == total => Some(order),
            _ => None,
        };
        let (mut lines, tax, discount, tip) = match &whole {
            Some(order) => (
                order.lines(currency)?,
                minor(order.total_tax_money.as_ref(), currency, "order.total_tax_money")?,
                minor(order.total_discount_money.as_ref(), currency, "order.total_discount_money")?,
                tip.max(minor(order.total_tip_money.as_ref(), currency, "order.total_tip_money")?),
            ),
            None => (vec![], 0, 0, tip),
        };
        if lines.is_empty() {
            lines.push(single("payment", "Payment", less(total, tip)?, tax, LineKind::Item));
        }
        if tip > 0 {
            lines.push(single("tip", "Tip", tip, 0, LineKind::Tip));
        }
        let purchase = Purchase {
            id: self.id.into(),
            reference: filled(self.receipt_number),
            channel: Channel::InStore,
            placed_at: parse::moment(&self.created_at, "data.object.payment.created_at")?,
            currency,
            total,
            tax,
            discount,
            unaccounted: 0,
            unaccounted_reason: None,
            lines,
            codes: vec![],
            location: self.location_id.map(String::from),
        };
        let purchase = assemble::purchase(purchase, "Square's order has amounts that are on no line (cash rounding)")?;
        let identity = assemble::known(Identity {
            customer_id: customer.map(String::from),
            email: filled(self.buyer_email_address),
            country: filled(self.billing_address.and_then(|address| address.country)),
            ..Identity::default()
        });
        Ok(Reading::Entries(vec![Happening { event: Event::Purchase(purchase), identity, member: None }]))
    }
}

#[derive(Deserialize)]
struct RefundObject {
    refund: RefundBody,
}

#[derive(Deserialize)]
struct RefundBody {
    id: Id,
    payment_id: Option<Id>,
    status: Option<String>,
    amount_money: Money,
    created_at: String,
}

/// A refund event. Square tells which payment is given back, not which lines.
pub(super) fn refund(body: &[u8]) -> Result<Reading, Unreadable> {
    let refund = parse::read::<Envelope<RefundObject>>(body, "the refund event")?.data.object.refund;
    let status = refund.status.as_deref().unwrap_or("unknown");
    if status != "COMPLETED" {
        let shown: String = status.chars().take(40).collect();
        return Ok(Reading::Nothing(format!("the refund is not completed: its status is `{shown}`")));
    }
    let Some(payment) = refund.payment_id else {
        return Ok(Reading::Nothing("the refund belongs to no payment".to_owned()));
    };
    let currency = refund.amount_money.currency("data.object.refund.amount_money")?;
    let refund = Refund {
        id: refund.id.into(),
        purchase: payment.into(),
        at: parse::moment(&refund.created_at, "data.object.refund.created_at")?,
        currency,
        amount: refund.amount_money.minor(currency, "data.object.refund.amount_money")?,
        complete: false,
        lines: vec![],
    };
    Ok(Reading::Entries(vec![assemble::refund(refund)?]))
}

#[derive(Deserialize)]
struct CustomerObject {
    customer: Customer,
}

#[derive(Deserialize)]
struct Customer {
    id: Id,
    created_at: String,
    given_name: Option<String>,
    family_name: Option<String>,
    email_address: Option<String>,
    phone_number: Option<String>,
    address: Option<Address>,
    preferences: Option<Preferences>,
}

#[derive(Deserialize)]
struct Preferences {
    email_unsubscribed: Option<bool>,
}

/// `customer.created`.
pub(super) fn join(body: &[u8]) -> Result<Reading, Unreadable> {
    let customer = parse::read::<Envelope<CustomerObject>>(body, "the customer event")?.data.object.customer;
    let join = Join {
        id: customer.id.as_str().to_owned(),
        at: parse::moment(&customer.created_at, "data.object.customer.created_at")?,
        referrer: None,
    };
    let unsubscribed = customer.preferences.and_then(|preferences| preferences.email_unsubscribed) == Some(true);
    let identity = Identity {
        customer_id: Some(customer.id.into()),
        email: filled(customer.email_address),
        phone: filled(customer.phone_number),
        name: full_name(customer.given_name, customer.family_name),
        country: filled(customer.address.and_then(|address| address.country)),
        // Not having unsubscribed is no agreement.
        consent: unsubscribed.then_some(false),
        proof: Proof::Record,
        ..Identity::default()
    };
    Ok(Reading::Entries(vec![assemble::join(join, identity)]))
}
