//! Crediting: each earn is a lot, with its own maturity and expiry.

use super::desk::{Desk, Movement};
use super::tiers;
use crate::civil::Period;
use perkgate_domain::decision::{Earn, Share};
use perkgate_domain::event::Event;
use perkgate_domain::ids::LotId;
use perkgate_domain::ledger::{Account, Expiry, Lot, TrancheKey};
use perkgate_domain::money::share;
use perkgate_domain::programme::Installation;
use perkgate_domain::rules::{Activity, ExpiryRule, Maturity, Measure, Round};
use perkgate_domain::time::Moment;

impl Desk<'_> {
    /// Credits what `installation` decided, `place` being where in its answer; as of `at`.
    pub(super) fn earn(&mut self, installation: &Installation, place: &str, earn: &Earn, at: Moment) {
        let id = LotId::new(self.id("lot", &[installation.id.as_str(), place, ""]));
        let shares = if earn.shares.is_empty() { spread(&self.entry.event, earn.amount) } else { earn.shares.clone() };
        let matures = self.matures(earn, at);
        let expires = self.expires(earn, at, matures);
        let lot = Lot {
            id: id.clone(),
            entry: self.entry.id,
            member: self.book.member.id.clone(),
            installation: installation.id.clone(),
            digest: installation.digest,
            settings_revision: installation.settings_revision,
            wallet: earn.wallet.clone(),
            amount: earn.amount,
            reversed: 0,
            forgiven: 0,
            expired: 0,
            earned_at: at,
            matures_at: matures,
            expires,
            shares,
        };
        if let Some(lots) = &mut self.book.lots {
            lots.push(lot.clone());
        }
        self.out.lots.push(lot);
        self.post(Movement {
            wallet: &earn.wallet,
            source: Account::Issued,
            destination: if matures.is_some() { self.pending() } else { self.available() },
            amount: earn.amount,
            lot: Some(id),
            tranche: Some(TrancheKey { matures, expires }),
            at,
        });
        let points = |by: &Measure| matches!(by, Measure::Points(wallet) if *wallet == earn.wallet);
        tiers::count(self, points, at, earn.amount);
    }

    /// When it may be spent; none at once. Windows are those of purchases; what nobody can return matures at once.
    fn matures(&self, earn: &Earn, at: Moment) -> Option<Moment> {
        let bought = matches!(self.entry.event, Event::Purchase(_) | Event::Edit(_));
        let rules = &self.terms.merchant.rules;
        let days = match (earn.matures_days, rules.wallets.get(&earn.wallet).map(|terms| &terms.matures)) {
            (Some(days), _) => days,
            (None, Some(Maturity::Days(days))) => *days,
            (None, Some(Maturity::On(on))) => return (*on > at).then_some(*on),
            (None, Some(Maturity::ReturnWindow)) if bought => rules.return_window_days.unwrap_or(0),
            (None, Some(Maturity::RefundWindow)) if bought => self.terms.refund_window_days.unwrap_or(0),
            _ => 0,
        };
        (days > 0).then(|| self.terms.zone.days_later(at, days))
    }

    /// When it is lost: never before there was a day to spend it on.
    fn expires(&mut self, earn: &Earn, at: Moment, matures: Option<Moment>) -> Expiry {
        let zone = self.terms.zone;
        let rule = self.terms.merchant.rules.wallets.get(&earn.wallet).map(|terms| &terms.expires);
        let end = match (earn.valid_days, rule) {
            (Some(days), _) => zone.end_of_day(at, days),
            (None, None | Some(ExpiryRule::Never)) => return Expiry::Never,
            (None, Some(ExpiryRule::Days { days, round })) => {
                let end = zone.end_of_day(at, *days);
                let last = end.plus_ms(-1);
                round.map_or(end, |round| {
                    let period = match round {
                        Round::Month => Period::Month,
                        Round::Quarter => Period::Quarter,
                        Round::Year => Period::Year,
                    };
                    zone.end_of(last, period)
                })
            }
            (None, Some(ExpiryRule::Dates(dates))) => match zone.next_date(at, dates) {
                Some(end) => end,
                None => return Expiry::Never,
            },
            (None, Some(ExpiryRule::Sliding { days, .. })) => {
                let until = zone.end_of_day(at, *days);
                let until = matures.map_or(until, |matures| until.max(zone.end_of_day(matures, 0)));
                let wallet = self.book.member.wallets.entry(earn.wallet.clone()).or_default();
                wallet.slides_until = Some(wallet.slides_until.map_or(until, |old| old.max(until)));
                return Expiry::Sliding;
            }
        };
        Expiry::At(matures.map_or(end, |matures| end.max(zone.end_of_day(matures, 0))))
    }

    /// Moves on what expires by sliding, where this activity counts.
    pub(super) fn slide(&mut self, activity: Activity, at: Moment) {
        for (name, terms) in &self.terms.merchant.rules.wallets {
            let ExpiryRule::Sliding { days, by } = &terms.expires else { continue };
            if *by != activity && *by != Activity::Any {
                continue;
            }
            let Some(wallet) = self.book.member.wallets.get_mut(name) else { continue };
            let until = self.terms.zone.end_of_day(at, *days);
            wallet.slides_until = Some(wallet.slides_until.map_or(until, |old| old.max(until)));
        }
    }
}

/// Shares an amount over a purchase's lines by what they cost; over nothing where no purchase earned it.
pub(super) fn spread(event: &Event, amount: i64) -> Vec<Share> {
    let purchase = match event {
        Event::Purchase(purchase) => purchase,
        Event::Edit(edit) => &edit.purchase,
        _ => return Vec::new(),
    };
    let weights: Vec<i64> = purchase.lines.iter().map(|line| line.total).collect();
    purchase
        .lines
        .iter()
        .zip(share(amount, &weights))
        .filter(|(_, amount)| *amount > 0)
        .map(|(line, amount)| Share { line: line.id.clone(), amount })
        .collect()
}
