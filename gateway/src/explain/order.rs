//! An order: whose it is and how it stands, what it gave, and what became of that.

use super::texts::order as texts;
use super::{Voice, decisions, unstopped};
use perkgate_domain::delivery::{Delivery, DeliveryState, TOO_OLD};
use perkgate_domain::event::Edit;
use perkgate_domain::ids::EntryId;
use perkgate_domain::ledger::{Expiry, HeldReward, Lot, RewardState};
use perkgate_domain::member::Member;
use perkgate_domain::plan::DecisionRecord;
use perkgate_domain::programme::Installation;
use perkgate_domain::purchase::{Purchase, Refund};
use perkgate_domain::time::Moment;
use std::collections::BTreeMap;

/// An order, and everything that followed.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The purchase's entry.
    pub entry: EntryId,
    /// Where it stands, as the database has it.
    pub state: &'a str,
    /// Why, where that is not plain.
    pub cause: Option<&'a str>,
    /// As it was bought.
    pub purchase: &'a Purchase,
    /// Who bought, as they are now; none while nobody is known.
    pub member: Option<&'a Member>,
    /// The programme's, as they are now.
    pub installations: Vec<&'a Installation>,
    /// What plugins said to the purchase, its refunds and its edits.
    pub decisions: Vec<(EntryId, &'a DecisionRecord)>,
    /// What these earned.
    pub lots: &'a [Lot],
    /// Rewards and offers that followed.
    pub rewards: &'a [HeldReward],
    /// Rewards and offers whose codes it names.
    pub coupons: &'a [HeldReward],
    /// Messages that followed.
    pub deliveries: Vec<&'a Delivery>,
    /// Refunds and edits, in the order in which they came.
    pub later: Vec<Later<'a>>,
}

/// What became of an order afterwards.
#[derive(Clone, Debug)]
pub struct Later<'a> {
    /// Its entry.
    pub entry: EntryId,
    /// Where it stands, as the database has it.
    pub state: &'a str,
    /// Why, where that is not plain.
    pub cause: Option<&'a str>,
    /// When it happened.
    pub at: Moment,
    /// What it was.
    pub change: Change<'a>,
    /// What it took back, by wallet.
    pub taken: BTreeMap<String, i64>,
}

/// What can become of an order.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Money was given back.
    Refund(&'a Refund),
    /// It was changed.
    Edit(&'a Edit),
}

impl Order<'_> {
    /// When a lot is lost; none if never, or if nobody knows any more.
    pub(super) fn end(&self, lot: &Lot) -> Option<Moment> {
        match lot.expires {
            Expiry::At(at) => Some(at),
            Expiry::Sliding => self.member?.wallets.get(&lot.wallet)?.slides_until,
            Expiry::Never => None,
        }
    }

    /// What a line is called, in the order as it was bought or as it was changed to.
    pub(super) fn line(&self, id: &str) -> Option<&str> {
        let edits = self.later.iter().filter_map(|later| match later.change {
            Change::Edit(edit) => Some(&edit.purchase),
            Change::Refund(_) => None,
        });
        let mut lines = std::iter::once(self.purchase).chain(edits).flat_map(|purchase| &purchase.lines);
        lines.find(|line| line.id == id).map(|line| line.name.as_str())
    }
}

/// Everything there is to be said about an order, sentence by sentence.
#[must_use]
pub fn order(order: &Order<'_>, voice: Voice<'_>) -> Vec<String> {
    let mut said = head(order, voice);
    if order.state == "settled" {
        said.extend(decisions::of(order, order.entry, voice));
        said.extend(decisions::silent(order, voice));
    }
    let (member, at) = (order.member, order.purchase.placed_at);
    if let Some(tier) = member.filter(|member| member.climb.since == Some(at)).and_then(|member| member.tier.as_ref()) {
        said.push(voice.say(texts::TIER, &[("tier", &voice.language.quoted(tier))]));
    }
    said.extend(order.rewards.iter().map(|held| reward(held, voice)));
    said.extend(order.coupons.iter().filter(|held| held.used_in == Some(order.entry)).map(|held| {
        let title = voice.language.quoted(&held.title);
        voice.say(texts::CODE_USED, &[("code", &held.code), ("title", &title)])
    }));
    said.extend(order.deliveries.iter().map(|delivery| message(delivery, voice)));
    for later in &order.later {
        said.push(what_became(order, later, voice));
        if matches!(later.change, Change::Refund(_)) {
            said.extend(decisions::of(order, later.entry, voice));
        }
    }
    let mut forgiven: BTreeMap<String, i64> = BTreeMap::new();
    for lot in order.lots {
        *forgiven.entry(lot.wallet.clone()).or_default() += lot.forgiven;
    }
    said.extend(voice.amounts(&forgiven).map(|units| voice.say(texts::FORGIVEN, &[("units", &units)])));
    said
}

