//! Programmes as they stand now: sources, installations, channels and the loaded plugins, cached and looked at again when the store
//! says that something changed. Readers take a [`Snapshot`] and keep it for as long as one batch or request lasts.

use crate::store::{ProgrammeRows, Store, StoreError};
use crate::vault::{Vault, VaultError};
use perkgate_domain::decision::{Blame, Fault, FaultKind};
use perkgate_domain::ids::{Digest, MerchantId};
use perkgate_domain::programme::{Channel, Merchant, Programme, Source};
use perkgate_plugin_host::{Host, Plugin};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

/// What stands at one moment.
#[derive(Default)]
pub struct Snapshot {
    /// The store's revision it was read at.
    pub revision: i64,
    programmes: HashMap<MerchantId, Arc<Programme>>,
    plugins: HashMap<Digest, Result<Plugin, Fault>>,
}

impl Snapshot {
    /// A merchant's programme.
    #[must_use]
    pub fn programme(&self, merchant: &MerchantId) -> Option<&Arc<Programme>> {
        self.programmes.get(merchant)
    }
    /// Every merchant.
    pub fn programmes(&self) -> impl Iterator<Item = &Arc<Programme>> {
        self.programmes.values()
    }
    /// A loaded plugin, or why it cannot be loaded.
    ///
    /// # Errors
    /// [`Fault`]: the host's or the plugin's.
    pub fn plugin(&self, digest: Digest) -> Result<&Plugin, Fault> {
        self.plugins.get(&digest).map_or_else(|| Err(missing()), |loaded| loaded.as_ref().map_err(Clone::clone))
    }
}

fn missing() -> Fault {
    let detail = "the component is not in the database; apply the merchant file again".to_owned();
    Fault { blame: Blame::Host, kind: FaultKind::Load, detail }
}

/// What can go wrong in looking things up.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sealed document cannot be opened.
    #[error("{what} of merchant `{merchant}` cannot be opened: {source}")]
    Sealed {
        /// Source or channel.
        what: String,
        /// Whose.
        merchant: MerchantId,
        /// Why.
        source: VaultError,
    },
    /// An opened document does not read back.
    #[error("{what} of merchant `{merchant}` cannot be read: {detail}")]
    Document {
        /// Source or channel.
        what: String,
        /// Whose.
        merchant: MerchantId,
        /// Why.
        detail: String,
    },
}

/// See the module's head.
pub struct Registry {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    host: Host,
    current: RwLock<Arc<Snapshot>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("revision", &self.snapshot().revision).finish_non_exhaustive()
    }
}

impl Registry {
    /// Reads everything for the first time.
    ///
    /// # Errors
    /// [`RegistryError`] if the store fails or a sealed document does not open with this key.
    pub async fn open(store: Arc<dyn Store>, vault: Arc<Vault>, host: Host) -> Result<Self, RegistryError> {
        let registry = Self {
            store,
            vault,
            host,
            current: RwLock::new(Arc::new(Snapshot { revision: -1, ..Snapshot::default() })),
        };
        registry.refresh().await?;
        Ok(registry)
    }

    /// What stands now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads everything again if the store's revision rose. Answers whether it did.
    ///
    /// # Errors
    /// As [`Registry::open`]; the old snapshot stays.
    pub async fn refresh(&self) -> Result<bool, RegistryError> {
        let revision = self.store.revision().await?;
        let old = self.snapshot();
        if old.revision == revision {
            return Ok(false);
        }
        let mut next = Snapshot { revision, ..Snapshot::default() };
        for rows in self.store.programmes().await? {
            let programme = self.open_programme(rows)?;
            for installation in &programme.installations {
                if next.plugins.contains_key(&installation.digest) {
                    continue;
                }
                let loaded = match old.plugins.get(&installation.digest) {
                    Some(Ok(plugin)) => Ok(plugin.clone()),
                    _ => self.load(installation.digest).await?,
                };
                if let Err(fault) = &loaded {
                    tracing::error!(merchant = %programme.merchant.id, installation = %installation.id,
                        "plugin cannot be loaded: {}", fault.detail);
                }
                next.plugins.insert(installation.digest, loaded);
            }
            next.programmes.insert(programme.merchant.id.clone(), Arc::new(programme));
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(true)
    }

    /// Compiling takes seconds for a large component: off the async threads.
    async fn load(&self, digest: Digest) -> Result<Result<Plugin, Fault>, RegistryError> {
        let Some(component) = self.store.component(digest).await? else { return Ok(Err(missing())) };
        let host = self.host.clone();
        let loaded = tokio::task::spawn_blocking(move || host.load(&component).map_err(|error| error.fault())).await;
        Ok(loaded.unwrap_or_else(|error| {
            let detail = format!("loading it stopped its thread: {error}");
            Err(Fault { blame: Blame::Host, kind: FaultKind::Load, detail })
        }))
    }

    fn open_programme(&self, rows: ProgrammeRows) -> Result<Programme, RegistryError> {
        let merchant = rows.merchant;
        let mut sources = BTreeMap::new();
        for row in rows.sources {
            let source: Source = self.unseal(&merchant, "source", &row.id, &row.sealed)?;
            sources.insert(source.id.clone(), source);
        }
        let mut channels = BTreeMap::new();
        for row in rows.channels {
            let channel: Channel = self.unseal(&merchant, "channel", &row.id, &row.sealed)?;
            channels.insert(channel.id.clone(), channel);
        }
        let installations = rows.installations.into_iter().map(|row| row.installation).collect();
        Ok(Programme { merchant, sources, installations, channels })
    }

    fn unseal<T: serde::de::DeserializeOwned>(
        &self,
        merchant: &Merchant,
        kind: &str,
        id: &str,
        sealed: &[u8],
    ) -> Result<T, RegistryError> {
        let what = format!("{kind} `{id}`");
        let plain = self
            .vault
            .open(&sealing_context(&merchant.id, kind, id), sealed)
            .map_err(|source| RegistryError::Sealed { what: what.clone(), merchant: merchant.id.clone(), source })?;
        serde_json::from_slice(&plain).map_err(|error| RegistryError::Document {
            what,
            merchant: merchant.id.clone(),
            detail: error.to_string(),
        })
    }
}

/// What a sealed document of a programme is bound to: moved to another place it does not open.
#[must_use]
pub fn sealing_context(merchant: &MerchantId, kind: &str, id: &str) -> String {
    format!("{kind}/{merchant}/{id}")
}
