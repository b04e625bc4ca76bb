//! One file for each platform: how it signs, what it calls things, what its amounts mean. Pure: bytes in, facts out; the only
//! thing that touches the network is [`fetch`].
//!
//! An [`Arrival`] is what somebody sent. [`Connector::verify`] alone turns it into a [`Verified`] arrival, and
//! [`Connector::normalise`] takes nothing less.

mod assemble;
pub mod fetch;
pub mod generic;
pub mod own;
mod parse;
mod scheme;
pub mod shopify;
pub mod square;
pub mod standard;
pub mod stripe;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod woocommerce;

use bytes::Bytes;
use perkgate_domain::event::Event;
use perkgate_domain::ids::MemberId;
use perkgate_domain::limits::STAMP_BYTES;
use perkgate_domain::member::Identity;
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use std::collections::BTreeMap;

/// Every connector, in alphabetical order of the platforms' names.
static CONNECTORS: [&dyn Connector; 6] = [
    &generic::Generic,
    &shopify::Shopify,
    &square::Square,
    &standard::Standard,
    &stripe::Stripe,
    &woocommerce::WooCommerce,
];

/// The connector for a platform, as the merchant file names it.
#[must_use]
pub fn find(platform: &str) -> Option<&'static dyn Connector> {
    CONNECTORS.into_iter().find(|connector| connector.platform() == platform)
}

/// The names of all platforms, in alphabetical order: for messages and help.
pub fn platforms() -> impl Iterator<Item = &'static str> {
    CONNECTORS.into_iter().map(Connector::platform)
}

/// Checks a source that somebody wants to connect: what its connector says, and that nobody finds its secrets by trying.
///
/// # Errors
/// A sentence that names the key to add or mend.
pub fn check(source: &Source) -> Result<(), String> {
    let Some(connector) = find(&source.platform) else { return Ok(()) };
    connector.check(source)?;
    if connector.secrets_are_long() { scheme::long_enough(source) } else { Ok(()) }
}

/// What is risky about a source and may be meant all the same, in a sentence for the operator.
#[must_use]
pub fn doubt(source: &Source) -> Option<String> {
    find(&source.platform)?.doubt(source)
}

/// A request at the door: raw, unverified.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// In the order received; names in lower case. A name may repeat.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The raw bytes. A clone shares them.
    pub body: Bytes,
    /// By our clock.
    pub received_at: Moment,
}

impl Arrival {
    /// The one header of this name, as text.
    ///
    /// # Errors
    /// [`Rejected`] as a bad signature if it is missing, repeated or no visible text: which of two a sender meant is not ours to guess.
    pub fn header(&self, name: &str) -> Result<&str, Rejected> {
        self.header_if_any(name)?.ok_or_else(|| Rejected::bad_signature(format!("the header {name} is missing")))
    }

    /// As [`Arrival::header`], for a header that may be missing.
    ///
    /// # Errors
    /// [`Rejected`] if it is repeated or no visible text.
    pub fn header_if_any(&self, name: &str) -> Result<Option<&str>, Rejected> {
        let mut found = self.headers.iter().filter(|(header, _)| header == name);
        let Some((_, value)) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(Rejected::bad_signature(format!("the header {name} is there more than once")));
        }
        std::str::from_utf8(value)
            .map(|text| Some(text.trim()))
            .map_err(|_| Rejected::bad_signature(format!("the header {name} is not text")))
    }
}

/// An arrival whose sender is proven. Only a connector's `verify` and the journal (which stores nothing else) make one.
#[derive(Clone, Debug)]
pub struct Verified {
    arrival: Arrival,
    stamp: Stamp,
}

/// What verification learnt about an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What the platform calls the happening: `orders/paid`.
    pub topic: String,
    /// Equal for two deliveries of one event within the source. Derived from topic and body where a platform has no id.
    pub dedupe: String,
    /// The platform marked it as made in its test mode.
    pub test: bool,
}

impl Stamp {
    /// Checks what every journal can keep, whatever the platform: other people's arrivals are written by the same statement.
    ///
    /// # Errors
    /// [`Rejected`] as unreadable if topic or delivery id are too long or have a NUL character in them.
    pub fn check(&self) -> Result<(), Rejected> {
        for (what, text) in [("topic", &self.topic), ("delivery id", &self.dedupe)] {
            if text.len() > STAMP_BYTES || text.contains('\0') {
                return Err(Rejected::unreadable(format!(
                    "a {what} has at most {STAMP_BYTES} bytes and no NUL character, this one has {} bytes",
                    text.len()
                )));
            }
        }
        Ok(())
    }
}

impl Verified {
    /// For connectors, after the signature held.
    pub(in crate::connectors) fn new(arrival: Arrival, stamp: Stamp) -> Self {
        Self { arrival, stamp }
    }
    /// For the journal, which stores only verified arrivals.
    pub(crate) fn from_journal(arrival: Arrival, stamp: Stamp) -> Self {
        Self { arrival, stamp }
    }
    /// The request.
    #[must_use]
    pub fn arrival(&self) -> &Arrival {
        &self.arrival
    }
    /// What verification learnt.
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }
}

