//! What goes in and out of the store about keys, tokens, and who did what.

use perkgate_domain::ids::{ArrivalId, Digest, MemberId, MerchantId, PartnerId};
use perkgate_domain::time::Moment;
use serde::Serialize;
use serde_json::Value;

/// A data key, wrapped by a root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// What it is for.
    pub purpose: String,
    /// From 1.
    pub generation: u32,
    /// The fingerprint of the root key that wrapped it.
    pub root: String,
    /// The key, sealed.
    pub wrapped: Vec<u8>,
    /// New things are sealed or signed with it, unless there is a newer one. Until then it is only known.
    pub active: bool,
    /// By the gateway's clock.
    pub made_at: Moment,
}

/// A token that was made. What it says of itself is only believed if it says the same as this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenRow {
    /// `tok_…`
    pub id: String,
    /// `operator`, `merchant` or `partner`.
    pub role: String,
    /// Which merchant.
    pub merchant: Option<MerchantId>,
    /// Which partner.
    pub partner: Option<PartnerId>,
    /// What whoever made it calls it.
    pub name: Option<String>,
    /// Of the key it is signed with.
    pub generation: u32,
    /// When it was made.
    pub created_at: Moment,
    /// By whom.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Moment,
    /// When it was taken back.
    pub revoked_at: Option<Moment>,
    /// By whom.
    pub revoked_by: Option<String>,
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// `token`, `command`, `process` or `link`.
    pub kind: &'static str,
    /// Which token, whose command line, which process, whose link.
    pub name: String,
}

impl Actor {
    /// Whoever has this token.
    #[must_use]
    pub fn token(id: &str) -> Self {
        Self { kind: "token", name: id.to_owned() }
    }
    /// Somebody at a command line: `anna@shop-1`.
    pub fn command(who: impl Into<String>) -> Self {
        Self { kind: "command", name: who.into() }
    }
    /// A process, by itself.
    pub fn process(name: impl Into<String>) -> Self {
        Self { kind: "process", name: name.into() }
    }
    /// Whoever followed a link that was sent to this member.
    #[must_use]
    pub fn link(member: &MemberId) -> Self {
        Self { kind: "link", name: member.to_string() }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// One line of the audit log, before it is written. It has ids and never contact data: the log is not forgotten with a member.
#[derive(Clone, Debug)]
pub struct Note {
    /// Whose; none for what concerns the installation.
    pub merchant: Option<MerchantId>,
    /// Who.
    pub actor: Actor,
    /// What: `member.read`, `token.create`, an errand's name.
    pub act: String,
    /// Whom it concerns.
    pub member: Option<MemberId>,
    /// What was before, without secrets.
    pub before: Option<Value>,
    /// What is now, without secrets.
    pub after: Option<Value>,
    /// When, by the gateway's clock.
    pub at: Moment,
}

impl Note {
    /// That somebody did something.
    #[must_use]
    pub fn new(merchant: Option<&MerchantId>, actor: &Actor, act: &str, at: Moment) -> Self {
        let (actor, act) = (actor.clone(), act.to_owned());
        Self { merchant: merchant.cloned(), actor, act, member: None, before: None, after: None, at }
    }
    /// To this member.
    #[must_use]
    pub fn about(self, member: &MemberId) -> Self {
        Self { member: Some(member.clone()), ..self }
    }
    /// After which this stood.
    #[must_use]
    pub fn now(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }
    /// Before which this stood.
    #[must_use]
    pub fn was(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }
}

/// One line of the audit log as it was written.
#[derive(Clone, Debug, Serialize)]
pub struct AuditRow {
    /// Its number among all.
    pub id: i64,
    /// Whose; empty for the installation's.
    pub merchant: String,
    /// Its number in its chain.
    pub place: i64,
    /// When.
    pub at: Moment,
    /// `token`, `command`, `process` or `link`.
    pub actor_kind: String,
    /// Which.
    pub actor: String,
    /// What was done.
    pub act: String,
    /// To whom.
    pub member: Option<MemberId>,
    /// By which arrival of the journal.
    pub arrival: Option<ArrivalId>,
    /// What was before.
    pub before: Option<Value>,
    /// What came of it.
    pub after: Option<Value>,
}

/// Which lines of the audit log are asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Whose; none for all.
    pub merchant: Option<MerchantId>,
    /// Not older.
    pub since: Option<Moment>,
    /// Only behind this number.
    pub after: i64,
    /// How many.
    pub most: i64,
}

/// A column that holds sealed bytes, one value for each row of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealedPlace {
    /// Sources of programmes.
    Sources,
    /// Channels of programmes.
    Channels,
    /// What is known of members.
    Contacts,
    /// What came in.
    Arrivals,
    /// What a platform answered about an arrival that is still to be read.
    Fetched,
    /// What a platform answered about one that was read.
    Answers,
    /// What was turned away.
    Rejections,
}

impl SealedPlace {
    /// All there are.
    pub const ALL: [Self; 7] =
        [Self::Sources, Self::Channels, Self::Contacts, Self::Arrivals, Self::Fetched, Self::Answers, Self::Rejections];
    /// Table and column.
    #[must_use]
    pub fn column(self) -> (&'static str, &'static str) {
        match self {
            Self::Sources => ("sources", "sealed"),
            Self::Channels => ("channels", "sealed"),
            Self::Contacts => ("contacts", "sealed"),
            Self::Arrivals => ("arrivals", "sealed"),
            Self::Fetched => ("inbox", "fetched"),
            Self::Answers => ("readings", "fetched"),
            Self::Rejections => ("rejections", "sealed"),
        }
    }
}

/// Which row of a sealed place: a number, or names with their merchant.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// Of numbered rows.
    pub number: i64,
    /// Of named rows: merchant, then source, channel or member.
    pub names: [String; 2],
    /// Of named rows: the field of a contact.
    pub field: String,
}

/// Sealed bytes and where they are.
#[derive(Clone, Debug)]
pub struct SealedCell {
    /// Which row.
    pub key: RowKey,
    /// Whose.
    pub merchant: MerchantId,
    /// Of which source, channel or field: what the bytes are bound to beside the merchant.
    pub name: String,
    /// The bytes.
    pub sealed: Vec<u8>,
}

/// An arrival or rejection whose digest is a plain one.
#[derive(Clone, Debug)]
pub struct Unkeyed {
    /// Of the two: a rejection.
    pub rejection: bool,
    /// Its number.
    pub number: i64,
    /// Whose.
    pub merchant: MerchantId,
    /// What makes a repetition a duplicate; of arrivals.
    pub dedupe: String,
    /// Of the body.
    pub digest: Digest,
}
