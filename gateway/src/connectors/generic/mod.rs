//! Any sender that signs its body with an HMAC and has its purchase somewhere in JSON: the source's options say where.
//!
//! ```toml
//! [sources.options]
//! header = "x-signature"              # where the signature is
//! algorithm = "sha256"                # or sha1, sha512
//! encoding = "hex"                    # or base64
//! prefix = "sha256="                  # before the signature, if any
//! timestamp_header = "x-timestamp"    # Unix seconds, if signed: the message is then `timestamp.body`
//! tolerance = 300                     # seconds, either way
//! delivery = "x-delivery-id"          # a header, or a pointer into the body (`/event_id`); else topic and body digest
//! topic = "/type"                     # a header or a pointer, if the sender has topics
//! money = "decimal"                   # or minor
//!
//! [sources.options.purchase]          # pointers (RFC 6901) into the body
//! topics = ["sale.completed"]
//! id = "/sale/id"
//! currency = "EUR"                    # or a pointer
//! total = "/sale/total"
//! placed_at = "/sale/time"            # ISO 8601, or seconds or milliseconds since 1970
//! card = "/sale/loyalty/card"         # also tax, discount, reference, location, channel (the word itself), customer_id, email,
//!                                     # phone, name, country, locale
//! lines = { each = "/sale/items", id = "/id", name = "/title", quantity = "/qty", total = "/amount" }
//!                                     # also sku, category, unit, tax; totals are after discounts and with tax
//!
//! [sources.options.refund]
//! when = "/refund"                    # only where this is there; or topics
//! id = "/refund/id"
//! purchase = "/refund/sale_id"
//! currency = "EUR"
//! amount = "/refund/amount"
//! at = "/refund/time"
//! lines = { each = "/refund/items", line = "/id", quantity = "/qty", amount = "/amount" }
//! ```

mod mapping;
mod pointer;
#[cfg(test)]
mod tests;

use super::scheme::{self, Algorithm, Encoding};
use super::{Admitted, Arrival, Connector, Context, Reading, Rejected, Stamp, Unreadable, Verified, parse};
use mapping::{Money, PurchaseMap, RefundMap};
use perkgate_domain::ids::Digest;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use pointer::Pointer;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The connector.
pub struct Generic;

/// The source's options, as the head of this file shows them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    header: String,
    #[serde(default = "sha256")]
    algorithm: Algorithm,
    #[serde(default = "hex")]
    encoding: Encoding,
    #[serde(default)]
    prefix: String,
    timestamp_header: Option<String>,
    #[serde(default = "tolerance")]
    tolerance: i64,
    signed: Option<Signed>,
    delivery: Option<Place>,
    topic: Option<Place>,
    #[serde(default)]
    money: Money,
    purchase: Option<PurchaseMap>,
    refund: Option<RefundMap>,
}

fn sha256() -> Algorithm {
    Algorithm::Sha256
}
fn hex() -> Encoding {
    Encoding::Hex
}
fn tolerance() -> i64 {
    300
}

/// What the signature is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Signed {
    #[serde(rename = "body")]
    Body,
    #[serde(rename = "timestamp.body")]
    TimestampBody,
}

/// Where a text stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
enum Place {
    /// In this header.
    Header(String),
    /// At this place in the body.
    Body(Pointer),
}

impl TryFrom<String> for Place {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            Pointer::try_from(text).map(Self::Body)
        } else {
            Ok(Self::Header(text.to_ascii_lowercase()))
        }
    }
}

impl Place {
    fn read(&self, arrival: &Arrival, body: &RawValue) -> Result<String, Rejected> {
        match self {
            Self::Header(name) => arrival.header(name).map(str::to_owned),
            Self::Body(at) => at.required_text(body).map_err(|error| Rejected::unreadable(error.0)),
        }
    }
}

/// Which mapping is for a body.
enum Chosen<'a> {
    Purchase(&'a PurchaseMap),
    Refund(&'a RefundMap),
}

impl Options {
    fn of(source: &Source) -> Result<Self, String> {
        let options: Self = serde_json::from_value(serde_json::Value::Object(source.options.clone()))
            .map_err(|error| format!("`options` of a `generic-hmac` source: {error}"))?;
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), String> {
        let wrong = |sentence: &str| Err(sentence.to_owned());
        match (&self.timestamp_header, self.signed) {
            (None, Some(Signed::TimestampBody)) => {
                return wrong("`options.signed` is `timestamp.body`: name the header in `options.timestamp_header`");
            }
            (Some(_), Some(Signed::Body)) => {
                return wrong("`options.timestamp_header` is not signed, so anybody could set it: remove it");
            }
            _ => {}
        }
        if self.header.trim().is_empty() {
            return wrong("`options.header` is empty: name the header that carries the signature");
        }
        if !(1..=86_400).contains(&self.tolerance) {
            return wrong("`options.tolerance` is 1 to 86400 seconds");
        }
        if self.purchase.is_none() && self.refund.is_none() {
            return wrong("`options.purchase` is missing: say where in the body a purchase stands");
        }
        if self.purchase.is_some() && self.refund.as_ref().is_some_and(|refund| refund.condition().is_always()) {
            return wrong("`options.refund` needs `topics` or `when`, or every purchase would be read as a refund");
        }
        self.purchase.as_ref().map_or(Ok(()), PurchaseMap::check)
    }

    /// Refunds first: a refund may carry its purchase, not the other way round.
    fn choose(&self, topic: Option<&str>, body: &RawValue) -> Option<Chosen<'_>> {
        let refund = self.refund.as_ref().filter(|refund| refund.condition().holds(topic, body));
        let purchase = || self.purchase.as_ref().filter(|purchase| purchase.condition().holds(topic, body));
        refund.map(Chosen::Refund).or_else(|| purchase().map(Chosen::Purchase))
    }

    fn topic(&self, arrival: &Arrival, body: &RawValue) -> Result<Option<String>, Rejected> {
        self.topic.as_ref().map(|place| place.read(arrival, body)).transpose()
    }

    /// What is signed; without a timestamp the first two parts are empty.
    fn parts<'a>(&self, time: &'a str, body: &'a [u8]) -> [&'a [u8]; 3] {
        if self.timestamp_header.is_some() { [time.as_bytes(), b".", body] } else { [b"", b"", body] }
    }
}

