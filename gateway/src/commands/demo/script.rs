//! What the demo sends, in order, and what the door should say to each. Days are counted back from the start.

use crate::commands::samples::{self, Sale, square_event, stripe_event};
use perkgate_domain::time::Moment;
use serde_json::json;

/// One request.
pub(super) struct Step {
    /// What happens in the shop.
    pub(super) about: String,
    pub(super) source: &'static str,
    pub(super) topic: Option<&'static str>,
    /// Makes the delivery id: equal for a repeated delivery.
    pub(super) delivery: String,
    pub(super) body: Vec<u8>,
    /// What is done to the request after it was signed.
    pub(super) twist: Twist,
    /// The answer that should come: status and word.
    pub(super) expect: (u16, &'static str),
    /// The purchase to explain afterwards.
    pub(super) order: Option<String>,
}

/// What is done to a signed request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    /// The body is changed by one byte.
    Forged,
    /// It was signed an hour ago.
    Old,
    /// No signature at all.
    Unsigned,
}

/// Makes the steps; counts deliveries.
pub(super) struct Script {
    now: Moment,
    steps: Vec<Step>,
}

fn sale(id: u64, who: (&str, &'static str, bool), items: &[samples::Item], at: Moment) -> Sale {
    let (email, locale, consent) = who;
    Sale { id, email: email.to_owned(), locale, consent, items: items.to_vec(), tip: 0, shipping: 0, at, status: None }
}

const JANA: (&str, &str, bool) = ("jana@example.com", "sk", true);
const PETR: (&str, &str, bool) = ("petr@example.com", "cs", false);
const EWA: (&str, &str, bool) = ("ewa@example.com", "pl", true);
const TOM: (&str, &str, bool) = ("tom@example.com", "en", false);
const LEA: (&str, &str, bool) = ("lea@example.com", "de", false);

impl Script {
    pub(super) fn new(now: Moment) -> Self {
        Self { now, steps: Vec::new() }
    }

    pub(super) fn steps(mut self) -> Vec<Step> {
        self.jana();
        self.petr();
        self.ewa();
        self.tom_and_lea();
        self.trouble();
        self.steps
    }

    /// So many steps of seven hours before now: a story of less than three days, since nobody is sent a message about what is older.
    fn ago(&self, steps: i64) -> Moment {
        self.now.plus_ms(-steps * 7 * 3_600_000 - 60_000)
    }

    fn add(&mut self, about: &str, source: &'static str, topic: Option<&'static str>, body: Vec<u8>) -> &mut Step {
        let delivery = format!("demo-{}-{}", self.now.0, self.steps.len());
        let about = about.to_owned();
        let step =
            Step { about, source, topic, delivery, body, twist: Twist::None, expect: (200, "accepted"), order: None };
        self.steps.push(step);
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }

    /// A sale told by its platform's purchase webhook.
    fn sells(&mut self, about: &str, source: &'static str, topic: Option<&'static str>, sale: &Sale) -> &mut Step {
        let platform = match source {
            "eshop" => "shopify",
            "till" => "square",
            "pay" => "stripe",
            _ => "woocommerce",
        };
        let order = match platform {
            "square" => format!("sqp{}", sale.id),
            "stripe" => format!("pi_{}", sale.id),
            _ => sale.id.to_string(),
        };
        let body = samples::purchase(platform, sale).unwrap_or_default();
        let step = self.add(about, source, topic, body);
        step.order = Some(order);
        step
    }

    fn jana(&mut self) {
        // Shopify's ids are beyond what a double can count.
        let base = 820_982_911_946_154_000;
        let coffee = sale(base + 1, JANA, &[("Flat white", 2, 320)], self.ago(9));
        self.sells("Jana buys two coffees in the e-shop", "eshop", Some("orders/create"), &coffee);
        self.sells("Shopify tells of the payment as well: still one purchase", "eshop", Some("orders/paid"), &coffee);
        let repeated = self.steps[1].delivery.clone();
        let again =
            self.sells("Shopify repeats itself, as it does after a timeout", "eshop", Some("orders/paid"), &coffee);
        again.delivery = repeated;
        again.expect = (200, "duplicate");
        let cake = sale(base + 2, JANA, &[("Medovník", 2, 625)], self.ago(8));
        self.sells("Jana buys two cakes", "eshop", Some("orders/paid"), &cake);
        let lunch = sale(base + 3, JANA, &[("Obedové menu", 2, 1000)], self.ago(7));
        self.sells("Jana has lunch for two: enough for the cinema's offer", "eshop", Some("orders/paid"), &lunch);
        let espresso = sale(base + 4, JANA, &[("Espresso", 1, 320)], self.ago(6));
        self.sells("Jana has an espresso", "eshop", Some("orders/paid"), &espresso);
        let mut unpaid = sale(base + 5, JANA, &[("Raňajky", 1, 750)], self.ago(5));
        unpaid.status = Some("pending");
        self.sells("Jana orders breakfast and has not paid yet", "eshop", Some("orders/create"), &unpaid).order = None;
        unpaid.status = None;
        self.sells("Jana pays: her fifth visit fills the stamp card", "eshop", Some("orders/paid"), &unpaid);
        let refund = samples::shopify_refund(5_095_629_690_001, &cake, 0, 1);
        self.add("One of the two cakes comes back", "eshop", Some("refunds/create"), refund.clone()).order =
            Some(cake.id.to_string());
        self.add("Shopify tells of that refund twice", "eshop", Some("refunds/create"), refund).order =
            Some(cake.id.to_string());
        let late = sale(base + 6, JANA, &[("Čaj", 1, 900)], self.ago(4));
        let early = samples::shopify_refund(5_095_629_690_002, &late, 0, 1);
        self.add("A refund overtakes its purchase: it waits", "eshop", Some("refunds/create"), early);
        self.sells("The purchase arrives, and the refund with it", "eshop", Some("orders/paid"), &late);
    }

    fn petr(&mut self) {
        let mut coffee = sale(2001, PETR, &[("Payment", 1, 400)], self.ago(6));
        coffee.tip = 50;
        coffee.status = Some("APPROVED");
        self.sells("Petr's card is approved at the till", "till", None, &coffee).order = None;
        coffee.status = None;
        self.sells("Petr's payment is completed; his tip earns nothing", "till", None, &coffee);
        let mut again =
            self.sells("Square updates that payment once more (its fee)", "till", None, &coffee).body.clone();
        // Another event about the same payment.
        let text = String::from_utf8_lossy(&again).replace("pay-2001-COMPLETED", "pay-2001-COMPLETED-fee");
        again = text.into_bytes();
        let last = self.steps.len() - 1;
        self.steps[last].body = again;
        let dinner = sale(2002, PETR, &[("Payment", 1, 1800)], self.ago(5));
        self.sells("Petr has dinner: the second and last of the cinema's offers", "till", None, &dinner);
        let refund = json!({
            "id": "sqr2002", "payment_id": "sqp2002", "order_id": "sqo2002r", "location_id": "S8GWD5R9QB376", "status": "COMPLETED",
            "amount_money": {"amount": 900, "currency": "EUR"}, "created_at": "2026-02-06T21:27:41Z", "updated_at": "2026-02-06T21:27:41Z",
        });
        let body = square_event("refund.updated", "ref-2002", "refund", &refund).to_string().into_bytes();
        self.add("Half of the dinner is given back", "till", None, body).order = Some("sqp2002".to_owned());
        let stranger = sale(2003, ("", "sk", false), &[("Payment", 1, 260)], self.ago(5));
        self.sells("A stranger pays at the till: the purchase waits for somebody to claim it", "till", None, &stranger);
    }

    fn ewa(&mut self) {
        let gift = sale(3001, EWA, &[("Poukaz", 1, 2500)], self.ago(3));
        self.sells("Ewa pays by link; the offers have run out", "pay", None, &gift);
        let mut later = sale(3002, EWA, &[("Rezervácia", 1, 1000)], self.ago(3));
        later.status = Some("unpaid");
        self.sells("Ewa orders by bank transfer, not paid yet", "pay", None, &later).order = None;
        later.status = Some("async");
        self.sells("Her transfer arrives", "pay", None, &later);
        let refund = json!({
            "id": "re_3001", "object": "refund", "amount": 2500, "currency": "eur", "charge": "ch_3001", "payment_intent": "pi_3001",
            "status": "succeeded", "reason": null, "created": self.ago(2).seconds(),
        });
        let body = stripe_event("refund.created", "evt_re_3001", &refund).to_string().into_bytes();
        self.add("All of Ewa's first payment is given back", "pay", None, body).order = Some("pi_3001".to_owned());
        let test = samples::purchase("stripe", &sale(3003, EWA, &[("Test", 1, 9900)], self.ago(2))).unwrap_or_default();
        let test = String::from_utf8_lossy(&test).replace("\"livemode\":true", "\"livemode\":false").into_bytes();
        self.add("Somebody tries Stripe's test mode: kept apart", "pay", None, test);
    }

    fn tom_and_lea(&mut self) {
        let mut basket = sale(4001, TOM, &[("Beans & Co 250 g", 1, 645), ("Aeropress", 1, 1290)], self.ago(2));
        basket.shipping = 490;
        basket.status = Some("pending");
        self.sells("Tom fills a WooCommerce basket", "woo", Some("order.created"), &basket).order = None;
        basket.status = None;
        self.sells("Tom pays; shipping earns nothing", "woo", Some("order.updated"), &basket);
        let coffee = sale(820_982_911_946_155_001, LEA, &[("Cappuccino", 1, 320)], self.ago(1));
        self.sells("Lea, who agreed to no messages, has a cappuccino", "eshop", Some("orders/paid"), &coffee);
    }

    fn trouble(&mut self) {
        let coffee = sale(820_982_911_946_156_001, LEA, &[("Cappuccino", 1000, 320)], self.ago(0));
        let forged =
            self.sells("Somebody forges a purchase of a thousand coffees", "eshop", Some("orders/paid"), &coffee);
        (forged.twist, forged.expect, forged.order) = (Twist::Forged, (401, "rejected"), None);
        let old = self.sells(
            "Somebody replays a Stripe event of an hour ago",
            "pay",
            None,
            &sale(3009, EWA, &[("x", 1, 100)], self.ago(0)),
        );
        (old.twist, old.expect, old.order) = (Twist::Old, (401, "rejected"), None);
        self.add(
            "A body ends in the middle",
            "eshop",
            Some("orders/paid"),
            b"{\"id\": 820982911946156, \"total_pri".to_vec(),
        )
        .expect = (400, "rejected");
        self.add("A body is larger than any order", "eshop", Some("orders/paid"), vec![b' '; 5 * 1024 * 1024]).expect =
            (413, "rejected");
        self.add("Shopify tells of a new product", "eshop", Some("products/create"), b"{\"id\": 1}".to_vec()).expect =
            (200, "ignored");
        let ping = self.add("WooCommerce greets, unsigned", "woo", None, b"webhook_id=7".to_vec());
        (ping.twist, ping.expect) = (Twist::Unsigned, (200, ""));
    }
}
