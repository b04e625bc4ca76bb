//! Where an entry stands on its way through the queue.

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Waits for its turn.
    Queued,
    /// Done.
    Settled,
    /// Waits for its purchase.
    Parked,
    /// A purchase (or its refund) without a known member: waits for one.
    Unclaimed,
    /// Failed too often: waits for a person, and its member's later entries wait behind it.
    Failed,
}

impl EntryState {
    /// The name in the database and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Settled => "settled",
            Self::Parked => "parked",
            Self::Unclaimed => "unclaimed",
            Self::Failed => "failed",
        }
    }
}
