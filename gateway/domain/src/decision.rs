//! What a plugin answers, and what went wrong if it did not.

use crate::event::Scale;
use crate::time::Moment;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// One thing a plugin proposes. Shapes and limits are those of `sdk/wit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Decision {
    /// Credit a wallet.
    Earn(Earn),
    /// Debit a wallet.
    Spend(Spend),
    /// Give a reward with a code.
    Reward(Reward),
    /// Give a partner's offer with a code.
    Offer(Offer),
    /// Put the member into a tier, or out of any.
    Tier {
        /// The tier's name; none leaves the tiers.
        name: Option<String>,
    },
    /// Put a tag on the member, or take it off.
    Tag {
        /// The tag.
        name: String,
        /// On or off.
        present: bool,
    },
    /// Send the member a message.
    Message(Message),
    /// Be called again at a time, or not any more.
    Wake(Wake),
    /// Tell the merchant.
    Task(Task),
    /// Ask the member.
    Ask(Ask),
    /// Replace what this installation remembers about this member.
    Remember {
        /// At most [`crate::limits::MEMORY_BYTES`] bytes.
        bytes: Vec<u8>,
    },
}

impl Decision {
    /// The name a manifest asks for and a merchant grants.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Earn(_) => "earn",
            Self::Spend(_) => "spend",
            Self::Reward(_) => "reward",
            Self::Offer(_) => "offer",
            Self::Tier { .. } => "tier",
            Self::Tag { .. } => "tag",
            Self::Message(_) => "message",
            Self::Wake(_) => "wake",
            Self::Task(_) => "task",
            Self::Ask(_) => "ask",
            Self::Remember { .. } => "remember",
        }
    }
}

/// Credits `amount` whole units to `wallet`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earn {
    /// `points`, `stamps`, or any other.
    pub wallet: String,
    /// Positive.
    pub amount: i64,
    /// Which line earned how much; adds up to `amount`. Empty: the host shares it over the lines by what they cost.
    pub shares: Vec<Share>,
    /// Days until it may be spent; none: as the wallet has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matures_days: Option<u32>,
    /// Days until it is lost; none: as the wallet has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_days: Option<u32>,
    /// One sentence for whoever asks why.
    pub reason: String,
}

/// One line's part of an amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// A line's id.
    pub line: String,
    /// Not negative.
    pub amount: i64,
}

/// Debits `amount` whole units from `wallet`; refused if the member has less available.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// Which wallet.
    pub wallet: String,
    /// Positive.
    pub amount: i64,
    /// One sentence for whoever asks why.
    pub reason: String,
}

/// A reward from the merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reward {
    /// What it is, for the merchant's reports: `free-coffee`.
    pub key: String,
    /// As the member reads it.
    pub title: String,
    /// What it costs the member; returned if the reward is withdrawn.
    pub price: Option<Price>,
    /// Days until it lapses; none if it does not.
    pub valid_days: Option<u32>,
}

/// An amount of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Which wallet.
    pub wallet: String,
    /// Positive.
    pub amount: i64,
}

/// An offer from the partner the installation belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What it is, for reports and for `limit`. A member holds at most one unused offer of a key.
    pub key: String,
    /// As the member reads it.
    pub title: String,
    /// The terms, as the member reads them.
    pub text: String,
    /// At most this many members get it, over the installation's life.
    pub limit: Option<u32>,
    /// Days until it lapses; none if it does not.
    pub valid_days: Option<u32>,
}

/// A message to the member, by the merchant's channels, if the member agreed to messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What it is about: `welcome`, `milestone`.
    pub key: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The language it is written in.
    pub locale: String,
}

/// A call back at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// A later wake with this key replaces an earlier one.
    pub key: String,
    /// When; none calls it off.
    pub when: Option<WakeTime>,
    /// About whom.
    pub whom: WakeWhom,
    /// Handed back.
    #[serde(with = "crate::hex_bytes")]
    pub data: Vec<u8>,
}

/// When to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WakeTime {
    /// At this moment.
    Moment(Moment),
    /// When the merchant's clocks show this.
    Civil(CivilTime),
}

/// A civil time in the merchant's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CivilTime {
    /// Gregorian year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31; 29 February of a common year is the 28th.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// About whom to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WakeWhom {
    /// The member of this entry.
    Member,
    /// Whoever brought them.
    Referrer,
}

/// Something for the merchant to know or do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// One with the same key about the same member is not opened twice while the first is open.
    pub key: String,
    /// One line.
    pub title: String,
    /// Plain text.
    pub text: String,
}

/// A question to the member, by a message with a link that works once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Handed back with the answer.
    pub key: String,
    /// What it is answered with.
    pub scale: Scale,
    /// One line.
    pub subject: String,
    /// Plain text; `{link}` becomes the link, which else stands at the end.
    pub text: String,
    /// The language it is written in.
    pub locale: String,
    /// Days until the link stops working.
    pub valid_days: u32,
}

/// Why a plugin does not decide. Not a fault, except `broken`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "refusal", content = "why")]
pub enum Refusal {
    /// The settings lack something.
    NotConfigured(String),
    /// The rule does not cover this event.
    Unsupported(String),
    /// The plugin's own error.
    Broken(String),
}

/// What became of one call of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It answered, and the answer is within its limits.
    Decided(Vec<Decision>),
    /// It said that it does not decide.
    Refused(Refusal),
    /// Nothing usable came back.
    Fault(Fault),
}

/// A call of a plugin: its outcome and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What became of it.
    pub outcome: Outcome,
    /// Fuel used; the same for the same component, engine and facts.
    pub fuel: u64,
    /// The most linear memory it held, bytes.
    pub memory_bytes: u64,
    /// What it logged, within the limits.
    pub log: Vec<LogLine>,
}

/// A line a plugin logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How loud.
    pub level: LogLevel,
    /// What.
    pub text: String,
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// For the merchant.
    Info,
    /// Something to mend.
    Warn,
}

/// What went wrong in a decision, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Decides whether it is tried again: the plugin's would only repeat itself.
    pub blame: Blame,
    /// Which kind.
    pub kind: FaultKind,
    /// What happened and what to do, in a sentence.
    pub detail: String,
}

/// Whose fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The same input gives the same fault: not tried again until digest or settings change.
    Plugin,
    /// Ours: tried again with backoff.
    Host,
}

/// The kinds of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Ran out of fuel.
    Fuel,
    /// Ran past the wall clock deadline.
    Deadline,
    /// Asked for more memory or table than it may have.
    Memory,
    /// Overflowed its stack.
    Stack,
    /// Logged more than it may.
    Log,
    /// Answered with more than it may: bytes or decisions.
    Result,
    /// Stopped itself.
    Trap,
    /// Answered with something that makes no sense: an unknown line, shares that do not add up.
    Invalid,
    /// Decided what its manifest does not ask for or the merchant did not grant.
    NotGranted,
    /// Decided more than the merchant's caps allow.
    Cap,
    /// Said itself that it is broken.
    Broken,
    /// The component cannot be started by this host.
    Load,
    /// Ours.
    Host,
}
