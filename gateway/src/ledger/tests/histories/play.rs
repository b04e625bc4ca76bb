//! Plays a history on the ledger, as the pipeline would, and holds every step against the model.

use super::model::{Credit, GivenBack, Model, Said, Told};
use super::steps::{Back, HOUR, MEMBERS, PLUGINS, REWARDS, START, Setup, Step, Verdict, WALLETS, What};
use crate::civil::Zone;
use crate::ledger::tests::ground::{Saying, Shop, back, installation, purchase, redeem, shared, spend, undo};
use perkgate_domain::decision::{Decision, Outcome};
use perkgate_domain::event::{Event, Merge};
use perkgate_domain::ids::{EntryId, MemberId, RewardId};
use perkgate_domain::ledger::{Account, Lot, RewardState};
use perkgate_domain::plan::{Book, Settlement};
use perkgate_domain::purchase::Refund;
use perkgate_domain::time::Moment;

/// A shop, and everything it was told.
pub(super) struct Play<'a> {
    setup: &'a Setup,
    pub(super) shop: Shop,
    told: Vec<Told>,
    /// Entries of the purchases told, in order, and how many lines they have.
    bought: Vec<(EntryId, usize)>,
    taken: Vec<RewardId>,
    /// The batch that goes on.
    book: Option<Book>,
    clock: i64,
    /// What is due is seen to at every moment, not only when a member's next entry comes.
    watchful: bool,
    /// Somebody owed something at some time.
    owed: bool,
}

impl<'a> Play<'a> {
    pub(super) fn new(setup: &'a Setup, watchful: bool) -> Self {
        let mut shop = Shop::new();
        shop.zone = Zone::named("UTC");
        shop.merchant.rules = setup.rules.clone();
        shop.refund_window_days = setup.refund_window_days;
        shop.installations = PLUGINS
            .iter()
            .zip(&setup.caps)
            .map(|(name, caps)| perkgate_domain::programme::Installation { caps: caps.clone(), ..installation(name) })
            .collect();
        shop.rows.members.clear();
        for member in MEMBERS {
            shop.visitor(member);
        }
        let (told, bought, taken) = (vec![], vec![], vec![]);
        Self { setup, shop, told, bought, taken, book: None, clock: START, watchful, owed: false }
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.clock += step.after * HOUR;
        if self.watchful {
            self.look(self.clock);
        }
        if step.fresh {
            self.book = None;
        }
        let at = self.clock - step.late * HOUR;
        match &step.what {
            What::Buy { member, lines, verdicts } => self.buy(*member, at, lines, verdicts),
            What::Redeem { member, reward } => self.redeem(*member, at, REWARDS[*reward]),
            What::Undo { which } => self.undo(at, *which),
            What::Refund(back) => self.refund(at, back),
            What::Regret { member, reward, back } => {
                self.redeem(*member, at, REWARDS[*reward]);
                self.refund(at, back);
                self.undo(at, 0);
            }
            What::Merge { stays, goes } => self.merge(at, *stays, *goes),
        }
        self.check();
        self.owed |= self.everybody().iter().any(|[available, ..]| *available < 0);
    }

    /// Everything due by then is seen to, for everybody.
    pub(super) fn look(&mut self, until: i64) {
        self.clock = until;
        self.book = None;
        self.shop.wait_until(Moment(until));
        let present = self.shop.rows.present();
        let present = present.iter().filter_map(|one| MEMBERS.iter().position(|member| *member == one.as_str()));
        self.told.extend(present.map(|member| Told::Until { member, at: until }));
        self.check();
    }

