//! One entry being settled: what it is worked on with, and the one way in which units move.

use super::Terms;
use perkgate_domain::ids::{LotId, derive};
use perkgate_domain::ledger::{Account, Expiry, HeldReward, Lot, Posting, TrancheKey};
use perkgate_domain::member::Member;
use perkgate_domain::plan::{Count, Counter, LotChange, MemberBook, PlannedWake, QueuedEntry, Settlement};
use perkgate_domain::time::Moment;
use std::collections::HashMap;

/// Everything at hand.
pub(super) struct Desk<'a> {
    pub(super) entry: &'a QueuedEntry,
    pub(super) terms: Terms<'a>,
    pub(super) book: &'a mut MemberBook,
    pub(super) out: &'a mut Settlement,
    counters: &'a mut HashMap<Counter, i64>,
}

/// One movement of units.
pub(super) struct Movement<'a> {
    pub(super) wallet: &'a str,
    pub(super) source: Account,
    pub(super) destination: Account,
    pub(super) amount: i64,
    pub(super) lot: Option<LotId>,
    pub(super) tranche: Option<TrancheKey>,
    pub(super) at: Moment,
}

/// What can be gone back to.
pub(super) struct Mark {
    member: Member,
    rewards: Vec<HeldReward>,
    wakes: Vec<PlannedWake>,
    lots: Option<usize>,
    lengths: [usize; 9],
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        entry: &'a QueuedEntry,
        terms: Terms<'a>,
        book: &'a mut MemberBook,
        counters: &'a mut HashMap<Counter, i64>,
        out: &'a mut Settlement,
    ) -> Self {
        Self { entry, terms, book, out, counters }
    }

    /// When the entry happened.
    pub(super) fn at(&self) -> Moment {
        self.entry.event.at()
    }

    /// Until when everything that was due has been seen to, this entry's own time included, but never beyond the gateway's own clock.
    pub(super) fn through(&self) -> Moment {
        self.book.member.through.max(self.at()).min(self.terms.now)
    }

    /// What was due until `at` has been seen to.
    pub(super) fn reach(&mut self, at: Moment) {
        let through = &mut self.book.member.through;
        *through = (*through).max(at).min(self.terms.now);
    }

    /// The wakes as they stand, planned and written, to go back to.
    pub(super) fn wakes(&self) -> (Vec<PlannedWake>, usize) {
        (self.book.wakes.clone(), self.out.wakes.len())
    }

    /// As if no wake had been asked for since.
    pub(super) fn restore_wakes(&mut self, (planned, written): (Vec<PlannedWake>, usize)) {
        self.book.wakes = planned;
        self.out.wakes.truncate(written);
    }

    /// Parts that make an id of this entry and what it is for.
    pub(super) fn id(&self, prefix: &str, what: &[&str]) -> String {
        let event = &self.entry.event;
        let entry =
            [self.entry.merchant.as_str(), self.entry.source.as_str(), event.kind().as_str(), event.external_id()];
        derive(prefix, &[&entry, what].concat())
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            member: self.book.member.clone(),
            rewards: self.book.rewards.clone(),
            wakes: self.book.wakes.clone(),
            lots: self.book.lots.as_ref().map(Vec::len),
            lengths: self.lengths(),
        }
    }

    fn lengths(&self) -> [usize; 9] {
        let out = &self.out;
        [
            out.postings.len(),
            out.lots.len(),
            out.rewards.len(),
            out.memories.len(),
            out.deliveries.len(),
            out.counters.len(),
            out.wakes.len(),
            out.tasks.len(),
            out.questions.len(),
        ]
    }

    /// As if nothing had been done since.
    pub(super) fn go_back(&mut self, mark: Mark) {
        self.book.member = mark.member;
        self.book.rewards = mark.rewards;
        self.book.wakes = mark.wakes;
        if let (Some(lots), Some(length)) = (&mut self.book.lots, mark.lots) {
            lots.truncate(length);
        }
        let [postings, lots, rewards, memories, deliveries, counters, wakes, tasks, questions] = mark.lengths;
        for count in self.out.counters.drain(counters..) {
            *self.counters.entry(count.counter).or_default() -= count.amount;
        }
        self.out.postings.truncate(postings);
        self.out.lots.truncate(lots);
        self.out.rewards.truncate(rewards);
        self.out.memories.truncate(memories);
        self.out.deliveries.truncate(deliveries);
        self.out.wakes.truncate(wakes);
        self.out.tasks.truncate(tasks);
        self.out.questions.truncate(questions);
    }

    /// What has been counted so far.
    pub(super) fn counted(&self, counter: &Counter) -> i64 {
        self.counters.get(counter).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, counter: Counter, amount: i64) {
        let total = self.counters.entry(counter.clone()).or_default();
        *total = total.saturating_add(amount);
        self.out.counters.push(Count { total: *total, counter, amount });
    }

    /// Writes a posting, links it into the member's chain and moves what the wallet holds.
    pub(super) fn post(&mut self, movement: Movement<'_>) {
        let ordinal = i64::try_from(self.out.postings.len()).unwrap_or(i64::MAX);
        let posting = posting(self.entry, ordinal, &mut self.book.member, movement);
        self.out.postings.push(posting);
    }

    pub(super) fn available(&self) -> Account {
        Account::Available(self.book.member.id.clone())
    }

    pub(super) fn pending(&self) -> Account {
        Account::Pending(self.book.member.id.clone())
    }

    /// Takes up to `amount` of what is available, what is lost first first. Answers what came from where.
    pub(super) fn spend(&mut self, wallet: &str, amount: i64, destination: &Account, at: Moment) -> Vec<(Expiry, i64)> {
        let mut left = amount;
        let mut paid = Vec::new();
        for (expires, there) in self.by_loss(wallet) {
            let take = there.min(left);
            if take == 0 {
                break;
            }
            left -= take;
            paid.push((expires, take));
            self.post(Movement {
                wallet,
                source: self.available(),
                destination: destination.clone(),
                amount: take,
                lot: None,
                tranche: Some(TrancheKey::available(expires)),
                at,
            });
        }
        paid
    }

    /// What is available of a wallet, by when it is lost: never comes last.
    pub(super) fn by_loss(&self, wallet: &str) -> Vec<(Expiry, i64)> {
        by_loss(&self.book.member, wallet)
    }

    /// Every lot of the member's; none where the batch did not need them.
    pub(super) fn lots(&mut self) -> &mut Vec<Lot> {
        self.book.lots.get_or_insert_default()
    }

    /// Writes down how a lot stands.
    pub(super) fn note_lot(&mut self, lot: &Lot, shares_changed: bool) {
        self.out.lot_changes.push(LotChange {
            entry: lot.entry,
            lot: lot.id.clone(),
            reversed: lot.reversed,
            forgiven: lot.forgiven,
            expired: lot.expired,
            shares: shares_changed.then(|| lot.shares.clone()),
        });
    }

    /// When something falls due next: a lot, a reward, a look at the tier.
    pub(super) fn due_at(&self) -> Option<Moment> {
        let lapses = self.book.rewards.iter().filter_map(|reward| reward.expires_at).min();
        let member = &self.book.member;
        let wallets = member.wallets.values().filter_map(perkgate_domain::member::Wallet::due_at).min();
        let tier = self.terms.merchant.rules.tiers.as_ref().and(member.climb.until);
        [wallets, lapses, tier].into_iter().flatten().min()
    }

    /// The last thing: when something falls due next, and the member as they are now.
    pub(super) fn close(&mut self) {
        let due_at = self.due_at();
        let member = &mut self.book.member;
        member.due_at = due_at;
        member.version += 1;
        self.out.member = Some(member.clone());
    }
}

