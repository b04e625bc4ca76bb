//! Keeps the rooms working: one loop each for reading, settling, what falls due, sending, renewing leases, looking at the
//! programmes again and measuring what waits. A loop that fails or panics says so once,
//! waits, and goes on; it never takes another down. On shutdown each finishes its batch.

use crate::clock::Clock;
use crate::keyring;
use crate::notify::Notifier;
use crate::pipeline::Pipeline;
use crate::registry::Registry;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::vault::Vault;
use perkgate_domain::limits::Retention;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// How long an idle loop waits to be woken before it looks by itself.
const IDLE: Duration = Duration::from_millis(250);
/// How often programmes and queues are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long work waits at the start for plugins to be loaded. Well below a lease.
const LOADING: Duration = Duration::from_secs(2);
/// The longest wait of a loop that fails.
const FAILING: Duration = Duration::from_secs(5);

/// What the loops work with.
#[derive(Clone)]
pub struct Worker {
    /// Reads and settles.
    pub pipeline: Pipeline,
    /// Sends.
    pub notifier: Arc<Notifier>,
    /// Is looked at again.
    pub registry: Arc<Registry>,
    /// For the gauges.
    pub store: Arc<dyn Store>,
    /// What the operator sees.
    pub metrics: Metrics,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Learns of new keys.
    pub vault: Arc<Vault>,
    /// For how long things are kept.
    pub retention: Retention,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

type Failure = Box<dyn Error + Send + Sync>;

impl Worker {
    /// Runs every loop until `stop` turns true, and each to the end of its batch; then gives back what was not begun.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        // What is queued would be put off for plugins that are there in a moment.
        let _ = tokio::time::timeout(LOADING, self.registry.loaded()).await;
        let mut loops = JoinSet::new();
        let outbox = Arc::new(Notify::new());
        self.spawn_pipeline(&mut loops, &stop, &outbox);
        let (send, notifier) = (self.clone(), Arc::clone(&self.notifier));
        let sending = keep_going(
            self.pulse("send"),
            stop.clone(),
            move || {
                let worker = send.clone();
                async move { Ok(worker.notifier.pass().await?) }
            },
            move || {
                let outbox = Arc::clone(&outbox);
                async move { outbox.notified().await }
            },
        );
        loops.spawn(async move {
            sending.await;
            notifier.finish().await;
        });
        let pipeline = self.pipeline.clone();
        self.spawn_looks(&mut loops, &stop);
        while loops.join_next().await.is_some() {}
        if let Err(error) = pipeline.let_go().await {
            tracing::warn!("what was not begun is not given back, and waits until its leases end: {error}");
        }
    }

    /// By which a loop tells that it comes round.
    fn pulse(&self, name: &'static str) -> Pulse {
        let pulse = Pulse { name, metrics: self.metrics.clone() };
        pulse.beat();
        pulse
    }

    /// The loops that fill the outbox.
    fn spawn_pipeline(&self, loops: &mut JoinSet<()>, stop: &watch::Receiver<bool>, outbox: &Arc<Notify>) {
        let (read, settle) = (self.clone(), self.clone());
        let (arrived, ready, filled) = (self.pipeline.clone(), self.pipeline.clone(), Arc::clone(outbox));
        loops.spawn(keep_going(
            self.pulse("read"),
            stop.clone(),
            move || {
                let worker = read.clone();
                async move { Ok(worker.pipeline.read().await?) }
            },
            move || {
                let pipeline = arrived.clone();
                async move { pipeline.arrived().await }
            },
        ));
        loops.spawn(keep_going(
            self.pulse("settle"),
            stop.clone(),
            move || {
                let (worker, filled) = (settle.clone(), Arc::clone(&filled));
                async move {
                    let count = worker.pipeline.settle().await?;
                    if count > 0 {
                        filled.notify_one();
                    }
                    Ok(count)
                }
            },
            move || {
                let pipeline = ready.clone();
                async move { pipeline.ready().await }
            },
        ));
        let (due, filled) = (self.clone(), Arc::clone(outbox));
        loops.spawn(keep_going(
            self.pulse("schedule"),
            stop.clone(),
            move || {
                let (worker, filled) = (due.clone(), Arc::clone(&filled));
                async move {
                    let count = worker.pipeline.schedule().await?;
                    if count > 0 {
                        filled.notify_one();
                    }
                    Ok(count)
                }
            },
            // Nobody tells that time has passed.
            || tokio::time::sleep(LOOK),
        ));
        let (keep, retention) = (self.pipeline.clone(), self.retention);
        loops.spawn(keep_going(
            self.pulse("keep"),
            stop.clone(),
            move || {
                let pipeline = keep.clone();
                async move { Ok(pipeline.clear(&retention).await?) }
            },
            || tokio::time::sleep(LOOK),
        ));
    }

