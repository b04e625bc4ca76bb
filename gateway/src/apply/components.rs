//! The components of a merchant file: loaded before anything is written, and whole in the database afterwards.

use super::{ApplyError, Prepared, is_same};
use crate::store::Store;
use crate::vault::Vault;
use perkgate_domain::ids::Digest;
use perkgate_plugin_host::Host;

/// Where a merchant file names a plugin.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) file: String,
    pub(super) line: usize,
}

/// Loads every component, so that one which cannot be run is refused here and not found out by a purchase. What has to be compiled
/// for it is kept: a gateway with the same data directory finds it there.
///
/// # Errors
/// [`ApplyError::Plugin`] names the line of the first that does not load.
pub async fn load_plugins(prepared: &Prepared, host: &Host) -> Result<(), ApplyError> {
    for (row, Named { file, line }) in prepared.plugins.iter().zip(prepared.named.clone()) {
        let wrong = |text: String| ApplyError::Plugin { file: file.clone(), line, text };
        let (host, component) = (host.clone(), row.component.clone());
        let loaded = tokio::task::spawn_blocking(move || host.load(&component).map(drop)).await;
        loaded
            .map_err(|error| wrong(format!("loading the plugin stopped its thread: {error}")))?
            .map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}

/// Whether the database holds just this already, every component whole.
///
/// # Errors
/// [`ApplyError::Store`].
pub async fn is_applied(prepared: &Prepared, store: &dyn Store, vault: &Vault) -> Result<bool, ApplyError> {
    let merchant = &prepared.merchant.id;
    let stored = store.programmes().await?.into_iter().find(|rows| rows.merchant.id == *merchant);
    Ok(stored.is_some_and(|rows| is_same(prepared, &rows, vault)) && are_whole(prepared, store).await?)
}

/// Whether the database has every component, as it was applied.
pub(super) async fn are_whole(prepared: &Prepared, store: &dyn Store) -> Result<bool, ApplyError> {
    for plugin in &prepared.plugins {
        let component = store.component(plugin.digest).await?;
        if component.is_none_or(|component| Digest::of(&component) != plugin.digest) {
            return Ok(false);
        }
    }
    Ok(true)
}
