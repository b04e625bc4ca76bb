//! From queued entries to the settling commit: facts for the whole batch, plugins in parallel, plans in order, one commit.

use super::{BATCH, Pipeline, PipelineError};
use crate::decide::{self, Decided};
use crate::ledger::{self, Terms};
use crate::registry::Snapshot;
use crate::vault::Vault;
use perkgate_domain::ids::{ChannelId, MemberId, MerchantId};
use perkgate_domain::plan::{Book, QueuedEntry, Settlement};
use perkgate_domain::programme::Programme;
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// The longest wait before an entry that met a fault of ours is tried again.
const PUT_OFF_MS: i64 = 60_000;

/// What a batch writes.
#[derive(Default)]
struct Plan {
    settlements: Vec<Settlement>,
    put_off: Vec<(QueuedEntry, Moment, String)>,
}

impl Pipeline {
    /// Settles one batch of queued entries. Answers how many were settled or put off.
    ///
    /// # Errors
    /// [`PipelineError`] if the database fails or somebody else settled them first; nothing was written then.
    pub async fn settle(&self) -> Result<usize, PipelineError> {
        let started = Instant::now();
        let now = self.clock.now();
        let entries = self.store.queued(now, BATCH).await?;
        if entries.is_empty() {
            return Ok(0);
        }
        let snapshot = self.registry.snapshot();
        let days: HashMap<usize, String> = entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                Some((index, decide::day(entry, &snapshot.programme(&entry.merchant)?.merchant)))
            })
            .collect();
        let wanted: Vec<String> = days.values().cloned().collect::<HashSet<_>>().into_iter().collect();
        let book = self.store.book(&entries, &wanted).await?;
        let vault = Arc::clone(&self.vault);
        let (plan, entries) = tokio::task::spawn_blocking(move || {
            let plan = plan(&entries, &days, book, &snapshot, &vault, now);
            (plan, entries)
        })
        .await?;
        self.store.settle(&plan.settlements, &plan.put_off).await?;
        self.metrics.batch(started.elapsed());
        self.report(&entries, &plan);
        Ok(plan.settlements.len() + plan.put_off.len())
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
        for (entry, until, why) in &plan.put_off {
            let wait_ms = until.since_ms(self.clock.now());
            tracing::warn!(merchant = %entry.merchant, entry = %entry.id, attempts = entry.attempts + 1, wait_ms, "put off: {why}");
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

/// Decides and plans a batch. In rounds: the first entries of all members in parallel, then their second entries, which must see
/// what the first left, and so on.
fn plan(
    entries: &[QueuedEntry],
    days: &HashMap<usize, String>,
    mut book: Book,
    snapshot: &Snapshot,
    vault: &Vault,
    now: Moment,
) -> Plan {
    let channels: HashMap<MerchantId, Vec<ChannelId>> = entries
        .iter()
        .filter_map(|entry| snapshot.programme(&entry.merchant))
        .map(|programme| (programme.merchant.id.clone(), programme.channels.keys().cloned().collect()))
        .collect();
    let code_key = vault.code_key();
    let mut plan = Plan::default();
    let mut held_up: HashSet<(MerchantId, MemberId)> = HashSet::new();
    for round in rounds(entries) {
        let (mut indexes, mut turn): (Vec<usize>, Vec<(&QueuedEntry, &Programme)>) = (Vec::new(), Vec::new());
        for index in round {
            let entry = &entries[index];
            let Some(programme) = snapshot.programme(&entry.merchant) else {
                plan.put_off.push((entry.clone(), later(entry, now), "the merchant is not known yet".to_owned()));
                continue;
            };
            // What comes after an entry that was put off waits for it.
            if owner(entry).is_some_and(|owner| held_up.contains(&owner)) {
                continue;
            }
            indexes.push(index);
            turn.push((entry, programme));
        }
        let decided = decide::decide(&turn, &book, snapshot, vault);
        for ((index, (entry, programme)), decided) in indexes.into_iter().zip(turn).zip(decided) {
            match decided {
                Decided::PutOff(why) => {
                    held_up.extend(owner(entry));
                    plan.put_off.push((entry.clone(), later(entry, now), why));
                }
                Decided::Proposals(proposals) => {
                    let terms = Terms {
                        currency: programme.merchant.currency,
                        day: days.get(&index).map_or("", String::as_str),
                        channels: channels.get(&entry.merchant).map_or(&[], Vec::as_slice),
                        code_key: &code_key,
                        now,
                    };
                    plan.settlements.push(ledger::settle(entry, proposals, terms, &mut book));
                }
            }
        }
    }
    plan
}

fn owner(entry: &QueuedEntry) -> Option<(MerchantId, MemberId)> {
    Some((entry.merchant.clone(), entry.member.clone()?))
}

fn later(entry: &QueuedEntry, now: Moment) -> Moment {
    now.plus_ms(1_000_i64.saturating_mul(1 << entry.attempts.clamp(0, 10)).min(PUT_OFF_MS))
}

/// Indexes of entries such that no round has two of one member, and each member's stay in order.
fn rounds(entries: &[QueuedEntry]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let mut turns: HashMap<(MerchantId, MemberId), usize> = HashMap::new();
    let mut rounds: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let round = owner(entry).map_or(0, |owner| {
            let turn = turns.entry(owner).or_default();
            *turn += 1;
            *turn - 1
        });
        rounds.entry(round).or_default().push(index);
    }
    rounds.into_values()
}
