//! One verdict, whole or not at all: whatever it did is gone back on if a part of it cannot be done.

use super::desk::Desk;
use super::{caps, fault, tiers};
use perkgate_domain::decision::{Decision, Fault, FaultKind, Offer, Price, Reward};
use perkgate_domain::ids::{RewardId, base32, hash};
use perkgate_domain::ledger::{Account, Expiry, HeldReward, RewardState};
use perkgate_domain::plan::Counter;
use perkgate_domain::programme::Installation;
use perkgate_domain::rules::RewardKind;
use perkgate_domain::time::Moment;

/// What a reward says of itself.
pub(super) struct Kept {
    pub(super) key: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) kind: Option<RewardKind>,
    pub(super) price: Option<Price>,
    pub(super) paid: Vec<(Expiry, i64)>,
    pub(super) returns_price: bool,
    pub(super) expires_at: Option<Moment>,
    pub(super) offer: bool,
}

/// Carries out `decisions`, or nothing of them. Answers what became of single ones where that is not plain.
///
/// # Errors
/// [`Fault`] if one goes beyond a cap or a balance.
pub(super) fn verdict(
    desk: &mut Desk<'_>,
    installation: &Installation,
    decisions: &[Decision],
) -> Result<Vec<String>, Fault> {
    let mark = desk.mark();
    // Nothing is done yet if this says no, and what the merchant is told of it stays.
    caps::check(desk, installation, decisions)?;
    let mut notes = Vec::new();
    for (place, decision) in decisions.iter().enumerate() {
        let place = place.to_string();
        let mut verdict = Verdict { desk, installation, place: &place, notes: &mut notes };
        if let Err(fault) = verdict.carry_out(decision) {
            desk.go_back(mark);
            return Err(fault);
        }
    }
    let remembered = decisions.iter().find_map(|decision| match decision {
        Decision::Remember { bytes } => Some(bytes),
        _ => None,
    });
    if let Some(bytes) = remembered {
        desk.book.memories.insert(installation.id.clone(), bytes.clone());
    }
    Ok(notes)
}

/// One decision of one installation.
pub(super) struct Verdict<'a, 'd> {
    pub(super) desk: &'a mut Desk<'d>,
    pub(super) installation: &'a Installation,
    /// Where in the answer: makes derived ids unique within the verdict.
    pub(super) place: &'a str,
    pub(super) notes: &'a mut Vec<String>,
}

impl Verdict<'_, '_> {
    fn carry_out(&mut self, decision: &Decision) -> Result<(), Fault> {
        match decision {
            Decision::Earn(earn) => self.desk.earn(self.installation, self.place, earn, self.desk.at()),
            Decision::Spend(spend) => {
                self.pay(&Price { wallet: spend.wallet.clone(), amount: spend.amount }, "spend")?;
            }
            Decision::Reward(reward) => self.reward(reward)?,
            Decision::Offer(offer) => self.offer(offer)?,
            Decision::Tier { name } => tiers::put(self.desk, name.as_deref()),
            Decision::Tag { name, present } => tag(&mut self.desk.book.member.tags, name, *present),
            Decision::Message(message) => self.message(message),
            Decision::Remember { bytes } => {
                self.desk.out.memories.push((self.installation.id.clone(), bytes.clone()));
            }
            Decision::Wake(wake) => self.wake(wake)?,
            Decision::Task(task) => self.task(task),
            Decision::Ask(ask) => self.ask(ask)?,
        }
        Ok(())
    }

    /// Parts that make an id of this decision.
    pub(super) fn id(&self, prefix: &str, extra: &str) -> String {
        self.desk.id(prefix, &[self.installation.id.as_str(), self.place, extra])
    }

    fn pay(&mut self, price: &Price, what: &str) -> Result<Vec<(Expiry, i64)>, Fault> {
        let wallets = &self.desk.book.member.wallets;
        let available = wallets.get(&price.wallet).map_or(0, |wallet| wallet.available);
        if available < price.amount {
            let detail = format!("{what} takes {} of {}, the member has {available}", price.amount, price.wallet);
            return Err(fault(FaultKind::Invalid, detail));
        }
        Ok(self.desk.spend(&price.wallet, price.amount, &Account::Redeemed, self.desk.at()))
    }

