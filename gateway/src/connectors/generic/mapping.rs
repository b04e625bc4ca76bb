//! Where in a body the facts stand, as a source's options say.

use super::pointer::Pointer;
use crate::connectors::assemble::{self, per_piece, single, times};
use crate::connectors::parse::Amount;
use crate::connectors::{Happening, Reading, Unreadable};
use perkgate_domain::event::Event;
use perkgate_domain::member::{Identity, Proof};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund, RefundLine};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How the sender writes money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Money {
    /// `12.50`, as text or number.
    #[default]
    Decimal,
    /// `1250`.
    Minor,
}

impl Money {
    /// An amount that must be exact.
    fn exact(self, amount: &Amount, currency: Currency, field: &str) -> Result<i64, Unreadable> {
        match self {
            Self::Decimal => amount.exact(currency, field),
            Self::Minor => amount.whole(field),
        }
    }
    /// A part of a sum, which may carry a float's noise.
    fn nearest(self, amount: &Amount, currency: Currency, field: &str) -> Result<i64, Unreadable> {
        match self {
            Self::Decimal => amount.nearest(currency, field),
            Self::Minor => amount.whole(field),
        }
    }
    fn optional(self, at: Option<&Pointer>, body: &RawValue, currency: Currency) -> Result<Option<i64>, Unreadable> {
        let Some(at) = at else { return Ok(None) };
        at.amount(body)?.map(|amount| self.nearest(&amount, currency, at.as_str())).transpose()
    }
}

/// A currency: its code, or where it stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum CurrencyAt {
    Fixed(Currency),
    At(Pointer),
}

impl TryFrom<String> for CurrencyAt {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            return Pointer::try_from(text).map(Self::At);
        }
        Currency::parse(&text).map(Self::Fixed).map_err(|error| error.to_string())
    }
}

impl CurrencyAt {
    fn read(&self, body: &RawValue) -> Result<Currency, Unreadable> {
        match self {
            Self::Fixed(currency) => Ok(*currency),
            Self::At(at) => Currency::parse(&at.required_text(body)?)
                .map_err(|error| Unreadable(format!("`{}`: {error}", at.as_str()))),
        }
    }
}

/// When a mapping is for a body: with one of these topics, and with something at this place.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a> {
    pub(super) topics: &'a [String],
    pub(super) when: Option<&'a Pointer>,
}

impl Condition<'_> {
    pub(super) fn holds(self, topic: Option<&str>, body: &RawValue) -> bool {
        let of_topic = self.topics.is_empty() || topic.is_some_and(|topic| self.topics.iter().any(|one| one == topic));
        of_topic && self.when.is_none_or(|at| at.find(body).is_some())
    }
    pub(super) fn is_always(self) -> bool {
        self.topics.is_empty() && self.when.is_none()
    }
}

/// Where a purchase stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PurchaseMap {
    #[serde(default)]
    topics: Vec<String>,
    when: Option<Pointer>,
    id: Pointer,
    currency: CurrencyAt,
    total: Pointer,
    placed_at: Pointer,
    tax: Option<Pointer>,
    discount: Option<Pointer>,
    reference: Option<Pointer>,
    location: Option<Pointer>,
    #[serde(default)]
    channel: Channel,
    lines: Option<LinesMap>,
    customer_id: Option<Pointer>,
    email: Option<Pointer>,
    phone: Option<Pointer>,
    card: Option<Pointer>,
    name: Option<Pointer>,
    country: Option<Pointer>,
    locale: Option<Pointer>,
}

/// Where lines stand: the array, and places within each item. One of `total` and `unit` is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinesMap {
    each: Pointer,
    id: Option<Pointer>,
    sku: Option<Pointer>,
    name: Option<Pointer>,
    category: Option<Pointer>,
    quantity: Option<Pointer>,
    unit: Option<Pointer>,
    total: Option<Pointer>,
    tax: Option<Pointer>,
}

/// Where a refund stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundMap {
    #[serde(default)]
    topics: Vec<String>,
    when: Option<Pointer>,
    id: Pointer,
    purchase: Pointer,
    currency: CurrencyAt,
    amount: Pointer,
    at: Pointer,
    lines: Option<RefundLinesMap>,
}

/// Where a refund's lines stand: the array, and places within each item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundLinesMap {
    each: Pointer,
    line: Pointer,
    quantity: Option<Pointer>,
    amount: Option<Pointer>,
}

fn text(at: Option<&Pointer>, body: &RawValue) -> Result<Option<String>, Unreadable> {
    at.map_or(Ok(None), |at| at.text(body))
}

