//! `refunds/create`: what was given back is what the successful transactions say, not the sum of the lines, because shipping
//! and goodwill have no lines (shopify.dev/docs/api/admin-rest/latest/resources/refund).

use super::order::{Money, MoneySet};
use crate::connectors::assemble::{self, sum};
use crate::connectors::parse::{self, Amount, Id};
use crate::connectors::{Reading, Unreadable};
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Refund, RefundLine};
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    id: Id,
    order_id: Id,
    created_at: String,
    refund_line_items: Option<Vec<RefundItem>>,
    refund_shipping_lines: Option<Vec<RefundShipping>>,
    transactions: Option<Vec<Transaction>>,
    order_adjustments: Option<Vec<Adjustment>>,
}

/// `subtotal` and `total_tax` are JSON numbers here, unlike everywhere else, and missing from older shapes.
#[derive(Deserialize)]
struct RefundItem {
    line_item_id: Id,
    quantity: Amount,
    subtotal: Option<Amount>,
    total_tax: Option<Amount>,
    subtotal_set: Option<MoneySet>,
    total_tax_set: Option<MoneySet>,
}

/// In newer API versions only: which shipping line was given back.
#[derive(Deserialize)]
struct RefundShipping {
    shipping_line_id: Option<Id>,
    shipping_line: Option<ShippingLine>,
    subtotal_amount_set: Option<MoneySet>,
    tax_amount_set: Option<MoneySet>,
}

#[derive(Deserialize)]
struct ShippingLine {
    id: Id,
}

#[derive(Deserialize)]
struct Transaction {
    kind: Option<String>,
    status: Option<String>,
    amount: Amount,
    currency: Option<String>,
}

/// Money given back beside the lines; negative.
#[derive(Deserialize)]
struct Adjustment {
    kind: Option<String>,
    amount: Option<Amount>,
    tax_amount: Option<Amount>,
    amount_set: Option<MoneySet>,
    tax_amount_set: Option<MoneySet>,
}

/// Which money of a set counts.
#[derive(Clone, Copy)]
enum Seen {
    /// The shop's.
    ByShop,
    /// The buyer's.
    ByBuyer,
}

/// An amount as one side sees it: from the set where there is one, else the plain amount, which is the shop's.
fn seen(set: Option<&MoneySet>, plain: Option<&Amount>, currency: Currency, by: Seen) -> Result<i64, Unreadable> {
    let money: Option<&Money> = set.and_then(|set| match by {
        Seen::ByShop => Some(&set.shop_money),
        Seen::ByBuyer => set.presentment_money.as_ref(),
    });
    let amount = money.map(|money| &money.amount).or(plain);
    amount.map_or(Ok(0), |amount| amount.nearest(currency, "refund_line_items"))
}

impl RefundItem {
    fn subtotal(&self, currency: Currency, by: Seen) -> Result<i64, Unreadable> {
        seen(self.subtotal_set.as_ref(), self.subtotal.as_ref(), currency, by)
    }
    fn tax(&self, currency: Currency, by: Seen) -> Result<i64, Unreadable> {
        seen(self.total_tax_set.as_ref(), self.total_tax.as_ref(), currency, by)
    }
}

impl Body {
    fn items(&self) -> &[RefundItem] {
        self.refund_line_items.as_deref().unwrap_or_default()
    }
    /// What was given back for shipping, tax included, positive.
    fn shipping(&self, currency: Currency, by: Seen) -> Result<i64, Unreadable> {
        let adjustments = self.order_adjustments.iter().flatten();
        let of_shipping = adjustments.filter(|adjustment| adjustment.kind.as_deref() == Some("shipping_refund"));
        sum(of_shipping.map(|adjustment| {
            let amount = seen(adjustment.amount_set.as_ref(), adjustment.amount.as_ref(), currency, by)?;
            let tax = seen(adjustment.tax_amount_set.as_ref(), adjustment.tax_amount.as_ref(), currency, by)?;
            Ok(amount.saturating_add(tax).saturating_abs())
        }))
    }
    /// Whether the lines' `subtotal` already has the tax in it. The body does not say, so the reading is taken that comes
    /// nearer to what was paid out.
    fn tax_within(&self, paid_out: i64, currency: Currency, by: Seen) -> Result<bool, Unreadable> {
        let rest = paid_out.saturating_sub(self.shipping(currency, by)?);
        let net = sum(self.items().iter().map(|item| item.subtotal(currency, by)))?;
        let tax = sum(self.items().iter().map(|item| item.tax(currency, by)))?;
        Ok(rest.saturating_sub(net).saturating_abs() < rest.saturating_sub(net).saturating_sub(tax).saturating_abs())
    }
    /// The shop's currency, where some amount says it.
    fn shop_currency(&self) -> Option<&str> {
        let of_items = self.items().iter().filter_map(|item| item.subtotal_set.as_ref());
        let of_adjustments = self.order_adjustments.iter().flatten().filter_map(|part| part.amount_set.as_ref());
        of_items.chain(of_adjustments).next().map(|set| set.shop_money.currency_code.as_str())
    }
}

