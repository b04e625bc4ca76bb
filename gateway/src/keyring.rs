//! The keys of a database: where they come from, how a process learns of new ones, and how old ones are replaced while others serve.
//!
//! A rotation has two phases, so that nothing is ever sealed with a key that another process does not know: new data keys are made known,
//! and only used when every process had time to look. Then every sealed value is sealed again, some at a time. Each value says which
//! key it needs, so a rotation that was cut off anywhere goes on where it was. `retire` drops the old keys at the end.

mod rotation;

pub use rotation::{LEARNING, Step, retire, rotate};

use crate::identity::contact_context;
use crate::journal;
use crate::registry::sealing_context;
use crate::store::{Actor, KeyRow, Note, RowKey, SealedCell, SealedPlace, Store, StoreError};
use crate::vault::{Vault, VaultError, Wrapped};
use perkgate_domain::time::Moment;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What can go wrong with the keys of a database.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Something still needs the old keys.
    #[error(
        "{sealed} values are still sealed with older keys, or new keys are not in use yet: run `perkgate key rotate` first"
    )]
    Needed {
        /// How many.
        sealed: i64,
    },
    /// Tokens would end.
    #[error(
        "{tokens} tokens that are still good are signed with the older key and would end: `perkgate token list` names them. Make new ones \
         for whoever has them, or say --end-tokens"
    )]
    Tokens {
        /// How many.
        tokens: usize,
    },
    /// There is only one generation.
    #[error("there is nothing to retire: all keys are of one generation")]
    Nothing,
    /// A thread was stopped.
    #[error("sealing was stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// What stands of the keys.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Fingerprints of the root keys that the database can be opened with.
    pub roots: Vec<String>,
    /// Fingerprints of those at hand, newest first.
    pub at_hand: Vec<String>,
    /// Data keys: purpose, then generations, oldest first.
    pub keys: BTreeMap<String, Vec<Generation>>,
    /// Sealed values by place and generation of their key.
    pub sealed: BTreeMap<SealedPlace, BTreeMap<u32, i64>>,
    /// Whether a rotation is under way, or its end is to be confirmed by `retire`.
    pub rotating: bool,
}

/// One generation of a data key.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Generation {
    /// Its number.
    pub generation: u32,
    /// Whether it is in use, or only known.
    pub active: bool,
    /// When it was made.
    pub made_at: Moment,
}

impl Status {
    /// Values that need another key than the newest.
    #[must_use]
    pub fn older(&self) -> i64 {
        let newest = self.keys.get("seal").and_then(|keys| keys.last()).map_or(1, |key| key.generation);
        let counts = self.sealed.values().flatten();
        counts.filter(|(generation, _)| **generation != newest).map(|(_, count)| count).sum()
    }
}

