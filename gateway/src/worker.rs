//! Keeps the rooms working: one loop each for reading, settling, what falls due, sending, and looking at the
//! programmes again. A loop that fails says so once,
//! waits, and goes on; it never takes another down. On shutdown each finishes its batch.

use crate::clock::Clock;
use crate::notify::Notifier;
use crate::pipeline::Pipeline;
use crate::registry::Registry;
use crate::store::Store;
use crate::telemetry::Metrics;
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
        loops.spawn(self.look(stop));
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
    }

    /// Renews leases, follows changed programmes and measures what waits.
    async fn look(self, mut stop: watch::Receiver<bool>) {
        let mut failing = false;
        let pulse = self.pulse("look");
        while !*stop.borrow() {
            match self.look_once().await {
                Ok(()) => {
                    failing = false;
                    pulse.beat();
                }
                Err(error) if !std::mem::replace(&mut failing, true) => {
                    tracing::error!("cannot renew leases or look at the programmes: {error}");
                }
                Err(_) => {}
            }
            let _ = tokio::time::timeout(LOOK, stop.changed()).await;
        }
    }

    async fn look_once(&self) -> Result<(), Failure> {
        self.pipeline.renew().await?;
        if self.registry.refresh().await? {
            tracing::info!(revision = self.registry.snapshot().revision, "programmes read");
            // A source that was missing or misconfigured may be there now.
            self.store.unpark().await?;
        }
        let depth = self.store.depth().await?;
        for (room, count) in [
            ("arrivals", depth.arrivals),
            ("entries", depth.entries),
            ("parked", depth.parked),
            ("deliveries", depth.deliveries),
        ] {
            self.metrics.waiting(room, count);
        }
        Ok(())
    }
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
    F: Future<Output = Result<usize, Failure>> + Send,
    W: Fn() -> G,
    G: Future<Output = ()> + Send,
{
    let name = pulse.name;
    let mut failures = 0_u32;
    while !*stop.borrow() {
        let pause = match pass().await {
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
