//! Orders and customers as WooCommerce's REST API v3 writes them, which is what its webhooks send
//! (github.com/woocommerce/woocommerce-rest-api-docs).
//!
//! The body is built when it is sent, so `order.created` may tell of a payment already. Sites choose how many decimals they
//! write, which may be more than the currency has: amounts are read to the nearest minor unit.

use super::entities::decode;
use super::refund::{self, RefundEntry};
use crate::connectors::assemble::{self, filled, full_name, per_piece, single, sum};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::{Context, Happening, Reading, Unreadable};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::member::{Identity, Proof};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund};
use perkgate_domain::time::Moment;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a REST error is where an object was expected, and what tells orders and customers apart.
#[derive(Deserialize)]
struct Look {
    id: Option<Id>,
    code: Option<String>,
    /// Of an order.
    line_items: Option<IgnoredAny>,
    /// Of an order.
    total: Option<IgnoredAny>,
    /// Of a product or coupon.
    product_ids: Option<IgnoredAny>,
    /// Of a product.
    sku: Option<IgnoredAny>,
    /// Of a customer.
    username: Option<IgnoredAny>,
    /// Of a customer.
    role: Option<IgnoredAny>,
}

impl Look {
    /// Whether the body may be what its topic says. The topic is a header that nobody signs, so whoever holds one signed body could
    /// send it again under another topic.
    fn fits(&self, topic: &str) -> bool {
        let order = [&self.line_items, &self.total].iter().any(|key| key.is_some());
        let ware = [&self.product_ids, &self.sku].iter().any(|key| key.is_some());
        let customer = [&self.username, &self.role].iter().any(|key| key.is_some());
        // Sites add keys of their own, so what is there for the topic counts before what is not.
        if topic.starts_with("customer.") { !order && (customer || !ware) } else { order || !customer }
    }
}

/// An order.
#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: Id,
    number: Option<Id>,
    status: String,
    pub(super) currency: String,
    date_created_gmt: String,
    date_paid_gmt: Option<String>,
    discount_total: Option<Amount>,
    discount_tax: Option<Amount>,
    total: Amount,
    total_tax: Option<Amount>,
    customer_id: Option<Id>,
    billing: Option<Billing>,
    #[serde(default)]
    line_items: Vec<LineItem>,
    #[serde(default)]
    shipping_lines: Vec<ShippingLine>,
    #[serde(default)]
    fee_lines: Vec<FeeLine>,
    #[serde(default)]
    coupon_lines: Vec<CouponLine>,
    #[serde(default)]
    pub(super) refunds: Vec<RefundEntry>,
}

#[derive(Deserialize)]
struct LineItem {
    id: Id,
    name: Option<String>,
    sku: Option<String>,
    quantity: Amount,
    subtotal: Option<Amount>,
    total: Amount,
    total_tax: Option<Amount>,
}

#[derive(Deserialize)]
struct ShippingLine {
    id: Id,
    method_title: Option<String>,
    total: Amount,
    total_tax: Option<Amount>,
}

#[derive(Deserialize)]
struct FeeLine {
    id: Id,
    name: Option<String>,
    total: Amount,
    total_tax: Option<Amount>,
}

#[derive(Deserialize)]
struct CouponLine {
    code: String,
}

#[derive(Deserialize)]
struct Billing {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    country: Option<String>,
}

/// Looks whether the body is an object with an id, and about what its topic is about, before it is journalled.
pub(super) fn look(body: &[u8], topic: &str) -> Result<(), Unreadable> {
    let look: Look = parse::read(body, "the body")?;
    let fits = look.fits(topic);
    match (look.id, look.code) {
        (Some(_), _) if fits => Ok(()),
        (Some(_), _) => Err(Unreadable(format!(
            "the body is not about what `{topic}` is about; a topic is not signed, so it may have been changed on the way"
        ))),
        (None, Some(code)) => {
            let code: String = code.chars().take(60).collect();
            Err(Unreadable(format!(
                "the shop sent the REST error `{code}` in place of the object: the user who owns the webhook lost the right to see it"
            )))
        }
        (None, None) => Err(Unreadable("the body has no `id`: it is no order and no customer".to_owned())),
    }
}

