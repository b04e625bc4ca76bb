//! How people, not platforms, act on members and rewards: an [`Errand`] is written into the journal like a webhook, and whoever asked
//! waits for what comes of it.
//!
//! The same errand under the same key is done once, however often it is asked for and whatever fails in between: who asks again
//! is told what became of the first.

use crate::connectors::own;
pub use crate::connectors::own::Errand;
use crate::identity;
use crate::journal::{Appended, Journal, JournalError};
use crate::store::{Actor, EntryView, Note, Store, StoreError};
use crate::vault::Vault;
use perkgate_domain::event::OWN_SOURCE;
use perkgate_domain::ids::{ArrivalId, EntryId, MemberId, MerchantId, SourceId};
use perkgate_domain::ledger::HeldReward;
use perkgate_domain::member::{Identity, KeyKind};
use perkgate_domain::programme::Merchant;
use perkgate_domain::time::Moment;
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// How long somebody waits for what becomes of their errand.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first pause between two looks; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(4);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// Why nothing can be told of an errand.
#[derive(Debug, thiserror::Error)]
pub enum ErrandError {
    /// Key or errand are not what they must be. Nothing was journalled.
    #[error("{0}")]
    Wrong(String),
    /// Something else was asked for under this key before.
    #[error("this idempotency key was used for something else before: take a new one")]
    Reused,
    /// It could not be journalled. Nothing was done, or the same key tells what was.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The database failed while it was waited for.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is journalled and not done yet.
    #[error("it is written down and not done yet: ask again with the same key")]
    Slow,
    /// It is journalled and cannot be read by this gateway.
    #[error("it is written down, and this gateway cannot read it: {0}")]
    Parked(String),
}

/// What became of an errand.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Its entry.
    pub entry: EntryId,
    /// Where that stands: `settled`, or what it waits for.
    pub state: String,
    /// Why nothing followed, if nothing did.
    pub cause: Option<String>,
    /// What it gave.
    pub rewards: Vec<HeldReward>,
    /// Whom it concerns.
    pub member: Option<MemberId>,
}

impl Outcome {
    /// Why the errand was not done, if it was not.
    #[must_use]
    pub fn refused(&self, errand: &Errand) -> Option<String> {
        let given = match errand {
            Errand::Redeem { reward, .. } | Errand::Issue { reward, .. } => {
                self.rewards.iter().any(|held| held.key == *reward)
            }
            _ => self.cause.is_none(),
        };
        if given && self.state == "settled" {
            return None;
        }
        Some(self.cause.clone().unwrap_or_else(|| format!("it is {}", self.state)))
    }
}

/// Writes an errand down. Answers the number of its arrival: of the first one under this key.
///
/// # Errors
/// [`ErrandError`] if it is wrong, contradicts the first one, or cannot be written.
pub async fn append(
    journal: &Journal,
    merchant: &MerchantId,
    key: &str,
    errand: &Errand,
    by: &Actor,
    now: Moment,
) -> Result<ArrivalId, ErrandError> {
    let note = note(merchant, errand, by, now);
    let verified = own::verified(key, errand, now).map_err(|rejected| ErrandError::Wrong(rejected.detail))?;
    match journal.append(merchant, &SourceId::from(OWN_SOURCE), verified, Some(note)).await? {
        Appended::Accepted(arrival) | Appended::Duplicate(arrival) => Ok(arrival),
        Appended::Conflict(_) => Err(ErrandError::Reused),
    }
}

/// The errand's line in the audit log: whom it concerns and which of their fields it tells, never what it tells. Texts that somebody
/// typed stay out; the arrival has them.
fn note(merchant: &MerchantId, errand: &Errand, by: &Actor, now: Moment) -> Note {
    let note = Note::new(Some(merchant), by, errand.name(), now);
    match errand {
        Errand::Join { identity } => note.now(json!({"fields": fields(identity)})),
        Errand::Profile { member, identity } => note.about(member).now(json!({"fields": fields(identity)})),
        Errand::Redeem { member, reward } | Errand::Issue { member, reward } => {
            note.about(member).now(json!({"reward": reward}))
        }
        Errand::Merge { member, other } => note.about(member).now(json!({"absorbs": other})),
        Errand::Undo { member, .. } | Errand::Forget { member } | Errand::Claim { member, .. } => note.about(member),
        Errand::Answer { member, installation, .. } => note.about(member).now(json!({"installation": installation})),
    }
}