/// What a member has available of a wallet, by when it is lost: never comes last.
pub(super) fn by_loss(member: &Member, wallet: &str) -> Vec<(Expiry, i64)> {
    let Some(wallet) = member.wallets.get(wallet) else { return Vec::new() };
    let available = wallet.tranches.iter().filter(|tranche| tranche.key.matures.is_none());
    let mut tranches: Vec<_> = available.map(|tranche| (tranche.key.expires, tranche.amount)).collect();
    tranches.sort_by_key(|(expires, _)| (wallet.lost_at(*expires).map_or(i64::MAX, |at| at.0), *expires));
    tranches
}

/// Links a movement into a member's chain and moves what the wallet holds.
pub(super) fn posting(entry: &QueuedEntry, ordinal: i64, member: &mut Member, movement: Movement<'_>) -> Posting {
    let mut posting = Posting {
        entry: entry.id,
        ordinal,
        member: member.id.clone(),
        wallet: movement.wallet.to_owned(),
        source: movement.source,
        destination: movement.destination,
        amount: movement.amount,
        lot: movement.lot,
        tranche: movement.tranche,
        at: movement.at,
        hash: [0; 32],
    };
    posting.hash = posting.link(&member.chain);
    member.chain = posting.hash;
    member.wallets.entry(movement.wallet.to_owned()).or_default().apply(&posting);
    posting
}
