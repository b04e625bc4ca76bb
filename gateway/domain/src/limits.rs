//! Every bound in one place, none optional. Each has a test that it is obeyed and one that it is enforced.

use crate::time::Moment;
use serde::{Deserialize, Serialize};

/// Lines of a purchase or refund.
pub const LINES: usize = 500;
/// Codes of a purchase.
pub const CODES: usize = 50;
/// Bytes of a platform's id.
pub const EXTERNAL_ID_BYTES: usize = 255;
/// Bytes of a topic or of what dedupes an arrival: two of the platform's ids and some words.
pub const STAMP_BYTES: usize = 600;
/// Bytes of a name, title, key or reason in a decision.
pub const TEXT_BYTES: usize = 500;
/// Bytes of a message's or offer's text.
pub const MESSAGE_BYTES: usize = 4_000;
/// Bytes an installation may remember about a member.
pub const MEMORY_BYTES: usize = 4_096;
/// The most one decision may move: far above any programme, far below where sums overflow.
pub const AMOUNT: i64 = 1_000_000_000_000;
/// The shortest time from an entry to a wake asked for on it, milliseconds: a plugin that always asks again must not spin.
pub const WAKE_MS: i64 = 60_000;
/// Wakes that one installation may have asked for about one member.
pub const WAKES: usize = 20;
/// Earlier purchases told by the fact `history`.
pub const HISTORY: usize = 20;
/// Earlier purchases the fact `favourites` is made from.
pub const FAVOURITES_FROM: usize = 50;
/// Items told by the fact `favourites`.
pub const FAVOURITES: usize = 5;
/// Amounts told by the fact `coming`.
pub const COMING: usize = 20;
/// Bytes of an idempotency key.
pub const ERRAND_KEY_BYTES: usize = 200;
/// Bytes of a body that the management API or a question's page takes.
pub const REQUEST_BYTES: usize = 16 * 1024;
/// Bytes an answer's text may have.
pub const ANSWER_BYTES: usize = 2_000;
/// Bytes of a wallet's name.
pub const WALLET_BYTES: usize = 32;
/// Wallets whose terms a merchant sets.
pub const WALLETS: usize = 50;
/// The longest time of a rule, days: a century.
pub const RULE_DAYS: u32 = 36_600;
/// Days of a year on which a wallet's units are lost.
pub const EXPIRY_DATES: usize = 24;
/// The longest rolling window of tiers, days: what counts is added up over each of them.
pub const ROLLING_DAYS: u32 = 1_100;
/// Levels of tiers.
pub const LEVELS: usize = 20;
/// The most a level may multiply by, thousandths.
pub const MULTIPLIER_MILLI: u32 = 1_000_000;
/// Rewards in a merchant's catalogue.
pub const REWARDS: usize = 500;
/// Languages of a reward's title.
pub const TITLES: usize = 50;
/// The longest time in which a member may give a reward back, minutes: 30 days.
pub const UNDO_MINUTES: u32 = 43_200;
/// Bytes of an installation's settings.
pub const SETTINGS_BYTES: usize = 64 * 1024;
/// Bytes of a manifest.
pub const MANIFEST_BYTES: usize = 256 * 1024;
/// Bytes of a component. The JavaScript and Python toolchains make 12 and 18 MB.
pub const COMPONENT_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a merchant file.
pub const MERCHANT_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a file that holds one secret.
pub const SECRET_BYTES: usize = 16 * 1024;

/// For how long a process holds the arrivals and entries it works on before others may take them, milliseconds; renewed while it
/// lives. Long against a batch, short against a shop's patience after a crash.
pub const LEASE_MS: i64 = 10_000;

/// By how much a platform's clock may be ahead of ours without a note, milliseconds: five minutes, as signatures allow it.
pub const CLOCK_SKEW_MS: i64 = 300_000;
/// 2010-01-01. No sale that a webhook tells of was made before: a till whose clock has stopped says such a time.
pub const EARLIEST: Moment = Moment(1_262_304_000_000);
/// Messages about something that happened longer ago than this are written down and not sent, milliseconds: three days, a long weekend
/// during which the gateway was down.
pub const MESSAGE_AGE_MS: i64 = 3 * 24 * 3_600_000;

/// The first wait before something that failed is tried again, milliseconds; each further one is twice as long.
pub const RETRY_MS: i64 = 1_000;
/// The longest such wait.
pub const RETRY_MOST_MS: i64 = 600_000;
/// After so many failures, some forty minutes in all, it is not tried again by itself: it waits for a person.
pub const RETRIES: i64 = 12;

/// When something that has failed `failures` times before is tried again; none: only when somebody asks.
#[must_use]
pub fn retry_at(now: Moment, failures: i64) -> Option<Moment> {
    (failures + 1 < RETRIES).then(|| {
        let doublings = u32::try_from(failures.clamp(0, 20)).unwrap_or(0);
        now.plus_ms(RETRY_MS.saturating_mul(1 << doublings).min(RETRY_MOST_MS))
    })
}