impl PurchaseMap {
    pub(super) fn condition(&self) -> Condition<'_> {
        Condition { topics: &self.topics, when: self.when.as_ref() }
    }
    /// What cannot work, whatever the body.
    pub(super) fn check(&self) -> Result<(), String> {
        match &self.lines {
            Some(lines) if lines.total.is_none() && lines.unit.is_none() => {
                Err("`options.purchase.lines` needs `total` or `unit`".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Reads the purchase.
    pub(super) fn read(&self, body: &RawValue, money: Money) -> Result<Reading, Unreadable> {
        let currency = self.currency.read(body)?;
        let total = money.exact(&self.total.required_amount(body)?, currency, self.total.as_str())?;
        let tax = money.optional(self.tax.as_ref(), body, currency)?.unwrap_or(0);
        let mut lines = match &self.lines {
            Some(map) => map.read(body, money, currency)?,
            None => vec![],
        };
        if lines.is_empty() {
            lines.push(single("1", "Purchase", total, tax, LineKind::Item));
        }
        let purchase = Purchase {
            id: self.id.required_text(body)?,
            reference: text(self.reference.as_ref(), body)?,
            channel: self.channel,
            placed_at: self.placed_at.moment(body)?,
            currency,
            total,
            tax,
            discount: money.optional(self.discount.as_ref(), body, currency)?.unwrap_or(0).saturating_abs(),
            unaccounted: 0,
            unaccounted_reason: None,
            lines,
            codes: vec![],
            location: text(self.location.as_ref(), body)?,
        };
        let purchase = assemble::purchase(purchase, "the mapped lines do not add up to the mapped total")?;
        let identity = assemble::known(Identity {
            customer_id: text(self.customer_id.as_ref(), body)?,
            email: text(self.email.as_ref(), body)?,
            phone: text(self.phone.as_ref(), body)?,
            card: text(self.card.as_ref(), body)?,
            name: text(self.name.as_ref(), body)?,
            country: text(self.country.as_ref(), body)?,
            locale: text(self.locale.as_ref(), body)?,
            consent: None,
            birthday: None,
            referrer: None,
            proof: Proof::Typed,
        });
        Ok(Reading::Entries(vec![Happening { event: Event::Purchase(purchase), identity, member: None }]))
    }
}

impl LinesMap {
    fn read(&self, body: &RawValue, money: Money, currency: Currency) -> Result<Vec<Line>, Unreadable> {
        self.each
            .items(body)?
            .into_iter()
            .enumerate()
            .map(|(index, item)| self.line(index, item, money, currency))
            .collect()
    }

    fn line(&self, index: usize, item: &RawValue, money: Money, currency: Currency) -> Result<Line, Unreadable> {
        let place = |error: Unreadable| Unreadable(format!("item {index} of `{}`: {error}", self.each.as_str()));
        let quantity_milli = match &self.quantity {
            Some(at) => {
                at.amount(item).map_err(place)?.map_or(Ok(1000), |amount| amount.milli(at.as_str())).map_err(place)?
            }
            None => 1000,
        };
        let unit = money.optional(self.unit.as_ref(), item, currency).map_err(place)?;
        let total = money.optional(self.total.as_ref(), item, currency).map_err(place)?;
        let (unit, total) = match (unit, total) {
            (Some(unit), Some(total)) => (unit, total),
            (Some(unit), None) => (unit, times(unit, quantity_milli)?),
            (None, Some(total)) => (per_piece(total, quantity_milli)?, total),
            (None, None) => return Err(place(Unreadable("it has neither a total nor a price".to_owned()))),
        };
        let read = |at: &Option<Pointer>| text(at.as_ref(), item).map_err(place);
        Ok(Line {
            id: read(&self.id)?.unwrap_or_else(|| (index + 1).to_string()),
            sku: read(&self.sku)?,
            name: read(&self.name)?.unwrap_or_else(|| format!("Line {}", index + 1)),
            category: read(&self.category)?,
            quantity_milli,
            unit,
            total,
            tax: money.optional(self.tax.as_ref(), item, currency).map_err(place)?.unwrap_or(0),
            // A line of less than nothing is money off.
            kind: if total < 0 { LineKind::Discount } else { LineKind::Item },
        })
    }
}

impl RefundMap {
    pub(super) fn condition(&self) -> Condition<'_> {
        Condition { topics: &self.topics, when: self.when.as_ref() }
    }

    /// Reads the refund. Amounts and quantities count without their sign: tills write refunds as negative sales.
    pub(super) fn read(&self, body: &RawValue, money: Money) -> Result<Reading, Unreadable> {
        let currency = self.currency.read(body)?;
        let amount = money.exact(&self.amount.required_amount(body)?, currency, self.amount.as_str())?;
        let mut lines = Vec::new();
        if let Some(map) = &self.lines {
            for item in map.each.items(body)? {
                let quantity = map.quantity.as_ref().map_or(Ok(None), |at| at.amount(item))?;
                let quantity = quantity.map_or(Ok(0), |quantity| quantity.milli(map.each.as_str()))?;
                let amount = money.optional(map.amount.as_ref(), item, currency)?.unwrap_or(0);
                lines.push(RefundLine {
                    line: map.line.required_text(item)?,
                    quantity_milli: quantity.saturating_abs(),
                    amount: amount.saturating_abs(),
                });
            }
        }
        let refund = Refund {
            id: self.id.required_text(body)?,
            purchase: self.purchase.required_text(body)?,
            at: self.at.moment(body)?,
            currency,
            amount: amount.saturating_abs(),
            complete: false,
            lines,
        };
        Ok(Reading::Entries(vec![assemble::refund(refund)?]))
    }
}
