//! Undo the record, not the rule. What a refund takes back is computed from the stored shares and from the *sums* refunded so far, never
//! from the rules of today and never from the order in which refunds came: what has been taken back in all is one function of
//! the sums, and each refund posts the difference it makes.

use super::Terms;
use super::apply::{Movement, post};
use perkgate_domain::ids::{InstallationId, LotId};
use perkgate_domain::ledger::{Account, HeldReward, Refunded, RewardState};
use perkgate_domain::plan::{MemberBook, QueuedEntry, Settlement};
use perkgate_domain::purchase::{Line, Purchase, Refund};
use std::collections::BTreeMap;

/// Why a refund cannot be held against its purchase; none if it can.
pub(super) fn misfit(entry: &QueuedEntry, refund: &Refund, opened: &MemberBook) -> Option<String> {
    let Some(record) = entry.purchase.and_then(|purchase| opened.purchases.get(&purchase)) else {
        return Some("its purchase is not this member's any more".to_owned());
    };
    let (given, paid) = (refund.currency, record.purchase.currency);
    // Without the platform's rate the two amounts cannot be compared, and guessing would take back too much or too little.
    (given != paid && !refund.complete).then(|| format!("it is in {given} and its purchase in {paid}"))
}

/// Takes back what `refund`'s purchase earned, withdraws what was not used, and takes the visit and the spend off the member.
pub(super) fn reverse(
    entry: &QueuedEntry,
    refund: &Refund,
    terms: Terms<'_>,
    opened: &mut MemberBook,
    settlement: &mut Settlement,
) {
    let Some(purchase_entry) = entry.purchase else { return };
    let Some(record) = opened.purchases.get_mut(&purchase_entry) else { return };
    let before = record.refunded.clone();
    add(&mut record.refunded, refund, &record.purchase);
    let after = record.refunded.clone();
    let (was, is) = (given_back(&before, &record.purchase), given_back(&after, &record.purchase));
    let mut taken: Vec<(LotId, InstallationId, String, i64)> = Vec::new();
    for lot in &mut record.lots {
        let sum = lot
            .shares
            .iter()
            .map(|share| portion(share.amount, &share.line, &after, &record.purchase))
            .sum::<i64>()
            // Sums only rise, and so does this; the bound is what the table promises.
            .clamp(lot.reversed, lot.amount);
        if sum > lot.reversed {
            taken.push((lot.id.clone(), lot.installation.clone(), lot.wallet.clone(), sum - lot.reversed));
            lot.reversed = sum;
            settlement.reversed.push((lot.entry, lot.id.clone(), sum));
        }
    }
    let currency = record.purchase.currency;
    let newly_complete = is_complete(&after, &record.purchase) && !is_complete(&before, &record.purchase);
    settlement.refunded = Some((purchase_entry, after.clone()));
    for (lot, _, wallet, amount) in &taken {
        let member = opened.member.id.clone();
        let back = Movement {
            wallet,
            source: Account::Available(member),
            destination: Account::Issued,
            amount: *amount,
            lot: Some(lot.clone()),
            ordinal: ordinal(settlement),
        };
        post(&mut opened.member, settlement, entry, back);
    }
    if newly_complete {
        withdraw(entry, opened, settlement, |reward| reward.entry == purchase_entry);
        opened.member.visits -= 1;
    }
    for (_, installation, wallet, _) in &taken {
        reopen(entry, installation, wallet, opened, settlement);
    }
    if currency == terms.currency {
        opened.member.spent -= is - was;
    }
}

fn ordinal(settlement: &Settlement) -> i64 {
    i64::try_from(settlement.postings.len()).unwrap_or(i64::MAX)
}

/// Adds one refund to the sums. Each refund's part in them depends on the refund and the purchase alone.
fn add(sums: &mut Refunded, refund: &Refund, purchase: &Purchase) {
    sums.complete |= refund.complete;
    sums.amount = sums.amount.saturating_add(refund.amount);
    let mut allocated = 0_i64;
    for part in &refund.lines {
        let Some(line) = purchase.lines.iter().find(|line| line.id == part.line) else { continue };
        let sum = sums.lines.entry(part.line.clone()).or_default();
        if part.amount > 0 {
            sum.amount = sum.amount.saturating_add(part.amount);
            allocated = allocated.saturating_add(part.amount);
        } else {
            sum.quantity_milli = sum.quantity_milli.saturating_add(part.quantity_milli);
            allocated = allocated.saturating_add(scale(line.total, part.quantity_milli, line.quantity_milli));
        }
    }
    sums.unallocated = sums.unallocated.saturating_add(refund.amount.saturating_sub(allocated).max(0));
}

