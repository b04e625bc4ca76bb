//! What is stored, made of settlements alone, as the store makes it; and the proof that it holds together, as `ledger verify` gives it.

use perkgate_domain::event::{Event, WakeCause};
use perkgate_domain::ids::{EntryId, InstallationId, LotId, MemberId, MerchantId, RewardId};
use perkgate_domain::ledger::{Account, HeldReward, Lot, Posting, Refunded, RewardState};
use perkgate_domain::member::{Member, Wallet};
use perkgate_domain::plan::{
    Book, Counter, EntryState, Fate, MemberBook, NewTask, PlannedWake, PurchaseRecord, QueuedEntry, Settlement,
};
use perkgate_domain::purchase::Purchase;
use perkgate_domain::time::Moment;
use std::collections::{BTreeMap, HashMap, HashSet};

type WakeId = (MemberId, InstallationId, WakeCause, String);

/// Everything of one merchant.
#[derive(Clone, Default)]
pub(in crate::ledger::tests) struct Rows {
    pub(in crate::ledger::tests) members: BTreeMap<MemberId, Member>,
    pub(in crate::ledger::tests) lots: BTreeMap<(EntryId, LotId), Lot>,
    pub(in crate::ledger::tests) rewards: BTreeMap<RewardId, HeldReward>,
    pub(in crate::ledger::tests) wakes: BTreeMap<WakeId, PlannedWake>,
    pub(in crate::ledger::tests) tasks: BTreeMap<String, NewTask>,
    pub(in crate::ledger::tests) counters: HashMap<Counter, i64>,
    pub(in crate::ledger::tests) postings: Vec<Posting>,
    memories: BTreeMap<(MemberId, InstallationId), Vec<u8>>,
    /// Whose an entry is.
    entries: BTreeMap<EntryId, MemberId>,
    purchases: BTreeMap<EntryId, (Purchase, Refunded)>,
    /// Edits of purchases: the purchase's entry, when, and the order from then on.
    edits: BTreeMap<EntryId, (EntryId, Moment, Purchase)>,
    /// Postings looked at by [`Rows::check`] before, and what they come to.
    checked: usize,
    chains: BTreeMap<MemberId, [u8; 32]>,
    wallets: BTreeMap<(MemberId, String), Wallet>,
    accounts: BTreeMap<(String, String), i64>,
    /// Of each lot what postings say was earned and taken back.
    posted: HashMap<LotId, (i64, i64)>,
}

impl Rows {
    pub(super) fn newcomer(&mut self, member: Member) {
        self.members.entry(member.id.clone()).or_insert(member);
    }

    /// Everybody who is not somebody else by now.
    pub(in crate::ledger::tests) fn present(&self) -> Vec<MemberId> {
        let present = self.members.values().filter(|member| member.merged_into.is_none());
        present.map(|member| member.id.clone()).collect()
    }

    /// Whose an entry is.
    pub(in crate::ledger::tests) fn whose(&self, entry: EntryId) -> Option<&MemberId> {
        self.entries.get(&entry)
    }

    pub(super) fn expect_purchase(&self, purchase: Option<EntryId>) {
        assert!(purchase.is_none_or(|entry| self.purchases.contains_key(&entry)), "an entry is about a purchase");
    }

    /// Unused rewards, oldest first.
    pub(in crate::ledger::tests) fn held(&self, member: &MemberId) -> Vec<HeldReward> {
        let held = self.rewards.values().filter(|one| one.member == *member && one.state == RewardState::Issued);
        let mut held: Vec<HeldReward> = held.cloned().collect();
        held.sort_by(|one, other| (one.issued_at, &one.id).cmp(&(other.issued_at, &other.id)));
        held
    }

    /// What a batch about everybody reads.
    pub(in crate::ledger::tests) fn book(&self, merchant: &MerchantId) -> Book {
        let members = self.members.keys().map(|id| ((merchant.clone(), id.clone()), self.member_book(id))).collect();
        let codes = self.rewards.values().map(|one| ((merchant.clone(), one.code.clone()), one.clone())).collect();
        Book { members, counters: self.counters.clone(), scopes: HashSet::new(), codes }
    }

