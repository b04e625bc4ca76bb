//! Giving back what was paid. Each unit goes to where it came from, as far as its tranche's lots still count it as spent. A refund may have
//! taken other units in its place: then it goes to where those were taken. And what the merchant's policy let be because it was
//! spent is taken back now that it is not.

use super::desk::{Desk, Movement};
use super::{lots, tiers};
use perkgate_domain::ledger::{Account, Expiry, TrancheKey};
use perkgate_domain::rules::Measure;
use perkgate_domain::time::Moment;
use std::cmp::Reverse;
use std::collections::BTreeMap;

impl Desk<'_> {
    /// Gives back what was paid, by when it is lost. What is owed is filled first.
    pub(super) fn give_back(&mut self, wallet: &str, paid: &[(Expiry, i64)], at: Moment) {
        for (expires, amount) in paid {
            let owed = self.book.member.wallets.get(wallet).map_or(0, |wallet| (-wallet.available).max(0)).min(*amount);
            let key = TrancheKey::available(*expires);
            let mut left = amount - owed;
            let mut moves = Vec::new();
            let rooms = self.rooms(wallet);
            // Without lots at hand nothing was taken in its place.
            let own = rooms.as_ref().map_or(left, |rooms| rooms.get(&key).map_or(0, |room| left.min(*room)));
            left -= own;
            moves.push((key, owed + own));
            let mut others: Vec<_> = rooms.into_iter().flatten().filter(|(other, _)| *other != key).collect();
            // What may be spent first; of that what is lost last.
            others.sort_by_key(|(key, _)| (key.matures, Reverse(self.lost_at(wallet, key.expires))));
            for (other, room) in others {
                let part = room.min(left);
                left -= part;
                moves.push((other, part));
            }
            for (key, amount) in moves.into_iter().filter(|(_, amount)| *amount > 0) {
                let destination = if key.matures.is_some() { self.pending() } else { self.available() };
                self.post(Movement {
                    wallet,
                    source: Account::Redeemed,
                    destination,
                    amount,
                    lot: None,
                    tranche: Some(key),
                    at,
                });
            }
            self.take_what_was_let_be(wallet, left, at);
        }
    }

    /// How many units of each tranche count as spent, and may therefore return; none where lots are not at hand.
    fn rooms(&self, wallet: &str) -> Option<BTreeMap<TrancheKey, i64>> {
        let lots = self.book.lots.as_ref()?;
        let now = self.through();
        let mut rooms: BTreeMap<TrancheKey, i64> = BTreeMap::new();
        for lot in lots.iter().filter(|lot| lot.wallet == wallet) {
            rooms.entry(lot.tranche(now)).or_insert(0);
        }
        for (key, room) in &mut rooms {
            let unspent = lots::unspent(lots, wallet, *key, now, self.book.member.wallets.get(wallet));
            *room = unspent.into_iter().map(|(place, left)| lots[place].net() - left).sum();
        }
        Some(rooms)
    }

    /// `amount` units that refunds let be, because they were spent, are taken back.
    fn take_what_was_let_be(&mut self, wallet: &str, amount: i64, at: Moment) {
        let mut left = amount;
        let mut places: Vec<usize> = (0..self.book.lots.as_ref().map_or(0, Vec::len)).collect();
        places.sort_by_key(|place| self.lots().get(*place).map(|lot| (lot.earned_at, lot.id.clone())));
        for place in places {
            let lot = &mut self.lots()[place];
            let part = if lot.wallet == wallet { lot.forgiven.min(left) } else { 0 };
            if part == 0 {
                continue;
            }
            left -= part;
            lot.forgiven -= part;
            lot.reversed += part;
            let lot = lot.clone();
            self.note_lot(&lot, false);
            tiers::count(self, |by| matches!(by, Measure::Points(counted) if counted == wallet), lot.earned_at, -part);
            self.post(Movement {
                wallet,
                source: Account::Redeemed,
                destination: Account::Reversed,
                amount: part,
                lot: Some(lot.id),
                tranche: None,
                at,
            });
        }
    }

    /// When units are lost; the end of time if never.
    fn lost_at(&self, wallet: &str, expires: Expiry) -> Moment {
        let wallet = self.book.member.wallets.get(wallet);
        wallet.and_then(|wallet| wallet.lost_at(expires)).unwrap_or(Moment(i64::MAX))
    }
}
