//! A balance: of which lots it is what is left, what is pending until when, what is lost next.

use super::Voice;
use super::texts::balance as texts;
use perkgate_domain::event::Kind;
use perkgate_domain::ids::EntryId;
use perkgate_domain::ledger::{Lot, TrancheKey, unspent};
use perkgate_domain::member::{Member, Wallet};
use perkgate_domain::time::Moment;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Parts told of one by one, the newest; the others are added up.
const PARTS: usize = 8;

/// A lot, and where it comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// As it stands.
    pub lot: Lot,
    /// What earned it.
    pub kind: Kind,
    /// What staff call the order, for purchases and edits.
    pub order: String,
}

/// When something of a wallet may be spent next, and how much.
#[must_use]
pub fn matures_next(wallet: &Wallet) -> Option<(Moment, i64)> {
    soonest(wallet.tranches.iter().map(|tranche| (tranche.key.matures, tranche.amount)))
}

/// When something of a wallet is lost next, and how much.
#[must_use]
pub fn lost_next(wallet: &Wallet) -> Option<(Moment, i64)> {
    soonest(wallet.tranches.iter().map(|tranche| (wallet.lost_at(tranche.key.expires), tranche.amount)))
}

fn soonest(amounts: impl Iterator<Item = (Option<Moment>, i64)> + Clone) -> Option<(Moment, i64)> {
    let first = amounts.clone().filter_map(|(at, _)| at).min()?;
    Some((first, amounts.filter(|(at, _)| *at == Some(first)).map(|(_, amount)| amount).sum()))
}

/// What a member's wallets are made of, sentence by sentence; of one wallet, if one is named.
#[must_use]
pub fn balance(member: &Member, only: Option<&str>, origins: &[Origin], voice: Voice<'_>) -> Vec<String> {
    let wallets: Vec<_> = member.wallets.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    match (wallets.as_slice(), only) {
        ([], Some(wallet)) => return vec![voice.say(texts::NOTHING_YET, &[("wallet", wallet)])],
        ([], None) => return vec![voice.say(texts::NO_WALLETS, &[])],
        _ => {}
    }
    let lots: Vec<Lot> = origins.iter().map(|origin| origin.lot.clone()).collect();
    wallets
        .into_iter()
        .flat_map(|(name, wallet)| Holding { member, name, wallet, lots: &lots, origins }.say(voice))
        .collect()
}

/// One wallet and what is known of it.
struct Holding<'a> {
    member: &'a Member,
    name: &'a str,
    wallet: &'a Wallet,
    lots: &'a [Lot],
    origins: &'a [Origin],
}

impl Holding<'_> {
    fn say(&self, voice: Voice<'_>) -> Vec<String> {
        let units = |amount| voice.language.units(amount, self.name);
        let mut said = Vec::new();
        if self.wallet.available < 0 {
            said.push(voice.say(texts::OWED, &[("units", &units(-self.wallet.available))]));
        } else {
            let keys = self.keys(|key| key.matures.is_none());
            let parts = self.parts(&keys, self.wallet.available, voice);
            let units = units(self.wallet.available);
            said.push(voice.say(texts::AVAILABLE, &[("units", &units), ("parts", &parts)]));
        }
        let mut pending: BTreeMap<Moment, i64> = BTreeMap::new();
        for tranche in &self.wallet.tranches {
            if let Some(at) = tranche.key.matures {
                *pending.entry(at).or_default() += tranche.amount;
            }
        }
        for (at, amount) in pending.iter().take(PARTS) {
            let keys = self.keys(|key| key.matures == Some(*at));
            let parts = self.parts(&keys, *amount, voice);
            let (units, when) = (units(*amount), voice.moment(*at));
            said.push(voice.say(texts::PENDING, &[("units", &units), ("when", &when), ("parts", &parts)]));
        }
        let beyond: i64 = pending.values().skip(PARTS).sum();
        if beyond > 0 {
            said.push(voice.say(texts::PENDING_MORE, &[("units", &units(beyond))]));
        }
        if let Some((end, amount)) = lost_next(self.wallet) {
            let (units, day) = (units(amount), voice.last_day(end));
            said.push(voice.say(texts::LOST_NEXT, &[("units", &units), ("day", &day)]));
        }
        said.push(self.in_all(voice));
        said
    }

    fn in_all(&self, voice: Voice<'_>) -> String {
        let Wallet { spent, expired, reversed, .. } = self.wallet;
        let earned = voice.language.units(self.wallet.earned(), self.name);
        let [spent, expired, reversed] = [*spent, *expired, *reversed].map(|amount| voice.language.number(amount));
        let parts = [("earned", earned.as_str()), ("spent", &spent), ("expired", &expired), ("reversed", &reversed)];
        voice.say(texts::IN_ALL, &parts)
    }

    fn keys(&self, which: impl Fn(&TrancheKey) -> bool) -> Vec<TrancheKey> {
        self.wallet.tranches.iter().map(|tranche| tranche.key).filter(which).collect()
    }

    /// ` = 20 from … + 15 from …`: what is left of which lots, the newest first; empty for nothing.
    fn parts(&self, keys: &[TrancheKey], whole: i64, voice: Voice<'_>) -> String {
        let mut left: BTreeMap<EntryId, (i64, &Origin)> = BTreeMap::new();
        for key in keys {
            // What fell due by `through` has been seen to; the ledger looks at lots as of then.
            for (place, amount) in unspent(self.lots, self.name, *key, self.member.through, Some(self.wallet)) {
                let origin = &self.origins[place];
                left.entry(origin.lot.entry).or_insert((0, origin)).0 += amount;
            }
        }
        let mut left: Vec<(i64, &Origin)> = left.into_values().filter(|(amount, _)| *amount > 0).collect();
        left.sort_by_key(|(_, origin)| (Reverse(origin.lot.earned_at), Reverse(origin.lot.entry)));
        let told = if left.len() > PARTS { PARTS } else { left.len() };
        let mut said: Vec<String> = left[..told].iter().map(|(amount, origin)| part(*amount, origin, voice)).collect();
        let number = |amount| voice.language.number(amount);
        if let rest @ [_, ..] = &left[told..] {
            let (amount, count) = (number(rest.iter().map(|(amount, _)| amount).sum()), rest.len().to_string());
            said.push(voice.say(texts::FROM_MORE, &[("amount", &amount), ("count", &count)]));
        }
        // A sum that does not add up would be worse than a part of which nothing is known.
        let unknown = whole - left.iter().map(|(amount, _)| amount).sum::<i64>();
        if unknown > 0 && whole > 0 {
            said.push(voice.say(texts::FROM_ELSEWHERE, &[("amount", &number(unknown))]));
        }
        if said.is_empty() { String::new() } else { format!(" = {}", said.join(" + ")) }
    }
}

fn part(amount: i64, origin: &Origin, voice: Voice<'_>) -> String {
    let sentence = match origin.kind {
        Kind::Purchase => texts::FROM_ORDER,
        Kind::Edit => texts::FROM_CHANGE,
        _ => texts::FROM_PLUGIN,
    };
    let (amount, date) = (voice.language.number(amount), voice.date(origin.lot.earned_at));
    let plugin = origin.lot.installation.as_str();
    voice.say(sentence, &[("amount", &amount), ("order", &origin.order), ("plugin", plugin), ("date", &date)])
}
