//! What a settling batch comes to: everybody decides in parallel, the ledger disposes in order.

use crate::decide::{self, Decided};
use crate::ledger::{self, Terms};
use crate::registry::Snapshot;
use crate::store::PutOff;
use crate::vault::Vault;
use perkgate_domain::ids::{ChannelId, MemberId, MerchantId};
use perkgate_domain::plan::{Book, QueuedEntry, Settlement};
use perkgate_domain::programme::Programme;
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// The longest wait before an entry that met a fault of ours is tried again.
const PUT_OFF_MS: i64 = 60_000;

/// What a batch writes.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) settlements: Vec<Settlement>,
    pub(super) put_off: Vec<PutOff>,
    /// Time spent running plugins.
    pub(super) deciding: Duration,
}

/// Decides and plans a batch. In rounds: the first entries of all members in parallel, then their second entries, which must see
/// what the first left, and so on.
pub(super) fn plan(
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
                let why = "the merchant is not known yet".to_owned();
                plan.put_off.push(PutOff { entry: entry.id, until: later(entry, now), why });
                continue;
            };
            // What comes after an entry that was put off waits for it.
            if owner(entry).is_some_and(|owner| held_up.contains(&owner)) {
                continue;
            }
            indexes.push(index);
            turn.push((entry, programme));
        }
        let started = Instant::now();
        let decided = decide::decide(&turn, &book, snapshot, vault);
        plan.deciding += started.elapsed();
        for ((index, (entry, programme)), decided) in indexes.into_iter().zip(turn).zip(decided) {
            match decided {
                Decided::PutOff(why) => {
                    held_up.extend(owner(entry));
                    plan.put_off.push(PutOff { entry: entry.id, until: later(entry, now), why });
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

pub(super) fn owner(entry: &QueuedEntry) -> Option<(MerchantId, MemberId)> {
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
