//! A delivery as a webhook, signed as Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use super::Sent;
use crate::outbound::{Answer, Outbound, OutboundError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use perkgate_domain::delivery::DueDelivery;
use perkgate_domain::member::Contact;
use perkgate_domain::time::Moment;
use serde::Serialize;
use sha2::Sha256;

/// What the receiver gets. The same bytes at every attempt.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    delivery: &'a str,
    merchant: &'a str,
    member: &'a str,
    key: &'a str,
    subject: &'a str,
    text: &'a str,
    locale: &'a str,
    to: &'a Contact,
}

/// One attempt at `now`.
pub(super) async fn send(
    outbound: &Outbound,
    due: &DueDelivery,
    url: &str,
    secret: &str,
    now: Moment,
    answer_bytes: usize,
) -> Sent {
    let (Some(key), Some(body)) = (key(secret), body(due)) else {
        return Sent::never("the channel's secret is not `whsec_` and base64: mend it in the merchant file");
    };
    let id = due.delivery.id.as_str();
    let timestamp = now.seconds();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", sign(&key, id, timestamp, &body)),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    match outbound.post(url, &headers, body, answer_bytes).await {
        Ok(Answer { status, retry_after, .. }) => judge(status, retry_after),
        // The status had arrived, and it is all that counts here.
        Err(OutboundError::TooLarge { status, .. }) => judge(status, None),
        Err(error) if error.is_transient() => Sent::again(error.to_string()),
        Err(error) => Sent::never(error.to_string()),
    }
}

/// What a status means: 2xx is taken, 410 asks never to be sent to again (Standard Webhooks, "Delivery"), all else may pass.
fn judge(status: u16, retry_after: Option<String>) -> Sent {
    let error = match status {
        200..=299 => return Sent::Taken { status },
        410 => {
            return Sent::Never { status: Some(status), error: "the receiver answered 410: it wants no more".into() };
        }
        300..=399 => format!("the receiver answered {status}; redirects are not followed, write the final URL"),
        _ => format!("the receiver answered {status}"),
    };
    Sent::Again { status: Some(status), error, retry_after }
}

/// The secret's bytes: `whsec_` and base64.
pub(super) fn key(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    (!key.is_empty()).then_some(key)
}

fn body(due: &DueDelivery) -> Option<Vec<u8>> {
    let delivery = &due.delivery;
    let message = &delivery.message;
    let body = Body {
        r#type: if delivery.member.as_str().is_empty() { "task" } else { "message" },
        timestamp: jiff::Timestamp::from_millisecond(delivery.created_at.0).ok()?.to_string(),
        data: Data {
            delivery: delivery.id.as_str(),
            merchant: delivery.merchant.as_str(),
            member: delivery.member.as_str(),
            key: &message.key,
            subject: &message.subject,
            text: &message.text,
            locale: &message.locale,
            to: &due.contact,
        },
    };
    serde_json::to_vec(&body).ok()
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
fn sign(key: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
