//! From entries to the settling commit: facts for the whole batch, plugins in parallel, plans in order, one commit.

use super::plan::{Plan, owner, plan};
use super::{Pipeline, PipelineError, lock};
use crate::decide;
use crate::store::StoreError;
use perkgate_domain::ids::MemberId;
use perkgate_domain::plan::QueuedEntry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// How often a batch is done again at once because somebody else was first with part of it.
const TRIES: usize = 4;

impl Pipeline {
    /// Settles one batch of entries. Answers how many were settled or put off.
    ///
    /// # Errors
    /// [`PipelineError`] if the database fails; nothing was written then, and the batch is settled later.
    pub async fn settle(&self) -> Result<usize, PipelineError> {
        let mut watch = Instant::now();
        let entries = self.next_entries().await?;
        if entries.is_empty() {
            return Ok(0);
        }
        self.stage("take", &mut watch);
        // There is room for more.
        self.shared.arrived.notify_one();
        let begun = Arc::new(entries);
        let settled = self.settle_batch(Arc::clone(&begun)).await;
        let mut queue = lock(&self.shared.entries);
        match &settled {
            Ok(_) => queue.done(begun.iter().map(|entry| entry.id.0)),
            Err(_) => queue.put_back(begun.to_vec()),
        }
        settled
    }

    async fn settle_batch(&self, mut entries: Arc<Vec<QueuedEntry>>) -> Result<usize, PipelineError> {
        let started = Instant::now();
        for _ in 0..TRIES {
            let plan = self.plan(&entries).await?;
            let mut watch = Instant::now();
            let settled = self.store.settle(&plan.settlements, &plan.put_off).await;
            self.stage("settle", &mut watch);
            match settled {
                Ok(()) => {
                    self.metrics.batch(started.elapsed());
                    self.report(&entries, &plan);
                    self.let_wait(&entries, &plan).await?;
                    return Ok(plan.settlements.len() + plan.put_off.len());
                }
                // Somebody settled an entry or used up a limit meanwhile: look again.
                Err(StoreError::Stale) => {
                    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
                    let left: HashSet<_> = self.store.still_queued(&ids).await?.into_iter().collect();
                    entries = Arc::new(entries.iter().filter(|entry| left.contains(&entry.id)).cloned().collect());
                    if entries.is_empty() {
                        return Ok(0);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn plan(&self, entries: &Arc<Vec<QueuedEntry>>) -> Result<Plan, PipelineError> {
        let now = self.clock.now();
        let snapshot = self.registry.snapshot();
        let days: HashMap<usize, String> = entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                Some((index, decide::day(entry, &snapshot.programme(&entry.merchant)?.merchant)))
            })
            .collect();
        let wanted: Vec<String> = days.values().cloned().collect::<HashSet<_>>().into_iter().collect();
        let mut watch = Instant::now();
        let book = self.store.book(entries, &wanted).await?;
        self.stage("book", &mut watch);
        let (vault, entries) = (Arc::clone(&self.vault), Arc::clone(entries));
        let plan = tokio::task::spawn_blocking(move || plan(&entries, &days, book, &snapshot, &vault, now)).await?;
        self.metrics.stage("decide", plan.deciding);
        self.metrics.stage("ledger", watch.elapsed().saturating_sub(plan.deciding));
        Ok(plan)
    }

    /// What comes after an entry that was put off waits for it, in the database.
    async fn let_wait(&self, entries: &[QueuedEntry], plan: &Plan) -> Result<(), StoreError> {
        if plan.put_off.is_empty() {
            return Ok(());
        }
        let off: HashSet<_> = plan.put_off.iter().map(|put_off| put_off.entry).collect();
        let owners: HashSet<_> = entries.iter().filter(|entry| off.contains(&entry.id)).filter_map(owner).collect();
        let behind = |entry: &QueuedEntry| owner(entry).is_some_and(|owner| owners.contains(&owner));
        let mut waiting: Vec<_> = lock(&self.shared.entries).remove(behind).iter().map(|entry| entry.id).collect();
        let done: HashSet<_> = plan.settlements.iter().map(|settlement| settlement.entry).collect();
        let skipped = |entry: &&QueuedEntry| !done.contains(&entry.id) && !off.contains(&entry.id);
        waiting.extend(entries.iter().filter(skipped).map(|entry| entry.id));
        if waiting.is_empty() {
            return Ok(());
        }
        self.store.hold(&[], &waiting, 0).await
    }

    /// One line for each entry settled or put off.
    fn report(&self, entries: &[QueuedEntry], plan: &Plan) {
        let by_id: HashMap<_, _> = entries.iter().map(|entry| (entry.id, entry)).collect();
        for settlement in &plan.settlements {
            let Some(entry) = by_id.get(&settlement.entry) else { continue };
            let (kind, state) = (entry.event.kind().as_str(), settlement.state.as_str());
            self.metrics.settled(kind, state);
            for fault in settlement.decisions.iter().filter_map(fault_of) {
                let (blame, kind) = fault_words(fault);
                self.metrics.fault(blame, kind);
                tracing::warn!(merchant = %entry.merchant, entry = %entry.id, blame, kind, "plugin fault: {}", fault.detail);
            }
            tracing::info!(merchant = %entry.merchant, source = %entry.source, entry = %entry.id, kind,
                id = entry.event.external_id(), state, member = entry.member.as_ref().map_or("", MemberId::as_str),
                postings = settlement.postings.len(), rewards = settlement.rewards.len(), messages = settlement.deliveries.len(), "{kind} {state}");
        }
        for put_off in &plan.put_off {
            let Some(entry) = by_id.get(&put_off.entry) else { continue };
            let wait_ms = put_off.until.since_ms(self.clock.now());
            tracing::warn!(merchant = %entry.merchant, entry = %entry.id, attempts = entry.attempts + 1, wait_ms, "put off: {}", put_off.why);
        }
    }
}

fn fault_of(record: &perkgate_domain::plan::DecisionRecord) -> Option<&perkgate_domain::decision::Fault> {
    match &record.outcome {
        perkgate_domain::decision::Outcome::Fault(fault) => Some(fault),
        _ => record.ruling.as_ref(),
    }
}

fn fault_words(fault: &perkgate_domain::decision::Fault) -> (&'static str, &'static str) {
    use perkgate_domain::decision::{Blame, FaultKind as Kind};
    let blame = match fault.blame {
        Blame::Plugin => "plugin",
        Blame::Host => "host",
    };
    let kind = match fault.kind {
        Kind::Fuel => "fuel",
        Kind::Deadline => "deadline",
        Kind::Memory => "memory",
        Kind::Stack => "stack",
        Kind::Log => "log",
        Kind::Result => "result",
        Kind::Trap => "trap",
        Kind::Invalid => "invalid",
        Kind::NotGranted => "not_granted",
        Kind::Cap => "cap",
        Kind::Broken => "broken",
        Kind::Load => "load",
        Kind::Host => "host",
    };
    (blame, kind)
}
