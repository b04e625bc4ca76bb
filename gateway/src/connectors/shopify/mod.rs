//! Shopify: full webhooks, signed with the app's client secret over the raw body.
//!
//! Facts used (shopify.dev/docs/apps/build/webhooks, github.com/Shopify/shopify-app-js): the signature is
//! base64(HMAC-SHA256(client secret as text, raw body)) without a timestamp. Two families of headers exist, `X-Shopify-*` and
//! `Shopify-*`; a check reads one family only, the older where both are there. One sale may be told by `orders/create`,
//! `orders/paid` and `orders/updated`, in any order and repeatedly, so a purchase is read from fields that do not change later.

mod order;
mod peek;
mod refund;
#[cfg(test)]
mod tests;

use super::scheme::{self, Algorithm, Encoding};
use super::{Admitted, Arrival, Connector, Context, Reading, Rejected, Stamp, Unreadable, Verified, parse};
use peek::Peek;
use perkgate_domain::ids::Digest;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;

/// The topics that something follows from.
const TOPICS: &[&str] =
    &["orders/create", "orders/paid", "orders/updated", "orders/cancelled", "refunds/create", "customers/create"];

/// The connector. Option: `shop`, the `….myshopify.com` domain that arrivals must name.
pub struct Shopify;

/// The family of headers of an arrival, as a prefix of their names.
fn family(arrival: &Arrival) -> Result<&'static str, Rejected> {
    for prefix in ["x-shopify-", "shopify-"] {
        if arrival.header_if_any(&format!("{prefix}hmac-sha256"))?.is_some() {
            return Ok(prefix);
        }
    }
    Err(Rejected::bad_signature("the header x-shopify-hmac-sha256 is missing"))
}

/// The topic in its slash form. The newer family says `Order` and, in a second header, `update`.
fn topic(arrival: &Arrival, prefix: &str) -> Result<String, Rejected> {
    let topic = arrival.header(&format!("{prefix}topic"))?.to_ascii_lowercase();
    match arrival.header_if_any(&format!("{prefix}action"))? {
        Some(action) if !topic.contains('/') => {
            let action = match action.to_ascii_lowercase().as_str() {
                "update" => "updated".to_owned(),
                "cancel" => "cancelled".to_owned(),
                other => other.to_owned(),
            };
            Ok(format!("{topic}s/{action}"))
        }
        _ => Ok(topic),
    }
}

impl Connector for Shopify {
    fn platform(&self) -> &'static str {
        "shopify"
    }

    fn check(&self, source: &Source) -> Result<(), String> {
        scheme::raw_keys(source)?;
        match source.options.iter().find(|(key, value)| *key != "shop" || !value.is_string()) {
            Some((key, _)) => {
                Err(format!("`options.{key}` is not understood: Shopify takes `shop = \"….myshopify.com\"` only"))
            }
            None => Ok(()),
        }
    }

    fn verify(&self, arrival: Arrival, source: &Source) -> Result<Admitted, Rejected> {
        let keys = scheme::at_the_door(scheme::raw_keys(source))?;
        let prefix = family(&arrival)?;
        let given = Encoding::Base64
            .decode(arrival.header(&format!("{prefix}hmac-sha256"))?)
            .ok_or_else(|| Rejected::bad_signature(format!("the header {prefix}hmac-sha256 is not base64")))?;
        if !scheme::holds(Algorithm::Sha256, &keys, &[&arrival.body], &[given]) {
            return Err(scheme::mismatch());
        }
        if let Some(shop) = source.options.get("shop").and_then(|shop| shop.as_str()) {
            let named = arrival.header(&format!("{prefix}shop-domain"))?;
            if !named.eq_ignore_ascii_case(shop) {
                return Err(Rejected::bad_signature("it is about another shop than the source's `options.shop`"));
            }
        }
        let topic = topic(&arrival, prefix)?;
        if !TOPICS.contains(&topic.as_str()) {
            return Err(Rejected::unknown_topic(&topic));
        }
        let peek: Peek = parse::read(&arrival.body, "the body").map_err(|error| Rejected::unreadable(error.0))?;
        if let Some(why) = peek.contradicts(&topic) {
            return Err(Rejected::unreadable(why));
        }
        // Shopify's pages disagree on whether the webhook id or the event id names a happening. Two subscriptions to one topic
        // share the event id and differ in the webhook id; the purchase's own id catches those.
        let dedupe = match arrival.header_if_any(&format!("{prefix}webhook-id"))? {
            Some(id) => format!("{topic}:{id}"),
            None => format!("{topic}:{}", Digest::of(&arrival.body)),
        };
        let stamp = Stamp { topic, dedupe, test: peek.is_test() };
        Ok(Admitted::Event(Verified::new(arrival, stamp)))
    }

    fn normalise(&self, arrival: &Verified, _context: Context<'_>) -> Result<Reading, Unreadable> {
        let body = &arrival.arrival().body;
        match arrival.stamp().topic.as_str() {
            "orders/create" | "orders/paid" | "orders/updated" => order::sale(body),
            "orders/cancelled" => order::cancellation(body),
            "refunds/create" => refund::read(body),
            "customers/create" => order::join(body),
            other => Err(Unreadable(format!("the topic `{other}` is not one that this connector admits"))),
        }
    }

    fn sign(
        &self,
        body: &[u8],
        topic: Option<&str>,
        delivery: &str,
        source: &Source,
        now: Moment,
    ) -> Result<Vec<(String, String)>, String> {
        let keys = scheme::raw_keys(source)?;
        let key = keys.first().ok_or("`secrets` is missing")?;
        let shop = source.options.get("shop").and_then(|shop| shop.as_str()).unwrap_or("example.myshopify.com");
        let triggered = jiff::Timestamp::from_millisecond(now.0).map_err(|_| "the time is out of range")?;
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("x-shopify-topic", topic.unwrap_or("orders/paid").to_owned()),
            ("x-shopify-shop-domain", shop.to_owned()),
            ("x-shopify-api-version", "2025-01".to_owned()),
            ("x-shopify-webhook-id", delivery.to_owned()),
            ("x-shopify-triggered-at", triggered.to_string()),
            ("x-shopify-hmac-sha256", Encoding::Base64.encode(&scheme::mac(Algorithm::Sha256, key, &[body]))),
        ];
        Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}