    fn member_book(&self, id: &MemberId) -> MemberBook {
        let own = |entry: &EntryId| self.entries.get(entry) == Some(id);
        let mut lots: Vec<Lot> = self.lots.values().filter(|lot| own(&lot.entry)).cloned().collect();
        lots.sort_by(|one, other| (one.earned_at, &one.id).cmp(&(other.earned_at, &other.id)));
        let mut purchases: BTreeMap<EntryId, PurchaseRecord> = BTreeMap::new();
        for (entry, (purchase, refunded)) in self.purchases.iter().filter(|(entry, _)| own(entry)) {
            let mut edits: Vec<_> = self.edits.iter().filter(|(_, (of, ..))| of == entry).collect();
            edits.sort_by_key(|(edit, (_, at, _))| (*at, **edit));
            let about = |lot: &&Lot| lot.entry == *entry || edits.iter().any(|(edit, _)| **edit == lot.entry);
            let record = PurchaseRecord {
                told_by: edits.last().map_or(*entry, |(edit, _)| **edit),
                purchase: edits.last().map_or(purchase, |(_, (_, _, purchase))| purchase).clone(),
                lots: lots.iter().filter(about).map(|lot| (lot.entry, lot.id.clone())).collect(),
                refunded: refunded.clone(),
                uncounted: false,
                decisions: Vec::new(),
            };
            purchases.insert(*entry, record);
        }
        let wakes = self.wakes.iter().filter(|((member, ..), _)| member == id).map(|(_, wake)| wake.clone()).collect();
        let memories = self.memories.iter().filter(|((member, _), _)| member == id);
        MemberBook {
            member: self.members[id].clone(),
            memories: memories.map(|((_, who), bytes)| (who.clone(), bytes.clone())).collect(),
            rewards: self.held(id),
            purchases,
            wakes,
            lots: Some(lots),
            history: Vec::new(),
        }
    }

    /// The settling commit.
    pub(super) fn write(&mut self, entry: &QueuedEntry, settled: &Settlement) {
        if settled.state == EntryState::Settled {
            self.entries.extend(entry.member.iter().map(|member| (entry.id, member.clone())));
            match &entry.event {
                Event::Purchase(purchase) => {
                    self.purchases.insert(entry.id, (purchase.clone(), Refunded::default()));
                }
                Event::Edit(edit) => {
                    let of = entry.purchase.expect("an edit is of a purchase");
                    self.edits.insert(entry.id, (of, edit.at, edit.purchase.clone()));
                }
                _ => {}
            }
        }
        if let Some(member) = &settled.member {
            let before = self.members.insert(member.id.clone(), member.clone()).expect("somebody known");
            assert_eq!(before.version + 1, member.version, "a member's version rises by one");
        }
        self.postings.extend(settled.postings.iter().cloned());
        for lot in &settled.lots {
            assert!(self.lots.insert((lot.entry, lot.id.clone()), lot.clone()).is_none(), "a lot is earned once");
        }
        for change in &settled.lot_changes {
            let lot = self.lots.get_mut(&(change.entry, change.lot.clone())).expect("a lot that is known changes");
            (lot.reversed, lot.forgiven, lot.expired) = (change.reversed, change.forgiven, change.expired);
            lot.shares = change.shares.clone().unwrap_or_else(|| lot.shares.clone());
        }
        for reward in &settled.rewards {
            assert!(self.rewards.insert(reward.id.clone(), reward.clone()).is_none(), "a reward is given once");
        }
        for (id, state) in &settled.reward_states {
            let reward = self.rewards.get_mut(id).expect("a reward that is known changes");
            assert_eq!(reward.state, RewardState::Issued, "a reward changes once");
            (reward.state, reward.used_in) = (*state, settled.used.contains(id).then_some(settled.entry));
        }
        self.write_rest(entry, settled);
    }

    fn write_rest(&mut self, entry: &QueuedEntry, settled: &Settlement) {
        for count in &settled.counters {
            *self.counters.entry(count.counter.clone()).or_default() += count.amount;
        }
        for task in &settled.tasks {
            self.tasks.entry(task.id.clone()).or_insert_with(|| task.clone());
        }
        if let Some(member) = &entry.member {
            let memories = settled.memories.iter().map(|(who, bytes)| ((member.clone(), who.clone()), bytes.clone()));
            self.memories.extend(memories);
        }
        if let Some((purchase, refunded)) = &settled.refunded {
            self.purchases.get_mut(purchase).expect("a refund is of a purchase").1 = refunded.clone();
        }
        for change in &settled.wakes {
            let id = (change.member.clone(), change.installation.clone(), change.cause, change.key.clone());
            let Some((at, data)) = change.planned.clone() else {
                self.wakes.remove(&id);
                continue;
            };
            let (installation, cause, key) = (change.installation.clone(), change.cause, change.key.clone());
            self.wakes.insert(id, PlannedWake { installation, cause, key, at, data, attempts: 0 });
        }
        match (&settled.fate, &entry.member) {
            (Some(Fate::Absorbs(gone)), Some(stays)) => self.absorb(gone, stays),
            (Some(Fate::Forgotten), Some(member)) => {
                self.wakes.retain(|(whose, ..), _| whose != member);
                self.memories.retain(|(whose, _), _| whose != member);
            }
            _ => {}
        }
    }

