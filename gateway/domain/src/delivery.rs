//! Messages on their way out: what is to be sent, where it stands, and what each attempt came to.

use crate::ids::{ArrivalId, ChannelId, DeliveryId, EntryId, InstallationId, MemberId, MerchantId};
use crate::member::Contact;
use crate::time::Moment;
use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Waits for its next attempt.
    Due,
    /// The receiver took it.
    Delivered,
    /// Given up; may be sent again by hand.
    Dead,
    /// Not to be sent: the member did not agree to messages, or there is no way to reach them.
    Suppressed,
}

impl DeliveryState {
    /// The name in the database and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Suppressed => "suppressed",
        }
    }
    /// Reads [`DeliveryState::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Due, Self::Delivered, Self::Dead, Self::Suppressed].into_iter().find(|state| state.as_str() == text)
    }
}

/// The note of a message that is not sent because what it is about was too long ago: it would not be true any more.
pub const TOO_OLD: &str = "what it is about was more than three days ago";

/// A message for one channel, as the settling commit writes it into the outbox. No contact data is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Derived from entry, installation, place in the answer and channel; sent along, stable over attempts.
    pub id: DeliveryId,
    /// Whose programme.
    pub merchant: MerchantId,
    /// Which way out.
    pub channel: ChannelId,
    /// What caused it.
    pub entry: EntryId,
    /// Which plugin asked for it.
    pub installation: InstallationId,
    /// To whom.
    pub member: MemberId,
    /// What it says.
    pub message: crate::decision::Message,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it is suppressed or dead, or the latest attempt's error.
    pub note: Option<String>,
    /// When it was written.
    pub created_at: Moment,
}

/// A delivery whose time has come, with all that one attempt needs.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    /// The message.
    pub delivery: Delivery,
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// The arrival that led to it; none if what caused it was made by its time.
    pub arrival: Option<ArrivalId>,
    /// Where the member can be reached, opened for this attempt.
    pub contact: Contact,
}

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// Whose programme.
    pub merchant: MerchantId,
    /// Which way out: whose health it tells of.
    pub channel: ChannelId,
    /// From 1.
    pub number: u32,
    /// When it began.
    pub at: Moment,
    /// How long it took, milliseconds.
    pub took_ms: i64,
    /// The receiver's status code, where there was an answer.
    pub status: Option<u16>,
    /// What went wrong; none if it was taken.
    pub error: Option<String>,
    /// What follows.
    pub next: Next,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it was taken.
    Delivered,
    /// Another attempt at this time.
    Retry(Moment),
    /// A dead letter.
    Dead,
}