/// What one call of a plugin may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLimits {
    /// Fuel for any call. A rule in Rust uses some 10,000, one in JavaScript 2.6 million.
    pub fuel: u64,
    /// Fuel added for every line of the purchase.
    pub fuel_per_line: u64,
    /// Wall clock, milliseconds: for when fuel does not bound time (it always should).
    pub deadline_ms: u64,
    /// Linear memory, bytes.
    pub memory_bytes: usize,
    /// Elements of a table.
    pub table_elements: usize,
    /// Stack, bytes.
    pub stack_bytes: usize,
    /// Bytes a call may make the host allocate: its answer and its log together.
    pub hostcall_bytes: usize,
    /// Lines logged.
    pub log_lines: usize,
    /// Bytes of a line logged.
    pub log_line_bytes: usize,
    /// Decisions in an answer.
    pub decisions: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            fuel: 20_000_000,
            fuel_per_line: 100_000,
            deadline_ms: 500,
            memory_bytes: 64 * 1024 * 1024,
            table_elements: 40_000,
            stack_bytes: 512 * 1024,
            hostcall_bytes: 1024 * 1024,
            log_lines: 50,
            log_line_bytes: 1_000,
            decisions: 32,
        }
    }
}

/// What compiling one component may use, in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileLimits {
    /// Wall clock, milliseconds. A JavaScript or Python component takes some 10 s on one core.
    pub time_ms: u64,
    /// Address space of the process, bytes. A component of 30 MB takes about 2 GB, one of the usual 12 MB a third of that.
    pub memory_bytes: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { time_ms: 60_000, memory_bytes: 2 * 1024 * 1024 * 1024 }
    }
}

/// What the door accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorLimits {
    /// Bytes of a request's body. Shopify's largest order has 1.04 MB.
    pub body_bytes: usize,
    /// Bytes of bodies that are held at once, signed or not, until they are read. One merchant's are at most half of it.
    pub held_bytes: usize,
    /// Milliseconds a sender may take to send a body.
    pub body_ms: u64,
    /// Rejected arrivals kept for each source; the oldest go first.
    pub rejections_kept: i64,
    /// Requests that may wait for the journal, half of them of one merchant; the next one is told 503.
    pub waiting: usize,
    /// Arrivals in one journal commit.
    pub commit: usize,
    /// Bytes of bodies in one journal commit: it holds them some six times over, sealed and as text for the database.
    pub commit_bytes: usize,
    /// Milliseconds a commit waits for company.
    pub linger_ms: u64,
    /// Milliseconds a request waits for its commit before it is told 503, and one more for each KiB of its body.
    pub patience_ms: u64,
    /// Connections at once; fewer if the process may not open so many files.
    pub connections: usize,
    /// Milliseconds for a request's head.
    pub head_ms: u64,
    /// Milliseconds a connection may be idle between two requests. Longer than the 60 s of most proxies, so that it is they who hang up.
    pub idle_ms: u64,
    /// Milliseconds a sender may take nothing of its answer.
    pub stall_ms: u64,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            body_bytes: 4 * 1024 * 1024,
            held_bytes: 64 * 1024 * 1024,
            body_ms: 20_000,
            rejections_kept: 1_000,
            waiting: 2_048,
            commit: 256,
            commit_bytes: 4 * 1024 * 1024,
            linger_ms: 2,
            patience_ms: 500,
            connections: 4_096,
            head_ms: 10_000,
            idle_ms: 75_000,
            stall_ms: 30_000,
        }
    }
}

/// What a delivery may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryLimits {
    /// Attempts before a delivery is a dead letter.
    pub attempts: u32,
    /// Milliseconds for one attempt, connection included.
    pub timeout_ms: u64,
    /// Bytes read of an answer.
    pub answer_bytes: usize,
    /// Deliveries under way at once.
    pub parallel: usize,
    /// The longest wait between attempts, whatever the receiver's `Retry-After` says, milliseconds.
    pub wait_ms: i64,
    /// When a channel's receiver is left alone.
    pub breaker: BreakerLimits,
}

impl Default for DeliveryLimits {
    fn default() -> Self {
        Self {
            attempts: 10,
            timeout_ms: 15_000,
            answer_bytes: 4 * 1024,
            parallel: 16,
            wait_ms: 24 * 3600 * 1000,
            breaker: BreakerLimits::default(),
        }
    }
}

/// What is borne from a channel's receiver. See [`crate::health`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerLimits {
    /// Failures in a row after which the breaker trips.
    pub trip: i64,
    /// The pause after it tripped, milliseconds; each further failure doubles it.
    pub pause_ms: i64,
    /// The longest pause, milliseconds.
    pub longest_pause_ms: i64,
    /// After so long of nothing but failure the channel is disabled, milliseconds.
    pub disable_ms: i64,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { trip: 5, pause_ms: 30_000, longest_pause_ms: 15 * 60_000, disable_ms: 5 * 24 * 3600 * 1000 }
    }
}

/// Members beside whom an address or number may be named that is not theirs, before it is taken for a placeholder (the shop's own number,
/// a marketplace's relay) and identifies nobody. A family shares a number; half a dozen strangers do not.
pub const NAMED_BESIDE: i64 = 5;

/// For how many days what is kept for a time is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Raw bodies and headers of webhooks, and what platforms answered, after they came. What is parked stays until it is read.
    pub bodies_days: u32,
    /// Requests that were turned away.
    pub rejections_days: u32,
    /// Deliveries with their attempts, once they are not to be sent any more.
    pub deliveries_days: u32,
    /// What members wrote in answers, and tasks that are done.
    pub answers_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { bodies_days: 30, rejections_days: 14, deliveries_days: 180, answers_days: 365 }
    }
}
