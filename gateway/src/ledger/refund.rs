//! Undo the record, not the rule. What a refund takes back is computed from the stored shares and from the *sums* refunded so far, never
//! from the rules of today and never from the order in which refunds came: what has been taken back in all is one function of
//! the sums, and each refund posts the difference it makes.

use super::desk::{Desk, Movement};
use super::{lots, tiers};
use perkgate_domain::event::Event;
use perkgate_domain::ids::{EntryId, InstallationId, LotId};
use perkgate_domain::ledger::{Account, HeldReward, Refunded, RewardState, TrancheKey};
use perkgate_domain::purchase::{Line, Purchase, Refund};
use perkgate_domain::rules::{Measure, RefundPolicy};

/// Why a refund cannot be held against its purchase; none if it can.
pub(super) fn misfit(desk: &Desk<'_>) -> Option<String> {
    let Event::Refund(refund) = &desk.entry.event else { return None };
    let Some(record) = desk.entry.purchase.and_then(|purchase| desk.book.purchases.get(&purchase)) else {
        return Some("its purchase is not this member's any more".to_owned());
    };
    let (given, paid) = (refund.currency, record.purchase.currency);
    // Without the platform's rate the two amounts cannot be compared, and guessing would take back too much or too little.
    (given != paid && !refund.complete).then(|| format!("it is in {given} and its purchase in {paid}"))
}

/// Takes back what `refund`'s purchase earned, withdraws what was not used, and takes the visit and the spend off the member.
pub(super) fn reverse(desk: &mut Desk<'_>, refund: &Refund) {
    let Some(purchase_entry) = desk.entry.purchase else { return };
    let Some(record) = desk.book.purchases.get_mut(&purchase_entry) else { return };
    let before = record.refunded.clone();
    add(&mut record.refunded, refund, &record.purchase);
    let (after, purchase, own) = (record.refunded.clone(), record.purchase.clone(), record.lots.clone());
    let uncounted = record.uncounted;
    desk.out.refunded = Some((purchase_entry, after.clone()));
    let complete = is_complete(&after, &purchase) && !is_complete(&before, &purchase);
    if complete {
        withdraw(desk, |reward| reward.entry == purchase_entry);
    }
    for lot in own {
        take_what_is_due(desk, &lot, &after, &purchase);
    }
    // What never counted cannot be taken off.
    if uncounted {
        return;
    }
    let (was, is) = (given_back(&before, &purchase), given_back(&after, &purchase));
    if purchase.currency == desk.terms.merchant.currency {
        desk.book.member.spent = desk.book.member.spent.saturating_sub(is - was);
        tiers::count(desk, |by| *by == Measure::Spend, purchase.placed_at, was - is);
    }
    if complete {
        desk.book.member.visits -= 1;
        tiers::count(desk, |by| *by == Measure::Visits, purchase.placed_at, -1);
    }
}

/// Takes back of one lot what the sums say and was not taken back before.
pub(super) fn take_what_is_due(desk: &mut Desk<'_>, lot: &(EntryId, LotId), sums: &Refunded, purchase: &Purchase) {
    let (entry, id) = lot;
    let Some(place) = desk.lots().iter().position(|lot| lot.entry == *entry && lot.id == *id) else { return };
    let lot = &desk.lots()[place];
    // What edits have taken off is no share any more.
    let edited = lot.amount - lot.shares.iter().map(|share| share.amount).sum::<i64>();
    let shares = lot.shares.iter().map(|share| portion(share.amount, &share.line, sums, purchase));
    let target = edited + shares.sum::<i64>();
    // Sums only rise, and so does this; the bound is what the table promises.
    let more = target.clamp(0, lot.amount) - lot.reversed - lot.forgiven;
    if more > 0 {
        take_back(desk, place, more);
    }
}

