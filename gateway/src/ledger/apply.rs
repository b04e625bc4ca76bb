//! One verdict, whole or not at all: checked against caps and balances on a copy, then taken over.

use super::{Terms, fault};
use perkgate_domain::decision::{Decision, Earn, Fault, FaultKind, Message, Offer, Price, Reward, Share};
use perkgate_domain::delivery::{Delivery, DeliveryState};
use perkgate_domain::ids::{DeliveryId, LotId, RewardId, base32, derive, hash};
use perkgate_domain::ledger::{Account, HeldReward, Lot, Posting, RewardState};
use perkgate_domain::member::Member;
use perkgate_domain::money::share;
use perkgate_domain::plan::{Count, Counter, MemberBook, QueuedEntry, Settlement};
use perkgate_domain::programme::Installation;
use perkgate_domain::purchase::Event;
use std::collections::HashMap;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Who decides about what, under which terms.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub(super) entry: &'a QueuedEntry,
    pub(super) installation: &'a Installation,
    pub(super) terms: Terms<'a>,
}

/// The effects of a verdict while it may still fail.
struct Draft<'a> {
    act: Act<'a>,
    member: Member,
    rewards: Vec<HeldReward>,
    counters: HashMap<Counter, i64>,
    out: Settlement,
    notes: Vec<String>,
    /// Which decision is being carried out: makes derived ids unique within the verdict.
    place: usize,
}

/// Carries out `decisions`, or nothing of them.
///
/// # Errors
/// [`Fault`] if one goes beyond a cap or a balance.
pub(super) fn verdict(
    act: Act<'_>,
    decisions: &[Decision],
    opened: &mut MemberBook,
    counters: &mut HashMap<Counter, i64>,
    settlement: &mut Settlement,
) -> Result<Vec<String>, Fault> {
    let mut draft = Draft {
        act,
        member: opened.member.clone(),
        rewards: opened.rewards.clone(),
        counters: HashMap::new(),
        out: Settlement::of(act.entry, settlement.state),
        notes: Vec::new(),
        place: 0,
    };
    let posted = settlement.postings.len();
    check_caps(act, decisions, counters, &mut draft)?;
    for (place, decision) in decisions.iter().enumerate() {
        draft.place = place;
        draft.carry_out(decision, counters, posted)?;
    }
    opened.member = draft.member;
    opened.rewards = draft.rewards;
    for (counter, amount) in draft.counters {
        let total = counters.entry(counter.clone()).or_default();
        *total += amount;
        settlement.counters.push(Count { total: *total, counter, amount });
    }
    if let Some((_, bytes)) = draft.out.memories.last() {
        opened.memories.insert(act.installation.id.clone(), bytes.clone());
    }
    settlement.postings.extend(draft.out.postings);
    settlement.lots.extend(draft.out.lots);
    settlement.rewards.extend(draft.out.rewards);
    settlement.memories.extend(draft.out.memories);
    settlement.deliveries.extend(draft.out.deliveries);
    Ok(draft.notes)
}

/// Points beyond a cap refuse the whole verdict: clipped points would be a third rule that neither plugin nor merchant wrote.
fn check_caps(
    act: Act<'_>,
    decisions: &[Decision],
    counters: &HashMap<Counter, i64>,
    draft: &mut Draft<'_>,
) -> Result<(), Fault> {
    let caps = &act.installation.caps;
    let points = decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Earn(earn) if earn.wallet == "points" => Some(earn.amount),
            _ => None,
        })
        .fold(0_i64, i64::saturating_add);
    if points == 0 {
        return Ok(());
    }
    if let Some(cap) = caps.points_per_purchase.filter(|cap| points > *cap) {
        let detail = format!("{points} points for one entry are more than the cap of {cap} (caps.points_per_purchase)");
        return Err(fault(FaultKind::Cap, detail));
    }
    if let Some(cap) = caps.points_per_day {
        let counter = counter(act, "points".to_owned(), act.terms.day.to_owned());
        let so_far = counters.get(&counter).copied().unwrap_or(0);
        if so_far.saturating_add(points) > cap {
            let detail = format!(
                "{points} points would make {} on {}, more than the cap of {cap} (caps.points_per_day)",
                so_far.saturating_add(points),
                act.terms.day
            );
            return Err(fault(FaultKind::Cap, detail));
        }
        draft.counters.insert(counter, points);
    }
    Ok(())
}

fn counter(act: Act<'_>, name: String, day: String) -> Counter {
    Counter { merchant: act.entry.merchant.clone(), installation: act.installation.id.clone(), name, day }
}

