//! Perkgate's own format, for tills and shops that no connector knows: three shapes of JSON, signed as Standard Webhooks.
//!
//! A till developer needs [`SCHEMA`], whose examples are complete, and any library of standardwebhooks.com: the signature is
//! base64(HMAC-SHA256(base64-decoded secret, `id.timestamp.body`)), listed as `v1,…` in `webhook-signature`; the timestamp is
//! believed for 300 s either way; `webhook-id` stays the same over retries and dedupes them.
//!
//! Money is whole minor units. What is left out is worked out: ids of lines, quantities of one, prices of a piece, and what the
//! lines leave of the total. Unknown keys are refused, because a misspelt one would silently be lost.

#[cfg(test)]
mod tests;

use super::scheme::{self, Algorithm, Encoding};
use super::{Admitted, Arrival, Connector, Context, Happening, Reading, Rejected, Stamp, Unreadable, Verified};
use super::{assemble, parse};
use parse::When;
use perkgate_domain::event::{Edit, Event, Join};
use perkgate_domain::member::{Identity, Proof};
use perkgate_domain::money::Currency;
use perkgate_domain::programme::Source;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase, Refund, RefundLine};
use perkgate_domain::time::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The JSON Schema (draft 2020-12) of the body, with complete examples.
pub const SCHEMA: &str = include_str!("standard.schema.json");

/// Seconds between signing and receiving, either way (standard-webhooks.md, every library).
const TOLERANCE: i64 = 300;
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// The connector. Takes no options.
pub struct Standard;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    timestamp: Option<When>,
    data: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PurchaseData {
    purchase: PurchaseBody,
    customer: Option<Identity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundData {
    refund: RefundBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinData {
    join: JoinBody,
    customer: Identity,
}

/// [`Purchase`] with what a till may leave out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PurchaseBody {
    id: String,
    reference: Option<String>,
    #[serde(default)]
    channel: Channel,
    placed_at: Option<When>,
    currency: Currency,
    total: i64,
    #[serde(default)]
    tax: i64,
    #[serde(default)]
    discount: i64,
    unaccounted: Option<i64>,
    unaccounted_reason: Option<String>,
    #[serde(default)]
    lines: Vec<LineBody>,
    #[serde(default)]
    codes: Vec<String>,
    location: Option<String>,
}

/// [`Line`] with what a till may leave out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineBody {
    id: Option<String>,
    sku: Option<String>,
    name: String,
    category: Option<String>,
    #[serde(default = "one")]
    quantity_milli: i64,
    unit: Option<i64>,
    total: i64,
    #[serde(default)]
    tax: i64,
    #[serde(default)]
    kind: LineKind,
}

fn one() -> i64 {
    1000
}