impl Connector for Generic {
    fn platform(&self) -> &'static str {
        "generic-hmac"
    }

    fn check(&self, source: &Source) -> Result<(), String> {
        scheme::raw_keys(source)?;
        if source.test {
            return Err("`test` is set, but a mapping marks no tests: nothing would ever be taken".to_owned());
        }
        Options::of(source).map(|_| ())
    }

    fn secrets_are_long(&self) -> bool {
        false
    }

    fn doubt(&self, source: &Source) -> Option<String> {
        // Who signs is not known here: it may be something that can do no better.
        if let Err(short) = scheme::long_enough(source) {
            return Some(short);
        }
        let options = Options::of(source).ok()?;
        let by_header = matches!(options.topic, Some(Place::Header(_))) && options.purchase.is_some();
        let in_doubt = by_header && options.refund.is_some_and(|refund| refund.condition().when.is_none());
        in_doubt.then(|| {
            "`options.topic` is a header, which is not signed: whoever holds one signed body can send it again as another kind; \
             point into the body if it says the topic, or tell the kinds apart by `when`"
                .to_owned()
        })
    }

    fn verify(&self, arrival: Arrival, source: &Source) -> Result<Admitted, Rejected> {
        let keys = scheme::at_the_door(scheme::raw_keys(source))?;
        let options = Options::of(source).map_err(Rejected::bad_signature)?;
        let header = options.header.to_ascii_lowercase();
        let given = arrival
            .header(&header)?
            .strip_prefix(options.prefix.as_str())
            .and_then(|text| options.encoding.decode(text))
            .ok_or_else(|| {
                Rejected::bad_signature(format!("the header {header} is not written as the source's options say"))
            })?;
        let time = match &options.timestamp_header {
            Some(name) => arrival.header(&name.to_ascii_lowercase())?,
            None => "",
        };
        if !scheme::holds(options.algorithm, &keys, &options.parts(time, &arrival.body), &[given]) {
            return Err(scheme::mismatch());
        }
        if let Some(name) = &options.timestamp_header {
            let signed_at = scheme::unix_seconds(time, &format!("the header {name}"))?;
            scheme::in_window(signed_at, arrival.received_at, options.tolerance)?;
        }
        let body: Box<RawValue> =
            parse::read(&arrival.body, "the body").map_err(|error| Rejected::unreadable(error.0))?;
        let topic = options.topic(&arrival, &body)?;
        let kind = match options.choose(topic.as_deref(), &body) {
            Some(Chosen::Purchase(_)) => "purchase",
            Some(Chosen::Refund(_)) => "refund",
            None => return Err(Rejected::unknown_topic(topic.as_deref().unwrap_or("a body that no mapping is for"))),
        };
        let topic = topic.unwrap_or_else(|| kind.to_owned());
        let dedupe = match &options.delivery {
            Some(place) => place.read(&arrival, &body)?,
            None => format!("{topic}:{}", Digest::of(&arrival.body)),
        };
        Ok(Admitted::Event(Verified::new(arrival, Stamp { topic, dedupe, test: false })))
    }

    fn normalise(&self, arrival: &Verified, context: Context<'_>) -> Result<Reading, Unreadable> {
        let options = Options::of(context.source).map_err(Unreadable)?;
        let body: Box<RawValue> = parse::read(&arrival.arrival().body, "the body")?;
        let topic = options.topic(arrival.arrival(), &body).map_err(|error| Unreadable(error.detail))?;
        match options.choose(topic.as_deref(), &body) {
            Some(Chosen::Purchase(map)) => map.read(&body, options.money),
            Some(Chosen::Refund(map)) => map.read(&body, options.money),
            None => Err(Unreadable("no mapping in the source's `options` is for this body any more".to_owned())),
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
        let options = Options::of(source)?;
        let time = now.seconds().to_string();
        let signature = options.encoding.encode(&scheme::mac(options.algorithm, key, &options.parts(&time, body)));
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (options.header.to_ascii_lowercase(), format!("{}{signature}", options.prefix)),
        ];
        headers.extend(options.timestamp_header.as_ref().map(|name| (name.to_ascii_lowercase(), time)));
        if let Some(Place::Header(name)) = &options.delivery {
            headers.push((name.clone(), delivery.to_owned()));
        }
        if let Some(Place::Header(name)) = &options.topic {
            let first = options.purchase.as_ref().and_then(|purchase| purchase.condition().topics.first().cloned());
            headers.push((name.clone(), topic.map(str::to_owned).or(first).unwrap_or_else(|| "purchase".to_owned())));
        }
        Ok(headers)
    }
}
