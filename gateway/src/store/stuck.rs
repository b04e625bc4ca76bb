//! What stands still, for whoever looks after the gateway: the oldest of everything that waits, what failed, and who holds what.

use perkgate_domain::ids::{ChannelId, MerchantId};
use perkgate_domain::time::Moment;
use serde::Serialize;

/// See the module's head.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StuckView {
    /// Arrivals that are not read yet.
    pub arrivals: Waiting,
    /// Entries that are queued.
    pub entries: Waiting,
    /// Of these, entries that failed and are tried again later.
    pub put_off: Waiting,
    /// Entries that failed too often and wait for a person.
    pub failed: Waiting,
    /// Members for whom what is due cannot be seen to.
    pub stalled_members: Waiting,
    /// Arrivals that cannot be read.
    pub parked_arrivals: Waiting,
    /// Entries that wait for something else, by what it is; at most twenty kinds.
    pub parked_entries: Vec<Parked>,
    /// The first moment at which something was due that is not seen to yet.
    pub due_since: Option<Moment>,
    /// Deliveries whose time has come, of channels that do not fail.
    pub deliveries: Waiting,
    /// Channels whose receiver fails, longest first; at most 200.
    pub channels: Vec<FailingChannel>,
    /// Who works on what.
    pub leases: Leases,
}

/// How much waits, and since when the oldest of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// How much.
    pub count: i64,
    /// Since when, by the time of its arrival.
    pub since: Option<Moment>,
}

/// Entries that are parked for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct Parked {
    /// The reason; empty if it is only that something else has not come yet.
    pub cause: String,
    /// How many, and since when.
    #[serde(flatten)]
    pub waiting: Waiting,
}

/// A channel whose receiver fails.
#[derive(Clone, Debug, Serialize)]
pub struct FailingChannel {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub channel: ChannelId,
    /// Failures in a row.
    pub failures: i64,
    /// Since when.
    pub since: Moment,
    /// Nothing is sent to it any more.
    pub disabled: bool,
}

/// What is held by processes at present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leases {
    /// Arrivals.
    pub arrivals: i64,
    /// Entries.
    pub entries: i64,
    /// The process that looks for what is due, if there is one.
    pub scheduler: Option<String>,
}