/// [`Refund`] with what a till may leave out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundBody {
    id: String,
    purchase: String,
    at: Option<When>,
    currency: Currency,
    amount: Option<i64>,
    #[serde(default)]
    complete: bool,
    #[serde(default)]
    lines: Vec<RefundLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditData {
    edit: EditBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    id: String,
    at: Option<When>,
    purchase: PurchaseBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinBody {
    id: String,
    at: Option<When>,
    referrer: Option<String>,
}

/// The symmetric signatures of the header's list. Other versions are skipped, as the specification asks.
fn signatures(header: &str) -> Vec<Vec<u8>> {
    header.split(' ').filter_map(|part| Encoding::Base64.decode(part.strip_prefix("v1,")?)).collect()
}

impl Connector for Standard {
    fn platform(&self) -> &'static str {
        "standard-webhooks"
    }

    fn check(&self, source: &Source) -> Result<(), String> {
        scheme::standard_keys(source)?;
        if source.test {
            return Err("`test` is set, but this format marks no tests: nothing would ever be taken".to_owned());
        }
        match source.options.keys().next() {
            Some(key) => Err(format!("`options.{key}` is not understood: `standard-webhooks` takes no options")),
            None => Ok(()),
        }
    }

    fn verify(&self, arrival: Arrival, source: &Source) -> Result<Admitted, Rejected> {
        let keys = scheme::at_the_door(scheme::standard_keys(source))?;
        let id = arrival.header(ID)?.to_owned();
        let time = arrival.header(TIMESTAMP)?;
        let given = signatures(arrival.header(SIGNATURE)?);
        if id.is_empty() {
            return Err(Rejected::bad_signature(format!("the header {ID} is empty")));
        }
        if given.is_empty() {
            return Err(Rejected::bad_signature(format!("the header {SIGNATURE} has no `v1,` signature")));
        }
        let signed_at = scheme::unix_seconds(time, &format!("the header {TIMESTAMP}"))?;
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", &arrival.body];
        if !scheme::holds(Algorithm::Sha256, &keys, &parts, &given) {
            return Err(scheme::mismatch());
        }
        scheme::in_window(signed_at, arrival.received_at, TOLERANCE)?;
        let envelope: Envelope =
            parse::read(&arrival.body, "the body").map_err(|error| Rejected::unreadable(error.0))?;
        if !matches!(envelope.kind.as_str(), "purchase" | "refund" | "edit" | "join") {
            return Err(Rejected::unknown_topic(&envelope.kind));
        }
        let stamp = Stamp { topic: envelope.kind, dedupe: id, test: false };
        Ok(Admitted::Event(Verified::new(arrival, stamp)))
    }

    fn normalise(&self, arrival: &Verified, _context: Context<'_>) -> Result<Reading, Unreadable> {
        let envelope: Envelope = parse::read(&arrival.arrival().body, "the body")?;
        let data = envelope.data.get().as_bytes();
        let at = |own: Option<When>, field: &str| {
            own.or(envelope.timestamp)
                .map(|when| when.0)
                .ok_or_else(|| Unreadable(format!("`data.{field}` is missing, and `timestamp` too")))
        };
        let happening = match envelope.kind.as_str() {
            "purchase" => {
                let data: PurchaseData = parse::read(data, "`data`")?;
                let placed_at = at(data.purchase.placed_at, "purchase.placed_at")?;
                let identity = data.customer.and_then(assemble::known);
                Happening { event: Event::Purchase(data.purchase.complete(placed_at)?), identity, member: None }
            }
            "refund" => {
                let refund = parse::read::<RefundData>(data, "`data`")?.refund;
                let at = at(refund.at, "refund.at")?;
                assemble::refund(refund.complete(at)?)?
            }
            "join" => {
                let data: JoinData = parse::read(data, "`data`")?;
                let at = at(data.join.at, "join.at")?;
                // Unlike what is typed beside a sale, this is the merchant's own word on who somebody is.
                let customer = Identity { proof: Proof::Told, ..data.customer };
                assemble::join(Join { id: data.join.id, at, referrer: data.join.referrer }, customer)
            }
            "edit" => {
                let edit = parse::read::<EditData>(data, "`data`")?.edit;
                let at = at(edit.at, "edit.at")?;
                let placed_at = edit.purchase.placed_at.map_or(at, |when| when.0);
                let purchase = edit.purchase.complete(placed_at)?;
                Happening { event: Event::Edit(Edit { id: edit.id, at, purchase }), identity: None, member: None }
            }
            other => {
                return Err(Unreadable(format!("`type` is `{other}`: it is `purchase`, `refund`, `edit` or `join`")));
            }
        };
        Ok(Reading::Entries(vec![happening]))
    }

    fn sign(
        &self,
        body: &[u8],
        _topic: Option<&str>,
        delivery: &str,
        source: &Source,
        now: Moment,
    ) -> Result<Vec<(String, String)>, String> {
        let keys = scheme::standard_keys(source)?;
        let key = keys.first().ok_or("`secrets` is missing")?;
        let time = now.seconds().to_string();
        let parts: [&[u8]; 5] = [delivery.as_bytes(), b".", time.as_bytes(), b".", body];
        let signature = format!("v1,{}", Encoding::Base64.encode(&scheme::mac(Algorithm::Sha256, key, &parts)));
        let headers = [
            ("content-type", "application/json".to_owned()),
            (ID, delivery.to_owned()),
            (TIMESTAMP, time),
            (SIGNATURE, signature),
        ];
        Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl PurchaseBody {
    fn complete(self, placed_at: Moment) -> Result<Purchase, Unreadable> {
        let mut lines = Vec::with_capacity(self.lines.len().max(1));
        for (index, line) in self.lines.into_iter().enumerate() {
            lines.push(line.complete(index)?);
        }
        if lines.is_empty() {
            lines.push(assemble::single("1", "Purchase", self.total, self.tax, LineKind::Item));
        }
        let purchase = Purchase {
            id: self.id,
            reference: self.reference,
            channel: self.channel,
            placed_at,
            currency: self.currency,
            total: self.total,
            tax: self.tax,
            discount: self.discount,
            unaccounted: 0,
            unaccounted_reason: None,
            lines,
            codes: self.codes,
            location: self.location,
        };
        let reason = self.unaccounted_reason.as_deref().unwrap_or("the till's lines do not add up to its total");
        match self.unaccounted {
            None => assemble::purchase(purchase, reason),
            // Stated: then it is held to it.
            Some(unaccounted) => {
                let reason = (unaccounted != 0).then(|| reason.to_owned());
                assemble::checked(Purchase { unaccounted, unaccounted_reason: reason, ..purchase })
            }
        }
    }
}

impl LineBody {
    fn complete(self, index: usize) -> Result<Line, Unreadable> {
        let unit = match self.unit {
            Some(unit) => unit,
            None => assemble::per_piece(self.total, self.quantity_milli)?,
        };
        Ok(Line {
            id: self.id.unwrap_or_else(|| (index + 1).to_string()),
            sku: self.sku,
            name: self.name,
            category: self.category,
            quantity_milli: self.quantity_milli,
            unit,
            total: self.total,
            tax: self.tax,
            kind: self.kind,
        })
    }
}

impl RefundBody {
    fn complete(self, at: Moment) -> Result<Refund, Unreadable> {
        let amount = match (self.amount, self.complete) {
            (Some(amount), _) => amount,
            (None, true) => 0,
            (None, false) => return Err(Unreadable("`data.refund` needs `amount`, or `complete: true`".to_owned())),
        };
        let (id, purchase, currency) = (self.id, self.purchase, self.currency);
        Ok(Refund { id, purchase, at, currency, amount, complete: self.complete, lines: self.lines })
    }
}
