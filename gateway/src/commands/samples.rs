//! Made-up sales in the shapes of the platforms, for `send`, the demo and the bench. Shapes as in each platform's documentation, names and
//! numbers invented.

use jiff::Timestamp;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use serde_json::{Value, json};

/// One line of a sale: name, pieces, price of one in cents.
pub(super) type Item = (&'static str, i64, i64);

/// A sale, whatever platform it is told by. Euro, tax included.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    /// The platform's order id.
    pub(super) id: u64,
    /// Who buys; empty for a stranger.
    pub(super) email: String,
    /// Their language.
    pub(super) locale: &'static str,
    /// Whether they agreed to messages.
    pub(super) consent: bool,
    /// What.
    pub(super) items: Vec<Item>,
    /// Cents on top.
    pub(super) tip: i64,
    /// Cents on top.
    pub(super) shipping: i64,
    /// When.
    pub(super) at: Moment,
    /// The platform's word for how far the payment is: what each calls paid, unless told otherwise.
    pub(super) status: Option<&'static str>,
}

impl Sale {
    /// A coffee and two croissants.
    pub(super) fn made_up(id: u64, email: &str, at: Moment) -> Self {
        Self {
            id,
            email: email.to_owned(),
            locale: "sk",
            consent: true,
            items: vec![("Flat white", 1, 340), ("Croissant", 2, 210)],
            tip: 0,
            shipping: 0,
            at,
            status: None,
        }
    }

    pub(super) fn items_total(&self) -> i64 {
        self.items.iter().map(|(_, pieces, price)| pieces * price).sum()
    }

    pub(super) fn total(&self) -> i64 {
        self.items_total() + self.tip + self.shipping
    }

    fn iso(&self) -> String {
        Timestamp::from_millisecond(self.at.0)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .strftime("%Y-%m-%dT%H:%M:%S")
            .to_string()
    }
}

/// A source for signing, with what the platform needs.
pub(super) fn source(platform: &str, secret: &str, url: Option<&str>) -> Source {
    Source {
        id: "send".into(),
        platform: platform.to_owned(),
        secrets: vec![secret.to_owned()],
        url: url.map(str::to_owned),
        api: None,
        options: serde_json::Map::new(),
        test: false,
        paused: false,
        refund_window_days: None,
    }
}

/// The body of a platform's purchase webhook; none for platforms whose shape is up to the merchant.
pub(super) fn purchase(platform: &str, sale: &Sale) -> Option<Vec<u8>> {
    let body = match platform {
        "shopify" => shopify(sale),
        "square" => square(sale),
        "stripe" => stripe(sale),
        "woocommerce" => woocommerce(sale),
        "standard-webhooks" => standard(sale),
        _ => return None,
    };
    Some(body.to_string().into_bytes())
}

/// Cents as a JSON number, as Shopify writes a refunded line's subtotal, without a float in between.
fn number(cents: i64) -> Value {
    serde_json::from_str(&euro(cents)).unwrap_or(Value::Null)
}