    fn reward(&mut self, reward: &Reward) -> Result<(), Fault> {
        let paid = match &reward.price {
            Some(price) => self.pay(price, &format!("reward `{}`", reward.key))?,
            None => Vec::new(),
        };
        let kept = Kept {
            key: reward.key.clone(),
            title: reward.title.clone(),
            text: String::new(),
            kind: None,
            price: reward.price.clone(),
            paid,
            returns_price: false,
            expires_at: self.lapses(reward.valid_days),
            offer: false,
        };
        self.keep(kept);
        Ok(())
    }

    fn lapses(&self, valid_days: Option<u32>) -> Option<Moment> {
        valid_days.map(|days| self.desk.terms.zone.end_of_day(self.desk.at(), days))
    }

    fn offer(&mut self, offer: &Offer) -> Result<(), Fault> {
        if self.installation.partner.is_none() {
            let detail = "an offer needs a partner: add `partner = \"…\"` to the [[plugins]] entry".to_owned();
            return Err(fault(FaultKind::NotGranted, detail));
        }
        let at = self.desk.at();
        let held = |reward: &HeldReward| {
            let lapsed = reward.expires_at.is_some_and(|end| end <= at);
            reward.installation == self.installation.id && reward.key == offer.key && !lapsed
        };
        if self.desk.book.rewards.iter().any(held) {
            self.notes.push(format!("the member holds offer `{}` already", offer.key));
            return Ok(());
        }
        if let Some(limit) = offer.limit {
            let counter = Counter {
                merchant: self.desk.entry.merchant.clone(),
                installation: self.installation.id.clone(),
                name: format!("offer/{}", offer.key),
                scope: String::new(),
            };
            if self.desk.counted(&counter) >= i64::from(limit) {
                self.notes.push(format!("offer `{}` has run out: {limit} members have it", offer.key));
                return Ok(());
            }
            self.desk.count(counter, 1);
        }
        let kept = Kept {
            key: offer.key.clone(),
            title: offer.title.clone(),
            text: offer.text.clone(),
            kind: None,
            price: None,
            paid: Vec::new(),
            returns_price: false,
            expires_at: self.lapses(offer.valid_days),
            offer: true,
        };
        self.keep(kept);
        Ok(())
    }

    fn keep(&mut self, kept: Kept) {
        let id = RewardId::new(self.id("rwd", ""));
        let partner = if kept.offer { self.installation.partner.clone() } else { None };
        hold(self.desk, id, (&self.installation.id, partner), kept, self.desk.at());
    }
}

/// Gives the member a reward or offer with a code.
pub(super) fn hold(
    desk: &mut Desk<'_>,
    id: RewardId,
    (installation, partner): (&perkgate_domain::ids::InstallationId, Option<perkgate_domain::ids::PartnerId>),
    kept: Kept,
    at: Moment,
) {
    let secret = hash(&[desk.terms.code_key, b"reward code", id.as_str().as_bytes()]);
    let held = HeldReward {
        // Ten digits are 50 bits: not to be guessed at a till, and still typed in a breath.
        code: base32(&secret, 10).to_ascii_uppercase(),
        id,
        member: desk.book.member.id.clone(),
        entry: desk.entry.id,
        installation: installation.clone(),
        partner,
        key: kept.key,
        title: kept.title,
        text: kept.text,
        price: kept.price,
        paid: kept.paid,
        kind: kept.kind,
        returns_price: kept.returns_price,
        used_in: None,
        state: RewardState::Issued,
        issued_at: at,
        expires_at: kept.expires_at,
    };
    // Oldest first, as they are read: what comes late is not the newest.
    let rewards = &mut desk.book.rewards;
    let place = rewards.partition_point(|other| (other.issued_at, &other.id) <= (held.issued_at, &held.id));
    rewards.insert(place, held.clone());
    desk.out.rewards.push(held);
}

/// Puts a tag among sorted ones, or takes it out.
pub(super) fn tag(tags: &mut Vec<String>, name: &str, present: bool) {
    match (tags.binary_search_by(|tag| tag.as_str().cmp(name)), present) {
        (Err(at), true) => tags.insert(at, name.to_owned()),
        (Ok(at), false) => drop(tags.remove(at)),
        _ => {}
    }
}