/// The successful refund transactions: their currency and sum; nothing if there is none.
fn paid_out(body: &Body) -> Result<Option<(Currency, i64)>, Unreadable> {
    let mut paid: Option<(Currency, i64)> = None;
    for transaction in body.transactions.iter().flatten() {
        if transaction.kind.as_deref() != Some("refund") || transaction.status.as_deref() != Some("success") {
            continue;
        }
        let code = transaction.currency.as_deref().or(body.shop_currency());
        let code = code.ok_or_else(|| Unreadable("`transactions[].currency` is missing".to_owned()))?;
        let currency =
            Currency::parse(code).map_err(|error| Unreadable(format!("`transactions[].currency`: {error}")))?;
        let amount = transaction.amount.exact(currency, "transactions[].amount")?;
        paid = match paid {
            None => Some((currency, amount)),
            Some((other, sum)) if other == currency => {
                Some((currency, sum.checked_add(amount).ok_or_else(assemble::too_large)?))
            }
            Some(_) => return Err(Unreadable("the refund's transactions are in several currencies".to_owned())),
        };
    }
    Ok(paid)
}

/// Reads the body of `refunds/create`.
pub(super) fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    let body: Body = parse::read(body, "the refund")?;
    let Some((paid_in, paid)) = paid_out(&body)? else {
        return Ok(Reading::Nothing(
            "no money was given back: the refund has no successful refund transaction".to_owned(),
        ));
    };
    let currency = match body.shop_currency() {
        Some(code) => {
            Currency::parse(code).map_err(|error| Unreadable(format!("`shop_money.currency_code`: {error}")))?
        }
        None => paid_in,
    };
    // A buyer who paid in another currency is paid back in it; the shop's money then stands on lines and adjustments only.
    let foreign = currency != paid_in;
    let within = body.tax_within(paid, paid_in, if foreign { Seen::ByBuyer } else { Seen::ByShop })?;
    let mut lines: Vec<RefundLine> = Vec::new();
    for item in body.items() {
        let tax = if within { 0 } else { item.tax(currency, Seen::ByShop)? };
        let amount = sum([item.subtotal(currency, Seen::ByShop), Ok(tax)])?;
        add(&mut lines, item.line_item_id.as_str(), item.quantity.milli("refund_line_items[].quantity")?, amount)?;
    }
    for part in body.refund_shipping_lines.iter().flatten() {
        let id = part.shipping_line_id.as_ref().or(part.shipping_line.as_ref().map(|line| &line.id));
        let net = seen(part.subtotal_amount_set.as_ref(), None, currency, Seen::ByShop)?;
        let tax = if within { 0 } else { seen(part.tax_amount_set.as_ref(), None, currency, Seen::ByShop)? };
        if let (Some(id), true) = (id, net != 0) {
            add(&mut lines, id.as_str(), 0, sum([Ok(net), Ok(tax)])?)?;
        }
    }
    let amount = if foreign {
        let of_items = sum(lines.iter().filter(|line| line.quantity_milli > 0).map(|line| Ok(line.amount)))?;
        sum([Ok(of_items), body.shipping(currency, Seen::ByShop)])?
    } else {
        paid
    };
    let refund = Refund {
        id: body.id.into(),
        purchase: body.order_id.into(),
        at: parse::moment(&body.created_at, "created_at")?,
        currency,
        amount,
        complete: false,
        lines,
    };
    Ok(Reading::Entries(vec![assemble::refund(refund)?]))
}

/// Adds to a line's part; one line may be given back in several items of one refund.
fn add(lines: &mut Vec<RefundLine>, id: &str, quantity_milli: i64, amount: i64) -> Result<(), Unreadable> {
    match lines.iter_mut().find(|line| line.line == id) {
        Some(line) => {
            line.quantity_milli = line.quantity_milli.checked_add(quantity_milli).ok_or_else(assemble::too_large)?;
            line.amount = line.amount.checked_add(amount).ok_or_else(assemble::too_large)?;
        }
        None => lines.push(RefundLine { line: id.to_owned(), quantity_milli, amount }),
    }
    Ok(())
}
