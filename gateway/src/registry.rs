//! Programmes as they stand now: sources, installations, channels and the loaded plugins, cached and looked at again when the store
//! says that something changed. Readers take a [`Snapshot`] and keep it for as long as one batch or request lasts.
//!
//! What cannot be read or loaded is left out alone, said once in the log and in [`Snapshot::problems`], and looked at again every few
//! seconds until it is mended. Components are loaded in the background: nobody waits for one but the entries that it decides on.

mod plugins;
mod snapshot;

pub use snapshot::{Problem, Snapshot};

use crate::clock::Clock;
use crate::store::{Part, ProgrammeRows, SealedRow, Store, StoreError};
use crate::vault::Vault;
use perkgate_domain::ids::{Digest, MerchantId};
use perkgate_domain::programme::Programme;
use perkgate_plugin_host::Host;
use plugins::Plugins;
use snapshot::{LeftOut, Programmes};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often what was left out is read again.
const AGAIN: Duration = Duration::from_secs(3);

/// What can go wrong in looking things up.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing that is sealed opens.
    #[error(
        "none of the sources and channels in this database opens with this key, the first because {0}; start with the key it was made with"
    )]
    Key(String),
}

/// See the module's head.
pub struct Registry {
    shared: Arc<Shared>,
    /// One reads at a time, and knows when what was left out is due to be read again.
    reading: tokio::sync::Mutex<Option<Instant>>,
    /// The generation that whoever follows up on changes has seen to.
    heard: AtomicU64,
}

struct Shared {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    host: Host,
    clock: Arc<dyn Clock>,
    current: RwLock<Arc<Snapshot>>,
    plugins: Mutex<Plugins>,
    /// Components being loaded.
    loads: watch::Sender<usize>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("revision", &self.snapshot().revision).finish_non_exhaustive()
    }
}

impl Registry {
    /// Reads everything for the first time. Plugins are loaded meanwhile and afterwards: see [`Registry::loaded`].
    ///
    /// # Errors
    /// [`RegistryError`] if the store fails or nothing that is sealed opens with this key.
    pub async fn open(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        host: Host,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RegistryError> {
        let current = RwLock::new(Arc::new(Snapshot { revision: -1, ..Snapshot::default() }));
        let (plugins, loads) = (Mutex::default(), watch::Sender::new(0));
        let shared = Arc::new(Shared { store, vault, host, clock, current, plugins, loads });
        let registry = Self { shared, reading: tokio::sync::Mutex::default(), heard: AtomicU64::new(1) };
        registry.refresh().await?;
        let snapshot = registry.snapshot();
        let sealed = |left_out: &&LeftOut| matches!(left_out.part, Part::Source(_) | Part::Channel(_));
        let opened = snapshot.programmes().any(|one| !one.sources.is_empty() || !one.channels.is_empty());
        match snapshot.programmes.left_out.iter().find(sealed) {
            Some(left_out) if !opened => Err(RegistryError::Key(left_out.detail.clone())),
            _ => Ok(registry),
        }
    }

    /// What stands now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot()
    }

    /// Reads everything again if the store's revision rose, and what was left out every few seconds. Answers whether programmes are
    /// others than before. May be called by anybody at any time: one reads, the others wait for it.
    ///
    /// # Errors
    /// [`RegistryError::Store`]; the old snapshot stays.
    pub async fn refresh(&self) -> Result<bool, RegistryError> {
        let mut again = self.reading.lock().await;
        let shared = &self.shared;
        let revision = shared.store.revision().await?;
        let old = self.snapshot();
        let (rose, now) = (old.revision != revision, Instant::now());
        let mut asked = BTreeSet::new();
        let mut changed = false;
        if rose || again.is_some_and(|again| now >= again) {
            let programmes = shared.read(&old).await?;
            changed = rose || programmes.left_out != old.programmes.left_out;
            asked = applied(&old.programmes, &programmes);
            *again = (!programmes.left_out.is_empty()).then(|| now + AGAIN);
            let generation = old.generation + u64::from(changed);
            shared.publish(Some((revision, generation, Arc::new(programmes))));
        }
        let named = self.snapshot().digests();
        let compiled = |digest| shared.host.keeps(digest);
        let wanted = shared.plugins().wanted(&named, &asked, now, compiled);
        if !wanted.is_empty() || changed {
            shared.publish(None);
        }
        for digest in wanted {
            self.load(digest);
        }
        Ok(changed)
    }

