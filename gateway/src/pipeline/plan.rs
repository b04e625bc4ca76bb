//! What a settling batch comes to: everybody decides in parallel, the ledger disposes in order.
//!
//! Each member has a lane. What has fallen due for a member before their next entry becomes an entry of its own and comes first, so that
//! a gateway which was down for a day comes to the same as one that was not.

use super::ground::Field;
use super::lanes::{Lane, Next, Turn, owner};
use crate::decide::{self, Decided, Ground};
use crate::ledger;
use crate::registry::Snapshot;
use crate::store::{Postponed, PutOff};
use crate::vault::Vault;
use perkgate_domain::event::Event;
use perkgate_domain::ids::{EntryId, MemberId, MerchantId};
use perkgate_domain::limits::{RETRY_MS, retry_at};
use perkgate_domain::plan::{Book, QueuedEntry, Settlement};
use perkgate_domain::time::Moment;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What a batch is planned from.
pub(super) struct Material<'a> {
    pub(super) entries: &'a [QueuedEntry],
    /// Members for whom something is due by now, whether or not an entry of theirs is here.
    pub(super) nudged: &'a [(MerchantId, MemberId)],
    pub(super) book: Book,
    /// Numbers for entries that the batch makes.
    pub(super) numbers: Vec<EntryId>,
    pub(super) fields: &'a HashMap<MerchantId, Field>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) vault: &'a Vault,
    pub(super) now: Moment,
}

/// What a batch writes.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) settlements: Vec<Settlement>,
    pub(super) put_off: Vec<PutOff>,
    /// Entries for another batch of this process.
    pub(super) deferred: Vec<EntryId>,
    /// Entries to be claimed anew: their member has become one with somebody.
    pub(super) moved: Vec<EntryId>,
    /// Numbers that were not used.
    pub(super) numbers: Vec<EntryId>,
    /// Time spent running plugins.
    pub(super) deciding: Duration,
}

/// Decides and plans a batch. In rounds: the next of every lane in parallel, then the one after, which must see what the first left.
pub(super) fn plan(material: Material<'_>) -> Plan {
    let Material { entries, nudged, mut book, mut numbers, fields, snapshot, vault, now } = material;
    let code_key = vault.code_key();
    let mut plan = Plan::default();
    let mut lanes = Lane::all(entries, nudged, now);
    loop {
        let mut turns: Vec<(usize, Box<Turn>)> = Vec::new();
        for (place, lane) in lanes.iter_mut().enumerate() {
            // What the scheduler finds and nobody sees to would be found first for ever.
            let nudged = lane.nudged();
            let put_off = |why: &str| nudged.map(|what| PutOff { what, until: None, at: now, why: why.to_owned() });
            match lane.next(&book, fields, &mut numbers) {
                Next::Turn(turn) => turns.push((place, turn)),
                Next::Deferred(ids) => plan.deferred.extend(ids),
                Next::Moved(ids) => {
                    plan.moved.extend(ids);
                    plan.put_off.extend(put_off("the member has become one with another"));
                }
                Next::Unknown(ids) => {
                    let (until, why) = (now.plus_ms(RETRY_MS), "the merchant is not known yet");
                    plan.put_off.extend(ids.into_iter().map(|entry| PutOff::entry(entry, now, until, why)));
                    plan.put_off.extend(put_off(why));
                }
                Next::Done => {}
            }
        }
        if turns.is_empty() {
            break;
        }
        let asked: Vec<(&QueuedEntry, Ground<'_>)> = turns
            .iter()
            .filter(|(_, turn)| is_decided(&turn.entry, &book, fields, &code_key, now))
            .filter_map(|(_, turn)| Some((&turn.entry, fields.get(&turn.entry.merchant)?.ground())))
            .collect();
        let started = Instant::now();
        let decided = decide::decide(&asked, &book, snapshot, vault);
        plan.deciding += started.elapsed();
        let mut decided: HashMap<EntryId, Decided<'_>> = asked.iter().map(|(entry, _)| entry.id).zip(decided).collect();
        for (place, turn) in &turns {
            let entry = &turn.entry;
            let Some(field) = fields.get(&entry.merchant) else { continue };
            match decided.remove(&entry.id).unwrap_or(Decided::Proposals(Vec::new())) {
                Decided::PutOff(why) => {
                    let (what, behind) = lanes[*place].hold_up(turn);
                    // What is behind has failed as often as what is in front of it: it is counted from its own failures.
                    let failures = entries.iter().find(|entry| what == Some(Postponed::Entry(entry.id)));
                    let until = retry_at(now, failures.map_or(0, |entry| entry.attempts));
                    plan.put_off.extend(what.map(|what| PutOff { what, until, at: now, why }));
                    plan.deferred.retain(|id| !behind.contains(id));
                }
                Decided::Proposals(proposals) => {
                    let terms = field.terms(entry, &code_key, now);
                    plan.settlements.push(ledger::settle(entry, proposals, terms, &mut book));
                }
            }
        }
    }
    plan.numbers = numbers;
    plan
}

/// Plugins are asked about what happened since the programme began, and about a redemption only if it comes to something. What is due
/// waits for them, though they are not asked: they may wait for the tier that it changes.
fn is_decided(
    entry: &QueuedEntry,
    book: &Book,
    fields: &HashMap<MerchantId, Field>,
    code_key: &[u8; 32],
    now: Moment,
) -> bool {
    // What happened before the programme began is counted, if at all, and gives nothing.
    if fields.get(&entry.merchant).is_some_and(|field| field.is_history(entry.event.at())) {
        return false;
    }
    if !matches!(entry.event, Event::Redemption(_) | Event::Undo(_)) {
        return entry.event.kind().interface().is_some() || matches!(entry.event, Event::Edit(_) | Event::Due(_));
    }
    let (Some(owner), Some(field)) = (owner(entry), fields.get(&entry.merchant)) else { return false };
    let mut trial = Book { counters: book.counters.clone(), ..Book::default() };
    trial.members.extend(book.members.get(&owner).map(|opened| (owner, opened.clone())));
    ledger::settle(entry, Vec::new(), field.terms(entry, code_key, now), &mut trial).cause.is_none()
}