/// What it is, whose, and how it stands.
fn head(order: &Order<'_>, voice: Voice<'_>) -> Vec<String> {
    let purchase = order.purchase;
    let total = voice.language.money(purchase.total, purchase.currency);
    let name = purchase.reference.as_deref().unwrap_or(&purchase.id);
    let date = voice.date(purchase.placed_at);
    let mut first = voice.say(texts::ORDER, &[("order", name), ("date", &date), ("total", &total)]);
    if let Some(member) = order.member {
        first.push(' ');
        first += &voice.say(texts::MEMBER, &[("member", member.id.as_str())]);
    }
    let cause = order.cause.map(unstopped);
    let mut said = vec![first];
    match (order.state, cause) {
        ("queued", _) => said.push(voice.say(texts::QUEUED, &[])),
        ("unclaimed", _) => said.push(voice.say(texts::NOBODY, &[])),
        ("parked", Some(text)) => {
            said.push(voice.say(texts::PARKED, &[("text", text)]));
            return said;
        }
        _ => {}
    }
    said.extend(cause.map(|text| voice.say(texts::NOTED, &[("text", text)])));
    said
}

fn reward(held: &HeldReward, voice: Voice<'_>) -> String {
    let state = match held.state {
        RewardState::Issued => texts::ISSUED,
        RewardState::Used => texts::USED,
        RewardState::Withdrawn => texts::WITHDRAWN,
        RewardState::Lapsed => texts::LAPSED,
        RewardState::Undone => texts::UNDONE,
    };
    let (state, title) = (voice.say(state, &[]), voice.language.quoted(&held.title));
    let (partner, sentence) = match &held.partner {
        Some(partner) => (partner.as_str(), texts::OFFER),
        None => ("", texts::REWARD),
    };
    let parts = [("title", title.as_str()), ("code", &held.code), ("state", &state), ("partner", partner)];
    let mut said = vec![voice.say(sentence, &parts)];
    if let Some(price) = &held.price {
        said.push(voice.say(texts::PRICE, &[("units", &voice.language.units(price.amount, &price.wallet))]));
    }
    if let Some(end) = held.expires_at.filter(|_| held.state == RewardState::Issued) {
        said.push(voice.say(super::texts::decisions::VALID, &[("day", &voice.last_day(end))]));
    }
    said.join(" ")
}

fn message(delivery: &Delivery, voice: Voice<'_>) -> String {
    let sentence = match delivery.state {
        DeliveryState::Due => texts::MESSAGE_DUE,
        DeliveryState::Delivered => texts::MESSAGE_SENT,
        DeliveryState::Dead => texts::MESSAGE_DEAD,
        DeliveryState::Suppressed if delivery.note.as_deref() == Some(TOO_OLD) => texts::MESSAGE_TOO_OLD,
        DeliveryState::Suppressed => texts::MESSAGE_HELD,
    };
    let subject = voice.language.quoted(&delivery.message.subject);
    voice.say(sentence, &[("subject", &subject), ("channel", delivery.channel.as_str())])
}

/// One refund or change, and what it did.
fn what_became(order: &Order<'_>, later: &Later<'_>, voice: Voice<'_>) -> String {
    let (language, date) = (voice.language, voice.date(later.at));
    let mut said = vec![match later.change {
        Change::Refund(refund) => {
            let everything = || voice.say(texts::EVERYTHING, &[]);
            let what = if refund.complete { everything() } else { language.money(refund.amount, refund.currency) };
            voice.say(texts::REFUND, &[("date", &date), ("what", &what)])
        }
        Change::Edit(edit) => {
            let total = language.money(edit.purchase.total, edit.purchase.currency);
            voice.say(texts::EDIT, &[("date", &date), ("total", &total)])
        }
    }];
    if later.state != "settled" {
        said.push(waits(order, later, voice));
        return said.join(" ");
    }
    let lots = order.lots.iter().filter(|lot| lot.entry == later.entry && matches!(later.change, Change::Edit(_)));
    for lot in lots {
        said.push(voice.say(texts::ADDED, &[("units", &language.units(lot.amount, &lot.wallet))]));
        said.extend(decisions::terms(order, lot, voice));
    }
    match (voice.amounts(&later.taken), later.change) {
        (Some(units), _) => said.push(voice.say(texts::TAKEN_BACK, &[("units", &units)])),
        (None, Change::Refund(_)) => said.push(voice.say(texts::NOTHING_TAKEN, &[])),
        (None, Change::Edit(_)) => {}
    }
    said.join(" ")
}

/// Why a refund or change has not done anything yet.
fn waits(order: &Order<'_>, later: &Later<'_>, voice: Voice<'_>) -> String {
    let (given, complete) = match later.change {
        Change::Refund(refund) => (refund.currency, refund.complete),
        Change::Edit(edit) => (edit.purchase.currency, false),
    };
    let paid = order.purchase.currency;
    match later.state {
        "parked" if given != paid && !complete => {
            voice.say(texts::LATER_FOREIGN, &[("given", given.as_str()), ("paid", paid.as_str())])
        }
        "parked" => voice.say(texts::LATER_PARKED, &[("text", unstopped(later.cause.unwrap_or_default()))]),
        "unclaimed" => voice.say(texts::LATER_UNCLAIMED, &[]),
        _ => voice.say(texts::LATER_QUEUED, &[]),
    }
}
