//! WooCommerce: whole orders, signed with a secret of the webhook's own, told once and never again.
//!
//! Facts used (github.com/woocommerce/woocommerce `class-wc-webhook.php`): the signature is base64(HMAC-SHA256(secret, raw
//! body)) without a timestamp. `WordPress` stores the secret HTML-escaped and decodes it first, so the key is the plain characters.
//! There is no event id (`Delivery-ID` repeats within a second), so topic and body digest stand in for one. There is no topic
//! for payments or refunds: both are read from the order. On saving a webhook the shop posts `webhook_id=N`, unsigned, and
//! wants exactly 200.
//!
//! With `api` (`token = "ck_…:cs_…"`, `base` = the shop's address) each refund's lines are fetched.

mod entities;
mod order;
mod refund;
#[cfg(test)]
mod tests;

use super::scheme::{self, Algorithm, Encoding};
use super::{Admitted, Arrival, Connector, Context, Reading, Rejected, Stamp, Unreadable, Verified};
use perkgate_domain::ids::Digest;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;

const SIGNATURE: &str = "x-wc-webhook-signature";
const TOPIC: &str = "x-wc-webhook-topic";
/// The topics that something follows from.
const TOPICS: &[&str] = &["order.created", "order.updated", "customer.created"];

/// The connector. Takes no options.
pub struct WooCommerce;

/// Whether this is the unsigned greeting a shop sends on saving a webhook: a form with nothing but the webhook's number.
fn is_ping(arrival: &Arrival) -> bool {
    let number = arrival.body.strip_prefix(b"webhook_id=").map(<[u8]>::trim_ascii);
    let unsigned = !arrival.headers.iter().any(|(name, _)| name.starts_with("x-wc-webhook-"));
    unsigned && number.is_some_and(|number| (1..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit))
}

impl Connector for WooCommerce {
    fn platform(&self) -> &'static str {
        "woocommerce"
    }

    fn check(&self, source: &Source) -> Result<(), String> {
        scheme::raw_keys(source)?;
        if source.test {
            return Err(
                "`test` is set, but WooCommerce does not mark test orders: nothing would ever be taken".to_owned()
            );
        }
        if let Some(api) = &source.api {
            if !api.token.contains(':') {
                return Err("`api.token` is the shop's REST key pair: `ck_…:cs_…`".to_owned());
            }
            let base = api.base.as_deref().unwrap_or_default();
            if !base.starts_with("https://") && !base.starts_with("http://") {
                return Err("`api.base` is missing: put the shop's address there (`https://shop.example`)".to_owned());
            }
        }
        match source.options.keys().next() {
            Some(key) => Err(format!("`options.{key}` is not understood: WooCommerce takes no options")),
            None => Ok(()),
        }
    }

    fn verify(&self, arrival: Arrival, source: &Source) -> Result<Admitted, Rejected> {
        if is_ping(&arrival) {
            return Ok(Admitted::Handshake { status: 200, body: String::new() });
        }
        let keys = scheme::at_the_door(scheme::raw_keys(source))?;
        let given = Encoding::Base64
            .decode(arrival.header(SIGNATURE)?)
            .ok_or_else(|| Rejected::bad_signature(format!("the header {SIGNATURE} is not base64")))?;
        if !scheme::holds(Algorithm::Sha256, &keys, &[&arrival.body], &[given]) {
            return Err(scheme::mismatch());
        }
        let topic = arrival.header(TOPIC)?.to_owned();
        if !TOPICS.contains(&topic.as_str()) {
            return Err(Rejected::unknown_topic(&topic));
        }
        order::look(&arrival.body, &topic).map_err(|error| Rejected::unreadable(error.0))?;
        let dedupe = format!("{topic}:{}", Digest::of(&arrival.body));
        Ok(Admitted::Event(Verified::new(arrival, Stamp { topic, dedupe, test: false })))
    }

    fn normalise(&self, arrival: &Verified, context: Context<'_>) -> Result<Reading, Unreadable> {
        let body = &arrival.arrival().body;
        match arrival.stamp().topic.as_str() {
            "order.created" | "order.updated" => order::read(body, context),
            "customer.created" => order::join(body),
            other => Err(Unreadable(format!("the topic `{other}` is not one that this connector admits"))),
        }
    }

    fn sign(
        &self,
        body: &[u8],
        topic: Option<&str>,
        delivery: &str,
        source: &Source,
        _now: Moment,
    ) -> Result<Vec<(String, String)>, String> {
        let keys = scheme::raw_keys(source)?;
        let key = keys.first().ok_or("`secrets` is missing")?;
        let topic = topic.unwrap_or("order.updated");
        let (resource, event) = topic.split_once('.').unwrap_or((topic, ""));
        let shop =
            source.api.as_ref().and_then(|api| api.base.clone()).unwrap_or_else(|| "https://shop.example/".to_owned());
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("x-wc-webhook-source", shop),
            (TOPIC, topic.to_owned()),
            ("x-wc-webhook-resource", resource.to_owned()),
            ("x-wc-webhook-event", event.to_owned()),
            ("x-wc-webhook-id", "1".to_owned()),
            ("x-wc-webhook-delivery-id", delivery.to_owned()),
            (SIGNATURE, Encoding::Base64.encode(&scheme::mac(Algorithm::Sha256, key, &[body]))),
        ];
        Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}