impl Draft<'_> {
    fn carry_out(&mut self, decision: &Decision, counters: &HashMap<Counter, i64>, posted: usize) -> Result<(), Fault> {
        match decision {
            Decision::Earn(earn) => self.earn(earn, posted),
            Decision::Spend(spend) => {
                self.pay(&Price { wallet: spend.wallet.clone(), amount: spend.amount }, "spend", posted)?;
            }
            Decision::Reward(reward) => self.reward(reward, posted)?,
            Decision::Offer(offer) => self.offer(offer, counters)?,
            Decision::Tier { name } => self.member.tier.clone_from(name),
            Decision::Tag { name, present } => self.tag(name, *present),
            Decision::Message(message) => self.message(message),
            Decision::Remember { bytes } => self.out.memories.push((self.act.installation.id.clone(), bytes.clone())),
            // The manifest check knows no `wake` yet, so no grant can allow one.
            Decision::Wake(_) => {
                return Err(fault(FaultKind::NotGranted, "this gateway does not serve `wake` yet".to_owned()));
            }
        }
        Ok(())
    }

    /// Parts that make an id of this entry, this installation and this place in its answer.
    fn id(&self, prefix: &str, extra: &str) -> String {
        let entry = self.act.entry;
        let event = &entry.event;
        let place = self.place.to_string();
        derive(
            prefix,
            &[
                entry.merchant.as_str(),
                entry.source.as_str(),
                event.kind().as_str(),
                event.external_id(),
                self.act.installation.id.as_str(),
                &place,
                extra,
            ],
        )
    }

    fn post(
        &mut self,
        wallet: &str,
        source: Account,
        destination: Account,
        amount: i64,
        lot: Option<LotId>,
        posted: usize,
    ) {
        let ordinal = i64::try_from(posted + self.out.postings.len()).unwrap_or(i64::MAX);
        post(
            &mut self.member,
            &mut self.out,
            self.act.entry,
            Movement { wallet, source, destination, amount, lot, ordinal },
        );
    }

    fn earn(&mut self, earn: &Earn, posted: usize) {
        let id = LotId::new(self.id("lot", ""));
        let shares =
            if earn.shares.is_empty() { spread(&self.act.entry.event, earn.amount) } else { earn.shares.clone() };
        self.out.lots.push(Lot {
            id: id.clone(),
            entry: self.act.entry.id,
            member: self.member.id.clone(),
            installation: self.act.installation.id.clone(),
            digest: self.act.installation.digest,
            settings_revision: self.act.installation.settings_revision,
            wallet: earn.wallet.clone(),
            amount: earn.amount,
            reversed: 0,
            shares,
        });
        let member = self.member.id.clone();
        self.post(&earn.wallet, Account::Issued, Account::Available(member), earn.amount, Some(id), posted);
    }

    fn pay(&mut self, price: &Price, what: &str, posted: usize) -> Result<(), Fault> {
        let available = self.member.balances.get(&price.wallet).map_or(0, |balance| balance.available);
        if available < price.amount {
            let detail = format!("{what} takes {} of {}, the member has {available}", price.amount, price.wallet);
            return Err(fault(FaultKind::Invalid, detail));
        }
        let member = self.member.id.clone();
        self.post(&price.wallet, Account::Available(member), Account::Redeemed, price.amount, None, posted);
        Ok(())
    }

    fn reward(&mut self, reward: &Reward, posted: usize) -> Result<(), Fault> {
        if let Some(price) = &reward.price {
            self.pay(price, &format!("reward `{}`", reward.key), posted)?;
        }
        let terms = (reward.key.clone(), reward.title.clone(), String::new());
        self.hold(terms, reward.price.clone(), reward.valid_days, false);
        Ok(())
    }

    fn offer(&mut self, offer: &Offer, counters: &HashMap<Counter, i64>) -> Result<(), Fault> {
        if self.act.installation.partner.is_none() {
            let detail = "an offer needs a partner: add `partner = \"…\"` to the [[plugins]] entry".to_owned();
            return Err(fault(FaultKind::NotGranted, detail));
        }
        let at = self.act.entry.event.at();
        let held = |reward: &HeldReward| {
            let lapsed = reward.expires_at.is_some_and(|end| end <= at);
            reward.installation == self.act.installation.id && reward.key == offer.key && !lapsed
        };
        if self.rewards.iter().any(held) {
            self.notes.push(format!("the member holds offer `{}` already", offer.key));
            return Ok(());
        }
        if let Some(limit) = offer.limit {
            let counter = counter(self.act, format!("offer/{}", offer.key), String::new());
            let mine = self.counters.get(&counter).copied().unwrap_or(0);
            if counters.get(&counter).copied().unwrap_or(0) + mine >= i64::from(limit) {
                self.notes.push(format!("offer `{}` has run out: {limit} members have it", offer.key));
                return Ok(());
            }
            *self.counters.entry(counter).or_default() += 1;
        }
        self.hold((offer.key.clone(), offer.title.clone(), offer.text.clone()), None, offer.valid_days, true);
        Ok(())
    }

    /// Gives the member a reward or offer with a code.
    fn hold(&mut self, terms: (String, String, String), price: Option<Price>, valid_days: Option<u32>, offer: bool) {
        let id = RewardId::new(self.id("rwd", ""));
        let secret = hash(&[self.act.terms.code_key, b"reward code", id.as_str().as_bytes()]);
        let at = self.act.entry.event.at();
        let (key, title, text) = terms;
        let held = HeldReward {
            // Ten digits are 50 bits: not to be guessed at a till, and still typed in a breath.
            code: base32(&secret, 10).to_ascii_uppercase(),
            id,
            member: self.member.id.clone(),
            entry: self.act.entry.id,
            installation: self.act.installation.id.clone(),
            partner: if offer { self.act.installation.partner.clone() } else { None },
            key,
            title,
            text,
            price,
            state: RewardState::Issued,
            issued_at: at,
            expires_at: valid_days.map(|days| at.plus_ms(i64::from(days) * DAY_MS)),
        };
        self.rewards.push(held.clone());
        self.out.rewards.push(held);
    }

    fn tag(&mut self, name: &str, present: bool) {
        let tags = &mut self.member.tags;
        match (tags.binary_search_by(|tag| tag.as_str().cmp(name)), present) {
            (Err(at), true) => tags.insert(at, name.to_owned()),
            (Ok(at), false) => drop(tags.remove(at)),
            _ => {}
        }
    }

    fn message(&mut self, message: &Message) {
        if self.act.terms.channels.is_empty() {
            self.notes.push(format!("message `{}` goes nowhere: the merchant has no channel", message.key));
        }
        let suppressed = (!self.member.consent).then(|| "the member did not agree to messages".to_owned());
        for channel in self.act.terms.channels {
            self.out.deliveries.push(Delivery {
                id: DeliveryId::new(self.id("dlv", channel.as_str())),
                merchant: self.act.entry.merchant.clone(),
                channel: channel.clone(),
                entry: self.act.entry.id,
                installation: self.act.installation.id.clone(),
                member: self.member.id.clone(),
                message: message.clone(),
                state: if suppressed.is_some() { DeliveryState::Suppressed } else { DeliveryState::Due },
                note: suppressed.clone(),
                created_at: self.act.terms.now,
            });
        }
    }
}

