//! Two members who are one person, and members who are to be forgotten.

use super::Terms;
use super::desk::{Desk, Movement, by_loss, posting};
use perkgate_domain::delivery::DeliveryState;
use perkgate_domain::event::Merge;
use perkgate_domain::ids::{MemberId, MerchantId};
use perkgate_domain::ledger::{Account, TrancheKey};
use perkgate_domain::member::{Climb, Member};
use perkgate_domain::plan::{Book, EntryState, Fate, MemberBook, QueuedEntry, Settlement};

/// Makes `owner` and `merge.other` one: what the other has goes over posting by posting, each in its own chain.
pub(super) fn merge(
    entry: &QueuedEntry,
    merge: &Merge,
    terms: Terms<'_>,
    book: &mut Book,
    owner: &(MerchantId, MemberId),
) -> Settlement {
    let mut settlement = Settlement::of(entry, EntryState::Settled);
    let other_key = (owner.0.clone(), merge.other.clone());
    let refuse = |why: &str| Settlement { cause: Some(why.to_owned()), ..Settlement::of(entry, EntryState::Settled) };
    if owner.1 == merge.other {
        return refuse("a member cannot become one with themselves");
    }
    if !book.members.contains_key(&other_key) || !book.members.contains_key(owner) {
        return refuse("one of the two is not known");
    }
    let (Some(mut gone), Some(mut stays)) = (book.members.remove(&other_key), book.members.remove(owner)) else {
        return refuse("one of the two is not known");
    };
    if gone.member.merged_into.is_some() || stays.member.merged_into.is_some() {
        book.members.insert(other_key, gone);
        book.members.insert(owner.clone(), stays);
        return refuse("one of the two has become one with somebody already");
    }
    // What fell due for the one who goes fell due before they went.
    let from = gone.member.through;
    super::due::see_to(&mut Desk::new(entry, terms, &mut gone, &mut book.counters, &mut settlement), from);
    hand_over(entry, &mut gone.member, &mut stays.member, &mut settlement);
    let (one, two) = (&gone.member, &mut stays.member);
    two.joined_at = two.joined_at.min(one.joined_at);
    two.visits += one.visits;
    two.spent = two.spent.saturating_add(one.spent);
    two.first_purchase_at = [two.first_purchase_at, one.first_purchase_at].into_iter().flatten().min();
    two.last_purchase_at = two.last_purchase_at.max(one.last_purchase_at);
    two.birthday = two.birthday.or(one.birthday);
    two.locale = two.locale.take().or_else(|| one.locale.clone());
    two.referrer = two.referrer.take().or_else(|| one.referrer.clone()).filter(|who| *who != one.id && *who != two.id);
    two.tags.extend(one.tags.iter().cloned());
    two.tags.sort();
    two.tags.dedup();
    climb(&one.climb, one.tier.as_ref(), two, terms);
    two.through = two.through.max(one.through);
    gone.rewards.iter_mut().for_each(|reward| reward.member.clone_from(&owner.1));
    gone.lots.iter_mut().flatten().for_each(|lot| lot.member.clone_from(&owner.1));
    stays.rewards.append(&mut gone.rewards);
    stays.rewards.sort_by(|one, other| (one.issued_at, &one.id).cmp(&(other.issued_at, &other.id)));
    if let (Some(lots), Some(more)) = (&mut stays.lots, &mut gone.lots) {
        lots.append(more);
    }
    let mut desk = Desk::new(entry, terms, &mut stays, &mut book.counters, &mut settlement);
    super::due::catch_up(&mut desk);
    desk.close();
    gone.member.merged_into = Some(owner.1.clone());
    gone.member.due_at = None;
    gone.member.version += 1;
    settlement.fate = Some(Fate::Absorbs(Box::new(gone.member.clone())));
    let emptied = MemberBook {
        wakes: Vec::new(),
        rewards: Vec::new(),
        lots: Some(Vec::new()),
        purchases: gone.purchases,
        ..gone
    };
    book.members.insert(other_key, emptied);
    book.members.insert(owner.clone(), stays);
    settlement
}

