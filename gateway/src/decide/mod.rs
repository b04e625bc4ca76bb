//! Gathers each plugin's facts, runs it in a fresh instance, and checks its answer against what the merchant granted. Pure but for
//! the processor time it takes: entries of different members are decided in parallel over the cores.

mod facts;
mod grants;
mod replay;
#[cfg(test)]
mod tests;

pub use facts::{Ground, coming, dice};
pub use replay::Replay;

use crate::panics;
use crate::registry::Snapshot;
use crate::vault::Vault;
use perkgate_domain::decision::{Blame, Fault, FaultKind, Outcome, Refusal, Verdict};
use perkgate_domain::event::{Edit, Event};
use perkgate_domain::facts::Facts;
use perkgate_domain::plan::{About, Book, MemberBook, Proposal, QueuedEntry};
use perkgate_domain::programme::{Installation, Mode};
use perkgate_domain::purchase::Purchase;
use perkgate_plugin_host::{Call, Plugin, Taken};
use rayon::prelude::*;

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
    entries: &[(&QueuedEntry, Ground<'a>)],
    book: &Book,
    snapshot: &Snapshot,
    vault: &Vault,
) -> Vec<Decided<'a>> {
    let decide = |(entry, ground): &(&QueuedEntry, Ground<'a>)| {
        panics::guard(|| decide_one(entry, *ground, book, snapshot, vault))
            .unwrap_or_else(|panicked| Decided::PutOff(panicked.to_string()))
    };
    entries.par_iter().map(decide).collect()
}

fn decide_one<'a>(
    entry: &QueuedEntry,
    ground: Ground<'a>,
    book: &Book,
    snapshot: &Snapshot,
    vault: &Vault,
) -> Decided<'a> {
    let owner = entry.member.as_ref().map(|member| (entry.merchant.clone(), member.clone()));
    let Some(opened) = owner.and_then(|owner| book.members.get(&owner)) else { return Decided::Proposals(Vec::new()) };
    if let Some(why) = snapshot.holds_up(&entry.merchant, &entry.source) {
        return Decided::PutOff(why);
    }
    let mut plugins = Vec::with_capacity(ground.programme.installations.len());
    for installation in ground.programme.installations.iter().filter(|installation| is_asked(entry, installation)) {
        match snapshot.plugin(installation.digest) {
            Ok(plugin) => plugins.push((installation, plugin)),
            // However long it takes: without it the entry would be settled for good, and give less than it should. So is what only the
            // ledger decides: whether the plugin wants to hear of a new tier is not known before it is loaded.
            Err(fault) => return put_off(installation, &fault),
        }
    }
    if let Event::Edit(edit) = &entry.event {
        return decide_again(entry, edit, ground, opened, snapshot);
    }
    let mut proposals = Vec::with_capacity(plugins.len());
    for (installation, plugin) in plugins.into_iter().filter(|(_, plugin)| plugin.handles(entry.event.kind())) {
        let proposal = call(entry, ground, installation, plugin, opened, vault);
        if let Outcome::Fault(fault) = &proposal.outcome
            && fault.blame == Blame::Host
        {
            return put_off(installation, fault);
        }
        proposals.push(proposal);
    }
    Decided::Proposals(proposals)
}

fn put_off<'a>(installation: &Installation, fault: &Fault) -> Decided<'a> {
    Decided::PutOff(format!("{}: {}", installation.id, fault.detail))
}

/// Everybody who is not paused is asked; about a wake or an answer only whoever asked for it.
fn is_asked(entry: &QueuedEntry, installation: &Installation) -> bool {
    let whose = match &entry.event {
        Event::Wake(woken) => Some(&woken.installation),
        Event::Answer(answer) => Some(&answer.installation),
        _ => None,
    };
    installation.mode != Mode::Paused && whose.is_none_or(|whose| *whose == installation.id)
}

/// What the plugins of then would have said to the order as it is now, told what they were told then. A plugin that is not here any
/// more says nothing.
fn decide_again<'a>(
    entry: &QueuedEntry,
    edit: &Edit,
    ground: Ground<'a>,
    opened: &MemberBook,
    snapshot: &Snapshot,
) -> Decided<'a> {
    let mut again = Vec::new();
    let record = entry.purchase.and_then(|purchase| opened.purchases.get(&purchase));
    let decisions = record.map_or(&[][..], |record| record.decisions.as_slice());
    for decision in decisions.iter().filter(|decision| decision.ruling.is_none() && !decision.shadow) {
        let mut installations = ground.programme.installations.iter();
        let Some(installation) = installations.find(|installation| installation.id == decision.installation) else {
            continue;
        };
        let plugin = match snapshot.plugin(decision.digest) {
            Ok(plugin) => plugin,
            // It is here, and will be loaded.
            Err(fault) if installation.digest == decision.digest => return put_off(installation, &fault),
            Err(_) => continue,
        };
        let call = Call::Purchase { source: entry.source.as_str(), purchase: &edit.purchase };
        let verdict = plugin.decide(call, &decision.facts);
        let made = proposal(installation, decision.facts.clone(), verdict);
        again.push(Proposal { digest: decision.digest, settings_revision: decision.settings_revision, ..made });
    }
    Decided::Proposals(again)
}