/// Takes `more` units of one lot back: what is left of it, what of it was lost, and for what was spent whatever the merchant's
/// policy says.
fn take_back(desk: &mut Desk<'_>, place: usize, more: i64) {
    let now = desk.through();
    let at = desk.at();
    let lot = desk.lots()[place].clone();
    let (wallet, key) = (lot.wallet.clone(), lot.tranche(now));
    let mut left = more;
    let there = |desk: &mut Desk<'_>| {
        let holds = desk.book.member.wallets.get(&wallet).cloned();
        let unspent = lots::unspent(desk.lots(), &wallet, key, now, holds.as_ref());
        unspent.into_iter().find(|(other, _)| *other == place).map_or(0, |(_, amount)| amount)
    };
    // A card that this reopens gives its unused reward back first: what returns by that is there to be taken.
    let holds = |desk: &Desk<'_>| desk.book.member.wallets.get(&wallet).map_or(0, |wallet| wallet.left(key));
    let mut own = there(desk);
    while own < left - lot.expired {
        let before = holds(desk);
        if !reopen(desk, &lot.installation, &wallet) {
            break;
        }
        own += holds(desk) - before;
    }
    let own = own.min(left);
    let over = lot.expired.min(left - own);
    left -= own + over;
    let member = desk.book.member.id.clone();
    let from = if key.matures.is_some() { Account::Pending(member.clone()) } else { Account::Available(member) };
    let mut moves = vec![(from, Some(key), own), (Account::Expired, None, over)];
    let (others, owed) = recover(desk, &wallet, left, own, key);
    let recovered: i64 = others.iter().map(|(_, _, amount)| amount).sum::<i64>() + owed;
    moves.extend(others);
    moves.push((desk.available(), None, owed));
    let lot = &mut desk.lots()[place];
    lot.expired -= over;
    lot.reversed += own + over + recovered;
    lot.forgiven += left - recovered;
    let lot = lot.clone();
    for (source, tranche, amount) in moves.into_iter().filter(|(_, _, amount)| *amount > 0) {
        let lot = Some(lot.id.clone());
        desk.post(Movement { wallet: &wallet, source, destination: Account::Reversed, amount, lot, tranche, at });
    }
    desk.note_lot(&lot, false);
    let reversed = own + over + recovered;
    tiers::count(desk, |by| *by == Measure::Points(wallet.clone()), lot.earned_at, -reversed);
}

type From = (Account, Option<TrancheKey>, i64);

/// From where units that were spent are taken instead, and how many are owed. `own` are about to be taken from `key` already.
fn recover(desk: &Desk<'_>, wallet: &str, spent: i64, own: i64, key: TrancheKey) -> (Vec<From>, i64) {
    let policy =
        desk.terms.merchant.rules.wallets.get(wallet).map_or_else(RefundPolicy::default, |terms| terms.refunds);
    let Some(holds) = desk.book.member.wallets.get(wallet) else { return (Vec::new(), 0) };
    let mut left = spent;
    let mut from = Vec::new();
    let mut pending: Vec<_> = holds.tranches.iter().filter(|tranche| tranche.key.matures.is_some()).copied().collect();
    pending.sort_by_key(|tranche| tranche.key);
    let available = desk.by_loss(wallet).into_iter().map(|(expires, amount)| (TrancheKey::available(expires), amount));
    let available: Vec<_> = if policy == RefundPolicy::PendingOnly { Vec::new() } else { available.collect() };
    for (other, amount) in pending.into_iter().map(|tranche| (tranche.key, tranche.amount)).chain(available) {
        let there = if other == key { amount - own } else { amount };
        let take = there.min(left);
        if take > 0 {
            left -= take;
            from.push((if other.matures.is_some() { desk.pending() } else { desk.available() }, Some(other), take));
        }
    }
    (from, if policy == RefundPolicy::Negative { left } else { 0 })
}

/// Adds one refund to the sums. Each refund's part in them depends on the refund and the purchase alone.
pub(super) fn add(sums: &mut Refunded, refund: &Refund, purchase: &Purchase) {
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
pub(super) fn scale(whole: i64, part: i64, of: i64) -> i64 {
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
pub(super) fn given_back(sums: &Refunded, purchase: &Purchase) -> i64 {
    let lines: i64 = purchase.lines.iter().map(|line| by_line(line, sums)).fold(0, i64::saturating_add);
    let sum = if sums.complete { purchase.total } else { sums.amount.max(lines.saturating_add(sums.unallocated)) };
    sum.clamp(0, purchase.total)
}

/// Whether nothing of a purchase is left. What cost nothing is given back only when the platform says that all of it is.
pub(super) fn is_complete(sums: &Refunded, purchase: &Purchase) -> bool {
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
pub(super) fn withdraw(desk: &mut Desk<'_>, which: impl Fn(&HeldReward) -> bool) {
    let (gone, kept): (Vec<_>, Vec<_>) =
        std::mem::take(&mut desk.book.rewards).into_iter().partition(|reward| which(reward));
    desk.book.rewards = kept;
    for reward in gone {
        if let Some(price) = &reward.price {
            desk.give_back(&price.wallet, &reward.paid, desk.at());
        }
        // A reward given earlier in this very batch is not in the table yet; its last state is what counts there too.
        desk.out.reward_states.push((reward.id, RewardState::Withdrawn));
    }
}

/// Withdraws the newest unused reward of an installation that was paid for with this wallet: a stamp taken back reopens the card it
/// had filled. Answers whether there was one.
fn reopen(desk: &mut Desk<'_>, installation: &InstallationId, wallet: &str) -> bool {
    let paid = |reward: &HeldReward| {
        reward.installation == *installation && reward.price.as_ref().is_some_and(|price| price.wallet == wallet)
    };
    let Some(newest) = desk.book.rewards.iter().rev().find(|reward| paid(reward)).map(|reward| reward.id.clone())
    else {
        return false;
    };
    withdraw(desk, |reward| reward.id == newest);
    true
}