/// Which fields somebody's words fill.
fn fields(identity: &Identity) -> Vec<String> {
    let said = serde_json::to_value(identity).unwrap_or_default();
    said.as_object().map(|said| said.keys().cloned().collect()).unwrap_or_default()
}

/// What became of a journalled errand; nothing as long as it is under way.
///
/// # Errors
/// [`ErrandError`] if the database fails, or if it will never be done.
pub async fn outcome(
    store: &dyn Store,
    merchant: &MerchantId,
    arrival: ArrivalId,
) -> Result<Option<Outcome>, ErrandError> {
    let Some(found) = store.outcome(merchant, arrival).await? else { return Ok(None) };
    match (found.arrival.state.as_str(), found.entry) {
        ("new", _) => Ok(None),
        ("read", Some(EntryView { state, .. })) if state == "queued" => Ok(None),
        ("read", Some(entry)) => Ok(Some(Outcome {
            entry: entry.id,
            state: entry.state,
            cause: entry.cause,
            rewards: found.rewards,
            member: entry.member,
        })),
        ("conflict", _) => Err(ErrandError::Reused),
        (state, _) => Err(ErrandError::Parked(found.arrival.note.unwrap_or_else(|| state.to_owned()))),
    }
}

/// Writes an errand down and waits, for ten seconds at most, until the gateway's loops have done it.
///
/// # Errors
/// [`ErrandError`]; after all but `Wrong` and `Reused` the same key may be tried again.
pub async fn run(
    store: &dyn Store,
    journal: &Journal,
    merchant: &MerchantId,
    key: &str,
    errand: &Errand,
    by: &Actor,
    now: Moment,
) -> Result<Outcome, ErrandError> {
    let arrival = append(journal, merchant, key, errand, by, now).await?;
    let waiting = async {
        let mut pause = PAUSE;
        loop {
            if let Some(outcome) = outcome(store, merchant, arrival).await? {
                return Ok(outcome);
            }
            // Another process may be the one that settles it, and nothing wakes this one then.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or(Err(ErrandError::Slow))
}

/// Checks what somebody says about a person before it is written down. A platform's webhook is read as far as it can be; a person
/// at a counter is told what is wrong.
///
/// # Errors
/// A sentence that names the field, without repeating what stood there.
pub fn check_identity(vault: &Vault, merchant: &Merchant, identity: &Identity) -> Result<(), String> {
    let known = identity::known(vault, merchant, &SourceId::from(OWN_SOURCE), identity);
    let has = |kind: KeyKind| known.keys.iter().any(|key| key.kind == kind);
    for (given, read, wrong) in [
        (identity.email.is_some(), has(KeyKind::Email), "`email` is not an e-mail address"),
        (
            identity.phone.is_some(),
            has(KeyKind::Phone),
            "`phone` is not a valid number: write it with its country code",
        ),
        (identity.card.is_some(), has(KeyKind::Card), "`card` is not a card's code"),
        (identity.name.is_some(), known.contact.name.is_some(), "`name` is empty or too long"),
        (
            identity.birthday.is_some(),
            known.birthday.is_some(),
            "`birthday` is not a day: write it like 1990-03-08 or 03-08",
        ),
        (identity.locale.is_some(), known.locale.is_some(), "`locale` is not a language tag like `sk` or `cs-CZ`"),
    ] {
        if given && !read {
            return Err(wrong.to_owned());
        }
    }
    Ok(())
}

/// The same for somebody who is to become a member: they need something to be known by.
///
/// # Errors
/// A sentence that names the field, or those of which one is needed.
pub fn check_newcomer(vault: &Vault, merchant: &Merchant, identity: &Identity) -> Result<(), String> {
    if identity.email.is_none() && identity.phone.is_none() && identity.card.is_none() {
        return Err("a member is known by `email`, `phone` or `card`: name one at least".to_owned());
    }
    check_identity(vault, merchant, identity)
}
