//! An order changed after it was paid is a difference against the record. The plugins that decided on it are asked again, with the facts
//! of then and the order of now; what they would have given is held against what they gave. Only the difference is posted: memories,
//! messages and rewards of the day are not made twice.

use super::desk::Desk;
use super::{refund, tiers};
use perkgate_domain::decision::{Decision, Earn, Outcome, Refusal, Share};
use perkgate_domain::event::{Edit, Event};
use perkgate_domain::ids::EntryId;
use perkgate_domain::ids::{InstallationId, LotId};
use perkgate_domain::ledger::Lot;
use perkgate_domain::plan::Proposal;
use perkgate_domain::programme::Mode;
use perkgate_domain::purchase::Purchase;
use perkgate_domain::rules::Measure;
use std::collections::{BTreeMap, BTreeSet};

/// Why an edit cannot be held against its purchase; none if it can.
pub(super) fn misfit(desk: &Desk<'_>) -> Option<String> {
    let Event::Edit(edit) = &desk.entry.event else { return None };
    let Some(record) = desk.entry.purchase.and_then(|purchase| desk.book.purchases.get(&purchase)) else {
        return Some("its purchase is not this member's any more".to_owned());
    };
    let (now, then) = (edit.purchase.currency, record.purchase.currency);
    (now != then).then(|| format!("the order is in {now} now and was in {then}"))
}

/// Posts the difference.
pub(super) fn apply(desk: &mut Desk<'_>, edit: &Edit, proposals: &[Proposal<'_>]) {
    let Some(entry) = desk.entry.purchase else { return };
    let Some(record) = desk.book.purchases.get_mut(&entry) else { return };
    let was = std::mem::replace(&mut record.purchase, edit.purchase.clone());
    record.told_by = desk.entry.id;
    let (own, refunded, uncounted) = (record.lots.clone(), record.refunded.clone(), record.uncounted);
    let mut decided: BTreeSet<&InstallationId> = BTreeSet::new();
    let before = desk.out.lots.len();
    for proposal in proposals {
        let decisions: &[Decision] = match &proposal.outcome {
            Outcome::Decided(decisions) => decisions,
            // The rule does not cover the order as it is now: it would have given nothing.
            Outcome::Refused(Refusal::Unsupported(_)) => &[],
            Outcome::Refused(_) | Outcome::Fault(_) => continue,
        };
        if proposal.ruling.is_some() || proposal.installation.mode == Mode::Shadow {
            continue;
        }
        decided.insert(&proposal.installation.id);
        let mut wallets = earnings(&desk.entry.event, decisions);
        for lot in desk.lots().iter().filter(|lot| is_own(&own, lot) && lot.installation == proposal.installation.id) {
            wallets.entry(lot.wallet.clone()).or_default();
        }
        for (wallet, lines) in wallets {
            difference(desk, (&own, proposal), &wallet, lines);
        }
    }
    for place in 0..desk.lots().len() {
        let lot = &desk.lots()[place];
        if is_own(&own, lot) && !decided.contains(&lot.installation) {
            lessen(desk, place, &was, &edit.purchase);
        }
    }
    let new: Vec<_> = desk.out.lots[before..].iter().map(|lot| (lot.entry, lot.id.clone())).collect();
    if let Some(record) = desk.book.purchases.get_mut(&entry) {
        record.lots.extend(new.iter().cloned());
    }
    // What was refunded before is another part of the order as it is now.
    for lot in own.iter().chain(&new) {
        refund::take_what_is_due(desk, lot, &refunded, &edit.purchase);
    }
    let paid = |purchase| refund::given_back(&refunded, purchase);
    if was.currency == desk.terms.merchant.currency && !uncounted {
        let more = (edit.purchase.total - paid(&edit.purchase)) - (was.total - paid(&was));
        desk.book.member.spent = desk.book.member.spent.saturating_add(more);
        tiers::count(desk, |by| *by == Measure::Spend, was.placed_at, more);
    }
}

fn is_own(own: &[(EntryId, LotId)], lot: &Lot) -> bool {
    own.iter().any(|(entry, id)| lot.entry == *entry && lot.id == *id)
}

/// What a plugin gave that does not decide any more is lessened as its lines are, never raised.
fn lessen(desk: &mut Desk<'_>, place: usize, was: &Purchase, is: &Purchase) {
    let total = |purchase: &Purchase, line: &str| {
        purchase.lines.iter().find(|candidate| candidate.id == line).map_or(0, |line| line.total.max(0))
    };
    keep(desk, place, |share| refund::scale(share.amount, total(is, &share.line), total(was, &share.line).max(1)));
}

/// Leaves a lot of each share what `keeps` says. What it has lost by that is taken back with what refunds are due.
fn keep(desk: &mut Desk<'_>, place: usize, mut keeps: impl FnMut(&Share) -> i64) {
    let lot = &mut desk.lots()[place];
    let before = lot.shares.clone();
    for share in &mut lot.shares {
        share.amount = keeps(share);
    }
    lot.shares.retain(|share| share.amount > 0);
    if lot.shares != before {
        let lot = lot.clone();
        desk.note_lot(&lot, true);
    }
}

/// What was decided to earn: wallet, and of each line how much.
fn earnings(event: &Event, decisions: &[Decision]) -> BTreeMap<String, BTreeMap<String, i64>> {
    let mut wallets: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for decision in decisions {
        let Decision::Earn(earn) = decision else { continue };
        let shares = if earn.shares.is_empty() { super::earn::spread(event, earn.amount) } else { earn.shares.clone() };
        let lines = wallets.entry(earn.wallet.clone()).or_default();
        for share in shares {
            let sum = lines.entry(share.line).or_default();
            *sum = sum.saturating_add(share.amount);
        }
    }
    wallets
}

/// Line by line: what is too much is taken off the lots that have it, what is missing becomes a new lot.
fn difference(
    desk: &mut Desk<'_>,
    (own, proposal): (&[(EntryId, LotId)], &Proposal<'_>),
    wallet: &str,
    mut lines: BTreeMap<String, i64>,
) {
    for place in 0..desk.lots().len() {
        let lot = &desk.lots()[place];
        if lot.wallet == wallet && lot.installation == proposal.installation.id && is_own(own, lot) {
            keep(desk, place, |share| {
                let wanted = lines.entry(share.line.clone()).or_default();
                let keeps = share.amount.min(*wanted);
                *wanted -= keeps;
                keeps
            });
        }
    }
    let shares: Vec<Share> =
        lines.into_iter().filter(|(_, amount)| *amount > 0).map(|(line, amount)| Share { line, amount }).collect();
    let amount = shares.iter().map(|share| share.amount).sum();
    if amount > 0 {
        let earn = Earn {
            wallet: wallet.to_owned(),
            amount,
            shares,
            matures_days: None,
            valid_days: None,
            reason: "the order was changed".to_owned(),
        };
        desk.earn(proposal.installation, wallet, &earn, desk.at());
    }
}
