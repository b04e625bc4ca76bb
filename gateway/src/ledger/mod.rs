//! Plugins propose, the ledger disposes: decisions become postings, lots, rewards, deliveries and memory. Pure: the same entry, book
//! and verdicts make the same [`Settlement`], and the only thing written is the book, brought up to date for the batch's next entry.

mod apply;
mod refund;
mod standing;
#[cfg(test)]
mod tests;

use perkgate_domain::decision::{Blame, Fault, FaultKind, Outcome};
use perkgate_domain::ids::ChannelId;
use perkgate_domain::money::Currency;
use perkgate_domain::plan::{Book, Counter, DecisionRecord, EntryState, MemberBook, Proposal, QueuedEntry, Settlement};
use perkgate_domain::programme::Mode;
use perkgate_domain::purchase::Event;
use perkgate_domain::time::Moment;
use std::collections::HashMap;

/// What the ledger may depend on besides entry, book and verdicts.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// What members' spend is counted in.
    pub currency: Currency,
    /// What time it is: when messages that follow may first go out.
    pub now: Moment,
    /// The day of the entry in the merchant's time zone: what daily caps count by.
    pub day: &'a str,
    /// The merchant's ways out for messages.
    pub channels: &'a [ChannelId],
    /// Makes reward codes that cannot be guessed, and that come out the same when settled again.
    pub code_key: &'a [u8; 32],
}

/// Settles one entry and brings the book up to date.
#[must_use]
pub fn settle(entry: &QueuedEntry, proposals: Vec<Proposal<'_>>, terms: Terms<'_>, book: &mut Book) -> Settlement {
    let owner = entry.member.as_ref().map(|member| (entry.merchant.clone(), member.clone()));
    let Some(opened) = owner.and_then(|owner| book.members.get_mut(&owner)) else {
        return Settlement::of(entry, EntryState::Unclaimed);
    };
    let mut settlement = Settlement::of(entry, EntryState::Settled);
    // What was earned is taken back first, so that plugins' answers to a refund meet the balance it leaves.
    if let Event::Refund(refund) = &entry.event {
        if let Some(cause) = refund::misfit(entry, refund, opened) {
            return Settlement { cause: Some(cause), ..Settlement::of(entry, EntryState::Parked) };
        }
        refund::reverse(entry, refund, terms, opened, &mut settlement);
    }
    for proposal in proposals {
        let record = dispose(entry, proposal, terms, opened, &mut book.counters, &mut settlement);
        settlement.decisions.push(record);
    }
    standing::update(entry, terms, &mut opened.member);
    opened.member.version += 1;
    settlement.member = Some(opened.member.clone());
    settlement
}

/// Acts on one verdict, whole or not at all, and says what became of it.
fn dispose(
    entry: &QueuedEntry,
    proposal: Proposal<'_>,
    terms: Terms<'_>,
    opened: &mut MemberBook,
    counters: &mut HashMap<Counter, i64>,
    settlement: &mut Settlement,
) -> DecisionRecord {
    let mut record = DecisionRecord {
        installation: proposal.installation.id.clone(),
        digest: proposal.installation.digest,
        settings_revision: proposal.installation.settings_revision,
        facts: proposal.facts,
        outcome: proposal.outcome,
        ruling: proposal.ruling,
        notes: Vec::new(),
        shadow: proposal.installation.mode == Mode::Shadow,
        fuel: proposal.fuel,
        log: proposal.log,
    };
    if let (Outcome::Decided(decisions), None, false) = (&record.outcome, &record.ruling, record.shadow) {
        let act = apply::Act { entry, installation: proposal.installation, terms };
        match apply::verdict(act, decisions, opened, counters, settlement) {
            Ok(notes) => record.notes = notes,
            Err(fault) => record.ruling = Some(fault),
        }
    }
    record
}

/// A fault of the plugin's, in the ledger's words.
fn fault(kind: FaultKind, detail: String) -> Fault {
    Fault { blame: Blame::Plugin, kind, detail }
}
