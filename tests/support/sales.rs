//! Sales in the shapes of the platforms' documentation, names and numbers invented.

use crate::gateway::NOON;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

/// Line ids begin beyond 2^53, where a double loses count.
const LINES: u64 = 900_719_925_474_099_300;

/// One line: name, pieces, price of one in cents.
pub type Item = (&'static str, i64, i64);

/// A sale, whatever platform it is told by. Euro, tax included, paid, an hour before [`NOON`].
#[derive(Clone, Debug)]
pub struct Sale {
    /// The platform's order id.
    pub id: u64,
    /// What was bought.
    pub items: Vec<Item>,
    /// Who bought, as the platform writes it.
    pub email: Option<String>,
    /// The same by phone.
    pub phone: Option<String>,
    /// The code of a loyalty card; the shop's own till only.
    pub card: Option<String>,
    /// Whether they agreed to messages.
    pub consent: bool,
    /// Their language.
    pub locale: &'static str,
    /// When.
    pub at: Moment,
    /// How far the payment is.
    pub paid: bool,
    /// Made in the platform's test mode.
    pub test: bool,
    /// Cents on top that no line has.
    pub extra: i64,
}

impl Sale {
    /// A stranger buys these.
    #[must_use]
    pub fn new(id: u64, items: &[Item]) -> Self {
        Self {
            id,
            items: items.to_vec(),
            email: None,
            phone: None,
            card: None,
            consent: false,
            locale: "sk",
            at: NOON.plus_ms(-3_600_000),
            paid: true,
            test: false,
            extra: 0,
        }
    }
    /// Somebody known by an address buys.
    #[must_use]
    pub fn by(self, email: &str) -> Self {
        Self { email: Some(email.to_owned()), ..self }
    }
    /// Somebody known by a phone number buys.
    #[must_use]
    pub fn phone(self, phone: &str) -> Self {
        Self { phone: Some(phone.to_owned()), ..self }
    }
    /// Somebody agreed to messages.
    #[must_use]
    pub fn consenting(self) -> Self {
        Self { consent: true, ..self }
    }
    /// At another time.
    #[must_use]
    pub fn at(self, at: Moment) -> Self {
        Self { at, ..self }
    }
    /// It is not paid yet.
    #[must_use]
    pub fn unpaid(self) -> Self {
        Self { paid: false, ..self }
    }
    /// It is only a test.
    #[must_use]
    pub fn test(self) -> Self {
        Self { test: true, ..self }
    }
    /// Cents.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.items.iter().map(|(_, pieces, price)| pieces * price).sum::<i64>() + self.extra
    }
    /// The platform's id of a line.
    #[must_use]
    pub fn line(&self, index: usize) -> u64 {
        LINES + self.id % 1_000_000_000 * 100 + u64::try_from(index).unwrap_or(0)
    }
    fn iso(&self) -> String {
        iso(self.at)
    }
    fn given_back(&self, parts: &[(usize, i64)]) -> i64 {
        parts.iter().map(|(line, pieces)| self.items[*line].2 * pieces).sum()
    }
}

fn iso(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0).expect("a time").to_string()
}

