//! Gathers each plugin's facts, runs it in a fresh instance, and checks its answer against what the merchant granted. Pure but for
//! the processor time it takes: entries of different members are decided in parallel over the cores.

mod facts;
mod grants;
#[cfg(test)]
mod tests;

pub use facts::{day, dice, local_time};

use crate::registry::Snapshot;
use crate::vault::Vault;
use perkgate_domain::decision::{Blame, Fault, FaultKind, Outcome, Refusal, Verdict};
use perkgate_domain::facts::Facts;
use perkgate_domain::plan::{Book, MemberBook, Proposal, QueuedEntry};
use perkgate_domain::programme::{Installation, Mode, Programme};
use perkgate_domain::purchase::Event;
use perkgate_plugin_host::{Call, Plugin};
use rayon::prelude::*;

/// How often a fault of ours puts an entry off before the entry goes on without that plugin.
pub const PATIENCE: i64 = 5;

/// What every plugin of its programme says to one entry.
#[derive(Debug)]
pub enum Decided<'a> {
    /// All answered, or failed in a way that will only repeat itself.
    Proposals(Vec<Proposal<'a>>),
    /// We failed: to be tried again.
    PutOff(String),
}

/// Decides a round of entries, of which no two concern the same member.
#[must_use]
pub fn decide<'a>(
    entries: &[(&QueuedEntry, &'a Programme)],
    book: &Book,
    snapshot: &Snapshot,
    vault: &Vault,
) -> Vec<Decided<'a>> {
    entries.par_iter().map(|(entry, programme)| decide_one(entry, programme, book, snapshot, vault)).collect()
}

fn decide_one<'a>(
    entry: &QueuedEntry,
    programme: &'a Programme,
    book: &Book,
    snapshot: &Snapshot,
    vault: &Vault,
) -> Decided<'a> {
    let owner = entry.member.as_ref().map(|member| (entry.merchant.clone(), member.clone()));
    let Some(opened) = owner.and_then(|owner| book.members.get(&owner)) else { return Decided::Proposals(Vec::new()) };
    let mut proposals = Vec::with_capacity(programme.installations.len());
    for installation in programme.installations.iter().filter(|installation| installation.mode != Mode::Paused) {
        let proposal = match snapshot.plugin(installation.digest) {
            Ok(plugin) if !plugin.handles(entry.event.kind()) => continue,
            Ok(plugin) => call(entry, programme, installation, plugin, opened, vault),
            // A component that does not load says nothing, and stops nobody else.
            Err(fault) => proposal(installation, facts::bare(entry, programme, installation), Outcome::Fault(fault)),
        };
        if let Outcome::Fault(fault) = &proposal.outcome
            && fault.blame == Blame::Host
            && entry.attempts < PATIENCE
        {
            return Decided::PutOff(format!("{}: {}", installation.id, fault.detail));
        }
        proposals.push(proposal);
    }
    Decided::Proposals(proposals)
}

fn call<'a>(
    entry: &QueuedEntry,
    programme: &Programme,
    installation: &'a Installation,
    plugin: &Plugin,
    opened: &MemberBook,
    vault: &Vault,
) -> Proposal<'a> {
    let asked = &plugin.manifest().facts;
    let facts = facts::gather(entry, programme, installation, asked, opened, vault);
    let Some(call) = as_call(entry, opened) else {
        let detail = "the refund's purchase is not in the book".to_owned();
        return proposal(
            installation,
            facts,
            Outcome::Fault(Fault { blame: Blame::Host, kind: FaultKind::Host, detail }),
        );
    };
    let Verdict { outcome, fuel, log, memory_bytes: _ } = plugin.decide(call, &facts);
    let ruling = match &outcome {
        Outcome::Decided(decisions) => grants::check(decisions, plugin.manifest(), installation).err(),
        Outcome::Refused(Refusal::Broken(why)) => {
            Some(Fault { blame: Blame::Plugin, kind: FaultKind::Broken, detail: why.clone() })
        }
        Outcome::Refused(_) | Outcome::Fault(_) => None,
    };
    Proposal { installation, facts, outcome, ruling, fuel, log }
}

/// The event as the plugin host wants it; none for a refund whose purchase the book lacks.
fn as_call<'a>(entry: &'a QueuedEntry, opened: &'a MemberBook) -> Option<Call<'a>> {
    let source = entry.source.as_str();
    Some(match &entry.event {
        Event::Purchase(purchase) => Call::Purchase { source, purchase },
        Event::Join(join) => Call::Join { source, join },
        Event::Refund(refund) => {
            let record = opened.purchases.get(&entry.purchase?)?;
            Call::Refund { refund, source, purchase: &record.purchase }
        }
    })
}

fn proposal(installation: &Installation, facts: Facts, outcome: Outcome) -> Proposal<'_> {
    Proposal { installation, facts, outcome, ruling: None, fuel: 0, log: Vec::new() }
}

/// Makes a stored decision again from its stored facts. None for a refund whose purchase is not given.
#[must_use]
pub fn again(
    plugin: &Plugin,
    event: &Event,
    source: &str,
    purchase: Option<&perkgate_domain::purchase::Purchase>,
    facts: &Facts,
) -> Option<Verdict> {
    let call = match (event, purchase) {
        (Event::Purchase(purchase), _) => Call::Purchase { source, purchase },
        (Event::Join(join), _) => Call::Join { source, join },
        (Event::Refund(refund), Some(purchase)) => Call::Refund { refund, source, purchase },
        (Event::Refund(_), None) => return None,
    };
    Some(plugin.decide(call, facts))
}
