//! What each kind of happening does in the model.

use super::calendar;
use super::model::{Bought, Credit, End, GivenBack, Lot, Model, Said, Taken};
use super::steps::{DAY, WALLETS};
use perkgate_domain::programme::{Caps, WalletCaps};
use perkgate_domain::rules::{Activity, ExpiryRule, Maturity, RefundPolicy};

/// Pieces of a line, thousandths.
const PIECES: i64 = 4_000;

impl Model<'_> {
    /// One plugin's verdict, whole or not at all. What the purchase was given before begins at `first`.
    pub(super) fn verdict(&mut self, member: usize, at: i64, said: &Said, first: usize) {
        let before = said.spends.is_some().then(|| self.clone());
        if !self.within_caps(member, at, said, first) {
            return;
        }
        for credit in &said.gains {
            let amount = credit.shares.iter().sum();
            if amount > 0 {
                self.given.push((at, member, said.plugin, credit.wallet, amount));
                self.earn(member, at, credit);
            }
        }
        if let (Some((wallet, amount)), Some(before)) = (said.spends, before)
            && self.spend(member, wallet, amount).is_none()
        {
            *self = before;
        }
    }

    fn earn(&mut self, member: usize, at: i64, credit: &Credit) {
        let (ripe, amount) = (self.ripens(credit, at), credit.shares.iter().sum());
        let end = self.ends(member, credit, at, ripe);
        // From now on the wallet is there, and activity counts for it.
        self.purse(member, credit.wallet);
        self.lots.push(Lot {
            id: credit.id.clone(),
            member,
            wallet: credit.wallet,
            earned: at,
            purchase: self.bought.len() - 1,
            shares: credit.shares.clone(),
            amount,
            ripe,
            end,
            left: amount,
            reversed: 0,
            forgiven: 0,
            expired: 0,
        });
        if ripe.is_none() {
            self.fill(self.lots.len() - 1);
        }
        self.level();
    }

    fn ripens(&self, credit: &Credit, at: i64) -> Option<i64> {
        let rules = &self.setup.rules;
        let days = match (credit.matures_days, &rules.wallets[WALLETS[credit.wallet]].matures) {
            (Some(days), _) => days,
            (None, Maturity::AtOnce) => 0,
            (None, Maturity::Days(days)) => *days,
            (None, Maturity::On(on)) => return (on.0 > at).then_some(on.0),
            (None, Maturity::ReturnWindow) => rules.return_window_days.unwrap_or(0),
            (None, Maturity::RefundWindow) => self.setup.refund_window_days.unwrap_or(0),
        };
        (days > 0).then(|| at + i64::from(days) * DAY)
    }

    fn ends(&mut self, member: usize, credit: &Credit, at: i64, ripe: Option<i64>) -> End {
        // Whatever matures may be spent for the rest of that day.
        let least = ripe.map_or(i64::MIN, |ripe| calendar::end_of_day(ripe, 0));
        if let Some(days) = credit.valid_days {
            return End::At(calendar::end_of_day(at, days).max(least));
        }
        match &self.setup.rules.wallets[WALLETS[credit.wallet]].expires {
            ExpiryRule::Never => End::Never,
            ExpiryRule::Days { days, round } => {
                let end = calendar::end_of_day(at, *days);
                let end = round.map_or(end, |round| calendar::end_of(end - 1, round));
                End::At(end.max(least))
            }
            ExpiryRule::Dates(dates) => End::At(calendar::next_date(at, dates).max(least)),
            ExpiryRule::Sliding { days, .. } => {
                let end = calendar::end_of_day(at, *days).max(least);
                let purse = self.purse(member, credit.wallet);
                purse.slides = purse.slides.max(Some(end));
                End::Sliding
            }
        }
    }

    /// Whether all that was given before and this together stay within every cap: the plugin's own and the merchant's.
    fn within_caps(&self, member: usize, at: i64, said: &Said, first: usize) -> bool {
        (0..WALLETS.len()).all(|wallet| {
            let own = said.gains.iter().filter(|credit| credit.wallet == wallet);
            let amount: i64 = own.flat_map(|credit| &credit.shares).sum();
            amount == 0
                || (self.within(&self.setup.caps[said.plugin], Some(said.plugin), (member, at, wallet, amount), first)
                    && self.within(&self.setup.rules.caps, None, (member, at, wallet, amount), first))
        })
    }

    fn within(&self, caps: &Caps, plugin: Option<usize>, now: (usize, i64, usize, i64), first: usize) -> bool {
        let (member, at, wallet, amount) = now;
        let Some(caps) = caps.get(WALLETS[wallet]) else { return true };
        let (day, month) = calendar::day_and_month(at);
        let sum = |counts: &dyn Fn(usize, usize, i64) -> bool| -> i64 {
            let given = self.given.iter().enumerate().filter(|(place, (when, whose, who, which, _))| {
                *which == wallet && plugin.is_none_or(|plugin| plugin == *who) && counts(*place, *whose, *when)
            });
            given.map(|(_, (.., amount))| amount).sum::<i64>() + amount
        };
        let WalletCaps { per_purchase, per_member_day, per_day, per_month, total } = *caps;
        let today = |when: i64| calendar::day_and_month(when).0 == day;
        let fits = |cap: Option<i64>, sum: i64| cap.is_none_or(|cap| sum <= cap);
        fits(per_purchase, sum(&|place, _, _| place >= first))
            && fits(per_member_day, sum(&|_, whose, when| whose == member && today(when)))
            && fits(per_day, sum(&|_, _, when| today(when)))
            && fits(per_month, sum(&|_, _, when| calendar::day_and_month(when).1 == month))
            && fits(total, sum(&|_, _, _| true))
    }

    pub(super) fn redeem(&mut self, member: usize, at: i64, reward: &str) {
        let item = &self.setup.rules.rewards[reward];
        let price = item.price.as_ref().expect("every reward has a price");
        let wallet = WALLETS.iter().position(|name| *name == price.wallet).expect("a wallet");
        let had = |whose: Option<usize>| -> i64 {
            let counted =
                self.counted.iter().filter(|(key, who, _)| key == reward && whose.is_none_or(|one| one == *who));
            counted.map(|(.., one)| one).sum()
        };
        let runs_out = item.stock.is_some_and(|most| had(None) >= i64::from(most));
        if runs_out || item.per_member.is_some_and(|most| had(Some(member)) >= i64::from(most)) {
            return;
        }
        let Some(paid) = self.spend(member, wallet, price.amount) else { return };
        let lapses = item.valid_days.map(|days| calendar::end_of_day(at, days));
        self.counted.push((reward.to_owned(), member, 1));
        self.taken.push(Taken { member, key: reward.to_owned(), wallet, paid, at, lapses, open: true });
        self.slide(member, at, Activity::Redemption);
    }

    pub(super) fn undo(&mut self, member: usize, at: i64, taken: usize) {
        let Some(one) = self.taken.get(taken).filter(|one| one.open && one.member == member).cloned() else { return };
        if at - one.at > i64::from(self.setup.rules.rewards[&one.key].undo_minutes) * 60_000 {
            return;
        }
        self.taken[taken].open = false;
        self.counted.push((one.key.clone(), member, -1));
        self.give_back(member, one.wallet, &one.paid);
    }

    pub(super) fn refund(&mut self, purchase: usize, back: &GivenBack) {
        self.bought[purchase].back.push(back.clone());
        let bought = self.bought[purchase].clone();
        let mut places: Vec<usize> =
            (0..self.lots.len()).filter(|place| self.lots[*place].purchase == purchase).collect();
        places.sort_by_key(|place| self.lots[*place].id.clone());
        for place in places {
            let lot = &self.lots[place];
            let shares = lot.shares.iter().enumerate().map(|(line, share)| bought.given_back(line, *share));
            let more = shares.sum::<i64>() - lot.reversed - lot.forgiven;
            if more > 0 {
                self.take_back(place, more);
            }
        }
    }

    fn take_back(&mut self, place: usize, more: i64) {
        let Lot { member, wallet, left, expired, .. } = self.lots[place];
        let own = left.min(more);
        let over = expired.min(more - own);
        let lot = &mut self.lots[place];
        (lot.left, lot.expired) = (left - own, expired - over);
        let policy = self.policy(wallet);
        let mut spent = more - own - over;
        let mut groups = self.groups(member, wallet);
        // What is pending first, and of that what matures first and then is lost first.
        groups.sort_by_key(|((ripe, end), lost, _)| {
            (ripe.is_none(), *ripe, if ripe.is_some() { 0 } else { *lost }, *end)
        });
        for (group, _, _) in groups {
            if group.0.is_some() || policy != RefundPolicy::PendingOnly {
                spent -= self.take(member, wallet, group, spent);
            }
        }
        let owed = if policy == RefundPolicy::Negative { spent } else { 0 };
        let lot = &mut self.lots[place];
        lot.forgiven += spent - owed;
        lot.reversed += more - (spent - owed);
        let purse = self.purse(member, wallet);
        purse.owed += owed;
        purse.expired -= over;
        purse.reversed += more - (spent - owed);
        self.level();
    }

    /// What activity moves on.
    pub(super) fn slide(&mut self, member: usize, at: i64, activity: Activity) {
        for (wallet, name) in WALLETS.iter().enumerate() {
            let terms = &self.setup.rules.wallets[*name];
            let ExpiryRule::Sliding { days, by } = &terms.expires else { continue };
            if *by != activity && *by != Activity::Any {
                continue;
            }
            if let Some(purse) = self.purses.get_mut(&(member, wallet)) {
                purse.slides = purse.slides.max(Some(calendar::end_of_day(at, *days)));
            }
        }
    }

    pub(super) fn policy(&self, wallet: usize) -> RefundPolicy {
        self.setup.rules.wallets[WALLETS[wallet]].refunds
    }

    /// Everything of one member becomes another's, debts included; what is owed is paid by whoever has something.
    pub(super) fn merge(&mut self, stays: usize, goes: usize, at: i64) {
        let through = self.through.get(&goes).copied().unwrap_or(i64::MIN);
        self.see_to(goes, through.max(at), i64::MIN);
        for wallet in 0..WALLETS.len() {
            let Some(gone) = self.purses.remove(&(goes, wallet)) else { continue };
            let purse = self.purse(stays, wallet);
            purse.slides = purse.slides.max(gone.slides);
            let mut moved: Vec<usize> = (0..self.lots.len())
                .filter(|place| self.lots[*place].member == goes && self.lots[*place].wallet == wallet)
                .collect();
            moved.sort_by_key(|place| {
                (self.lots[*place].group(), self.lots[*place].earned, self.lots[*place].id.clone())
            });
            for place in moved {
                self.lots[place].member = stays;
                if self.lots[place].ripe.is_none() {
                    self.fill(place);
                }
            }
            let mut owed = gone.owed;
            for (group, _, _) in self.groups(stays, wallet) {
                if group.0.is_none() {
                    owed -= self.take(stays, wallet, group, owed);
                }
            }
            let purse = self.purse(stays, wallet);
            purse.owed += owed;
            purse.spent += gone.spent;
            purse.expired += gone.expired;
            purse.reversed += gone.reversed;
        }
        self.taken.iter_mut().filter(|one| one.member == goes).for_each(|one| one.member = stays);
        let mine = self.through.entry(stays).or_insert(i64::MIN);
        *mine = (*mine).max(through);
        self.level();
    }
}

