//! Replacing keys: new ones are made known, then used, then everything is sealed again; at the end the older ones are dropped.

use super::{KeyringError, Status, context, key_rows, look, status};
use crate::clock::Clock;
use crate::store::{Actor, Note, RowKey, SealedCell, SealedPlace, Store};
use crate::vault::{Purpose, Vault};
use perkgate_domain::time::Moment;
use serde_json::json;
use std::time::Duration;

/// How long other processes have to learn of new keys: they look every second.
pub const LEARNING: Duration = Duration::from_secs(3);
/// Tokens that a refusal to retire names.
const TOKENS: i64 = 100_000;

/// What a rotation has done so far.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// New keys are known to the database.
    Known,
    /// They are in use.
    Used,
    /// So many values were sealed again.
    Sealed(SealedPlace, u64),
}

/// Makes a new root key and new data keys, and seals everything again. Goes on with a rotation that is under way, wherever it is.
/// Ends when nothing is sealed with an older key any more; [`retire`] then drops those.
///
/// # Errors
/// [`KeyringError`]; run again, it goes on.
pub async fn rotate(
    store: &dyn Store,
    vault: &Vault,
    by: &Actor,
    clock: &dyn Clock,
    learning: Duration,
    mut told: impl FnMut(Step),
) -> Result<Status, KeyringError> {
    look(store, vault).await?;
    let before = status(store, vault).await?;
    let newest = |vault: &Vault| vault.roots().into_iter().next().unwrap_or_default();
    if !before.rotating && before.roots.contains(&newest(vault)) {
        vault.add_root(&before.roots)?;
    }
    let newest = newest(vault);
    if !before.roots.contains(&newest) {
        let now = clock.now();
        let mut roots: Vec<String> = vault.roots().into_iter().filter(|root| before.roots.contains(root)).collect();
        roots.push(newest.clone());
        let new =
            Purpose::ROTATED.into_iter().flat_map(|purpose| vault.new_key(purpose, vault.coming(purpose) + 1, &roots));
        let new = key_rows(new.collect(), now);
        let note = Note::new(None, by, "key.rotate", now);
        let note = note.was(json!({"roots": before.roots})).now(json!({"roots": roots}));
        store.add_keys(&key_rows(vault.wrapped_by(&newest), now), &new, &note).await?;
        look(store, vault).await?;
    }
    told(Step::Known);
    if vault.coming(Purpose::Seal) != vault.generation(Purpose::Seal) {
        // Nothing may be sealed with the new key before every process has looked and knows it.
        tokio::time::sleep(learning).await;
        let now = clock.now();
        let note = Note::new(None, by, "key.use", now).now(json!({"generation": vault.coming(Purpose::Seal)}));
        store.activate_keys(&note).await?;
        look(store, vault).await?;
        // Until they have looked again, others still seal with the older key: what they seal meanwhile comes in a later pass.
        tokio::time::sleep(learning).await;
    }
    told(Step::Used);
    loop {
        let mut done = 0;
        for place in SealedPlace::ALL {
            done += seal_again(store, vault, place, &mut told).await?;
        }
        if done == 0 {
            return status(store, vault).await;
        }
    }
}

/// One pass over a place. What does not open is left as it is: no key would help it.
async fn seal_again(
    store: &dyn Store,
    vault: &Vault,
    place: SealedPlace,
    told: &mut impl FnMut(Step),
) -> Result<u64, KeyringError> {
    let (head, mut after, mut done) = (vault.sealed_head(), RowKey::default(), 0);
    loop {
        let cells = store.sealed(place, &head, &after).await?;
        let Some(last) = cells.last() else { return Ok(done) };
        after = last.key.clone();
        let sealing = vault.clone();
        let again = tokio::task::spawn_blocking(move || {
            let again = |cell: SealedCell| {
                let context = context(place, &cell);
                let plain = sealing.open(&context, &cell.sealed).ok()?;
                let sealed = sealing.seal(&context, &plain);
                Some((cell, sealed))
            };
            cells.into_iter().filter_map(again).collect::<Vec<_>>()
        });
        let count = store.reseal(place, &again.await?).await?;
        done += count;
        told(Step::Sealed(place, done));
    }
}

/// Drops older keys, when nothing needs them any more: root keys from the database and the key file, and data keys. Tokens that are
/// signed with the older key end.
///
/// # Errors
/// [`KeyringError`] if something needs them; nothing is dropped then.
pub async fn retire(
    store: &dyn Store,
    vault: &Vault,
    by: &Actor,
    now: Moment,
    end_tokens: bool,
) -> Result<(), KeyringError> {
    look(store, vault).await?;
    let status = status(store, vault).await?;
    let newest = vault.roots().into_iter().next().unwrap_or_default();
    if !status.rotating {
        if vault.roots().len() == 1 {
            return Err(KeyringError::Nothing);
        }
        // Killed before it came to the key file.
        return Ok(vault.keep_root(status.roots.first().map_or(&newest, |root| root))?);
    }
    let unused = status.keys.values().flatten().any(|key| !key.active);
    let sealed = openable(store, vault).await?;
    if unused || sealed > 0 || !status.roots.contains(&newest) {
        return Err(KeyringError::Needed { sealed });
    }
    let signing = vault.generation(Purpose::Token);
    let ending = store
        .tokens(None, TOKENS)
        .await?
        .into_iter()
        .filter(|token| token.generation < signing && token.revoked_at.is_none() && token.expires_at > now);
    let tokens = ending.count();
    if tokens > 0 && !end_tokens {
        return Err(KeyringError::Tokens { tokens });
    }
    let roots: Vec<String> = status.roots.into_iter().filter(|root| *root != newest).collect();
    let older = Purpose::ROTATED.into_iter().flat_map(|purpose| {
        let keys = status.keys.get(purpose.as_str()).into_iter().flatten();
        let older = keys.filter(move |key| key.generation < vault.generation(purpose));
        older.map(move |key| (purpose.as_str().to_owned(), key.generation))
    });
    let older: Vec<(String, u32)> = older.collect();
    let note = Note::new(None, by, "key.retire", now);
    let note = note.was(json!({"roots": roots, "keys": older})).now(json!({"root": newest, "tokens_ended": tokens}));
    store.retire_keys(&roots, &older, &note).await?;
    look(store, vault).await?;
    Ok(vault.keep_root(&newest)?)
}

/// Values that are sealed with an older key, and open.
async fn openable(store: &dyn Store, vault: &Vault) -> Result<i64, KeyringError> {
    let head = vault.sealed_head();
    let mut found = 0;
    for place in SealedPlace::ALL {
        let mut after = RowKey::default();
        loop {
            let cells = store.sealed(place, &head, &after).await?;
            let Some(last) = cells.last() else { break };
            after = last.key.clone();
            found += cells
                .iter()
                .filter(|cell| vault.open(&context(place, cell), &cell.sealed).is_ok())
                .fold(0, |n, _| n + 1);
        }
    }
    Ok(found)
}