impl Order {
    /// Paid now or before. An order paid in cash on delivery has no paying date until it is completed.
    fn was_paid(&self) -> bool {
        match self.status.as_str() {
            "processing" | "completed" => true,
            "checkout-draft" | "auto-draft" => false,
            _ => self.date_paid_gmt.as_deref().is_some_and(|at| !at.is_empty()),
        }
    }
    /// When it was paid, or made where the shop does not say. Refunds in the order carry no time of their own and the order's
    /// time of change moves on with every edit, so they take this time as well: it is the same in every telling.
    fn placed_at(&self) -> Result<Moment, Unreadable> {
        match self.date_paid_gmt.as_deref().filter(|at| !at.is_empty()) {
            Some(at) => parse::moment_gmt(at, "date_paid_gmt"),
            None => parse::moment_gmt(&self.date_created_gmt, "date_created_gmt"),
        }
    }
}

/// `order.created`, `order.updated`: once paid, the purchase, each of its refunds, and its cancellation.
pub(super) fn read(body: &[u8], context: Context<'_>) -> Result<Reading, Unreadable> {
    let order: Order = parse::read(body, "the order")?;
    if !order.was_paid() {
        let status: String = order.status.chars().take(40).collect();
        return Ok(Reading::Nothing(format!("the order is not paid: its status is `{status}`")));
    }
    let missing = refund::missing(&order, context)?;
    if !missing.is_empty() {
        return Ok(Reading::Fetch(missing));
    }
    let currency = Currency::parse(&order.currency).map_err(|error| Unreadable(format!("`currency`: {error}")))?;
    let at = order.placed_at()?;
    let purchase = purchase(&order, currency, at)?;
    let total = purchase.total;
    let identity = identity(order.customer_id.clone(), order.billing.as_ref(), None);
    let mut entries =
        vec![Happening { event: Event::Purchase(purchase), identity: assemble::known(identity), member: None }];
    for entry in &order.refunds {
        entries.push(refund::happening(entry, &order, currency, at, context)?);
    }
    if order.status == "cancelled" {
        entries.push(assemble::refund(Refund {
            id: format!("cancel:{}", order.id.as_str()),
            purchase: order.id.as_str().to_owned(),
            at,
            currency,
            amount: total,
            complete: true,
            lines: vec![],
        })?);
    }
    Ok(Reading::Entries(entries))
}

