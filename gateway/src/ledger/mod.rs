//! Plugins propose, the ledger disposes: decisions become postings, lots, rewards, deliveries and memory. Pure: the same entry, book
//! and verdicts make the same [`Settlement`], and the only thing written is the book, brought up to date for the batch's next entry.
//!
//! What falls due before an entry is an entry of its own and comes first ([`next_due`]); within one moment the order is fixed, see
//! `due.rs`.

mod apply;
mod caps;
mod desk;
mod due;
mod earn;
mod edit;
mod lots;
mod members;
mod redeem;
mod refund;
mod returns;
mod say;
mod standing;
#[cfg(test)]
mod tests;
mod tiers;

use crate::civil::Zone;
use desk::Desk;
use perkgate_domain::decision::{Blame, Fault, FaultKind, Outcome};
use perkgate_domain::event::Event;
use perkgate_domain::ids::{ChannelId, InstallationId};
use perkgate_domain::plan::{Book, DecisionRecord, EntryState, MemberBook, Proposal, QueuedEntry, Settlement};
use perkgate_domain::programme::{Merchant, Mode};
use perkgate_domain::time::Moment;

/// What the ledger may depend on besides entry, book and verdicts.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Whose programme, with its rules.
    pub merchant: &'a Merchant,
    /// The merchant's civil time.
    pub zone: &'a Zone,
    /// What time it is: when messages that follow may first go out.
    pub now: Moment,
    /// For how many days the source of the entry lets money be given back.
    pub refund_window_days: Option<u32>,
    /// The merchant's ways out for messages to members.
    pub channels: &'a [ChannelId],
    /// The merchant's ways out for what is for the merchant.
    pub own_channels: &'a [ChannelId],
    /// Installations that are called when a member's tier changes.
    pub tier_watchers: &'a [InstallationId],
    /// Makes reward codes that cannot be guessed, and that come out the same when settled again.
    pub code_key: &'a [u8; 32],
}

/// When something of a member's falls due next, wakes included; what falls due at one moment comes before the wakes of that moment.
#[must_use]
pub fn next_due(opened: &MemberBook) -> Option<Moment> {
    let wake = opened.wakes.iter().map(|wake| wake.at).min();
    opened.member.due_at.into_iter().chain(wake).min()
}

/// Settles one entry and brings the book up to date.
#[must_use]
pub fn settle(entry: &QueuedEntry, proposals: Vec<Proposal<'_>>, terms: Terms<'_>, book: &mut Book) -> Settlement {
    let settlement = settle_one(entry, proposals, terms, book);
    redeem::agree(book, &settlement);
    settlement
}

fn settle_one(entry: &QueuedEntry, proposals: Vec<Proposal<'_>>, terms: Terms<'_>, book: &mut Book) -> Settlement {
    let owner = entry.member.as_ref().map(|member| (entry.merchant.clone(), member.clone()));
    if let (Event::Merge(merge), Some(owner)) = (&entry.event, &owner) {
        return members::merge(entry, merge, terms, book, owner);
    }
    let Some(opened) = owner.and_then(|owner| book.members.get_mut(&owner)) else {
        let mut settlement = Settlement::of(entry, EntryState::Unclaimed);
        redeem::use_codes_of_nobody(entry, &mut book.codes, &mut settlement);
        return settlement;
    };
    let mut settlement = Settlement::of(entry, EntryState::Settled);
    let mut desk = Desk::new(entry, terms, opened, &mut book.counters, &mut settlement);
    // What was earned is taken back first, so that plugins' answers to a refund meet the balance it leaves.
    if let Some(cause) = refund::misfit(&desk).or_else(|| edit::misfit(&desk)) {
        return Settlement { cause: Some(cause), ..Settlement::of(entry, EntryState::Parked) };
    }
    match &entry.event {
        Event::Refund(refund) => refund::reverse(&mut desk, refund),
        Event::Edit(edit) => edit::apply(&mut desk, edit, &proposals),
        Event::Redemption(redemption) => redeem::take(&mut desk, &redemption.reward, redeem::Way::Redeemed),
        Event::Issue(issue) => redeem::take(&mut desk, &issue.reward, redeem::Way::Issued),
        Event::Undo(undo) => redeem::undo(&mut desk, &undo.reward),
        Event::Wake(woken) => say::woken(&mut desk, woken),
        Event::Due(due) => due::work(&mut desk, due.at),
        Event::Forget(_) => members::forget(&mut desk),
        Event::Purchase(_)
        | Event::Join(_)
        | Event::Profile(_)
        | Event::Answer(_)
        | Event::Merge(_)
        | Event::Claim(_) => {}
    }
    for proposal in proposals {
        let record = dispose(&mut desk, proposal);
        desk.out.decisions.push(record);
    }
    standing::update(&mut desk);
    if let Event::Purchase(purchase) = &entry.event {
        redeem::use_codes(&mut desk, &purchase.codes, &mut book.codes);
    }
    due::catch_up(&mut desk);
    desk.close();
    settlement
}

/// Acts on one verdict, whole or not at all, and says what became of it.
fn dispose(desk: &mut Desk<'_>, proposal: Proposal<'_>) -> DecisionRecord {
    let mut record = DecisionRecord {
        installation: proposal.installation.id.clone(),
        digest: proposal.digest,
        settings_revision: proposal.settings_revision,
        facts: proposal.facts,
        about: proposal.about,
        outcome: proposal.outcome,
        ruling: proposal.ruling,
        notes: Vec::new(),
        shadow: proposal.installation.mode == Mode::Shadow,
        fuel: proposal.fuel,
        log: proposal.log,
    };
    // What an edit is decided again for was settled with the edit itself.
    let edit = matches!(desk.entry.event, Event::Edit(_));
    if let (Outcome::Decided(decisions), None, false, false) = (&record.outcome, &record.ruling, record.shadow, edit) {
        match apply::verdict(desk, proposal.installation, decisions) {
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
