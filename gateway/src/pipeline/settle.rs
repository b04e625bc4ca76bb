//! From entries to the settling commit: facts for the whole batch, plugins in parallel, plans in order, one commit.

use super::ground::Field;
use super::isolate::{Part, Settled};
use super::lanes::{Owner, owner};
use super::plan::{Material, Plan, plan};
use super::traces::Laps;
use super::{BATCH, Pipeline, PipelineError, lock};
use crate::panics;
use crate::store::{Postponed, PutOff, Reading, StoreError};
use perkgate_domain::event::Event;
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::plan::{Book, QueuedEntry};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// How often a part of a batch is done again at once because somebody else was first with part of it.
const TRIES: usize = 4;
/// Numbers for entries that a batch makes: as many as it may need, and reserved many at a time.
const NUMBERS: (usize, usize) = (4 * BATCH, 16 * BATCH);

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
        // Two members become one in a batch of their own: no other entry of theirs is in it.
        let (merges, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| matches!(entry.event, Event::Merge(_)));
        let mut count = 0;
        let mut batches = vec![entries];
        batches.extend(merges.into_iter().map(|merge| vec![merge]));
        let mut failure = None;
        for batch in batches.into_iter().filter(|batch| !batch.is_empty()) {
            let begun = Arc::new(batch);
            let settled = match failure {
                None => self.settle_batch(Arc::clone(&begun), Vec::new()).await,
                Some(_) => Ok((0, begun.iter().map(|entry| entry.id).collect())),
            };
            let mut queue = lock(&self.shared.entries);
            let back: HashSet<EntryId> = match settled {
                Ok((settled, deferred)) => {
                    count += settled;
                    deferred.into_iter().collect()
                }
                Err(error) => {
                    failure = Some(error);
                    begun.iter().map(|entry| entry.id).collect()
                }
            };
            queue.done(begun.iter().filter(|entry| !back.contains(&entry.id)).map(|entry| entry.id.0));
            queue.put_back(begun.iter().filter(|entry| back.contains(&entry.id)).cloned().collect());
        }
        failure.map_or(Ok(count), Err)
    }

    /// Settles one part of a batch whole, or says why that cannot be done.
    ///
    /// # Errors
    /// [`PipelineError`] if the database as a whole fails.
    pub(super) async fn settle_part(&self, part: &Part) -> Result<Settled, PipelineError> {
        let started = Instant::now();
        let mut entries = Arc::clone(&part.entries);
        for _ in 0..TRIES {
            let began = Instant::now();
            let mut plan = match self.plan(&entries, &part.nudged).await {
                Ok(plan) => plan,
                Err(PipelineError::Store(StoreError::Stale)) => continue,
                Err(error) if error.is_outage() => return Err(error),
                Err(error) => return Ok(Settled::Failed(error.to_string())),
            };
            let mut watch = Instant::now();
            let laps = Laps { began, planned: watch, batch: entries.len() };
            let settled = self.store.settle(&plan.settlements, &plan.put_off).await;
            self.stage("settle", &mut watch);
            match settled {
                Ok(()) => {
                    lock(&self.shared.numbers).append(&mut plan.numbers);
                    self.metrics.batch(started.elapsed());
                    self.report(&entries, &plan, laps);
                    self.let_wait(&entries, &plan).await?;
                    let count = plan.settlements.len() + plan.put_off.len();
                    return Ok(Settled::Done { count, deferred: plan.deferred });
                }
                // Somebody settled an entry or used up a limit meanwhile: look again.
                Err(StoreError::Stale) => {
                    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
                    let left: HashSet<_> = self.store.still_queued(&ids).await?.into_iter().collect();
                    entries = Arc::new(entries.iter().filter(|entry| left.contains(&entry.id)).cloned().collect());
                    if entries.is_empty() && part.nudged.is_empty() {
                        return Ok(Settled::Done { count: 0, deferred: Vec::new() });
                    }
                }
                Err(error) if error.is_outage() => return Err(error.into()),
                Err(error) => return Ok(Settled::Failed(error.to_string())),
            }
        }
        Ok(Settled::Failed(StoreError::Stale.to_string()))
    }

    async fn plan(&self, entries: &Arc<Vec<QueuedEntry>>, nudged: &[Owner]) -> Result<Plan, PipelineError> {
        let now = self.clock.now();
        let snapshot = self.registry.snapshot();
        let merchants: BTreeSet<&MerchantId> =
            entries.iter().map(|entry| &entry.merchant).chain(nudged.iter().map(|(merchant, _)| merchant)).collect();
        let fields: HashMap<MerchantId, Field> = merchants
            .into_iter()
            .filter_map(|merchant| Some((merchant.clone(), Field::of(merchant, &snapshot)?)))
            .collect();
        let history = fields.iter().filter(|(_, field)| field.history > 0);
        let history = history.map(|(merchant, field)| (merchant.clone(), field.history)).collect();
        let mut watch = Instant::now();
        let mut book = self.store.book(&Reading { entries, nudged, history, now }).await?;
        self.counters(entries, nudged, &fields, &mut book, now).await?;
        self.stage("book", &mut watch);
        let due = |opened: &perkgate_domain::plan::MemberBook| crate::ledger::next_due(opened).is_some();
        let numbers = if book.members.values().any(due) { self.numbers().await? } else { Vec::new() };
        let (vault, entries, nudged) = (Arc::clone(&self.vault), Arc::clone(entries), nudged.to_vec());
        let plan = tokio::task::spawn_blocking(move || {
            panics::guard(|| {
                plan(Material {
                    entries: &entries,
                    nudged: &nudged,
                    book,
                    numbers,
                    fields: &fields,
                    snapshot: &snapshot,
                    vault: &vault,
                    now,
                })
            })
        })
        .await??;
        self.metrics.stage("decide", plan.deciding);
        self.metrics.stage("ledger", watch.elapsed().saturating_sub(plan.deciding));
        Ok(plan)
    }

    /// Reads the sums that what this batch gives may be counted in.
    async fn counters(
        &self,
        entries: &[QueuedEntry],
        nudged: &[Owner],
        fields: &HashMap<MerchantId, Field>,
        book: &mut Book,
        now: perkgate_domain::time::Moment,
    ) -> Result<(), StoreError> {
        let mut scopes: BTreeSet<(MerchantId, String)> =
            fields.keys().map(|merchant| (merchant.clone(), String::new())).collect();
        let mut add = |(merchant, member): &Owner, at| {
            let field = fields.get(merchant);
            let more = field.map_or_else(Vec::new, |field| field.scopes(member.as_str(), at));
            scopes.extend(more.into_iter().map(|scope| (merchant.clone(), scope)));
        };
        for entry in entries {
            if let Some(owner) = owner(entry) {
                add(&owner, entry.event.at());
            }
        }
        for owner in nudged {
            add(owner, now);
        }
        for (owner, opened) in &book.members {
            for at in opened.wakes.iter().map(|wake| wake.at).chain(opened.member.due_at) {
                add(owner, at);
            }
        }
        book.counters = self.store.counters(&scopes).await?;
        book.scopes = scopes.into_iter().collect();
        Ok(())
    }

    /// Numbers for entries that a batch makes.
    async fn numbers(&self) -> Result<Vec<EntryId>, StoreError> {
        let mut numbers = std::mem::take(&mut *lock(&self.shared.numbers));
        if numbers.len() < NUMBERS.0 {
            numbers.extend(self.store.reserve(NUMBERS.1).await?);
        }
        let rest = numbers.len().saturating_sub(NUMBERS.0);
        let used = numbers.split_off(rest);
        lock(&self.shared.numbers).append(&mut numbers);
        Ok(used)
    }

    /// What comes after an entry that was put off waits for it, in the database; and so does what has become somebody else's.
    async fn let_wait(&self, entries: &[QueuedEntry], plan: &Plan) -> Result<(), StoreError> {
        let mut waiting = plan.moved.clone();
        let mut owners = HashSet::new();
        if !plan.put_off.is_empty() {
            let off: HashSet<_> = plan.put_off.iter().filter_map(|put_off| put_off.what.entry()).collect();
            owners.extend(entries.iter().filter(|entry| off.contains(&entry.id)).filter_map(owner));
            let done: HashSet<_> = plan.settlements.iter().map(|settlement| settlement.entry).collect();
            let later: HashSet<_> = plan.deferred.iter().collect();
            let skipped = |entry: &&QueuedEntry| {
                !done.contains(&entry.id) && !off.contains(&entry.id) && !later.contains(&entry.id)
            };
            waiting.extend(entries.iter().filter(skipped).map(|entry| entry.id));
        }
        self.let_wait_behind(&owners, waiting).await
    }

    /// Gives back these entries, and what this process holds of these members'.
    pub(super) async fn let_wait_behind(
        &self,
        owners: &HashSet<Owner>,
        mut waiting: Vec<EntryId>,
    ) -> Result<(), StoreError> {
        if !owners.is_empty() {
            let behind = |entry: &QueuedEntry| owner(entry).is_some_and(|owner| owners.contains(&owner));
            waiting.extend(lock(&self.shared.entries).remove(behind).iter().map(|entry| entry.id));
        }
        if waiting.is_empty() {
            return Ok(());
        }
        self.store.hold(&[], &waiting, 0).await
    }

    /// One line for each entry settled or put off.
    fn report(&self, entries: &[QueuedEntry], plan: &Plan, laps: Laps) {
        let by_id: HashMap<_, _> = entries.iter().map(|entry| (entry.id, entry)).collect();
        for settlement in &plan.settlements {
            let born = settlement.born.as_deref();
            let Some(entry) = born.or_else(|| by_id.get(&settlement.entry).copied()) else { continue };
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
            self.trace_settled(entry, settlement, laps);
        }
        for put_off in &plan.put_off {
            let entry = put_off.what.entry().and_then(|entry| by_id.get(&entry)).copied();
            self.report_put_off(put_off, entry);
        }
    }

    /// One line for what failed.
    pub(super) fn report_put_off(&self, put_off: &PutOff, entry: Option<&QueuedEntry>) {
        self.metrics.put_off(if put_off.until.is_some() { "retried" } else { "failed" });
        let merchant = match &put_off.what {
            Postponed::Member(merchant, _) => Some(merchant),
            Postponed::Entry(_) => entry.map(|entry| &entry.merchant),
        };
        let merchant = merchant.map_or("", MerchantId::as_str);
        if let Some(entry) = entry {
            self.trace_failed(entry, &put_off.why);
        }
        let (attempts, why) = (entry.map_or(0, |entry| entry.attempts) + 1, &put_off.why);
        match (&put_off.what, put_off.until) {
            (Postponed::Entry(id), Some(until)) => {
                let wait_ms = until.since_ms(put_off.at);
                tracing::warn!(merchant, entry = %id, attempts, wait_ms, "put off: {why}");
            }
            (Postponed::Entry(id), None) => {
                tracing::error!(merchant, entry = %id, attempts, "failed, and waits for a person (`perkgate rejections --stalled`): {why}");
            }
            (Postponed::Member(_, member), _) => {
                tracing::warn!(merchant, %member, "what is due for a member is put off: {why}");
            }
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