fn purchase(order: &Order, currency: Currency, placed_at: Moment) -> Result<Purchase, Unreadable> {
    let near = |amount: &Amount, field: &str| amount.nearest(currency, field);
    let optional = |amount: Option<&Amount>, field: &str| amount.map_or(Ok(0), |amount| near(amount, field));
    let mut lines: Vec<Line> = Vec::new();
    for (index, item) in order.line_items.iter().enumerate() {
        let field = |name: &str| format!("line_items[{index}].{name}");
        let tax = optional(item.total_tax.as_ref(), &field("total_tax"))?;
        let quantity_milli = item.quantity.milli(&field("quantity"))?;
        // `price` is after discounts; `subtotal` is before.
        let before = near(item.subtotal.as_ref().unwrap_or(&item.total), &field("subtotal"))?;
        let name = item.name.as_deref().map(decode).unwrap_or_default();
        let total = sum([near(&item.total, &field("total")), Ok(tax)])?;
        lines.push(Line {
            sku: filled(item.sku.clone()),
            quantity_milli,
            unit: per_piece(before, quantity_milli)?,
            ..single(item.id.as_str(), &name, total, tax, LineKind::Item)
        });
    }
    for (index, line) in order.shipping_lines.iter().enumerate() {
        let field = |name: &str| format!("shipping_lines[{index}].{name}");
        let tax = optional(line.total_tax.as_ref(), &field("total_tax"))?;
        let name = filled(line.method_title.as_deref().map(decode)).unwrap_or_else(|| "Shipping".to_owned());
        let total = sum([near(&line.total, &field("total")), Ok(tax)])?;
        lines.push(single(line.id.as_str(), &name, total, tax, LineKind::Shipping));
    }
    for (index, line) in order.fee_lines.iter().enumerate() {
        let field = |name: &str| format!("fee_lines[{index}].{name}");
        let tax = optional(line.total_tax.as_ref(), &field("total_tax"))?;
        let name = filled(line.name.as_deref().map(decode)).unwrap_or_else(|| "Fee".to_owned());
        let total = sum([near(&line.total, &field("total")), Ok(tax)])?;
        // Plugins write both tips and discounts as fees.
        let kind = match total {
            ..0 => LineKind::Discount,
            _ if is_tip(&name) => LineKind::Tip,
            _ => LineKind::Fee,
        };
        lines.push(single(line.id.as_str(), &name, total, tax, kind));
    }
    let discounts = [(&order.discount_total, "discount_total"), (&order.discount_tax, "discount_tax")];
    let discount = sum(discounts.map(|(amount, field)| optional(amount.as_ref(), field)))?;
    let id = order.id.as_str().to_owned();
    let purchase = Purchase {
        reference: order.number.clone().map(String::from).filter(|number| *number != id),
        id,
        channel: Channel::Online,
        placed_at,
        currency,
        total: near(&order.total, "total")?,
        tax: optional(order.total_tax.as_ref(), "total_tax")?,
        discount,
        unaccounted: 0,
        unaccounted_reason: None,
        lines,
        codes: order.coupon_lines.iter().filter_map(|line| filled(Some(decode(&line.code)))).collect(),
        location: None,
    };
    assemble::purchase(purchase, "the shop's order has amounts that are on no line (rounding, or a plugin of the shop)")
}

/// Whether a fee is a tip, by its name: WooCommerce has no kind for it.
fn is_tip(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| {
        matches!(
            word,
            "tip" | "tips" | "gratuity" | "trinkgeld" | "pourboire" | "propina" | "spropitné" | "prepitné" | "fooi"
        )
    })
}

fn identity(customer_id: Option<Id>, billing: Option<&Billing>, email: Option<String>) -> Identity {
    let of = |field: fn(&Billing) -> &Option<String>| billing.and_then(|billing| filled(field(billing).clone()));
    Identity {
        // 0 is a guest.
        customer_id: customer_id.and_then(Id::not_zero),
        email: filled(email).or_else(|| of(|billing| &billing.email)),
        phone: of(|billing| &billing.phone),
        name: full_name(of(|billing| &billing.first_name), of(|billing| &billing.last_name)),
        country: of(|billing| &billing.country),
        ..Identity::default()
    }
}

#[derive(Deserialize)]
struct Customer {
    id: Id,
    date_created_gmt: String,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    billing: Option<Billing>,
}

/// `customer.created`.
pub(super) fn join(body: &[u8]) -> Result<Reading, Unreadable> {
    let customer: Customer = parse::read(body, "the customer")?;
    let at = parse::moment_gmt(&customer.date_created_gmt, "date_created_gmt")?;
    let join = Join { id: customer.id.as_str().to_owned(), at, referrer: None };
    let mut identity = identity(Some(customer.id), customer.billing.as_ref(), customer.email);
    // Anybody may register with anybody's address: WooCommerce asks for no proof of it.
    identity.proof = Proof::Record;
    identity.name = full_name(customer.first_name, customer.last_name).or(identity.name);
    Ok(Reading::Entries(vec![assemble::join(join, identity)]))
}