    fn absorb(&mut self, gone: &Member, stays: &MemberId) {
        self.members.insert(gone.id.clone(), gone.clone());
        let whose = |member: &mut MemberId| {
            if *member == gone.id {
                *member = stays.clone();
            }
        };
        self.entries.values_mut().for_each(whose);
        self.lots.values_mut().for_each(|lot| whose(&mut lot.member));
        self.rewards.values_mut().for_each(|reward| whose(&mut reward.member));
        let moved = self.wakes.keys().filter(|(member, ..)| *member == gone.id).cloned().collect::<Vec<_>>();
        for id in moved {
            let wake = self.wakes.remove(&id).expect("just seen");
            self.wakes.entry((stays.clone(), id.1, id.2, id.3)).or_insert(wake);
        }
    }

    /// Wallets are what their postings make, chains are whole, everything sums to zero, lots say what their postings say.
    pub(in crate::ledger::tests) fn check(&mut self) {
        let new = self.postings[self.checked..].to_vec();
        self.checked = self.postings.len();
        for posting in new {
            self.follow(&posting);
        }
        for member in self.members.values() {
            assert_eq!(
                member.chain,
                self.chains.get(&member.id).copied().unwrap_or_default(),
                "a chain ends elsewhere"
            );
            for (name, stored) in &member.wallets {
                let made = self.wallets.get(&(member.id.clone(), name.clone())).cloned().unwrap_or_default();
                // A sliding end is moved on by activity, not by postings.
                assert_eq!(Wallet { slides_until: None, ..stored.clone() }, made, "{name} of {}", member.id);
                let left: i64 = stored.tranches.iter().map(|tranche| tranche.amount).sum();
                assert_eq!(left, stored.available.max(0) + stored.pending, "tranches hold what is left: {stored:?}");
                assert!(stored.tranches.iter().all(|tranche| tranche.amount > 0), "{stored:?}");
                let [spent, expired, reversed] = [stored.spent, stored.expired, stored.reversed];
                assert!(spent >= 0 && expired >= 0 && reversed >= 0 && stored.pending >= 0, "{stored:?}");
            }
        }
        self.check_sums();
        self.check_lots();
    }

    fn follow(&mut self, posting: &Posting) {
        assert!(posting.amount > 0 && posting.source != posting.destination, "{posting:?}");
        let accounts = [(&posting.source, -posting.amount), (&posting.destination, posting.amount)];
        for (account, amount) in accounts {
            assert!(account.member().is_none_or(|member| *member == posting.member), "another's account: {posting:?}");
            *self.accounts.entry((account.to_string(), posting.wallet.clone())).or_default() += amount;
        }
        if let Some(lot) = &posting.lot {
            let (earned, reversed) = self.posted.entry(lot.clone()).or_default();
            *earned += if posting.source == Account::Issued { posting.amount } else { 0 };
            *reversed += if posting.destination == Account::Reversed { posting.amount } else { 0 };
        }
        let chain = self.chains.entry(posting.member.clone()).or_default();
        assert_eq!(posting.hash, posting.link(chain), "{posting:?} does not continue its chain");
        *chain = posting.hash;
        self.wallets.entry((posting.member.clone(), posting.wallet.clone())).or_default().apply(posting);
    }

    fn check_sums(&self) {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for ((account, wallet), amount) in &self.accounts {
            *sums.entry(wallet).or_default() += amount;
            assert!(*account != Account::Transfer.to_string() || *amount == 0, "{amount} {wallet} came to nobody");
        }
        assert!(sums.values().all(|sum| *sum == 0), "{:?}", self.accounts);
        for ((account, wallet), amount) in &self.accounts {
            let of = |what: fn(&Wallet) -> i64| -> i64 {
                self.members.values().filter_map(|member| member.wallets.get(wallet)).map(what).sum()
            };
            let held = match Account::parse(account).expect("an account") {
                Account::Issued => -of(Wallet::earned),
                Account::Redeemed => of(|wallet| wallet.spent),
                Account::Expired => of(|wallet| wallet.expired),
                Account::Reversed => of(|wallet| wallet.reversed),
                _ => continue,
            };
            assert_eq!(held, *amount, "{account} of {wallet}");
        }
    }

    fn check_lots(&self) {
        let mut lost: BTreeMap<&str, i64> = BTreeMap::new();
        for lot in self.lots.values() {
            let (earned, reversed) = self.posted.get(&lot.id).copied().unwrap_or_default();
            assert_eq!((lot.amount, lot.reversed), (earned, reversed), "{lot:?}");
            assert!(lot.reversed >= 0 && lot.forgiven >= 0 && lot.expired >= 0, "{lot:?}");
            assert!(lot.reversed + lot.forgiven + lot.expired <= lot.amount, "{lot:?}");
            let shared: i64 = lot.shares.iter().map(|share| share.amount).sum();
            assert!(lot.shares.is_empty() || lot.amount - shared <= lot.reversed + lot.forgiven, "{lot:?}");
            *lost.entry(&lot.wallet).or_default() += lot.expired;
        }
        for (wallet, lost) in lost {
            let account = (Account::Expired.to_string(), wallet.to_owned());
            assert_eq!(lost, self.accounts.get(&account).copied().unwrap_or(0), "what lots of {wallet} have lost");
        }
    }
}
