//! Lots of a tranche: which of them were spent is [`unspent`]'s to say; what is left of them when their time is over is lost.

pub(super) use perkgate_domain::ledger::unspent;
use perkgate_domain::ledger::{Expiry, Lot, TrancheKey};
use perkgate_domain::member::Wallet;
use perkgate_domain::time::Moment;

/// Writes down for each lot of a tranche that what is still there of it is lost. Answers the places of those that changed.
pub(super) fn expire(lots: &mut [Lot], wallet: &str, expires: Expiry, now: Moment, holds: &Wallet) -> Vec<usize> {
    let left = unspent(lots, wallet, TrancheKey::available(expires), now, Some(holds));
    let mut changed = Vec::new();
    for (place, there) in left {
        if there > 0 {
            lots[place].expired += there;
            changed.push(place);
        }
    }
    changed
}
