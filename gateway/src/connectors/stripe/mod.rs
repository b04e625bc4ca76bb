//! Stripe: snapshot events, signed with a time. One family of events counts as purchases, or every sale would count twice.
//!
//! Facts used (docs.stripe.com/webhooks, github.com/stripe/stripe-node `src/Webhooks.ts`): `Stripe-Signature: t=…,v1=…` where
//! each `v1` is hex(HMAC-SHA256(endpoint secret as text, `whsec_` included and not decoded, `t` + "." + raw body)); any `v1` may
//! fit; other schemes are ignored. Signature first, then the time: 300 s.
//!
//! Option `events`: `checkout` (default), `payment_intent`, `charge` or `invoice`. A purchase is named by its payment intent
//! where there is one, and so are refunds: whatever the family, they meet.

mod invoice;
mod session;
mod shape;
#[cfg(test)]
mod tests;

use super::scheme::{self, Algorithm, Encoding};
use super::{
    Admitted, Arrival, Cause, Connector, Context, FetchRequest, Reading, Rejected, Stamp, Unreadable, Verified, parse,
};
use parse::Id;
use perkgate_domain::limits;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use serde::Deserialize;
use session::{LineItem, LineItems};

/// The header that carries time and signatures.
const SIGNATURE: &str = "stripe-signature";
/// Seconds between signing and receiving, either way. Stripe's own library refuses only what is too old; a signature from the
/// far future would be replayable until then.
const TOLERANCE: i64 = 300;
/// The topics that something follows from, or that deserve a sentence why not.
const TOPICS: &[&str] = &[
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "payment_intent.succeeded",
    "charge.succeeded",
    "charge.captured",
    "charge.refunded",
    "charge.refund.updated",
    "invoice.paid",
    "refund.created",
    "refund.updated",
    "customer.created",
];

/// The connector. With `api.token`, checkouts have their lines.
pub struct Stripe;

/// Which events are purchases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Checkout,
    PaymentIntent,
    Charge,
    Invoice,
}

impl Family {
    fn of(source: &Source) -> Result<Self, String> {
        match source.options.get("events").map(|value| value.as_str()) {
            None | Some(Some("checkout")) => Ok(Self::Checkout),
            Some(Some("payment_intent")) => Ok(Self::PaymentIntent),
            Some(Some("charge")) => Ok(Self::Charge),
            Some(Some("invoice")) => Ok(Self::Invoice),
            Some(_) => Err("`options.events` is `checkout`, `payment_intent`, `charge` or `invoice`".to_owned()),
        }
    }
    fn of_topic(topic: &str) -> Option<Self> {
        match topic {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => Some(Self::Checkout),
            "payment_intent.succeeded" => Some(Self::PaymentIntent),
            "charge.succeeded" | "charge.captured" => Some(Self::Charge),
            "invoice.paid" => Some(Self::Invoice),
            _ => None,
        }
    }
    fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::PaymentIntent => "payment_intent",
            Self::Charge => "charge",
            Self::Invoice => "invoice",
        }
    }
}

/// What of a body is looked at before it is journalled.
#[derive(Deserialize)]
struct Peek {
    id: Id,
    #[serde(rename = "type")]
    topic: String,
    object: Option<String>,
    livemode: bool,
}

/// The time and the signatures of the header, the time as sent.
fn signature_header(header: &str) -> Result<(&str, Vec<Vec<u8>>), Rejected> {
    let mut time = None;
    let mut given = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) if time.is_some_and(|time| time != value) => {
                return Err(Rejected::bad_signature(format!("the header {SIGNATURE} has two times")));
            }
            Some(("t", value)) => time = Some(value),
            // What is no hex fits nothing and may stand beside what does.
            Some(("v1", value)) => given.extend(Encoding::Hex.decode(value)),
            _ => {}
        }
    }
    match time {
        Some(time) if !given.is_empty() => Ok((time, given)),
        Some(_) => Err(Rejected::bad_signature(format!("the header {SIGNATURE} has no signature of scheme v1"))),
        None => Err(Rejected::bad_signature(format!("the header {SIGNATURE} has no time"))),
    }
}