    /// Renews leases, follows changed programmes and measures what waits, each for itself: none waits for another to succeed.
    fn spawn_looks(&self, loops: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let (renewing, keys, following, measuring) = (self.clone(), self.clone(), self.clone(), self.clone());
        loops.spawn(look("renew leases", self.pulse("renew"), stop.clone(), move || {
            let worker = renewing.clone();
            async move { Ok(worker.pipeline.renew().await?) }
        }));
        // Where keys were rotated and this process has only the old one, the error says so, and it goes on with the keys it knows.
        loops.spawn(look("follow the keys", self.pulse("keys"), stop.clone(), move || {
            let worker = keys.clone();
            async move { worker.follow_keys().await }
        }));
        loops.spawn(look("look at the programmes", self.pulse("programmes"), stop.clone(), move || {
            let worker = following.clone();
            async move { worker.follow().await }
        }));
        loops.spawn(look("measure what waits", self.pulse("measure"), stop.clone(), move || {
            let worker = measuring.clone();
            async move { worker.measure().await }
        }));
    }

    /// New keys are known to every process before anything is sealed with them.
    async fn follow_keys(&self) -> Result<(), Failure> {
        if keyring::look(self.store.as_ref(), &self.vault).await? {
            tracing::info!("the keys of the database have changed");
        }
        Ok(())
    }

    async fn follow(&self) -> Result<(), Failure> {
        self.registry.refresh().await?;
        // Whoever else refreshes makes no difference.
        if let Some(news) = self.registry.news() {
            tracing::info!(revision = news.revision, "programmes read");
            // What was missing or misconfigured may be there now.
            self.store.unpark().await?;
            self.store.retry(None, None).await?;
            self.registry.heard(&news);
        }
        Ok(())
    }

    async fn measure(&self) -> Result<(), Failure> {
        let depth = self.store.depth().await?;
        for (room, count) in [
            ("arrivals", depth.arrivals),
            ("entries", depth.entries),
            ("parked", depth.parked),
            ("failed", depth.failed),
            ("deliveries", depth.deliveries),
        ] {
            self.metrics.waiting(room, count);
        }
        Ok(())
    }
}

/// Does `pass` every second or so; a failure that lasts is said once.
async fn look<P, F>(what: &'static str, pulse: Pulse, mut stop: watch::Receiver<bool>, pass: P)
where
    P: Fn() -> F,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut failing = false;
    while !*stop.borrow() {
        match on_its_own(pass()).await {
            Ok(()) => {
                failing = false;
                pulse.beat();
            }
            Err(error) if !std::mem::replace(&mut failing, true) => tracing::error!("cannot {what}: {error}"),
            Err(_) => {}
        }
        let _ = tokio::time::timeout(LOOK, stop.changed()).await;
    }
}

/// Runs a pass in a task of its own: a panic in it is a failure of the pass and never ends the loop.
async fn on_its_own<T: Send + 'static>(
    pass: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(pass).await.unwrap_or_else(|stopped| Err(stopped.into()))
}

/// See [`Worker::pulse`].
struct Pulse {
    name: &'static str,
    metrics: Metrics,
}

impl Pulse {
    fn beat(&self) {
        self.metrics.passed(self.name);
    }
}

/// Repeats `pass`: at once while there is work, else when woken.
async fn keep_going<P, F, W, G>(pulse: Pulse, mut stop: watch::Receiver<bool>, pass: P, woken: W)
where
    P: Fn() -> F,
    F: Future<Output = Result<usize, Failure>> + Send + 'static,
    W: Fn() -> G,
    G: Future<Output = ()> + Send,
{
    let name = pulse.name;
    let mut failures = 0_u32;
    while !*stop.borrow() {
        let pause = match on_its_own(pass()).await {
            Ok(count) => {
                pulse.beat();
                if std::mem::take(&mut failures) > 1 {
                    tracing::info!("{name}: working again");
                }
                if count > 0 {
                    continue;
                }
                IDLE
            }
            Err(error) => {
                failures += 1;
                // The first failure may be a race that the next pass settles; what lasts is said once.
                match failures {
                    1 => tracing::debug!("{name}: {error}"),
                    2 => tracing::error!("{name}: {error}; trying until it works"),
                    _ => {}
                }
                (IDLE * 2_u32.saturating_pow(failures.min(6))).min(FAILING)
            }
        };
        tokio::select! {
            () = woken() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}