/// Moves every tranche from one member to the other, through an account that ends at zero. What one owes goes over too.
fn hand_over(entry: &QueuedEntry, gone: &mut Member, stays: &mut Member, out: &mut Settlement) {
    let at = entry.event.at();
    let mut post = |member: &mut Member, wallet: &str, (source, destination), amount, tranche| {
        let ordinal = i64::try_from(out.postings.len()).unwrap_or(i64::MAX);
        let movement = Movement { wallet, source, destination, amount, lot: None, tranche, at };
        out.postings.push(posting(entry, ordinal, member, movement));
    };
    for (name, wallet) in gone.wallets.clone() {
        let account = |member: &Member, key: TrancheKey| {
            if key.matures.is_some() {
                Account::Pending(member.id.clone())
            } else {
                Account::Available(member.id.clone())
            }
        };
        let sliding = stays.wallets.entry(name.clone()).or_default();
        sliding.slides_until = sliding.slides_until.max(wallet.slides_until);
        for tranche in &wallet.tranches {
            let (from, to) = (account(gone, tranche.key), account(stays, tranche.key));
            post(gone, &name, (from, Account::Transfer), tranche.amount, Some(tranche.key));
            post(stays, &name, (Account::Transfer, to), tranche.amount, Some(tranche.key));
        }
        // What became of the rest is the other's past now: a refund or an undo finds it there.
        let became = [
            (Account::Redeemed, wallet.spent),
            (Account::Expired, wallet.expired),
            (Account::Reversed, wallet.reversed),
        ];
        for (became, amount) in became.into_iter().filter(|(_, amount)| *amount > 0) {
            post(gone, &name, (became.clone(), Account::Transfer), amount, None);
            post(stays, &name, (Account::Transfer, became), amount, None);
        }
        if wallet.available < 0 {
            // What is owed: the other pays it out of what they have, lost first first, and owes the rest.
            let mut owed = -wallet.available;
            let mut parts = Vec::new();
            for (expires, there) in by_loss(stays, &name) {
                let part = there.min(owed);
                owed -= part;
                parts.push((Some(TrancheKey::available(expires)), part));
            }
            parts.push((None, owed));
            for (tranche, part) in parts.into_iter().filter(|(_, part)| *part > 0) {
                let from = Account::Available(stays.id.clone());
                post(stays, &name, (from, Account::Transfer), part, tranche);
                let to = Account::Available(gone.id.clone());
                post(gone, &name, (Account::Transfer, to), part, None);
            }
        }
    }
}

/// What counts towards tiers is added up day by day; the higher tier stays.
fn climb(one: &Climb, tier: Option<&String>, two: &mut Member, terms: Terms<'_>) {
    let mut days: std::collections::BTreeMap<_, i64> = two.climb.days.iter().copied().collect();
    for (day, amount) in &one.days {
        let sum = days.entry(*day).or_default();
        *sum = sum.saturating_add(*amount);
    }
    two.climb.days = days.into_iter().collect();
    let rank = |name: Option<&String>| {
        let levels = terms.merchant.rules.tiers.as_ref().map_or(&[][..], |tiers| &tiers.levels);
        name.and_then(|name| levels.iter().position(|level| level.name == *name))
    };
    if two.tier.is_none() || rank(tier) > rank(two.tier.as_ref()) {
        two.tier = tier.cloned();
        (two.climb.since, two.climb.until, two.climb.took) = (one.since, one.until, one.took);
    }
}

/// Takes from the member's record everything that says who they are. Postings, lots and sums stay.
pub(super) fn forget(desk: &mut Desk<'_>) {
    let member = &mut desk.book.member;
    member.consent = false;
    member.birthday = None;
    member.locale = None;
    member.referrer = None;
    member.tags.clear();
    desk.book.wakes.clear();
    desk.book.memories.clear();
    for delivery in &mut desk.out.deliveries {
        delivery.state = DeliveryState::Suppressed;
    }
    desk.out.fate = Some(Fate::Forgotten);
}