    /// Settles an entry of a member, what is due before it first, in the batch that goes on or in a new one.
    fn settle(&mut self, member: usize, event: Event, purchase: Option<EntryId>, says: &[Saying<'_>]) -> Settlement {
        self.shop.member = MEMBERS[member].into();
        let mut book = self.book.take().unwrap_or_else(|| self.shop.rows.book(&self.shop.merchant.id));
        let owner = (self.shop.merchant.id.clone(), self.shop.member.clone());
        // A refund waits until its purchase is settled: it is never in the same batch.
        if purchase.is_some_and(|purchase| !book.members[&owner].purchases.contains_key(&purchase)) {
            book = self.shop.rows.book(&self.shop.merchant.id);
        }
        self.shop.see_to(&mut book, event.at());
        let entry = self.shop.entry(event, purchase);
        let settled = self.shop.settle_in(&mut book, &entry, says);
        self.agree(&mut book);
        self.book = Some(book);
        settled
    }

    /// A batch that goes on knows what one that begins now would read.
    fn agree(&self, book: &mut Book) {
        let read = self.shop.rows.book(&self.shop.merchant.id);
        for (owner, read) in &read.members {
            let opened = book.members.get_mut(owner).expect("everybody is in the book");
            assert_eq!((&opened.member, &opened.rewards), (&read.member, &read.rewards));
            let mut lots = opened.lots.clone().unwrap_or_default();
            lots.sort_by(|one, other| (one.earned_at, &one.id).cmp(&(other.earned_at, &other.id)));
            let whose = |lot: &Lot| (lot.id.clone(), lot.amount, lot.reversed, lot.forgiven, lot.expired);
            let known: Vec<_> = lots.iter().map(whose).collect();
            assert_eq!(known, read.lots.iter().flatten().map(whose).collect::<Vec<_>>());
        }
        book.counters.retain(|_, sum| *sum != 0);
        let kept: Vec<_> = read.counters.into_iter().filter(|(_, sum)| *sum != 0).collect();
        assert_eq!(book.counters, kept.into_iter().collect());
    }

    /// Whose a thing is by now.
    fn holder(member: Option<&str>) -> Option<usize> {
        MEMBERS.iter().position(|one| Some(*one) == member)
    }

    /// Who somebody is by now.
    fn now(&self, member: usize) -> usize {
        let record = &self.shop.rows.members[&MEMBERS[member].into()];
        Self::holder(record.merged_into.as_ref().map(MemberId::as_str)).map_or(member, |other| self.now(other))
    }

    fn buy(&mut self, member: usize, at: i64, lines: &[i64], verdicts: &[Verdict]) {
        let member = self.now(member);
        let mut said: Vec<Said> = vec![];
        let mut says: Vec<Saying<'_>> = vec![];
        for verdict in verdicts {
            let (credits, decisions) = decisions(verdict, lines.len());
            said.push(Said { plugin: verdict.plugin, gains: credits, spends: verdict.spends });
            says.push((PLUGINS[verdict.plugin], Outcome::Decided(decisions)));
        }
        let order = purchase(&format!("p{}", self.bought.len()), Moment(at), lines);
        let settled = self.settle(member, Event::Purchase(order), None, &says);
        self.bought.push((settled.entry, lines.len()));
        // The ledger's ids settle ties; whatever else it says is not looked at.
        let mut ids = settled.lots.iter();
        for (said, decided) in said.iter_mut().zip(&settled.decisions).filter(|(_, decided)| decided.ruling.is_none()) {
            assert_eq!(decided.installation.as_str(), PLUGINS[said.plugin]);
            for credit in &mut said.gains {
                credit.id = ids.next().map(|lot| lot.id.to_string()).unwrap_or_default();
            }
        }
        self.told.push(Told::Buy { member, at, lines: lines.to_vec(), verdicts: said });
    }

    fn redeem(&mut self, member: usize, at: i64, reward: &str) {
        let member = self.now(member);
        let event = redeem(&format!("k{}", self.told.len()), Moment(at), reward);
        let settled = self.settle(member, event, None, &[]);
        self.taken.extend(settled.rewards.first().map(|reward| reward.id.clone()));
        self.told.push(Told::Redeem { member, at, reward: reward.to_owned() });
    }

    fn undo(&mut self, at: i64, which: usize) {
        let Some(taken) = from_the_last(which, self.taken.len()) else { return };
        let id = self.taken[taken].clone();
        let holder = self.shop.rows.rewards[&id].member.clone();
        let Some(member) = Self::holder(Some(holder.as_str())) else { return };
        self.settle(member, undo(&format!("u{}", self.told.len()), Moment(at), &id), None, &[]);
        self.told.push(Told::Undo { member, at, taken });
    }

    fn refund(&mut self, at: i64, given: &Back) {
        let Some(which) = from_the_last(given.which, self.bought.len()) else { return };
        let (purchase, _) = self.bought[which];
        let Some(member) = Self::holder(self.shop.rows.whose(purchase).map(MemberId::as_str)) else { return };
        let names: Vec<String> = given.lines.iter().map(|(line, ..)| line.to_string()).collect();
        let lines: Vec<(&str, i64, i64)> =
            names.iter().zip(&given.lines).map(|(name, (_, pieces, money))| (name.as_str(), *pieces, *money)).collect();
        let id = format!("r{}", self.told.len());
        let refund = Refund { id, at: Moment(at), complete: given.complete, ..back(given.amount, &lines) };
        self.settle(member, Event::Refund(refund), Some(purchase), &[]);
        let back = GivenBack { amount: given.amount, complete: given.complete, lines: given.lines.clone() };
        self.told.push(Told::Refund { member, at, purchase: which, back });
    }

    fn merge(&mut self, at: i64, stays: usize, goes: usize) {
        let (stays, goes) = (self.now(stays), self.now(goes));
        if stays == goes {
            return;
        }
        // Two members become one in a batch of their own.
        self.book = None;
        let id = format!("m{}", self.told.len());
        self.settle(stays, Event::Merge(Merge { id, at: Moment(at), other: MEMBERS[goes].into() }), None, &[]);
        self.book = None;
        self.told.push(Told::Merge { stays, goes, at });
    }

    /// Balances and lots are the model's.
    fn check(&self) {
        let model = Model::of(self.setup, &self.told);
        for (member, name) in MEMBERS.iter().enumerate() {
            for (wallet, unit) in WALLETS.iter().enumerate() {
                let record = &self.shop.rows.members[&(*name).into()];
                let (ledger, wanted) = (super::stands(record, unit), model.stands(member, wallet));
                assert_eq!(ledger, wanted, "{unit} of {name}: the ledger's, the model's");
                let lots = model.lots.iter().filter(|lot| lot.member == member && lot.wallet == wallet);
                let earned: i64 = lots.map(|lot| lot.amount).sum();
                assert_eq!(wanted.iter().sum::<i64>(), earned, "{unit} of {name} adds up to what was earned");
            }
        }
        assert_eq!(self.shop.rows.lots.len(), model.lots.len());
        for lot in self.shop.rows.lots.values() {
            let wanted = model.lots.iter().find(|one| one.id == lot.id.as_str()).expect("the model has it too");
            let wanted = [wanted.amount, wanted.reversed, wanted.forgiven, wanted.expired];
            assert_eq!([lot.amount, lot.reversed, lot.forgiven, lot.expired], wanted, "{lot:?}");
        }
    }

    /// What came about in this history, of what a history may be about.
    pub(super) fn saw(&self) -> Vec<(&'static str, bool)> {
        let rows = &self.shop.rows;
        let lot = |is: fn(&Lot) -> bool| rows.lots.values().any(is);
        let moved =
            |is: fn(&Account, &Account) -> bool| rows.postings.iter().any(|one| is(&one.source, &one.destination));
        let state = |state| rows.rewards.values().any(|reward| reward.state == state);
        let given_back = |from: &Account| *from == Account::Redeemed;
        vec![
            ("a lot is taken back", lot(|lot| lot.reversed > 0)),
            ("a lot is let be", lot(|lot| lot.forgiven > 0)),
            ("a lot is lost", lot(|lot| lot.expired > 0)),
            ("something matures", moved(|from, to| matches!((from, to), (Account::Pending(_), Account::Available(_))))),
            ("what was lost is taken back", moved(|from, to| (from, to) == (&Account::Expired, &Account::Reversed))),
            (
                "something returns to pending",
                moved(|from, to| *from == Account::Redeemed && matches!(to, Account::Pending(_))),
            ),
            ("what returns is taken", moved(|from, to| (from, to) == (&Account::Redeemed, &Account::Reversed))),
            ("something returns", rows.postings.iter().any(|one| given_back(&one.source))),
            ("something is owed", self.owed),
            ("two become one", rows.present().len() < MEMBERS.len()),
            ("a reward is given back", state(RewardState::Undone)),
            ("a reward lapses", state(RewardState::Lapsed)),
            ("a cap refuses", !rows.tasks.is_empty()),
        ]
    }

    /// How everybody stands in every wallet.
    pub(super) fn everybody(&self) -> Vec<[i64; 5]> {
        let members = self.shop.rows.members.values();
        members.flat_map(|member| WALLETS.map(|wallet| super::stands(member, wallet))).collect()
    }
}

/// Which of so many, counted from the last one.
fn from_the_last(which: usize, of: usize) -> Option<usize> {
    which.checked_rem(of).map(|back| of - 1 - back)
}

/// What the model and what the ledger are told of one verdict.
fn decisions(verdict: &Verdict, lines: usize) -> (Vec<Credit>, Vec<Decision>) {
    let (mut credits, mut decisions) = (vec![], vec![]);
    for gain in &verdict.gains {
        let shares: Vec<i64> = gain.shares.iter().copied().take(lines).collect();
        if shares.iter().sum::<i64>() == 0 {
            continue;
        }
        let lines: Vec<String> = (0..shares.len()).map(|line| line.to_string()).collect();
        let by_line: Vec<(&str, i64)> = lines.iter().map(String::as_str).zip(shares.iter().copied()).collect();
        let mut decision = shared(WALLETS[gain.wallet], &by_line);
        if let Decision::Earn(earn) = &mut decision {
            (earn.matures_days, earn.valid_days) = (gain.matures_days, gain.valid_days);
        }
        decisions.push(decision);
        let (matures_days, valid_days) = (gain.matures_days, gain.valid_days);
        credits.push(Credit { wallet: gain.wallet, shares, matures_days, valid_days, id: String::new() });
    }
    decisions.extend(verdict.spends.map(|(wallet, amount)| spend(WALLETS[wallet], amount)));
    (credits, decisions)
}
