//! What goes in and out of the acts that keep and forget: raw bytes to be looked through, and what was kept for long enough.

use perkgate_domain::ids::{MerchantId, SourceId};
use perkgate_domain::member::MemberKey;
use perkgate_domain::time::Moment;

/// Raw bytes that are kept, sealed.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The number of the arrival or rejection.
    pub number: i64,
    /// By which source it came.
    pub source: SourceId,
    /// An arrival's headers and body, or a rejection's body; empty if they are gone.
    pub sealed: Vec<u8>,
    /// What the platform answered about it.
    pub fetched: Option<Vec<u8>>,
}

/// Raw bytes of one merchant that are to be looked through for whoever was forgotten.
#[derive(Clone, Debug)]
pub struct KeptPage {
    /// Whose.
    pub merchant: MerchantId,
    /// Behind which arrival and which rejection it begins.
    pub seen: (i64, i64),
    /// In order.
    pub arrivals: Vec<Kept>,
    /// In order.
    pub rejections: Vec<Kept>,
}

/// Such a page, looked through.
#[derive(Clone, Debug)]
pub struct Looked {
    /// Whom its arrivals name, each by its number.
    pub arrivals: Vec<(i64, MemberKey)>,
    /// Whom its rejections name, each by its number.
    pub rejections: Vec<(i64, MemberKey)>,
    /// Which.
    pub page: KeptPage,
}

/// Until when what is kept for a time is kept, and how much one sweep removes.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// Raw bytes of what came in before are emptied, once it was read.
    pub bodies: Moment,
    /// Rejections from before go.
    pub rejections: Moment,
    /// Deliveries from before go, with their attempts, unless they are still to be sent.
    pub deliveries: Moment,
    /// What members wrote before goes, and with it closed tasks.
    pub answers: Moment,
    /// Rows of each kind.
    pub most: i64,
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Arrivals emptied.
    pub bodies: u64,
    /// Rejections.
    pub rejections: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Answers without their text, and closed tasks.
    pub answers: u64,
    /// Whether there may be more.
    pub more: bool,
}
