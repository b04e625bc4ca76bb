//! Orders and customers as Shopify's webhooks write them (shopify.dev/docs/api/webhooks).
//!
//! Only what an order says of its beginning is read: `total_price` and not `current_total_price`, `quantity` and not
//! `current_quantity`. So every later telling of the order gives the same purchase.

use crate::connectors::assemble::{self, filled, full_name, gap, less, single, sum, times};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::{Happening, Reading, Unreadable};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::member::{Identity, Proof};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund};
use serde::Deserialize;

/// An order. Amounts at the top level are in the shop's currency; what the buyer saw (`presentment_money`) is not read.
#[derive(Deserialize)]
struct Order {
    id: Id,
    name: Option<String>,
    created_at: String,
    processed_at: Option<String>,
    cancelled_at: Option<String>,
    currency: String,
    financial_status: Option<String>,
    source_name: Option<String>,
    location_id: Option<Id>,
    total_price: Amount,
    total_tax: Option<Amount>,
    total_discounts: Option<Amount>,
    total_tip_received: Option<Amount>,
    #[serde(default)]
    taxes_included: bool,
    original_total_duties_set: Option<MoneySet>,
    original_total_additional_fees_set: Option<MoneySet>,
    line_items: Vec<LineItem>,
    shipping_lines: Option<Vec<ShippingLine>>,
    discount_codes: Option<Vec<DiscountCode>>,
    email: Option<String>,
    contact_email: Option<String>,
    phone: Option<String>,
    customer_locale: Option<String>,
    buyer_accepts_marketing: Option<bool>,
    billing_address: Option<Address>,
    shipping_address: Option<Address>,
    customer: Option<Customer>,
}

/// An amount in the shop's currency, beside what the buyer saw.
#[derive(Deserialize)]
pub(super) struct MoneySet {
    pub(super) shop_money: Money,
    pub(super) presentment_money: Option<Money>,
}

/// An amount with its currency.
#[derive(Deserialize)]
pub(super) struct Money {
    pub(super) amount: Amount,
    pub(super) currency_code: String,
}

#[derive(Deserialize)]
struct LineItem {
    id: Id,
    sku: Option<String>,
    name: Option<String>,
    title: Option<String>,
    product_id: Option<Id>,
    quantity: Amount,
    price: Amount,
    total_discount: Option<Amount>,
    discount_allocations: Option<Vec<Allocation>>,
    tax_lines: Option<Vec<TaxLine>>,
    #[serde(default)]
    gift_card: bool,
}

#[derive(Deserialize)]
struct ShippingLine {
    id: Id,
    title: Option<String>,
    price: Amount,
    discounted_price: Option<Amount>,
    discount_allocations: Option<Vec<Allocation>>,
    tax_lines: Option<Vec<TaxLine>>,
}

#[derive(Deserialize)]
struct Allocation {
    amount: Amount,
}

#[derive(Deserialize)]
struct TaxLine {
    price: Amount,
}

#[derive(Deserialize)]
struct DiscountCode {
    code: String,
}

#[derive(Deserialize)]
struct Address {
    name: Option<String>,
    phone: Option<String>,
    country_code: Option<String>,
}

#[derive(Deserialize)]
struct Customer {
    id: Option<Id>,
    created_at: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    accepts_marketing: Option<bool>,
    email_marketing_consent: Option<Consent>,
    verified_email: Option<bool>,
    default_address: Option<Address>,
}

#[derive(Deserialize)]
struct Consent {
    state: Option<String>,
}

impl Order {
    /// Whether the whole order was paid at some time. A split payment is `partially_paid` until its last part.
    fn was_paid(&self) -> bool {
        matches!(self.financial_status.as_deref(), Some("paid" | "partially_refunded" | "refunded"))
    }
    fn not_paid(&self) -> Reading {
        let status: String = self.financial_status.as_deref().unwrap_or("unknown").chars().take(40).collect();
        Reading::Nothing(format!("the order is not paid: its financial status is `{status}`"))
    }
    fn currency(&self) -> Result<Currency, Unreadable> {
        Currency::parse(&self.currency).map_err(|error| Unreadable(format!("`currency`: {error}")))
    }
}

/// `orders/create`, `orders/paid`, `orders/updated`: a purchase once paid; its cancellation too, where that is already told.
pub(super) fn sale(body: &[u8]) -> Result<Reading, Unreadable> {
    let order: Order = parse::read(body, "the order")?;
    if !order.was_paid() {
        return Ok(order.not_paid());
    }
    let mut entries = Vec::with_capacity(2);
    let cancelled = order.cancelled_at.is_some().then(|| cancelled(&order)).transpose()?;
    let purchase = purchase(&order)?;
    entries.push(Happening { event: Event::Purchase(purchase), identity: identity(order), member: None });
    entries.extend(cancelled);
    Ok(Reading::Entries(entries))
}

