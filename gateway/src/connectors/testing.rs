//! What the tests of every connector share: sources, arrivals, and a delivery from signing to reading.

use super::{Admitted, Arrival, Cause, Context, Happening, Reading, Rejected, Unreadable, Verified, find};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::ids::SourceId;
use perkgate_domain::programme::{Source, SourceApi};
use perkgate_domain::purchase::{Purchase, Refund};
use perkgate_domain::time::Moment;
use std::collections::BTreeMap;

/// 2026-03-01T12:00:00Z.
pub(crate) const NOW: Moment = Moment(1_772_366_400_000);
/// Fit for every scheme, Standard Webhooks' too.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Another one.
pub(crate) const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

pub(crate) fn source(platform: &str) -> Source {
    let options = match platform {
        "generic-hmac" => serde_json::json!({
            "header": "X-Till-Signature",
            "timestamp_header": "X-Till-Time",
            "purchase": { "id": "/id", "currency": "EUR", "total": "/total", "placed_at": "/at" },
        }),
        _ => serde_json::json!({}),
    };
    let serde_json::Value::Object(options) = options else { panic!("options are an object") };
    Source {
        id: SourceId::from("shop"),
        platform: platform.to_owned(),
        secrets: vec![SECRET.to_owned()],
        url: Some("https://gateway.example/in/m/shop".to_owned()),
        api: None,
        options,
        test: false,
        paused: false,
        refund_window_days: None,
    }
}

pub(crate) fn with_options(platform: &str, options: serde_json::Value) -> Source {
    let serde_json::Value::Object(options) = options else { panic!("options are an object") };
    Source { options, ..source(platform) }
}

pub(crate) fn with_api(source: Source, token: &str, base: Option<&str>) -> Source {
    Source { api: Some(SourceApi { token: token.to_owned(), base: base.map(str::to_owned) }), ..source }
}

pub(crate) fn arrival(headers: &[(&str, &str)], body: impl AsRef<[u8]>, received_at: Moment) -> Arrival {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    Arrival { headers, body: body.as_ref().to_vec().into(), received_at }
}

/// A body as the platform would send it now.
pub(crate) fn signed(source: &Source, topic: Option<&str>, body: impl AsRef<[u8]>) -> Arrival {
    let connector = find(&source.platform).unwrap();
    let headers = connector.sign(body.as_ref(), topic, "delivery-1", source, NOW).unwrap();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    arrival(&headers, body, NOW)
}

pub(crate) fn verify(source: &Source, arrival: Arrival) -> Result<Admitted, Rejected> {
    find(&source.platform).unwrap().verify(arrival, source)
}

/// Why an honest sender's body is turned away.
pub(crate) fn nothing_is_admitted(source: &Source, body: &str) -> Cause {
    verify(source, signed(source, None, body)).unwrap_err().cause
}

/// The arrival of an honest sender.
pub(crate) fn admitted(source: &Source, topic: Option<&str>, body: impl AsRef<[u8]>) -> Verified {
    match verify(source, signed(source, topic, body)).unwrap() {
        Admitted::Event(verified) => verified,
        Admitted::Handshake { .. } => panic!("a handshake, not an event"),
    }
}

/// An honest delivery, read with these answers of the platform's API.
pub(crate) fn read_with(
    source: &Source,
    topic: Option<&str>,
    body: impl AsRef<[u8]>,
    answers: &[(&str, &str)],
) -> Result<Reading, Unreadable> {
    let fetched: BTreeMap<String, Vec<u8>> =
        answers.iter().map(|(key, answer)| ((*key).to_owned(), answer.as_bytes().to_vec())).collect();
    let verified = admitted(source, topic, body);
    find(&source.platform).unwrap().normalise(&verified, Context { source, fetched: &fetched })
}

pub(crate) fn read(source: &Source, topic: Option<&str>, body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
    read_with(source, topic, body, &[])
}

pub(crate) fn entries(reading: Result<Reading, Unreadable>) -> Vec<Happening> {
    match reading.unwrap() {
        Reading::Entries(entries) => entries,
        other => panic!("no entries: {other:?}"),
    }
}

pub(crate) fn nothing(reading: Result<Reading, Unreadable>) -> String {
    match reading.unwrap() {
        Reading::Nothing(reason) => reason,
        other => panic!("not nothing: {other:?}"),
    }
}

pub(crate) fn the_purchase(reading: Result<Reading, Unreadable>) -> Purchase {
    match entries(reading).remove(0).event {
        Event::Purchase(purchase) => {
            assert_eq!(purchase.check(), Ok(()));
            assert!(!purchase.lines.is_empty());
            purchase
        }
        other => panic!("no purchase: {other:?}"),
    }
}

pub(crate) fn the_refund(reading: Result<Reading, Unreadable>) -> Refund {
    let mut entries = entries(reading);
    let entry = entries.pop().unwrap();
    assert_eq!(entry.identity, None);
    match entry.event {
        Event::Refund(refund) => refund,
        other => panic!("no refund: {other:?}"),
    }
}

pub(crate) fn the_join(reading: Result<Reading, Unreadable>) -> Join {
    match entries(reading).remove(0).event {
        Event::Join(join) => join,
        other => panic!("no join: {other:?}"),
    }
}

/// The lines as (id, quantity in thousandths, total, kind).
pub(crate) fn shown(purchase: &Purchase) -> Vec<(&str, i64, i64, &str)> {
    purchase.lines.iter().map(|line| (line.id.as_str(), line.quantity_milli, line.total, line.kind.as_str())).collect()
}