impl Connector for Stripe {
    fn platform(&self) -> &'static str {
        "stripe"
    }

    fn check(&self, source: &Source) -> Result<(), String> {
        scheme::raw_keys(source)?;
        Family::of(source)?;
        match source.options.keys().find(|key| *key != "events") {
            Some(key) => Err(format!("`options.{key}` is not understood: Stripe takes `events` only")),
            None => Ok(()),
        }
    }

    fn verify(&self, arrival: Arrival, source: &Source) -> Result<Admitted, Rejected> {
        let keys = scheme::at_the_door(scheme::raw_keys(source))?;
        let (time, given) = signature_header(arrival.header(SIGNATURE)?)?;
        let signed_at = scheme::unix_seconds(time, &format!("`t` of the header {SIGNATURE}"))?;
        if !scheme::holds(Algorithm::Sha256, &keys, &[time.as_bytes(), b".", &arrival.body], &given) {
            return Err(scheme::mismatch());
        }
        scheme::in_window(signed_at, arrival.received_at, TOLERANCE)?;
        let peek: Peek = parse::read(&arrival.body, "the body").map_err(|error| Rejected::unreadable(error.0))?;
        if peek.object.as_deref() == Some("v2.core.event") {
            let detail = "a thin event (Stripe's API v2) has no object in it: \
                 set the event destination's payload style to snapshot";
            return Err(Rejected { cause: Cause::UnknownTopic, detail: detail.to_owned() });
        }
        if !TOPICS.contains(&peek.topic.as_str()) {
            return Err(Rejected::unknown_topic(&peek.topic));
        }
        let stamp = Stamp { topic: peek.topic, dedupe: peek.id.into(), test: !peek.livemode };
        Ok(Admitted::Event(Verified::new(arrival, stamp)))
    }

    fn normalise(&self, arrival: &Verified, context: Context<'_>) -> Result<Reading, Unreadable> {
        let body = &arrival.arrival().body;
        let topic = arrival.stamp().topic.as_str();
        let counted = Family::of(context.source).map_err(Unreadable)?;
        if let Some(family) = Family::of_topic(topic).filter(|family| *family != counted) {
            return Ok(Reading::Nothing(format!(
                "this source counts `{}` events, not `{}` (option `events`)",
                counted.as_str(),
                family.as_str()
            )));
        }
        match topic {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => checkout(body, context),
            "payment_intent.succeeded" => shape::payment_intent(body),
            "charge.succeeded" | "charge.captured" => shape::charge(body),
            "invoice.paid" => invoice::read(body),
            "refund.created" | "refund.updated" | "charge.refund.updated" => shape::refund(body),
            "charge.refunded" => Ok(Reading::Nothing(
                "`refund.created` tells of this refund by its own id: let the endpoint listen to it".to_owned(),
            )),
            "customer.created" => shape::join(body),
            other => Err(Unreadable(format!("the topic `{other}` is not one that this connector admits"))),
        }
    }

    fn sign(
        &self,
        body: &[u8],
        _topic: Option<&str>,
        _delivery: &str,
        source: &Source,
        now: Moment,
    ) -> Result<Vec<(String, String)>, String> {
        let keys = scheme::raw_keys(source)?;
        let key = keys.first().ok_or("`secrets` is missing")?;
        let time = now.seconds().to_string();
        let signature = Encoding::Hex.encode(&scheme::mac(Algorithm::Sha256, key, &[time.as_bytes(), b".", body]));
        Ok(vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (SIGNATURE.to_owned(), format!("t={time},v1={signature}")),
        ])
    }
}

/// A completed checkout: nothing until paid; then, with an API token, its lines first, page by page.
fn checkout(body: &[u8], context: Context<'_>) -> Result<Reading, Unreadable> {
    let (session, account) = session::Session::read(body)?;
    if let Some(reason) = session.not_paid() {
        return Ok(Reading::Nothing(reason));
    }
    let Some(api) = &context.source.api else { return session.purchase(&[]) };
    let mut items: Vec<LineItem> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let key = after.as_deref().map_or_else(|| "line_items".to_owned(), |id| format!("line_items:{id}"));
        let Some(answer) = context.fetched.get(&key) else {
            let base = api.base.as_deref().unwrap_or("https://api.stripe.com").trim_end_matches('/');
            let id = session.id().in_path("data.object.id")?;
            let page = after.map_or_else(String::new, |id| format!("&starting_after={id}"));
            let mut headers = vec![("authorization".to_owned(), format!("Bearer {}", api.token))];
            headers.extend(account.map(|account| ("stripe-account".to_owned(), account)));
            let url = format!("{base}/v1/checkout/sessions/{id}/line_items?limit=100{page}");
            return Ok(Reading::Fetch(vec![FetchRequest { key, url, headers }]));
        };
        let page: LineItems = parse::read(answer, "Stripe's answer about the line items")?;
        let last = page.data.last().map(|item| item.id.in_path("data[].id").map(str::to_owned)).transpose()?;
        items.extend(page.data);
        if items.len() > limits::LINES {
            return Err(Unreadable(format!(
                "the checkout has more than the {} lines a purchase may have",
                limits::LINES
            )));
        }
        match last {
            Some(last) if page.has_more => after = Some(last),
            _ => return session.purchase(&items),
        }
    }
}