/// What a proven request is.
#[derive(Clone, Debug)]
pub enum Admitted {
    /// Something happened: to be journalled.
    Event(Verified),
    /// The platform checks the address, or greets. Answered, and nothing follows.
    Handshake {
        /// Status of the answer.
        status: u16,
        /// Body of the answer.
        body: String,
    },
}

/// Why an arrival is turned away. Kept, bounded in number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Rejected {
    /// Which kind.
    pub cause: Cause,
    /// In a sentence, without secrets, bodies or contact data.
    pub detail: String,
}

/// The kinds of rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// 401.
    BadSignature,
    /// 401: signed, and too long ago or too far ahead.
    Stale,
    /// 400: signed, and not what the platform sends.
    Unreadable,
    /// 413.
    TooLarge,
    /// 200, ignored: signed, and about nothing that Perkgate knows.
    UnknownTopic,
    /// 503: the merchant paused the source; platforms that retry will be heard later.
    Paused,
}

impl Cause {
    /// The name in the database, metrics and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::Stale => "stale",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::UnknownTopic => "unknown_topic",
            Self::Paused => "source_paused",
        }
    }
}

impl Rejected {
    /// A signature that is missing or does not hold.
    pub fn bad_signature(detail: impl Into<String>) -> Self {
        Self { cause: Cause::BadSignature, detail: detail.into() }
    }
    /// Signed, but not in the window.
    pub fn stale(detail: impl Into<String>) -> Self {
        Self { cause: Cause::Stale, detail: detail.into() }
    }
    /// Signed, but not in the platform's shape.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self { cause: Cause::Unreadable, detail: detail.into() }
    }
    /// Signed, but not something we listen to.
    #[must_use]
    pub fn unknown_topic(topic: &str) -> Self {
        Self {
            cause: Cause::UnknownTopic,
            detail: format!(
                "nothing follows from `{}`",
                topic.chars().take(80).map(|char| if char.is_control() { '?' } else { char }).collect::<String>()
            ),
        }
    }
}

/// What a verified arrival turned out to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// These things happened.
    Entries(Vec<Happening>),
    /// Nothing that counts: the sentence says why (`the order is not paid yet`).
    Nothing(String),
    /// The platform has to be asked first. Read again with the answers in [`Context::fetched`].
    Fetch(Vec<FetchRequest>),
}

/// One normalised happening and who it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// What.
    pub event: Event,
    /// Who, as far as the platform tells. Always none for refunds: they concern their purchase's member.
    pub identity: Option<Identity>,
    /// Who, if that is known already: for what people ask for by the API or the command line.
    pub member: Option<MemberId>,
}

/// A question to the platform's API.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The name under which the answer comes back.
    pub key: String,
    /// Where to GET.
    pub url: String,
    /// Credentials and versions.
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for FetchRequest {
    /// Without the headers: they are credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FetchRequest").field("key", &self.key).field("url", &self.url).finish_non_exhaustive()
    }
}

/// What reading an arrival may depend on besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The source it came by.
    pub source: &'a Source,
    /// Answers of the platform's API, by [`FetchRequest::key`].
    pub fetched: &'a BTreeMap<String, Vec<u8>>,
}

/// A verified arrival that cannot be read: parked with this sentence until a newer gateway can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// The code for one platform.
pub trait Connector: Send + Sync {
    /// As the merchant file writes it.
    fn platform(&self) -> &'static str;

    /// Checks a source's settings before it is accepted.
    ///
    /// # Errors
    /// A sentence that names the key to add or mend.
    fn check(&self, source: &Source) -> Result<(), String>;

    /// Whether the platform's own secrets are never short, so that a short one cannot be the right one.
    fn secrets_are_long(&self) -> bool {
        true
    }

    /// What is risky about a source's settings and may be meant all the same, in a sentence for the operator.
    fn doubt(&self, _source: &Source) -> Option<String> {
        None
    }

    /// Proves who sent this, in constant time and within the platform's replay window.
    ///
    /// # Errors
    /// [`Rejected`] says why not.
    fn verify(&self, arrival: Arrival, source: &Source) -> Result<Admitted, Rejected>;

    /// Reads a verified arrival. Pure: the same bytes and answers give the same reading.
    ///
    /// # Errors
    /// [`Unreadable`] says what is not as the platform documents it.
    fn normalise(&self, arrival: &Verified, context: Context<'_>) -> Result<Reading, Unreadable>;

    /// The headers with which the platform would send `body` at `now`, signed with the source's first secret. For
    /// `perkgate send` and tests. `topic` is the platform's own (its default purchase topic where none); `delivery` makes
    /// delivery ids, where the platform has them.
    ///
    /// # Errors
    /// A sentence if the source lacks what signing needs.
    fn sign(
        &self,
        body: &[u8],
        topic: Option<&str>,
        delivery: &str,
        source: &Source,
        now: Moment,
    ) -> Result<Vec<(String, String)>, String>;
}