impl Bought {
    /// What of a share of a line is given back by all refunds together.
    fn given_back(&self, line: usize, share: i64) -> i64 {
        let total: i64 = self.lines.iter().sum();
        let amount: i64 = self.back.iter().map(|back| back.amount).sum();
        let named: i64 = (0..self.lines.len()).map(|line| self.of_line(line)).sum();
        let loose: i64 = self.back.iter().map(|back| self.loose(back)).sum();
        let everything = total > 0 && amount.max(named + loose) >= total;
        if everything || self.back.iter().any(|back| back.complete) {
            return share;
        }
        let worth = self.lines[line];
        if worth == 0 {
            return part(share, self.pieces(line), PIECES);
        }
        let own = self.of_line(line);
        part(share, own + part(worth - own, loose, total - named), worth)
    }

    /// What of a line's money is given back by refunds that name it.
    fn of_line(&self, line: usize) -> i64 {
        let money = self.named(line).map(|(_, _, money)| money).sum::<i64>();
        (part(self.lines[line], self.pieces(line), PIECES) + money).min(self.lines[line])
    }

    /// Pieces given back without telling the money.
    fn pieces(&self, line: usize) -> i64 {
        self.named(line).filter(|(_, _, money)| *money == 0).map(|(_, pieces, _)| pieces).sum()
    }

    fn named(&self, line: usize) -> impl Iterator<Item = (usize, i64, i64)> {
        self.back.iter().flat_map(|back| &back.lines).copied().filter(move |(named, ..)| *named == line)
    }

    /// The part of one refund's money that belongs to no line.
    fn loose(&self, back: &GivenBack) -> i64 {
        let known = back.lines.iter().filter(|(line, ..)| *line < self.lines.len());
        let named = known.map(
            |(line, pieces, money)| {
                if *money > 0 { *money } else { part(self.lines[*line], *pieces, PIECES) }
            },
        );
        (back.amount - named.sum::<i64>()).max(0)
    }
}

/// `part` of `of` as a share of `whole`, rounded down, never more than all of it.
fn part(whole: i64, part: i64, of: i64) -> i64 {
    if part <= 0 || whole <= 0 {
        0
    } else if part >= of {
        whole
    } else {
        whole * part / of
    }
}