/// `orders/cancelled`: gives back whatever is left of a paid order.
pub(super) fn cancellation(body: &[u8]) -> Result<Reading, Unreadable> {
    let order: Order = parse::read(body, "the order")?;
    if !order.was_paid() {
        return Ok(Reading::Nothing("the cancelled order was never paid".to_owned()));
    }
    Ok(Reading::Entries(vec![cancelled(&order)?]))
}

fn cancelled(order: &Order) -> Result<Happening, Unreadable> {
    let at = order.cancelled_at.as_deref().ok_or_else(|| Unreadable("`cancelled_at` is missing".to_owned()))?;
    let currency = order.currency()?;
    assemble::refund(Refund {
        id: format!("cancel:{}", order.id.as_str()),
        purchase: order.id.as_str().to_owned(),
        at: parse::moment(at, "cancelled_at")?,
        currency,
        amount: order.total_price.exact(currency, "total_price")?,
        complete: true,
        lines: vec![],
    })
}

/// `customers/create`.
pub(super) fn join(body: &[u8]) -> Result<Reading, Unreadable> {
    let customer: Customer = parse::read(body, "the customer")?;
    let id = customer.id.clone().ok_or_else(|| Unreadable("the customer has no `id`".to_owned()))?;
    let at = customer.created_at.as_deref().ok_or_else(|| Unreadable("the customer has no `created_at`".to_owned()))?;
    let join = Join { id: id.into(), at: parse::moment(at, "created_at")?, referrer: None };
    let identity = Identity {
        proof: proof(&customer),
        consent: consent(customer.accepts_marketing, Some(&customer)),
        phone: filled(customer.phone).or_else(|| filled(customer.default_address.as_ref()?.phone.clone())),
        customer_id: customer.id.map(String::from),
        email: filled(customer.email),
        name: full_name(customer.first_name, customer.last_name),
        country: customer.default_address.and_then(|address| filled(address.country_code)),
        ..Identity::default()
    };
    Ok(Reading::Entries(vec![assemble::join(join, identity)]))
}

/// What of the record is proved: its e-mail address, if Shopify has verified it. A customer without an id is no record but a guest.
fn proof(customer: &Customer) -> Proof {
    match (&customer.id, customer.verified_email) {
        (None, _) => Proof::Typed,
        (Some(_), Some(true)) if customer.email.is_some() => Proof::Verified,
        (Some(_), _) => Proof::Record,
    }
}

/// Agreed, if either of the two places that tell says so.
fn consent(buyer: Option<bool>, customer: Option<&Customer>) -> Option<bool> {
    let state = customer.and_then(|customer| customer.email_marketing_consent.as_ref()?.state.as_deref());
    let subscribed = state.map(|state| state == "subscribed");
    match (buyer, subscribed) {
        (None, None) => None,
        (buyer, subscribed) => Some(buyer == Some(true) || subscribed == Some(true)),
    }
}

fn purchase(order: &Order) -> Result<Purchase, Unreadable> {
    let currency = order.currency()?;
    let amount = |amount: Option<&Amount>, field: &str| amount.map_or(Ok(0), |amount| amount.nearest(currency, field));
    let total = order.total_price.exact(currency, "total_price")?;
    let discount = amount(order.total_discounts.as_ref(), "total_discounts")?;
    let tip = amount(order.total_tip_received.as_ref(), "total_tip_received")?;
    let mut lines = Vec::new();
    let mut allocated = 0_i64;
    for (index, item) in order.line_items.iter().enumerate() {
        let (line, off) = item_line(item, index, currency, order.taxes_included, tip)?;
        allocated = allocated.checked_add(off).ok_or_else(assemble::too_large)?;
        lines.push(line);
    }
    for (index, shipping) in order.shipping_lines.iter().flatten().enumerate() {
        let (line, off) = shipping_line(shipping, index, currency, order.taxes_included)?;
        allocated = allocated.checked_add(off).ok_or_else(assemble::too_large)?;
        lines.push(line);
    }
    let fees = [
        ("duties", "Duties", &order.original_total_duties_set),
        ("additional-fees", "Additional fees", &order.original_total_additional_fees_set),
    ];
    for (id, name, set) in fees {
        let fee = amount(set.as_ref().map(|set| &set.shop_money.amount), id)?;
        if fee > 0 {
            lines.push(single(id, name, fee, 0, LineKind::Fee));
        }
    }
    if tip > 0 && !lines.iter().any(|line| line.kind == LineKind::Tip) {
        lines.push(single("tip", "Tip", tip, 0, LineKind::Tip));
    }
    // A discount on the whole order that Shopify did not spread over the lines.
    let open = discount.saturating_sub(allocated);
    if open > 0 && gap(total, &lines)? == -open {
        lines.push(single("discount", "Discount", -open, 0, LineKind::Discount));
    }
    let placed =
        order.processed_at.as_deref().map_or(("created_at", order.created_at.as_str()), |at| ("processed_at", at));
    let purchase = Purchase {
        id: order.id.as_str().to_owned(),
        reference: filled(order.name.clone()),
        channel: match order.source_name.as_deref() {
            Some("pos") => Channel::InStore,
            Some(_) => Channel::Online,
            None => Channel::Unknown,
        },
        placed_at: parse::moment(placed.1, placed.0)?,
        currency,
        total,
        tax: amount(order.total_tax.as_ref(), "total_tax")?,
        discount: discount.max(0),
        unaccounted: 0,
        unaccounted_reason: None,
        lines,
        codes: order.discount_codes.iter().flatten().filter_map(|code| filled(Some(code.code.clone()))).collect(),
        location: order.location_id.clone().map(String::from),
    };
    assemble::purchase(purchase, "Shopify's order has amounts that are on no line (edits, rounding)")
}

