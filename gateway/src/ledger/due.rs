//! What time does to a member. Within one moment the order is fixed: what matures, the tier, what is redeemed by itself or lapses, what
//! expires, the tier again. So points that mature today can raise a tier or be spent today before they or others expire today.

use super::desk::{Desk, Movement};
use super::{lots, redeem, tiers};
use perkgate_domain::ledger::{Account, Expiry, TrancheKey};
use perkgate_domain::time::Moment;

/// Moments looked at when something came late; each is a day on which something was due.
const CATCH_UP: usize = 2_000;

/// Everything that falls due at `at` or before.
pub(super) fn work(desk: &mut Desk<'_>, at: Moment) {
    mature(desk, at);
    tiers::review(desk, at);
    redeem::automatically(desk, at);
    redeem::lapse(desk, at);
    expire(desk, at);
    tiers::review(desk, at);
    desk.reach(at);
}

/// What is due after an entry: usually nothing. An entry that comes after its time may bring what was due in between, and is looked at
/// as if it had come in time: the tier as of the entry, then everything that has fallen due since, moment by moment.
pub(super) fn catch_up(desk: &mut Desk<'_>) {
    let at = desk.at();
    let late = (at < desk.book.member.through).then(|| (desk.book.member.tier.clone(), desk.wakes()));
    tiers::review(desk, at);
    see_to(desk, at);
    let through = desk.through();
    // By what there is now, and so not before now.
    redeem::automatically(desk, through);
    see_to(desk, at);
    desk.reach(through);
    // A tier that was reached and lost again before today is no news to anybody.
    if let Some((tier, wakes)) = late
        && tier == desk.book.member.tier
    {
        desk.restore_wakes(wakes);
    }
}

/// Everything that has fallen due by now, none of it before `from`. What one moment leaves due is seen to as well, until nothing is: a
/// time in the past that stayed behind would be found due again and again.
pub(super) fn see_to(desk: &mut Desk<'_>, from: Moment) {
    let through = desk.through();
    for _ in 0..CATCH_UP {
        match desk.due_at().filter(|due| *due <= through) {
            Some(due) => work(desk, due.max(from)),
            None => break,
        }
    }
}

fn mature(desk: &mut Desk<'_>, at: Moment) {
    let ripe: Vec<(String, TrancheKey, i64)> = desk
        .book
        .member
        .wallets
        .iter()
        .flat_map(|(name, wallet)| {
            wallet.tranches.iter().map(move |tranche| (name.clone(), tranche.key, tranche.amount))
        })
        .filter(|(_, key, _)| key.matures.is_some_and(|matures| matures <= at))
        .collect();
    for (wallet, key, amount) in ripe {
        desk.post(Movement {
            wallet: &wallet,
            source: desk.pending(),
            destination: desk.available(),
            amount,
            lot: None,
            tranche: Some(key),
            at: key.matures.unwrap_or(at),
        });
    }
}

fn expire(desk: &mut Desk<'_>, at: Moment) {
    let mut lost: Vec<(String, Expiry, i64)> = Vec::new();
    for (name, wallet) in &desk.book.member.wallets {
        for tranche in wallet.tranches.iter().filter(|tranche| tranche.key.matures.is_none()) {
            if wallet.lost_at(tranche.key.expires).is_some_and(|end| end <= at) {
                lost.push((name.clone(), tranche.key.expires, tranche.amount));
            }
        }
    }
    for (name, expires, amount) in lost {
        let end = desk.book.member.wallets.get(&name).and_then(|wallet| wallet.lost_at(expires)).unwrap_or(at);
        if let (Some(lots), Some(wallet)) = (&mut desk.book.lots, desk.book.member.wallets.get(&name)) {
            let changed = lots::expire(lots, &name, expires, at, wallet);
            let changed: Vec<_> = changed.into_iter().map(|place| lots[place].clone()).collect();
            for lot in &changed {
                desk.note_lot(lot, false);
            }
        }
        desk.post(Movement {
            wallet: &name,
            source: desk.available(),
            destination: Account::Expired,
            amount,
            lot: None,
            tranche: Some(TrancheKey::available(expires)),
            // A sliding end that had passed before the units matured is not the time of their loss.
            at: end.max(desk.at()).min(at),
        });
    }
}
