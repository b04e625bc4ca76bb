//! Refunds: an order lists them with id and amount; their lines are fetched where the source has the shop's REST keys.

use super::order::Order;
use crate::connectors::assemble::{self, filled, sum};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::scheme::Encoding;
use crate::connectors::{Context, FetchRequest, Happening, Unreadable};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Refund, RefundLine};
use perkgate_domain::time::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Refunds whose lines are fetched for one order; of further ones the amount alone is taken.
const FETCHED: usize = 50;

/// A refund as the order lists it; `total` is negative.
#[derive(Deserialize)]
pub(super) struct RefundEntry {
    id: Id,
    total: Amount,
}

/// `GET /wp-json/wc/v3/orders/{order}/refunds/{refund}`. Quantities and totals of lines are negative.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    line_items: Vec<Item>,
    #[serde(default)]
    shipping_lines: Vec<Item>,
    #[serde(default)]
    fee_lines: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    quantity: Option<Amount>,
    total: Amount,
    total_tax: Option<Amount>,
    #[serde(default)]
    meta_data: Vec<Meta>,
}

/// Anything plugins note about a line; only `_refunded_item_id` is read.
#[derive(Deserialize)]
struct Meta {
    key: Option<String>,
    value: Option<Box<RawValue>>,
}

impl Item {
    /// The line of the order that this gives back.
    fn line(&self) -> Option<Id> {
        let meta = self.meta_data.iter().find(|meta| meta.key.as_deref() == Some("_refunded_item_id"))?;
        Id::from_raw(meta.value.as_deref()?)
    }
}

fn key(entry: &RefundEntry) -> String {
    format!("refund:{}", entry.id.as_str())
}

/// What has to be asked before the order's refunds can be read.
pub(super) fn missing(order: &Order, context: Context<'_>) -> Result<Vec<FetchRequest>, Unreadable> {
    let Some(api) = &context.source.api else { return Ok(vec![]) };
    let Some(base) = filled(api.base.clone()) else { return Ok(vec![]) };
    let base = base.trim_end_matches('/');
    let credentials = format!("Basic {}", Encoding::Base64.encode(api.token.as_bytes()));
    let open = order.refunds.iter().take(FETCHED).filter(|entry| !context.fetched.contains_key(&key(entry)));
    open.map(|entry| {
        let (order, refund) = (order.id.in_path("id")?, entry.id.in_path("refunds[].id")?);
        Ok(FetchRequest {
            key: key(entry),
            url: format!("{base}/wp-json/wc/v3/orders/{order}/refunds/{refund}"),
            headers: vec![("authorization".to_owned(), credentials.clone())],
        })
    })
    .collect()
}

/// One refund of the order, with its lines where they were fetched.
pub(super) fn happening(
    entry: &RefundEntry,
    order: &Order,
    currency: Currency,
    at: Moment,
    context: Context<'_>,
) -> Result<Happening, Unreadable> {
    let lines = match context.fetched.get(&key(entry)) {
        Some(answer) => lines(parse::read(answer, "the shop's answer about a refund")?, currency)?,
        None => vec![],
    };
    assemble::refund(Refund {
        id: entry.id.as_str().to_owned(),
        purchase: order.id.as_str().to_owned(),
        at,
        currency,
        amount: entry.total.nearest(currency, "refunds[].total")?.saturating_abs(),
        complete: false,
        lines,
    })
}

fn lines(answer: Answer, currency: Currency) -> Result<Vec<RefundLine>, Unreadable> {
    let mut lines: Vec<RefundLine> = Vec::new();
    for item in answer.line_items.into_iter().chain(answer.shipping_lines).chain(answer.fee_lines) {
        let Some(id) = item.line() else { continue };
        let tax = item.total_tax.as_ref().map_or(Ok(0), |tax| tax.nearest(currency, "line_items[].total_tax"));
        let amount = sum([item.total.nearest(currency, "line_items[].total"), tax])?.saturating_abs();
        let quantity = item.quantity.as_ref().map_or(Ok(0), |quantity| quantity.milli("line_items[].quantity"))?;
        // The shop lists every line of the order, those not given back with nothing in them.
        if amount != 0 || quantity != 0 {
            lines.push(RefundLine { line: id.into(), quantity_milli: quantity.saturating_abs(), amount });
        }
    }
    Ok(lines)
}
