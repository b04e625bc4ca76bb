//! Payment intents, charges, refunds and customers as Stripe writes them (github.com/stripe/openapi), and what they share.

use crate::connectors::assemble::{self, filled, less, single};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::{Happening, Reading, Unreadable};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::member::{Identity, Proof};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund};
use serde::Deserialize;

/// The envelope of every snapshot event.
#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) data: Data<T>,
    pub(super) account: Option<Id>,
}
#[derive(Deserialize)]
pub(super) struct Data<T> {
    pub(super) object: T,
}

/// A currency and how many of Stripe's units make one of ISO 4217's.
///
/// Stripe's smallest unit is ISO's but for ISK and UGX, which stay in hundredths, and MGA, which is whole
/// (docs.stripe.com/currencies, "Special cases" and "Zero-decimal currencies").
#[derive(Clone, Copy)]
pub(super) struct Unit {
    pub(super) currency: Currency,
}

impl Unit {
    pub(super) fn of(code: &str, field: &str) -> Result<Self, Unreadable> {
        Currency::parse(code)
            .map(|currency| Self { currency })
            .map_err(|error| Unreadable(format!("`{field}`: {error}")))
    }
    pub(super) fn minor(self, amount: &Amount, field: &str) -> Result<i64, Unreadable> {
        let amount = amount.whole(field)?;
        match self.currency.as_str() {
            "ISK" | "UGX" if amount % 100 == 0 => Ok(amount / 100),
            "ISK" | "UGX" => Err(Unreadable(format!("`{field}` is finer than the currency's smallest unit"))),
            "MGA" => amount.checked_mul(100).ok_or_else(assemble::too_large),
            _ => Ok(amount),
        }
    }
    pub(super) fn optional(self, amount: Option<&Amount>, field: &str) -> Result<i64, Unreadable> {
        amount.map_or(Ok(0), |amount| self.minor(amount, field))
    }
}

/// Another object: its id, or the object itself where it was expanded.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Ref {
    Id(String),
    Object { id: String },
}