    /// Programmes that are others than those [`Registry::heard`] was told of last, whoever refreshed: each is to be followed up once.
    #[must_use]
    pub fn news(&self) -> Option<Arc<Snapshot>> {
        Some(self.snapshot()).filter(|snapshot| snapshot.generation != self.heard.load(Ordering::Acquire))
    }

    /// These programmes have been followed up.
    pub fn heard(&self, snapshot: &Snapshot) {
        self.heard.store(snapshot.generation, Ordering::Release);
    }

    /// Waits until no component is being loaded any more: for who decides right after applying, as commands and tests do.
    pub async fn loaded(&self) {
        let mut loads = self.shared.loads.subscribe();
        // The sender lives as long as this registry.
        let _ = loads.wait_for(|loads| *loads == 0).await;
    }

    fn load(&self, digest: Digest) {
        let shared = Arc::clone(&self.shared);
        shared.loads.send_modify(|loads| *loads += 1);
        tokio::spawn(async move {
            let loaded = plugins::load(shared.store.as_ref(), &shared.host, digest).await;
            shared.plugins().loaded(digest, loaded, shared.clock.now(), Instant::now());
            shared.publish(None);
            shared.loads.send_modify(|loads| *loads -= 1);
        });
    }
}

impl Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn plugins(&self) -> std::sync::MutexGuard<'_, Plugins> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a snapshot of what is known now, of these programmes or of those that stand, and says what is new about problems.
    fn publish(&self, programmes: Option<(i64, u64, Arc<Programmes>)>) {
        // Whoever publishes holds this, so that none overwrites what another has just made.
        let plugins = self.plugins();
        let old = self.snapshot();
        let (revision, generation, programmes) =
            programmes.unwrap_or_else(|| (old.revision, old.generation, Arc::clone(&old.programmes)));
        let problems = self.problems(&programmes, &plugins, &old.problems);
        // What waited for something that is mended now can go on: that is news as well.
        let is_left =
            |was: &Problem| problems.iter().any(|now| (&now.merchant, &now.what) == (&was.merchant, &was.what));
        let generation = generation + u64::from(!old.problems.iter().all(is_left));
        let next = Snapshot { revision, generation, programmes, plugins: plugins.snapshot(), problems };
        tell(&old, &next);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// What is left out. What was left out before, for the same reason, has been since then.
    fn problems(&self, programmes: &Programmes, plugins: &Plugins, before: &[Problem]) -> Vec<Problem> {
        let now = self.clock.now();
        let since = |what: &str, merchant: &MerchantId| {
            let known = before.iter().find(|known| known.what == what && known.merchant == *merchant);
            known.map_or(now, |known| known.since)
        };
        let unread = programmes.left_out.iter().map(|left_out| {
            let (merchant, what, detail) = (left_out.merchant.clone(), left_out.what(), left_out.detail.clone());
            Problem { since: since(&what, &merchant), merchant, what, detail }
        });
        let installations = programmes.whole.values().flat_map(|programme| {
            programme.installations.iter().map(move |installation| (&programme.merchant.id, installation))
        });
        let unloaded = installations.filter_map(|(merchant, installation)| {
            let (detail, since) = plugins.failure(installation.digest)?;
            let what = format!("plugin `{}`", installation.id);
            Some(Problem { merchant: merchant.clone(), what, detail: detail.to_owned(), since })
        });
        let mut problems: Vec<Problem> = unread.chain(unloaded).collect();
        problems.sort_by(|one, other| (&one.merchant, &one.what).cmp(&(&other.merchant, &other.what)));
        problems
    }

    /// Reads every programme. A part that stayed as it was is not read anew.
    async fn read(&self, old: &Snapshot) -> Result<Programmes, RegistryError> {
        let standing = self.store.standing().await?;
        let mut programmes = Programmes::default();
        for row in standing.damaged {
            programmes.left_out.push(LeftOut { merchant: row.merchant, part: row.part, detail: row.detail });
        }
        for rows in standing.programmes {
            let programme = self.open_programme(rows, &mut programmes.left_out);
            let known = old.programme(&programme.merchant.id).filter(|known| is_same(known, &programme));
            let programme = known.map_or_else(|| Arc::new(programme), Arc::clone);
            programmes.whole.insert(programme.merchant.id.clone(), programme);
        }
        Ok(programmes)
    }

    fn open_programme(&self, rows: ProgrammeRows, left_out: &mut Vec<LeftOut>) -> Programme {
        let merchant = rows.merchant;
        let mut leave_out = |part: Part, detail: String| {
            left_out.push(LeftOut { merchant: merchant.id.clone(), part, detail });
        };
        let mut sources = std::collections::BTreeMap::new();
        for row in &rows.sources {
            match self.unseal::<perkgate_domain::programme::Source>(&merchant.id, "source", row) {
                Ok(source) => drop(sources.insert(source.id.clone(), source)),
                Err(why) => leave_out(Part::Source(row.id.as_str().into()), why),
            }
        }
        let mut channels = std::collections::BTreeMap::new();
        for row in &rows.channels {
            match self.unseal::<perkgate_domain::programme::Channel>(&merchant.id, "channel", row) {
                Ok(channel) => drop(channels.insert(channel.id.clone(), channel)),
                Err(why) => leave_out(Part::Channel(row.id.as_str().into()), why),
            }
        }
        let installations = rows.installations.into_iter().map(|row| row.installation).collect();
        Programme { merchant, sources, installations, channels }
    }

    fn unseal<T: serde::de::DeserializeOwned>(
        &self,
        merchant: &MerchantId,
        kind: &str,
        row: &SealedRow,
    ) -> Result<T, String> {
        let plain = self
            .vault
            .open(&sealing_context(merchant, kind, &row.id), &row.sealed)
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&plain).map_err(|error| format!("it does not read back: {error}; apply its file again"))
    }
}