/// `whole * part / of`, rounded down, at most `whole`; nothing of nothing.
fn scale(whole: i64, part: i64, of: i64) -> i64 {
    if whole <= 0 || part <= 0 {
        return 0;
    }
    if part >= of {
        return whole;
    }
    // `part < of`, so the quotient is below `whole` and fits.
    i64::try_from(i128::from(whole) * i128::from(part) / i128::from(of)).unwrap_or(whole)
}

/// What of a line's own total has been given back by refunds that name it.
fn by_line(line: &Line, sums: &Refunded) -> i64 {
    let Some(sum) = sums.lines.get(&line.id) else { return 0 };
    let by_quantity = scale(line.total, sum.quantity_milli, line.quantity_milli);
    by_quantity.saturating_add(sum.amount).clamp(0, line.total.max(0))
}

/// The money given back in all, as far as the purchase had it to give.
fn given_back(sums: &Refunded, purchase: &Purchase) -> i64 {
    let lines: i64 = purchase.lines.iter().map(|line| by_line(line, sums)).fold(0, i64::saturating_add);
    let sum = if sums.complete { purchase.total } else { sums.amount.max(lines.saturating_add(sums.unallocated)) };
    sum.clamp(0, purchase.total)
}

/// Whether nothing of a purchase is left. What cost nothing is given back only when the platform says that all of it is.
fn is_complete(sums: &Refunded, purchase: &Purchase) -> bool {
    sums.complete || (purchase.total > 0 && given_back(sums, purchase) >= purchase.total)
}

/// What of a line's share is taken back: the line's own refunds, and of the rest its part in money refunded to no line in
/// particular. Rounded down, in the member's favour, until the last unit of the line is given back.
fn portion(share: i64, line: &str, sums: &Refunded, purchase: &Purchase) -> i64 {
    if is_complete(sums, purchase) {
        return share;
    }
    let Some(line) = purchase.lines.iter().find(|candidate| candidate.id == line) else { return 0 };
    if line.total <= 0 {
        let quantity = sums.lines.get(&line.id).map_or(0, |sum| sum.quantity_milli);
        return scale(share, quantity, line.quantity_milli);
    }
    let own = by_line(line, sums);
    let lines: i64 = purchase.lines.iter().map(|line| by_line(line, sums)).fold(0, i64::saturating_add);
    let rest = purchase.total.saturating_sub(lines).max(0);
    let spread = scale(line.total - own, sums.unallocated, rest);
    scale(share, own.saturating_add(spread), line.total)
}

/// Takes back unused rewards that `which` names; what was paid for them returns.
fn withdraw(
    entry: &QueuedEntry,
    opened: &mut MemberBook,
    settlement: &mut Settlement,
    which: impl Fn(&HeldReward) -> bool,
) {
    let (gone, kept): (Vec<_>, Vec<_>) =
        std::mem::take(&mut opened.rewards).into_iter().partition(|reward| which(reward));
    opened.rewards = kept;
    for reward in gone {
        if let Some(price) = &reward.price {
            let back = Movement {
                wallet: &price.wallet,
                source: Account::Redeemed,
                destination: Account::Available(opened.member.id.clone()),
                amount: price.amount,
                lot: None,
                ordinal: ordinal(settlement),
            };
            post(&mut opened.member, settlement, entry, back);
        }
        // A reward given earlier in this very batch is not in the table yet; its last state is what counts there too.
        settlement.reward_states.push((reward.id, RewardState::Withdrawn));
    }
}

/// A wallet that a refund leaves below zero takes back its installation's unused rewards, newest first, until it is not: a stamp
/// taken back reopens the card it had filled. What cannot be made good stays negative, and the next earnings fill it.
fn reopen(
    entry: &QueuedEntry,
    installation: &InstallationId,
    wallet: &str,
    opened: &mut MemberBook,
    settlement: &mut Settlement,
) {
    let balances: fn(&MemberBook) -> &BTreeMap<_, _> = |opened| &opened.member.balances;
    while balances(opened).get(wallet).is_some_and(|balance| balance.available < 0) {
        let paid = |reward: &HeldReward| {
            reward.installation == *installation && reward.price.as_ref().is_some_and(|price| price.wallet == wallet)
        };
        let Some(newest) = opened.rewards.iter().rev().find(|reward| paid(reward)).map(|reward| reward.id.clone())
        else {
            return;
        };
        withdraw(entry, opened, settlement, |reward| reward.id == newest);
    }
}
