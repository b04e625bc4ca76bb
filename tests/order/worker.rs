//! One gateway process, moved act by act: its own memory, its own clock, and a store that waits for a word before every act.

use super::cases::Telling;
use super::ground::{Ground, Merchant};
use perkgate_domain::limits::DoorLimits;
use perkgate_gateway::clock::{Clock, ManualClock};
use perkgate_gateway::connectors::{self, Admitted, Arrival};
use perkgate_gateway::journal::{Handover, Journal};
use perkgate_gateway::pipeline::{Pipeline, PipelineError};
use perkgate_gateway::store::{Store, StoreError};
use perkgate_gateway::telemetry::Metrics;
use perkgate_gateway::vault::Vault;
use perkgate_tests::{Ask, Fate, Held, NOON, Stepped};
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, JoinSet};

/// What an idle worker may begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Job {
    /// Takes so many of what is still to be told, and journals them with one commit.
    Deliver(usize),
    Read,
    Settle,
    Renew,
}

/// What came of a job.
pub(super) struct Ended {
    /// What the platforms were not told was journalled: they send it again.
    pub(super) again: Vec<Telling>,
    /// Whether anything was done.
    pub(super) moved: bool,
    /// Why it failed, if nobody told it to.
    pub(super) failed: Option<String>,
}

/// See the module's head.
pub(super) struct Worker {
    store: Arc<Stepped>,
    vault: Arc<Vault>,
    merchant: Merchant,
    clock: Arc<ManualClock>,
    pipeline: Pipeline,
    asks: UnboundedReceiver<Ask>,
    /// At an act, waiting for the word.
    at: Option<Ask>,
    task: Option<JoinHandle<Ended>>,
}

impl Worker {
    /// A process that has just started, with nothing in memory.
    pub(super) fn start(ground: &Ground, merchant: &Merchant, skew: i64) -> Self {
        let (store, asks) = Stepped::over(Arc::clone(&ground.store));
        let clock = Arc::new(ManualClock::at(NOON.plus_ms(skew)));
        let pipeline = Pipeline::new(
            Arc::clone(&store) as Arc<dyn Store>,
            Arc::clone(&ground.registry),
            Arc::clone(&ground.vault),
            ground.outbound.clone(),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Metrics::default(),
        );
        let vault = Arc::clone(&ground.vault);
        Self { store, vault, merchant: merchant.clone(), clock, pipeline, asks, at: None, task: None }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.task.is_none()
    }

    /// Whatever it was given leases for.
    pub(super) fn held(&self) -> Held {
        self.store.held()
    }

    /// Begins a job and goes on to its first act. Answers what came of it if there was none.
    pub(super) async fn begin(&mut self, job: Job, told: Vec<Telling>) -> Option<Ended> {
        let pipeline = self.pipeline.clone();
        self.task = Some(match job {
            Job::Deliver(_) => tokio::spawn(self.journal(told)),
            Job::Read => tokio::spawn(async move { ended(pipeline.read().await) }),
            Job::Settle => tokio::spawn(async move { ended(pipeline.settle().await) }),
            Job::Renew => tokio::spawn(async move { ended(pipeline.renew().await.map(|()| 0).map_err(Into::into)) }),
        });
        self.next().await
    }

    /// Tells it what becomes of the act it is at, and goes on to the next one. Answers what came of the job if that was the last.
    pub(super) async fn act(&mut self, fate: Fate) -> Option<Ended> {
        if let Some(ask) = self.at.take() {
            ask.send(fate).expect("the act is waiting");
        }
        self.next().await
    }

    async fn next(&mut self) -> Option<Ended> {
        let task = self.task.as_mut().expect("a worker that is moved has a job");
        tokio::select! {
            biased;
            ask = self.asks.recv() => {
                self.at = ask;
                None
            }
            ended = task => {
                self.task = None;
                Some(ended.expect("the job did not panic"))
            }
        }
    }

    /// Verifies and journals as the door does; the pipeline takes over what is new.
    fn journal(&self, told: Vec<Telling>) -> impl Future<Output = Ended> + Send + use<> {
        let arrivals: Vec<_> = told.into_iter().map(|telling| (self.verified(&telling), telling)).collect();
        let handover = Arc::new(self.pipeline.clone()) as Arc<dyn Handover>;
        let limits = DoorLimits { linger_ms: 0, patience_ms: 600_000, ..DoorLimits::default() };
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let (vault, merchant) = (Arc::clone(&self.vault), self.merchant.clone());
        async move {
            let (journal, writers) = Journal::start(store, vault, limits, Some(handover));
            let mut waiting = JoinSet::new();
            for (verified, telling) in arrivals {
                let (journal, merchant) = (journal.clone(), merchant.clone());
                waiting.spawn(async move {
                    let appended = journal.append(&merchant.id, &merchant.source.id, verified, None).await;
                    appended.err().map(|_| telling)
                });
            }
            drop(journal);
            let mut again = Vec::new();
            while let Some(refused) = waiting.join_next().await {
                again.extend(refused.expect("journalling did not panic"));
            }
            for writer in writers {
                writer.await.expect("the journal's writer did not panic");
            }
            Ended { again, moved: true, failed: None }
        }
    }

    fn verified(&self, telling: &Telling) -> connectors::Verified {
        let (source, now) = (&self.merchant.source, self.clock.now());
        let connector = connectors::find(&source.platform).expect("a connector");
        let headers = connector.sign(&telling.body, None, &telling.delivery, source, now).expect("a signature");
        let headers =
            headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.into_bytes())).collect();
        let arrival = Arrival { headers, body: telling.body.clone().into(), received_at: now };
        match connector.verify(arrival, source).expect("it is signed well") {
            Admitted::Event(verified) => verified,
            handshake @ Admitted::Handshake { .. } => panic!("a webhook is taken for {handshake:?}"),
        }
    }
}

/// A batch that others were first with again and again is settled later; whatever else fails, fails the case, unless it was told to.
fn ended(done: Result<usize, PipelineError>) -> Ended {
    let (moved, failed) = match done {
        Ok(count) => (count > 0, None),
        Err(PipelineError::Store(StoreError::Stale)) => (true, None),
        Err(PipelineError::Store(StoreError::Database(sqlx::Error::Io(_)))) => (false, None),
        Err(error) => (false, Some(error.to_string())),
    };
    Ended { again: Vec::new(), moved, failed }
}