fn call<'a>(
    entry: &QueuedEntry,
    ground: Ground<'a>,
    installation: &'a Installation,
    plugin: &Plugin,
    opened: &MemberBook,
    vault: &Vault,
) -> Proposal<'a> {
    let asked = &plugin.manifest().facts;
    let facts = facts::gather(entry, ground, installation, asked, opened, vault);
    let record = entry.purchase.and_then(|purchase| opened.purchases.get(&purchase));
    let about = match &entry.event {
        Event::Refund(_) => record.map(|record| About::Purchase(record.told_by)),
        event => reward(event, ground, opened),
    };
    let purchase = record.map(|record| &record.purchase);
    let Some(call) = told(&entry.event, entry.source.as_str(), purchase, about.as_ref()) else {
        let detail = "what the entry is about is not in the book".to_owned();
        return failed(installation, facts, Fault { blame: Blame::Host, kind: FaultKind::Host, detail });
    };
    let verdict = plugin.decide(call, &facts);
    let ruling = match &verdict.outcome {
        Outcome::Decided(decisions) => grants::check(decisions, plugin.manifest(), installation).err(),
        Outcome::Refused(Refusal::Broken(why)) => {
            Some(Fault { blame: Blame::Plugin, kind: FaultKind::Broken, detail: why.clone() })
        }
        Outcome::Refused(_) | Outcome::Fault(_) => None,
    };
    Proposal { about, ruling, ..proposal(installation, facts, verdict) }
}

/// The reward that is taken, as the catalogue has it, or given back, as the member has it.
fn reward(event: &Event, ground: Ground<'_>, opened: &MemberBook) -> Option<About> {
    let (key, title, price) = match event {
        Event::Redemption(redemption) => {
            let item = ground.programme.merchant.rules.rewards.get(&redemption.reward)?;
            (&redemption.reward, &item.title, &item.price)
        }
        Event::Undo(undo) => {
            let held = opened.rewards.iter().find(|reward| reward.id == undo.reward)?;
            (&held.key, &held.title, &held.price)
        }
        _ => return None,
    };
    Some(About::Reward { key: key.clone(), title: title.clone(), price: price.clone() })
}

/// The event as the plugin host wants it; none where what it is about is not known: the purchase of a refund, as it was then, or
/// the reward.
fn told<'a>(
    event: &'a Event,
    source: &'a str,
    purchase: Option<&'a Purchase>,
    about: Option<&'a About>,
) -> Option<Call<'a>> {
    Some(match event {
        Event::Purchase(purchase) => Call::Purchase { source, purchase },
        Event::Edit(edit) => Call::Purchase { source, purchase: &edit.purchase },
        Event::Refund(refund) => Call::Refund { refund, source, purchase: purchase? },
        Event::Join(join) => Call::Join { source, join },
        Event::Profile(profile) => Call::Profile { source, profile },
        Event::Wake(woken) => Call::Wake(woken),
        Event::Answer(answer) => Call::Answer(answer),
        Event::Redemption(_) | Event::Undo(_) => {
            let About::Reward { key, title, price } = about? else { return None };
            let undone = matches!(event, Event::Undo(_));
            Call::Redemption(Taken { at: event.at(), undone, reward: key, title, price: price.as_ref() })
        }
        Event::Due(_) | Event::Issue(_) | Event::Merge(_) | Event::Forget(_) | Event::Claim(_) => return None,
    })
}

fn proposal(installation: &Installation, facts: Facts, verdict: Verdict) -> Proposal<'_> {
    let Verdict { outcome, fuel, log, memory_bytes: _ } = verdict;
    let (digest, settings_revision) = (installation.digest, installation.settings_revision);
    Proposal { installation, digest, settings_revision, facts, about: None, outcome, ruling: None, fuel, log }
}

/// What could not even be asked.
fn failed(installation: &Installation, facts: Facts, fault: Fault) -> Proposal<'_> {
    let outcome = Outcome::Fault(fault);
    proposal(installation, facts, Verdict { outcome, fuel: 0, memory_bytes: 0, log: Vec::new() })
}