fn euro(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn shopify(sale: &Sale) -> Value {
    let items: Vec<Value> = (1..)
        .zip(&sale.items)
        .map(|(line, (name, pieces, price))| {
            json!({
                "id": line_id(sale, line), "sku": name.to_uppercase().replace(' ', "-"), "name": name, "title": name,
                "quantity": pieces, "price": euro(*price), "total_discount": "0.00", "gift_card": false,
                "tax_lines": [], "discount_allocations": [], "product_id": 632_910_392, "variant_id": 808_950_810,
            })
        })
        .collect();
    let shipping = if sale.shipping == 0 {
        json!([])
    } else {
        json!([{"id": line_id(sale, 99), "title": "Kuriér", "price": euro(sale.shipping), "discounted_price": euro(sale.shipping),
            "tax_lines": [], "discount_allocations": []}])
    };
    let customer =
        if sale.email.is_empty() { Value::Null } else { json!({"id": customer(&sale.email), "email": sale.email}) };
    json!({
        "id": sale.id, "admin_graphql_api_id": format!("gid://shopify/Order/{}", sale.id), "name": format!("#{}", sale.id % 100_000),
        "email": sale.email, "created_at": format!("{}Z", sale.iso()), "processed_at": format!("{}Z", sale.iso()),
        "updated_at": format!("{}Z", sale.iso()), "currency": "EUR", "presentment_currency": "EUR",
        "financial_status": sale.status.unwrap_or("paid"), "source_name": "web", "test": false, "taxes_included": true,
        "total_price": euro(sale.total()), "subtotal_price": euro(sale.items_total()), "total_tax": "0.00",
        "total_discounts": "0.00", "total_tip_received": euro(sale.tip), "buyer_accepts_marketing": sale.consent,
        "customer_locale": sale.locale, "discount_codes": [], "customer": customer, "line_items": items, "shipping_lines": shipping,
        "refunds": [],
    })
}

/// A line's number: of that order alone, and beyond what a double can count, as Shopify's are.
fn line_id(sale: &Sale, line: u64) -> u64 {
    141_249_953_000_000_000 + sale.id % 1_000_000 * 100 + line
}

/// A customer number of that person's own.
pub(super) fn customer(email: &str) -> u64 {
    email.bytes().fold(7_000, |number, byte| (number * 31 + u64::from(byte)) % 9_000_000_000)
}

/// A refund of Shopify's: pieces of one line, and what was paid back.
pub(super) fn shopify_refund(id: u64, sale: &Sale, line: usize, pieces: i64) -> Vec<u8> {
    let amount = sale.items[line].2 * pieces;
    json!({
        "id": id, "order_id": sale.id, "created_at": format!("{}Z", sale.iso()), "note": "", "restock": true,
        "refund_line_items": [{"id": id * 10, "quantity": pieces, "line_item_id": line_id(sale, u64::try_from(line).unwrap_or(0) + 1),
            "subtotal": number(amount), "total_tax": 0, "restock_type": "return"}],
        "transactions": [{"id": id * 10 + 1, "order_id": sale.id, "kind": "refund", "status": "success", "amount": euro(amount),
            "currency": "EUR", "gateway": "bogus"}],
        "order_adjustments": [],
    })
    .to_string()
    .into_bytes()
}

fn square(sale: &Sale) -> Value {
    let money = |cents: i64| json!({"amount": cents, "currency": "EUR"});
    let mut payment = json!({
        "id": format!("sqp{}", sale.id), "order_id": format!("sqo{}", sale.id), "location_id": "S8GWD5R9QB376",
        "created_at": format!("{}Z", sale.iso()), "updated_at": format!("{}Z", sale.iso()),
        "amount_money": money(sale.total() - sale.tip), "total_money": money(sale.total()),
        "status": sale.status.unwrap_or("COMPLETED"), "source_type": "CARD", "receipt_number": "hYy9",
    });
    if sale.tip > 0 {
        payment["tip_money"] = money(sale.tip);
    }
    if !sale.email.is_empty() {
        payment["buyer_email_address"] = json!(sale.email);
        payment["customer_id"] = json!(format!("SQ{}", customer(&sale.email)));
    }
    square_event(
        "payment.updated",
        &format!("pay-{}-{}", sale.id, sale.status.unwrap_or("COMPLETED")),
        "payment",
        &payment,
    )
}

/// A Square event around an object.
pub(super) fn square_event(kind: &str, event: &str, name: &str, object: &Value) -> Value {
    json!({
        "merchant_id": "6SSW7HV8K2ST5", "type": kind, "event_id": event, "created_at": "2026-02-06T21:27:30Z",
        "data": {"type": name, "id": object["id"], "object": {name: object}},
    })
}

fn stripe(sale: &Sale) -> Value {
    let paid = sale.status.unwrap_or("paid");
    let kind = if paid == "async" { "checkout.session.async_payment_succeeded" } else { "checkout.session.completed" };
    let session = json!({
        "id": format!("cs_live_{}", sale.id), "object": "checkout.session", "created": sale.at.seconds(), "currency": "eur",
        "amount_total": sale.total(), "amount_subtotal": sale.items_total(), "mode": "payment",
        "payment_status": if paid == "unpaid" { "unpaid" } else { "paid" }, "payment_intent": format!("pi_{}", sale.id),
        "customer": format!("cus_{}", customer(&sale.email)),
        "customer_details": {"email": sale.email, "name": null, "phone": null}, "locale": sale.locale,
        "consent": {"promotions": if sale.consent { "opt_in" } else { "opt_out" }, "terms_of_service": null},
        "total_details": {"amount_tax": 0, "amount_discount": 0, "amount_shipping": sale.shipping}, "livemode": true,
    });
    stripe_event(kind, &format!("evt_{}_{paid}", sale.id), &session)
}

/// A Stripe event around an object.
pub(super) fn stripe_event(kind: &str, event: &str, object: &Value) -> Value {
    json!({
        "id": event, "object": "event", "api_version": "2025-08-27.basil", "created": object["created"], "livemode": true, "type": kind,
        "data": {"object": object}, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},
    })
}

fn woocommerce(sale: &Sale) -> Value {
    let status = sale.status.unwrap_or("processing");
    let paid = if status == "pending" { Value::Null } else { json!(sale.iso()) };
    let items: Vec<Value> = (1..)
        .zip(&sale.items)
        .map(|(line, (name, pieces, price))| {
            json!({
                "id": line, "name": name.replace('&', "&amp;"), "product_id": 90 + line, "variation_id": 0, "quantity": pieces,
                "subtotal": euro(pieces * price), "subtotal_tax": "0.00", "total": euro(pieces * price), "total_tax": "0.00",
                "sku": format!("W-{line}"), "price": price / 100, "meta_data": [],
            })
        })
        .collect();
    json!({
        "id": sale.id, "number": sale.id.to_string(), "status": status, "currency": "EUR", "date_created_gmt": sale.iso(),
        "date_modified_gmt": sale.iso(), "date_paid_gmt": paid, "discount_total": "0.00", "shipping_total": euro(sale.shipping),
        "shipping_tax": "0.00", "cart_tax": "0.00", "total": euro(sale.total()), "total_tax": "0.00", "prices_include_tax": true,
        "customer_id": customer(&sale.email), "billing": {"first_name": "", "last_name": "", "email": sale.email, "phone": "", "country": "SK"},
        "line_items": items, "tax_lines": [], "fee_lines": [], "coupon_lines": [], "refunds": [],
        "shipping_lines": if sale.shipping == 0 { json!([]) } else {
            json!([{"id": 77, "method_title": "Kuriér", "method_id": "flat_rate", "total": euro(sale.shipping), "total_tax": "0.00"}])
        },
    })
}

fn standard(sale: &Sale) -> Value {
    let items: Vec<Value> = sale
        .items
        .iter()
        .map(|(name, pieces, price)| json!({"name": name, "quantity_milli": pieces * 1000, "unit": price, "total": pieces * price}))
        .collect();
    let customer = json!({"email": sale.email, "locale": sale.locale, "consent": sale.consent});
    let purchase = json!({"id": sale.id.to_string(), "currency": "EUR", "total": sale.items_total(), "placed_at": format!("{}Z", sale.iso()), "lines": items});
    if sale.email.is_empty() {
        return json!({"type": "purchase", "data": {"purchase": purchase}});
    }
    json!({"type": "purchase", "data": {"purchase": purchase, "customer": customer}})
}
