//! Square: payments, refunds and customers come whole; what was bought has to be fetched from the order.
//!
//! Facts used (developer.squareup.com/docs/webhooks/step3validate, github.com/square/square-nodejs-sdk): the signature is
//! base64(HMAC-SHA256(signature key as text, notification URL + raw body)) without a timestamp; the older SHA-1 header beside it
//! is never read. Event id and type are in the body, the environment in a header. `order.*` events are thin and do not fire for
//! every sale, so everything is driven from payments, and a purchase is named by its payment.

mod shape;
#[cfg(test)]
mod tests;

use super::scheme::{self, Algorithm, Encoding};
use super::{
    Admitted, Arrival, Connector, Context, FetchRequest, Reading, Rejected, Stamp, Unreadable, Verified, parse,
};
use parse::Id;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use serde::Deserialize;

/// The only header read for a signature.
const SIGNATURE: &str = "x-square-hmacsha256-signature";
/// The topics that something follows from.
const TOPICS: &[&str] = &["payment.created", "payment.updated", "refund.created", "refund.updated", "customer.created"];
/// The API version whose order [`shape`] reads.
const VERSION: &str = "2024-10-17";
/// The key of the fetched order.
const ORDER: &str = "order";

/// The connector. Needs `url`, the notification URL exactly as Square has it; with `api.token`, purchases have their lines.
pub struct Square;

/// What of a body is looked at before it is journalled.
#[derive(Deserialize)]
struct Peek {
    #[serde(rename = "type")]
    topic: String,
    event_id: Id,
}

fn url(source: &Source) -> Result<&str, String> {
    let url = source.url.as_deref().unwrap_or_default();
    if url.starts_with("https://") || url.starts_with("http://") {
        Ok(url)
    } else {
        Err("`url` is missing: Square signs the notification URL, so put it there exactly as Square's subscription has it".to_owned())
    }
}

impl Connector for Square {
    fn platform(&self) -> &'static str {
        "square"
    }

    fn check(&self, source: &Source) -> Result<(), String> {
        scheme::raw_keys(source)?;
        url(source)?;
        match source.options.keys().next() {
            Some(key) => Err(format!("`options.{key}` is not understood: Square takes no options")),
            None => Ok(()),
        }
    }

    fn verify(&self, arrival: Arrival, source: &Source) -> Result<Admitted, Rejected> {
        let keys = scheme::at_the_door(scheme::raw_keys(source))?;
        let url = url(source).map_err(Rejected::bad_signature)?;
        let given = Encoding::Base64
            .decode(arrival.header(SIGNATURE)?)
            .ok_or_else(|| Rejected::bad_signature(format!("the header {SIGNATURE} is not base64")))?;
        if !scheme::holds(Algorithm::Sha256, &keys, &[url.as_bytes(), &arrival.body], &[given]) {
            return Err(Rejected::bad_signature(
                "the signature fits none of the source's secrets: check `url` letter by letter, then the signature key",
            ));
        }
        let peek: Peek = parse::read(&arrival.body, "the body").map_err(|error| Rejected::unreadable(error.0))?;
        if peek.topic == "webhooks.test_notification" {
            return Ok(Admitted::Handshake { status: 200, body: String::new() });
        }
        if !TOPICS.contains(&peek.topic.as_str()) {
            return Err(Rejected::unknown_topic(&peek.topic));
        }
        let environment = arrival.header_if_any("square-environment")?;
        let test = environment.is_some_and(|name| name.eq_ignore_ascii_case("sandbox"));
        let stamp = Stamp { topic: peek.topic, dedupe: peek.event_id.into(), test };
        Ok(Admitted::Event(Verified::new(arrival, stamp)))
    }

    fn normalise(&self, arrival: &Verified, context: Context<'_>) -> Result<Reading, Unreadable> {
        let body = &arrival.arrival().body;
        match arrival.stamp().topic.as_str() {
            "payment.created" | "payment.updated" => payment(body, arrival.stamp().test, context),
            "refund.created" | "refund.updated" => shape::refund(body),
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
        let signature = scheme::mac(Algorithm::Sha256, key, &[url(source)?.as_bytes(), body]);
        let delivered = jiff::Timestamp::from_millisecond(now.0).map_err(|_| "the time is out of range")?;
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("square-environment", if source.test { "Sandbox" } else { "Production" }.to_owned()),
            ("square-initial-delivery-timestamp", delivered.to_string()),
            (SIGNATURE, Encoding::Base64.encode(&signature)),
        ];
        Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// A payment event: nothing until completed; then, with an API token, its order first.
fn payment(body: &[u8], test: bool, context: Context<'_>) -> Result<Reading, Unreadable> {
    let payment = shape::Payment::read(body)?;
    if let Some(reason) = payment.not_completed() {
        return Ok(Reading::Nothing(reason));
    }
    let order = match (&context.source.api, payment.order_id()) {
        (Some(api), Some(id)) => {
            let Some(answer) = context.fetched.get(ORDER) else {
                let home = if test { "https://connect.squareupsandbox.com" } else { "https://connect.squareup.com" };
                let base = api.base.as_deref().unwrap_or(home).trim_end_matches('/');
                let id = id.in_path("data.object.payment.order_id")?;
                return Ok(Reading::Fetch(vec![FetchRequest {
                    key: ORDER.to_owned(),
                    url: format!("{base}/v2/orders/{id}"),
                    headers: vec![
                        ("authorization".to_owned(), format!("Bearer {}", api.token)),
                        ("square-version".to_owned(), VERSION.to_owned()),
                    ],
                }]));
            };
            Some(shape::Order::read(answer)?)
        }
        _ => None,
    };
    payment.purchase(order)
}