/// Says in the log what has become of problems, each in one line.
fn tell(old: &Snapshot, next: &Snapshot) {
    for problem in next.problems.iter().filter(|problem| !old.problems.contains(problem)) {
        tracing::error!(merchant = %problem.merchant, "{} is left out: {}", problem.what, problem.detail);
    }
    let is_left =
        |was: &&Problem| next.problems.iter().all(|now| (&now.merchant, &now.what) != (&was.merchant, &was.what));
    for problem in old.problems.iter().filter(is_left) {
        tracing::info!(merchant = %problem.merchant, "{} is no longer left out", problem.what);
    }
}

/// The components of merchants whose programmes changed: whoever applied them wants to see them tried again.
fn applied(old: &Programmes, next: &Programmes) -> BTreeSet<Digest> {
    let is_new = |merchant: &MerchantId, programme: &Arc<Programme>| {
        old.whole.get(merchant).is_none_or(|known| !Arc::ptr_eq(known, programme))
    };
    let changed = next.whole.iter().filter(|(merchant, programme)| is_new(merchant, programme));
    changed.flat_map(|(_, programme)| programme.installations.iter().map(|one| one.digest)).collect()
}

fn is_same(one: &Programme, other: &Programme) -> bool {
    one.merchant == other.merchant
        && one.sources == other.sources
        && one.installations == other.installations
        && one.channels == other.channels
}

/// What a sealed document of a programme is bound to: moved to another place it does not open.
#[must_use]
pub fn sealing_context(merchant: &MerchantId, kind: &str, id: &str) -> String {
    format!("{kind}/{merchant}/{id}")
}