/// A line and what was taken off it.
fn item_line(
    item: &LineItem,
    index: usize,
    currency: Currency,
    taxes_included: bool,
    tip: i64,
) -> Result<(Line, i64), Unreadable> {
    let field = |name: &str| format!("line_items[{index}].{name}");
    let unit = item.price.nearest(currency, &field("price"))?;
    let quantity_milli = item.quantity.milli(&field("quantity"))?;
    let off = match &item.discount_allocations {
        Some(parts) => sum(parts.iter().map(|part| part.amount.nearest(currency, &field("discount_allocations"))))?,
        None => match &item.total_discount {
            Some(off) => off.nearest(currency, &field("total_discount"))?,
            None => 0,
        },
    };
    let tax = taxes(item.tax_lines.as_deref(), currency, &field("tax_lines"))?;
    let gross = times(unit, quantity_milli)?;
    let total = sum([less(gross, off), Ok(if taxes_included { 0 } else { tax })])?;
    // A tip given in the web checkout comes as a line without a product.
    let is_tip = tip > 0 && total == tip && item.product_id.is_none() && item.title.as_deref() == Some("Tip");
    let line = Line {
        id: item.id.as_str().to_owned(),
        sku: filled(item.sku.clone()),
        name: filled(item.name.clone()).or_else(|| filled(item.title.clone())).unwrap_or_default(),
        category: None,
        quantity_milli,
        unit,
        total,
        tax,
        kind: match (item.gift_card, is_tip) {
            (true, _) => LineKind::GiftCard,
            (_, true) => LineKind::Tip,
            _ => LineKind::Item,
        },
    };
    Ok((line, off))
}

/// A shipping line and what was taken off it.
fn shipping_line(
    shipping: &ShippingLine,
    index: usize,
    currency: Currency,
    taxes_included: bool,
) -> Result<(Line, i64), Unreadable> {
    let field = |name: &str| format!("shipping_lines[{index}].{name}");
    let unit = shipping.price.nearest(currency, &field("price"))?;
    let allocations = shipping.discount_allocations.as_deref().unwrap_or_default();
    let off = match &shipping.discounted_price {
        // `discounted_price` knows the line's own discounts only; the allocations know the order's as well.
        Some(price) if allocations.is_empty() => less(unit, price.nearest(currency, &field("discounted_price"))?)?,
        _ => sum(allocations.iter().map(|part| part.amount.nearest(currency, &field("discount_allocations"))))?,
    };
    let tax = taxes(shipping.tax_lines.as_deref(), currency, &field("tax_lines"))?;
    let total = sum([less(unit, off), Ok(if taxes_included { 0 } else { tax })])?;
    let name = filled(shipping.title.clone()).unwrap_or_else(|| "Shipping".to_owned());
    let line = Line { unit, ..single(shipping.id.as_str(), &name, total, tax, LineKind::Shipping) };
    Ok((line, off))
}

fn taxes(lines: Option<&[TaxLine]>, currency: Currency, field: &str) -> Result<i64, Unreadable> {
    sum(lines.unwrap_or_default().iter().map(|line| line.price.nearest(currency, field)))
}

fn identity(order: Order) -> Option<Identity> {
    let consent = consent(order.buyer_accepts_marketing, order.customer.as_ref());
    let proof = order.customer.as_ref().map_or(Proof::Typed, proof);
    let (id, email, phone, name, home) = order.customer.map_or((None, None, None, None, None), |customer| {
        let name = full_name(customer.first_name, customer.last_name);
        (customer.id, customer.email, customer.phone, name, customer.default_address)
    });
    let mut billing = order.billing_address;
    let mut taken = |field: fn(&mut Address) -> Option<String>| filled(billing.as_mut().and_then(field));
    assemble::known(Identity {
        customer_id: id.map(String::from),
        email: filled(email).or_else(|| filled(order.email)).or_else(|| filled(order.contact_email)),
        phone: filled(phone).or_else(|| filled(order.phone)).or_else(|| taken(|address| address.phone.take())),
        card: None,
        name: name.or_else(|| taken(|address| address.name.take())),
        country: taken(|address| address.country_code.take())
            .or_else(|| filled(order.shipping_address.and_then(|address| address.country_code)))
            .or_else(|| filled(home.and_then(|address| address.country_code))),
        locale: filled(order.customer_locale),
        consent,
        birthday: None,
        referrer: None,
        proof,
    })
}