/// One movement of units.
pub(super) struct Movement<'a> {
    pub(super) wallet: &'a str,
    pub(super) source: Account,
    pub(super) destination: Account,
    pub(super) amount: i64,
    pub(super) lot: Option<LotId>,
    pub(super) ordinal: i64,
}

/// Writes a posting, links it into the member's chain and moves the cached balance.
pub(super) fn post(member: &mut Member, out: &mut Settlement, entry: &QueuedEntry, movement: Movement<'_>) {
    let mut posting = Posting {
        entry: entry.id,
        ordinal: movement.ordinal,
        member: member.id.clone(),
        wallet: movement.wallet.to_owned(),
        source: movement.source,
        destination: movement.destination,
        amount: movement.amount,
        lot: movement.lot,
        at: entry.event.at(),
        hash: [0; 32],
    };
    posting.hash = posting.link(&member.chain);
    member.chain = posting.hash;
    let balance = member.balances.entry(movement.wallet.to_owned()).or_default();
    if matches!(posting.source, Account::Available(_)) {
        balance.available -= posting.amount;
    }
    if matches!(posting.destination, Account::Available(_)) {
        balance.available += posting.amount;
    }
    out.postings.push(posting);
}

/// Shares an amount over a purchase's lines by what they cost; over nothing where no purchase earned it.
fn spread(event: &Event, amount: i64) -> Vec<Share> {
    let Event::Purchase(purchase) = event else { return Vec::new() };
    let weights: Vec<i64> = purchase.lines.iter().map(|line| line.total).collect();
    purchase
        .lines
        .iter()
        .zip(share(amount, &weights))
        .filter(|(_, amount)| *amount > 0)
        .map(|(line, amount)| Share { line: line.id.clone(), amount })
        .collect()
}
