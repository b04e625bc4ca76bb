//! Puts the rooms together: one [`Gateway`] for `serve`, the demo, the bench and the tests alike.

use crate::api::{self, Desk};
use crate::clock::{Clock, SystemClock};
use crate::files;
use crate::journal::{Handover, Journal};
use crate::keyring::{self, KeyringError};
use crate::listen::{self, Bounds};
use crate::notify::Notifier;
use crate::ops::{self, Ops};
use crate::outbound::{Outbound, Private};
use crate::pipeline::{Pipeline, StoreOutbox};
use crate::receive::{self, Door};
use crate::registry::{Registry, RegistryError};
use crate::store::{self, Schema, Store, StoreError};
use crate::telemetry::{Metrics, Tally, TraceError, TraceTarget, Traces};
use crate::tokens::Tokens;
use crate::vault::{Vault, VaultError};
use crate::worker::Worker;
use axum::Router;
use perkgate_domain::limits::{CallLimits, DeliveryLimits, DoorLimits, Retention};
use perkgate_plugin_host::{Compiler, Host, HostConfig, HostError};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// Connections to the operator's pages.
const PAGES: usize = 32;
/// How long open requests may take to end after SIGTERM.
const DRAIN: Duration = Duration::from_secs(20);

/// What a gateway is opened with.
#[derive(Clone)]
pub struct Config {
    /// `sqlite://path.db` or `postgres://…`.
    pub database: String,
    /// Where the key file and compiled plugins are kept.
    pub data: PathBuf,
    /// The root key's text, in place of the key file; older ones may follow it.
    pub key: Option<String>,
    /// Where messages and questions may go besides the public internet.
    pub private: Private,
    /// What the door accepts.
    pub door: DoorLimits,
    /// What a plugin's call may use.
    pub call: CallLimits,
    /// What a delivery may use.
    pub delivery: DeliveryLimits,
    /// Who compiles plugins: this process, unless a program says how it is started for that.
    pub compiler: Compiler,
    /// For how long things are kept.
    pub retention: Retention,
    /// Where traces are sent, if anywhere.
    pub traces: Option<TraceTarget>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// Defaults for a database, with keys and caches in `data`.
    pub fn new(database: impl Into<String>, data: impl AsRef<Path>) -> Self {
        Self {
            database: database.into(),
            data: data.as_ref().to_owned(),
            key: None,
            private: Private::none(),
            door: DoorLimits::default(),
            call: CallLimits::default(),
            delivery: DeliveryLimits::default(),
            compiler: Compiler::Here,
            retention: Retention::default(),
            traces: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Opens the database and its keys. A root key is made only for a database in which nothing was ever sealed; any other must have
    /// been made with the key that is there.
    ///
    /// # Errors
    /// [`StartError`] in a sentence for the operator.
    pub async fn open(&self, schema: Schema) -> Result<(Arc<dyn Store>, Vault), StartError> {
        if schema == Schema::Migrate {
            files::make_directory(&self.data).map_err(|source| StartError::Data { path: self.data.clone(), source })?;
        }
        let store = store::open(&self.database, schema).await?;
        if let Some(vault) = self.existing_key(store.as_ref()).await? {
            return Ok((store, vault));
        }
        let vault = Vault::load(&self.data, self.key.as_deref())?;
        keyring::open(store.as_ref(), &vault, self.clock.now()).await?;
        Ok((store, vault))
    }

    /// The keys that this database was made with; none if nothing was ever sealed in it.
    ///
    /// # Errors
    /// [`StartError`] if the key is missing or another one.
    pub async fn existing_key(&self, store: &dyn Store) -> Result<Option<Vault>, StartError> {
        if store.revision().await? == 0 && !store.is_used().await? {
            return Ok(None);
        }
        let vault = Vault::load_existing(&self.data, self.key.as_deref())?;
        keyring::open(store, &vault, self.clock.now()).await?;
        Ok(Some(vault))
    }

    /// What runs plugins.
    ///
    /// # Errors
    /// [`HostError`] if this machine cannot have what the limits ask for.
    pub fn host(&self, vault: &Vault) -> Result<Host, HostError> {
        let compiled = self.data.join("compiled");
        if let Err(error) = files::own_directory(&compiled) {
            tracing::warn!(path = %compiled.display(), "compiled plugins cannot be kept: {error}");
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Host::new(HostConfig {
            limits: self.call,
            cache_dir: Some(compiled),
            cache_key: vault.cache_key(),
            // One call a core, and room for whoever looks on (explain, checks) meanwhile.
            instances: u32::try_from(cores).unwrap_or(1).saturating_mul(2).saturating_add(2),
            compiler: self.compiler.clone(),
        })
    }
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made.
    #[error("cannot make the data directory {path}: {source}")]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The keys of the database.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The plugin host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The programmes.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Outgoing requests.
    #[error(transparent)]
    Outbound(#[from] crate::outbound::OutboundError),
    /// The collector that traces are to be sent to.
    #[error(transparent)]
    Traces(#[from] TraceError),
}

/// Where the operator's pages are.
#[derive(Debug)]
pub enum Pages {
    /// There are none: nobody is told how the process does but by its log.
    Off,
    /// Apart from the door.
    At(TcpListener),
    /// At the door, for machines that have one port: whoever reaches the door may read them.
    AtTheDoor,
}

/// Everything, put together. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// The database.
    pub store: Arc<dyn Store>,
    /// Seals and opens.
    pub vault: Arc<Vault>,
    /// Runs plugins.
    pub host: Host,
    /// Programmes as they stand.
    pub registry: Arc<Registry>,
    /// Reads and settles.
    pub pipeline: Pipeline,
    /// Sends.
    pub notifier: Arc<Notifier>,
    /// What the operator sees.
    pub metrics: Metrics,
    config: Config,
}

impl Gateway {
    /// Opens database, key and plugins.
    ///
    /// # Errors
    /// [`StartError`] in a sentence for the operator.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let (store, vault) = config.open(Schema::Migrate).await?;
        let vault = Arc::new(vault);
        let host = config.host(&vault)?;
        let clock = Arc::clone(&config.clock);
        let registry = Registry::open(Arc::clone(&store), Arc::clone(&vault), host.clone(), clock).await?;
        let registry = Arc::new(registry);
        let outbound = Outbound::new(config.private.clone(), Duration::from_millis(config.delivery.timeout_ms))?;
        let traces = config.traces.as_ref().map(|target| Traces::to(target, vault.trace_space())).transpose()?;
        let metrics = Metrics::default().tracing(traces.unwrap_or_default());
        let pipeline = Pipeline::new(
            Arc::clone(&store),
            Arc::clone(&registry),
            Arc::clone(&vault),
            outbound.clone(),
            Arc::clone(&config.clock),
            metrics.clone(),
        );
        let outbox = StoreOutbox::new(
            Arc::clone(&store),
            Arc::clone(&registry),
            Arc::clone(&vault),
            metrics.clone(),
            config.delivery.breaker,
        );
        let notifier = Arc::new(Notifier::new(
            Arc::new(outbox),
            outbound,
            Arc::clone(&config.clock),
            metrics.traces().clone(),
            config.delivery,
        ));
        Ok(Self { store, vault, host, registry, pipeline, notifier, metrics, config })
    }

    /// What time it is here.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.config.clock
    }

    /// Takes requests at `listener` and works on them until `stop` completes; then finishes what was begun.
    ///
    /// # Errors
    /// [`StartError`] if the database fails at the start.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        self.serve_with(listener, Pages::Off, stop).await
    }

    /// As [`Gateway::serve`], with the operator's pages. Those apart from the door stay until everything else has ended.
    ///
    /// # Errors
    /// [`StartError`] if the database fails at the start.
    pub async fn serve_with(
        &self,
        listener: TcpListener,
        pages: Pages,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        // A newer gateway may read what an older one parked.
        let unparked = self.store.unpark().await?;
        if unparked > 0 {
            tracing::info!("{unparked} parked arrivals are read again");
        }
        // What failed before may work by now: a newer gateway, a repaired disk.
        self.store.retry(None, None).await?;
        let handover: Arc<dyn Handover> = Arc::new(self.pipeline.clone());
        let (journal, writers) =
            Journal::start(Arc::clone(&self.store), Arc::clone(&self.vault), self.config.door, Some(handover));
        let (stop_work, stopped) = watch::channel(false);
        let work = tokio::spawn(self.worker().run(stopped));
        let tally = Tally::default();
        self.metrics.vitals().follow(journal.failing());
        let ops = self.ops().await;
        let at_the_door =
            if matches!(pages, Pages::AtTheDoor) { ops::beside_the_door(ops.clone()) } else { Router::new() };
        let aside = self.aside(ops, pages, &tally);
        let desk = Desk {
            store: Arc::clone(&self.store),
            registry: Arc::clone(&self.registry),
            vault: Arc::clone(&self.vault),
            journal: journal.clone(),
            clock: Arc::clone(&self.config.clock),
            tokens: Arc::new(Tokens::new(&self.vault)),
            guesses: Arc::default(),
        };
        let door = Door {
            registry: Arc::clone(&self.registry),
            journal,
            clock: Arc::clone(&self.config.clock),
            metrics: self.metrics.clone(),
            tally: tally.clone(),
            limits: self.config.door,
        };
        let routes = receive::routes(door).merge(api::routes(desk)).merge(at_the_door);
        let bounds = Bounds::of(&self.config.door);
        let (metrics, told) = (self.metrics.clone(), tally.clone());
        serve_until(|stop| listen::serve(listener, routes, bounds, metrics, told, stop), stop).await;
        // The door is shut: what was answered 200 is journalled. Now the loops end their batches.
        let _ = stop_work.send(true);
        finish(work, writers).await;
        for task in aside {
            task.abort();
        }
        tally.tell();
        self.metrics.traces().finish().await;
        Ok(())
    }

    /// What the operator's pages tell.
    async fn ops(&self) -> Ops {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.config.clock));
        let ops = Ops::new(store, clock, self.metrics.clone(), Arc::clone(&self.registry));
        // Whoever asks at once is told how it is, and not that nobody has looked yet.
        ops.probe().await;
        ops
    }

    /// What runs beside the door and the loops: trial writes, what is told every second, the operator's pages.
    fn aside(&self, ops: Ops, pages: Pages, tally: &Tally) -> Vec<AbortHandle> {
        let mut tasks = vec![
            tokio::spawn(ops.clone().keep_probing()).abort_handle(),
            tokio::spawn(tally.clone().keep_telling()).abort_handle(),
        ];
        if let Pages::At(pages) = pages {
            let bounds = Bounds { connections: PAGES, ..Bounds::of(&self.config.door) };
            // What happens here is not the door's, and is not counted.
            let (uncounted, tally) = (Metrics::default(), tally.clone());
            let serving = listen::serve(pages, ops::routes(ops), bounds, uncounted, tally, std::future::pending());
            tasks.push(tokio::spawn(serving).abort_handle());
        }
        tasks
    }

    /// The loops that read, settle and send, without a door: for the bench.
    #[must_use]
    pub fn worker(&self) -> Worker {
        Worker {
            pipeline: self.pipeline.clone(),
            notifier: Arc::clone(&self.notifier),
            registry: Arc::clone(&self.registry),
            store: Arc::clone(&self.store),
            metrics: self.metrics.clone(),
            clock: Arc::clone(&self.config.clock),
            vault: Arc::clone(&self.vault),
            retention: self.config.retention,
        }
    }
}

/// Serves until `stop` completes, and for a while longer until the requests that are open have ended.
async fn serve_until<F: Future<Output = ()>>(
    serving: impl FnOnce(Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (begun, mut draining) = watch::channel(false);
    let stop = async move {
        stop.await;
        let _ = begun.send(true);
    };
    let too_long = async move {
        let _ = draining.wait_for(|begun| *begun).await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        () = serving(Box::pin(stop)) => {}
        () = too_long => {
            tracing::warn!("requests were still open after {} s and were cut off", DRAIN.as_secs());
        }
    }
}

async fn finish(work: JoinHandle<()>, writers: [JoinHandle<()>; 2]) {
    if tokio::time::timeout(DRAIN, work).await.is_err() {
        tracing::warn!(
            "a loop was still working after {} s; what it did not commit is done again at the next start",
            DRAIN.as_secs()
        );
    }
    for writer in writers {
        // The last clone of the journal went with the door, so the writers end by themselves.
        let _ = tokio::time::timeout(DRAIN, writer).await;
    }
}