fn euro(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn bytes(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// `orders/create`, `orders/paid` (shopify.dev/docs/api/webhooks).
#[must_use]
pub fn shopify(sale: &Sale) -> Vec<u8> {
    bytes(&shopify_order(sale))
}

fn shopify_order(sale: &Sale) -> Value {
    let items = sale.items.iter().enumerate().map(|(index, (name, pieces, price))| {
        json!({
            "id": sale.line(index), "sku": format!("SKU-{index}"), "name": name, "title": name, "quantity": pieces,
            "price": euro(*price), "total_discount": "0.00", "gift_card": false, "tax_lines": [],
            "discount_allocations": [], "product_id": 632_910_392, "variant_id": 808_950_810,
        })
    });
    let customer = match (&sale.email, &sale.phone) {
        (None, None) => Value::Null,
        (email, phone) => json!({"email": email, "phone": phone, "first_name": "Jana", "last_name": "Nováková"}),
    };
    json!({
        "id": sale.id, "name": format!("#{}", sale.id % 100_000), "email": sale.email, "created_at": sale.iso(),
        "processed_at": sale.iso(), "updated_at": sale.iso(), "currency": "EUR", "presentment_currency": "EUR",
        "financial_status": if sale.paid { "paid" } else { "pending" }, "source_name": "web", "test": sale.test,
        "taxes_included": true, "total_price": euro(sale.total()), "subtotal_price": euro(sale.total()),
        "total_tax": "0.00", "total_discounts": "0.00", "total_tip_received": "0.00",
        "buyer_accepts_marketing": sale.consent, "customer_locale": sale.locale, "discount_codes": [],
        "customer": customer, "line_items": items.collect::<Vec<_>>(), "shipping_lines": [], "refunds": [],
    })
}

/// `orders/cancelled`: the order with the time of its end.
#[must_use]
pub fn shopify_cancelled(sale: &Sale) -> Vec<u8> {
    let mut order = shopify_order(sale);
    order["cancelled_at"] = json!(iso(sale.at.plus_ms(60_000)));
    bytes(&order)
}

/// `refunds/create`: pieces of lines, and what was paid back.
#[must_use]
pub fn shopify_refund(id: u64, sale: &Sale, parts: &[(usize, i64)]) -> Vec<u8> {
    let items = parts.iter().map(|(line, pieces)| {
        // Numbers here, unlike everywhere else in Shopify.
        let subtotal: Value = serde_json::from_str(&euro(sale.items[*line].2 * pieces)).expect("a number");
        json!({
            "id": id * 10 + u64::try_from(*line).unwrap_or(0), "quantity": pieces, "line_item_id": sale.line(*line),
            "subtotal": subtotal, "total_tax": 0, "restock_type": "return",
        })
    });
    bytes(&json!({
        "id": id, "order_id": sale.id, "created_at": iso(sale.at.plus_ms(60_000)), "note": "", "restock": true,
        "refund_line_items": items.collect::<Vec<_>>(), "order_adjustments": [],
        "transactions": [{"id": id * 10, "order_id": sale.id, "kind": "refund", "status": "success",
            "amount": euro(sale.given_back(parts)), "currency": "EUR", "gateway": "bogus"}],
    }))
}

/// `payment.updated` (developer.squareup.com/reference/square/payments-api/webhooks). The order's id is `order-` and the sale's.
#[must_use]
pub fn square(sale: &Sale) -> Vec<u8> {
    let money = json!({"amount": sale.total(), "currency": "EUR"});
    let payment = json!({
        "id": format!("payment-{}", sale.id), "order_id": format!("order-{}", sale.id), "location_id": "S8GWD5R9QB376",
        "created_at": sale.iso(), "updated_at": sale.iso(), "amount_money": money, "total_money": money,
        "status": if sale.paid { "COMPLETED" } else { "APPROVED" }, "source_type": "CARD",
        "buyer_email_address": sale.email,
    });
    bytes(&json!({
        "merchant_id": "6SSW7HV8K2ST5", "type": "payment.updated", "event_id": format!("event-{}-{}", sale.id, sale.paid),
        "created_at": sale.iso(), "data": {"type": "payment", "id": payment["id"], "object": {"payment": payment}},
    }))
}

/// What Square's API answers about the order of [`square`].
#[must_use]
pub fn square_order(sale: &Sale) -> Vec<u8> {
    let money = |cents: i64| json!({"amount": cents, "currency": "EUR"});
    let items = sale.items.iter().enumerate().map(|(index, (name, pieces, price))| {
        json!({"uid": format!("line-{index}"), "name": name, "quantity": pieces.to_string(), "item_type": "ITEM",
            "base_price_money": money(*price), "total_tax_money": money(0), "total_money": money(price * pieces)})
    });
    bytes(&json!({"order": {
        "id": format!("order-{}", sale.id), "location_id": "S8GWD5R9QB376", "state": "COMPLETED",
        "line_items": items.collect::<Vec<_>>(), "total_money": money(sale.total()), "total_tax_money": money(0),
        "total_discount_money": money(0), "total_tip_money": money(0),
    }}))
}

/// `checkout.session.completed` (docs.stripe.com/api/checkout/sessions/object). The purchase is its payment intent, `pi_…`.
#[must_use]
pub fn stripe(sale: &Sale) -> Vec<u8> {
    let session = json!({
        "id": format!("cs_live_{}", sale.id), "object": "checkout.session", "created": sale.at.seconds(),
        "currency": "eur", "amount_total": sale.total(), "amount_subtotal": sale.total(), "mode": "payment",
        "payment_status": if sale.paid { "paid" } else { "unpaid" }, "payment_intent": format!("pi_{}", sale.id),
        "customer": null, "customer_details": {"email": sale.email, "name": null, "phone": sale.phone},
        "locale": sale.locale, "total_details": {"amount_tax": 0, "amount_discount": 0, "amount_shipping": 0},
        "livemode": !sale.test,
    });
    bytes(&json!({
        "id": format!("evt_{}", sale.id), "object": "event", "api_version": "2025-08-27.basil",
        "created": sale.at.seconds(), "livemode": !sale.test, "type": "checkout.session.completed",
        "data": {"object": session}, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},
    }))
}

/// Perkgate's own format.
#[must_use]
pub fn standard(sale: &Sale) -> Vec<u8> {
    let lines = sale.items.iter().enumerate().map(|(index, (name, pieces, price))| {
        json!({"id": index.to_string(), "name": name, "quantity_milli": pieces * 1000, "unit": price, "total": pieces * price})
    });
    let mut data = json!({"purchase": {
        "id": sale.id.to_string(), "currency": "EUR", "total": sale.total(), "placed_at": sale.iso(),
        "lines": lines.collect::<Vec<_>>(),
    }});
    let mut customer = json!({"locale": sale.locale, "consent": sale.consent});
    for (key, value) in [("email", &sale.email), ("phone", &sale.phone), ("card", &sale.card)] {
        if let Some(value) = value {
            customer[key] = json!(value);
            data["customer"] = customer.clone();
        }
    }
    bytes(&json!({"type": "purchase", "data": data}))
}

/// A refund in Perkgate's own format, told by quantity.
#[must_use]
pub fn standard_refund(id: u64, sale: &Sale, parts: &[(usize, i64)]) -> Vec<u8> {
    let lines: Vec<Value> =
        parts.iter().map(|(line, pieces)| json!({"line": line.to_string(), "quantity_milli": pieces * 1000})).collect();
    bytes(&json!({"type": "refund", "data": {"refund": {
        "id": id.to_string(), "purchase": sale.id.to_string(), "at": iso(sale.at.plus_ms(60_000)), "currency": "EUR",
        "amount": sale.given_back(parts), "lines": lines,
    }}}))
}