impl From<Ref> for String {
    fn from(reference: Ref) -> Self {
        match reference {
            Ref::Id(id) | Ref::Object { id } => id,
        }
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Person {
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) name: Option<String>,
    pub(super) address: Option<Address>,
}

#[derive(Deserialize)]
pub(super) struct Address {
    pub(super) country: Option<String>,
}

impl Person {
    pub(super) fn identity(self, customer: Option<Ref>) -> Identity {
        Identity {
            customer_id: customer.map(String::from),
            email: filled(self.email),
            phone: filled(self.phone),
            name: filled(self.name),
            country: filled(self.address.and_then(|address| address.country)),
            ..Identity::default()
        }
    }
}

/// A purchase whose details the family fills in.
pub(super) fn purchase(id: String, created: i64, unit: Unit, total: i64, lines: Vec<Line>) -> Purchase {
    Purchase {
        id,
        reference: None,
        channel: Channel::Online,
        placed_at: parse::unix(created),
        currency: unit.currency,
        total,
        tax: 0,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines,
        codes: vec![],
        location: None,
    }
}

pub(super) fn entry(purchase: Purchase, identity: Identity) -> Reading {
    let identity = assemble::known(identity);
    Reading::Entries(vec![Happening { event: Event::Purchase(purchase), identity, member: None }])
}

#[derive(Deserialize)]
struct Intent {
    id: Id,
    created: i64,
    currency: String,
    amount_received: Amount,
    amount_details: Option<AmountDetails>,
    customer: Option<Ref>,
    receipt_email: Option<String>,
    shipping: Option<Person>,
}

#[derive(Deserialize)]
struct AmountDetails {
    tip: Option<Tip>,
}

#[derive(Deserialize)]
struct Tip {
    amount: Option<Amount>,
}

/// `payment_intent.succeeded`: one line, and the tip of a card reader.
pub(super) fn payment_intent(body: &[u8]) -> Result<Reading, Unreadable> {
    let intent = parse::read::<Envelope<Intent>>(body, "the payment intent event")?.data.object;
    let unit = Unit::of(&intent.currency, "data.object.currency")?;
    let total = unit.minor(&intent.amount_received, "data.object.amount_received")?;
    let tip = intent.amount_details.and_then(|details| details.tip?.amount);
    let tip = unit.optional(tip.as_ref(), "data.object.amount_details.tip.amount")?;
    let mut lines = vec![single("payment", "Payment", less(total, tip)?, 0, LineKind::Item)];
    if tip > 0 {
        lines.push(single("tip", "Tip", tip, 0, LineKind::Tip));
    }
    let purchase = assemble::checked(purchase(intent.id.into(), intent.created, unit, total, lines))?;
    let mut identity = intent.shipping.unwrap_or_default().identity(intent.customer);
    identity.email = filled(intent.receipt_email).or(identity.email);
    Ok(entry(purchase, identity))
}

#[derive(Deserialize)]
struct Charge {
    id: Id,
    created: i64,
    currency: String,
    captured: bool,
    amount_captured: Amount,
    payment_intent: Option<Ref>,
    customer: Option<Ref>,
    receipt_email: Option<String>,
    billing_details: Option<Person>,
}

/// `charge.succeeded`, `charge.captured`: one line, once the money is taken.
pub(super) fn charge(body: &[u8]) -> Result<Reading, Unreadable> {
    let charge = parse::read::<Envelope<Charge>>(body, "the charge event")?.data.object;
    if !charge.captured {
        return Ok(Reading::Nothing("the charge is authorised and not captured yet".to_owned()));
    }
    let unit = Unit::of(&charge.currency, "data.object.currency")?;
    let total = unit.minor(&charge.amount_captured, "data.object.amount_captured")?;
    let id = charge.payment_intent.map_or_else(|| charge.id.into(), String::from);
    let lines = vec![single("payment", "Payment", total, 0, LineKind::Item)];
    let purchase = assemble::checked(purchase(id, charge.created, unit, total, lines))?;
    let mut identity = charge.billing_details.unwrap_or_default().identity(charge.customer);
    identity.email = identity.email.or_else(|| filled(charge.receipt_email));
    Ok(entry(purchase, identity))
}

#[derive(Deserialize)]
struct RefundBody {
    id: Id,
    created: i64,
    currency: String,
    amount: Amount,
    status: Option<String>,
    payment_intent: Option<Ref>,
    charge: Option<Ref>,
}

/// A refund event. Stripe tells no lines of a refund.
pub(super) fn refund(body: &[u8]) -> Result<Reading, Unreadable> {
    let refund = parse::read::<Envelope<RefundBody>>(body, "the refund event")?.data.object;
    let status = refund.status.as_deref().unwrap_or("unknown");
    if status != "succeeded" {
        let shown: String = status.chars().take(40).collect();
        return Ok(Reading::Nothing(format!("the refund has not succeeded: its status is `{shown}`")));
    }
    let Some(paid) = refund.payment_intent.or(refund.charge) else {
        return Ok(Reading::Nothing("the refund belongs to no payment".to_owned()));
    };
    let unit = Unit::of(&refund.currency, "data.object.currency")?;
    let refund = Refund {
        id: refund.id.into(),
        purchase: paid.into(),
        at: parse::unix(refund.created),
        currency: unit.currency,
        amount: unit.minor(&refund.amount, "data.object.amount")?,
        complete: false,
        lines: vec![],
    };
    Ok(Reading::Entries(vec![assemble::refund(refund)?]))
}

#[derive(Deserialize)]
struct Customer {
    id: Id,
    created: i64,
    email: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    address: Option<Address>,
    preferred_locales: Option<Vec<String>>,
}

/// `customer.created`.
pub(super) fn join(body: &[u8]) -> Result<Reading, Unreadable> {
    let customer = parse::read::<Envelope<Customer>>(body, "the customer event")?.data.object;
    let id = String::from(customer.id);
    let join = Join { id: id.clone(), at: parse::unix(customer.created), referrer: None };
    let person =
        Person { email: customer.email, phone: customer.phone, name: customer.name, address: customer.address };
    let locale = customer.preferred_locales.and_then(|locales| locales.into_iter().next());
    let identity = Identity { locale: filled(locale), proof: Proof::Record, ..person.identity(Some(Ref::Id(id))) };
    Ok(Reading::Entries(vec![assemble::join(join, identity)]))
}