/// Makes the vault know the keys of this database, and the database the first keys if it has none.
///
/// # Errors
/// [`KeyringError`]: [`VaultError::Foreign`] if the database was made with another key.
pub async fn open(store: &dyn Store, vault: &Vault, now: Moment) -> Result<(), KeyringError> {
    let mut rows = store.keys().await?;
    if rows.is_empty() {
        let is_used = store.is_used().await?;
        let root = first_root(store, vault, is_used).await?;
        let first = key_rows(vault.first_keys(&root, is_used), now);
        let note = Note::new(None, &process(vault), "key.create", now).now(json!({"root": root}));
        match store.add_keys(&[], &first, &note).await {
            // Another process was first: its keys are the keys.
            Ok(()) | Err(StoreError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
        rows = store.keys().await?;
    }
    vault.learn(&wrapped(rows))?;
    let done = rekey(store, vault).await?;
    if done > 0 {
        let note = Note::new(None, &process(vault), "digest.rekey", now).now(json!({"rows": done}));
        store.note(&[note]).await?;
        tracing::info!("{done} digests of bodies are keyed now");
    }
    Ok(())
}

fn process(vault: &Vault) -> Actor {
    Actor::process(vault.process_name())
}

/// The root key that what is sealed already was sealed with; the newest if nothing is.
async fn first_root(store: &dyn Store, vault: &Vault, is_used: bool) -> Result<String, KeyringError> {
    let newest = vault.roots().into_iter().next().unwrap_or_default();
    if !is_used {
        return Ok(newest);
    }
    let mut is_sealed = false;
    for place in SealedPlace::ALL {
        // One that opens is enough: another may be damaged.
        for cell in store.sealed(place, &[], &RowKey::default()).await? {
            is_sealed |= Vault::generation_of(&cell.sealed).is_some();
            if let Some(root) = vault.root_of(&context(place, &cell), &cell.sealed) {
                return Ok(root);
            }
        }
    }
    if is_sealed {
        let wanted = "the key that sealed what is in it".to_owned();
        return Err(VaultError::Foreign { wanted, given: vault.roots().join(", ") }.into());
    }
    Ok(newest)
}

/// Takes over keys that another process made. To be called every second or so.
///
/// # Errors
/// [`KeyringError`]; what was known stays known.
pub async fn look(store: &dyn Store, vault: &Vault) -> Result<bool, KeyringError> {
    Ok(vault.learn(&wrapped(store.keys().await?))?)
}

fn wrapped(rows: Vec<KeyRow>) -> Vec<Wrapped> {
    let wrapped = |KeyRow { purpose, generation, root, wrapped, active, .. }| Wrapped {
        purpose,
        generation,
        root,
        bytes: wrapped,
        active,
    };
    rows.into_iter().map(wrapped).collect()
}

fn key_rows(keys: Vec<Wrapped>, made_at: Moment) -> Vec<KeyRow> {
    let row = |Wrapped { purpose, generation, root, bytes, active }| KeyRow {
        purpose,
        generation,
        root,
        wrapped: bytes,
        active,
        made_at,
    };
    keys.into_iter().map(row).collect()
}

/// Puts keyed digests in the place of plain ones, which an earlier version wrote. Answers how many.
async fn rekey(store: &dyn Store, vault: &Vault) -> Result<usize, KeyringError> {
    let mut done = 0;
    loop {
        let mut rows = store.unkeyed().await?;
        if rows.is_empty() {
            return Ok(done);
        }
        for row in &mut rows {
            let keyed = vault.keyed(&row.merchant, &row.digest);
            row.dedupe = journal::keyed_dedupe(&row.dedupe, &row.digest, &keyed);
            row.digest = keyed;
        }
        store.rekey(&rows).await?;
        done += rows.len();
    }
}

/// What a sealed value is bound to.
fn context(place: SealedPlace, cell: &SealedCell) -> String {
    match place {
        SealedPlace::Sources => sealing_context(&cell.merchant, "source", &cell.name),
        SealedPlace::Channels => sealing_context(&cell.merchant, "channel", &cell.name),
        SealedPlace::Contacts => contact_context(&cell.merchant, &cell.name),
        SealedPlace::Arrivals | SealedPlace::Fetched | SealedPlace::Answers | SealedPlace::Rejections => {
            journal::context(&cell.merchant, &cell.name.as_str().into())
        }
    }
}

/// What stands of the keys of a database.
///
/// # Errors
/// [`KeyringError`] if the database fails.
pub async fn status(store: &dyn Store, vault: &Vault) -> Result<Status, KeyringError> {
    let rows = store.keys().await?;
    let roots: BTreeSet<String> = rows.iter().map(|row| row.root.clone()).collect();
    let mut keys: BTreeMap<String, Vec<Generation>> = BTreeMap::new();
    for row in &rows {
        let generations = keys.entry(row.purpose.clone()).or_default();
        if generations.last().is_none_or(|last| last.generation != row.generation) {
            let KeyRow { generation, active, made_at, .. } = *row;
            generations.push(Generation { generation, active, made_at });
        }
    }
    let mut sealed = BTreeMap::new();
    for place in SealedPlace::ALL {
        let counts = sealed.entry(place).or_insert_with(BTreeMap::new);
        for (head, count) in store.sealed_counts(place).await? {
            *counts.entry(Vault::generation_of(&head).unwrap_or(0)).or_default() += count;
        }
    }
    let rotating = roots.len() > 1 || keys.values().any(|keys| keys.len() > 1);
    Ok(Status { roots: roots.into_iter().collect(), at_hand: vault.roots(), keys, sealed, rotating })
}
