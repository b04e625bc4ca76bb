//! What should come of a history, worked out the simple way: a plain list of lots, each with what is left of it. Nothing of the ledger
//! is called, and nothing is kept between two looks: [`Model::of`] begins with an empty shop and tells everything again.
//!
//! One thing the ledger does not decide event by event, and so this does not either. Units that mature together and are lost together
//! cannot be told apart, so *which lot* of such a group was spent is no event but a rule: those earned first. A purchase that comes late
//! may be older than one that was spent from already, and then counts as spent instead of it ([`Model::level`]). How much
//! of a group is left does not depend on that, and is simulated event by event.

use super::steps::Setup;
use perkgate_domain::rules::Activity;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Something the ledger was told, in the order in which it was.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// What was due for a member until then was seen to.
    Until {
        member: usize,
        at: i64,
    },
    Buy {
        member: usize,
        at: i64,
        lines: Vec<i64>,
        verdicts: Vec<Said>,
    },
    Redeem {
        member: usize,
        at: i64,
        reward: String,
    },
    Undo {
        member: usize,
        at: i64,
        taken: usize,
    },
    Refund {
        member: usize,
        at: i64,
        purchase: usize,
        back: GivenBack,
    },
    Merge {
        stays: usize,
        goes: usize,
        at: i64,
    },
}

/// One plugin's verdict.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) plugin: usize,
    pub(super) gains: Vec<Credit>,
    pub(super) spends: Option<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Credit {
    pub(super) wallet: usize,
    /// By line.
    pub(super) shares: Vec<i64>,
    pub(super) matures_days: Option<u32>,
    pub(super) valid_days: Option<u32>,
    /// The lot's id, which only settles ties between lots earned at one moment.
    pub(super) id: String,
}

/// One refund, lines by place.
#[derive(Clone, Debug)]
pub(super) struct GivenBack {
    pub(super) amount: i64,
    pub(super) complete: bool,
    pub(super) lines: Vec<(usize, i64, i64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    At(i64),
    Sliding,
    Never,
}

/// Until when they are pending, if they are, and when they are lost: units that cannot be told apart.
pub(super) type Group = (Option<i64>, End);

#[derive(Clone, Debug)]
pub(super) struct Lot {
    pub(super) id: String,
    pub(super) member: usize,
    pub(super) wallet: usize,
    pub(super) earned: i64,
    pub(super) purchase: usize,
    pub(super) shares: Vec<i64>,
    pub(super) amount: i64,
    /// Pending until then.
    pub(super) ripe: Option<i64>,
    pub(super) end: End,
    pub(super) left: i64,
    pub(super) reversed: i64,
    pub(super) forgiven: i64,
    pub(super) expired: i64,
}

impl Lot {
    pub(super) fn group(&self) -> Group {
        (self.ripe, self.end)
    }
    /// What may still be left of it.
    pub(super) fn whole(&self) -> i64 {
        self.amount - self.reversed - self.forgiven - self.expired
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Purse {
    pub(super) owed: i64,
    pub(super) spent: i64,
    pub(super) expired: i64,
    pub(super) reversed: i64,
    pub(super) slides: Option<i64>,
}

#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) member: usize,
    pub(super) key: String,
    pub(super) wallet: usize,
    pub(super) paid: Vec<(End, i64)>,
    pub(super) at: i64,
    pub(super) lapses: Option<i64>,
    pub(super) open: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Bought {
    pub(super) lines: Vec<i64>,
    pub(super) back: Vec<GivenBack>,
}

#[derive(Clone, Debug)]
pub(super) struct Model<'a> {
    pub(super) setup: &'a Setup,
    pub(super) lots: Vec<Lot>,
    pub(super) purses: BTreeMap<(usize, usize), Purse>,
    pub(super) taken: Vec<Taken>,
    pub(super) bought: Vec<Bought>,
    /// What was given: when, to whom, by which plugin, of which wallet, how much.
    pub(super) given: Vec<(i64, usize, usize, usize, i64)>,
    /// Rewards counted: which, for whom, one more or one less.
    pub(super) counted: Vec<(String, usize, i64)>,
    pub(super) through: BTreeMap<usize, i64>,
}

impl<'a> Model<'a> {
    pub(super) fn of(setup: &'a Setup, told: &[Told]) -> Self {
        let mut model = Self {
            setup,
            lots: vec![],
            purses: BTreeMap::new(),
            taken: vec![],
            bought: vec![],
            given: vec![],
            counted: vec![],
            through: BTreeMap::new(),
        };
        for one in told {
            model.tell(one);
        }
        model
    }

    fn tell(&mut self, told: &Told) {
        let (member, at) = match told {
            Told::Until { member, at }
            | Told::Buy { member, at, .. }
            | Told::Redeem { member, at, .. }
            | Told::Undo { member, at, .. }
            | Told::Refund { member, at, .. }
            | Told::Merge { stays: member, at, .. } => (*member, *at),
        };
        self.see_to(member, at, i64::MIN);
        match told {
            Told::Until { .. } => return,
            Told::Buy { lines, verdicts, .. } => {
                self.bought.push(Bought { lines: lines.clone(), back: vec![] });
                let place = self.given.len();
                for said in verdicts {
                    self.verdict(member, at, said, place);
                }
                self.slide(member, at, Activity::Purchase);
            }
            Told::Redeem { reward, .. } => self.redeem(member, at, reward),
            Told::Undo { taken, .. } => self.undo(member, at, *taken),
            Told::Refund { purchase, back, .. } => self.refund(*purchase, back),
            Told::Merge { goes, .. } => self.merge(member, *goes, at),
        }
        let through = self.through.entry(member).or_insert(i64::MIN);
        *through = (*through).max(at);
        let through = *through;
        self.see_to(member, through, at);
    }

    /// What is due for a member by `until`, moment by moment; what comes late is seen to at `from` at the earliest.
    pub(super) fn see_to(&mut self, member: usize, until: i64, from: i64) {
        loop {
            let lots = self.lots.iter().filter(|lot| lot.member == member && lot.left > 0);
            let lots = lots.filter_map(|lot| lot.ripe.or(self.lost(lot.member, lot.wallet, lot.end)));
            let lapses = self.taken.iter().filter(|one| one.member == member && one.open).filter_map(|one| one.lapses);
            let Some(due) = lots.chain(lapses).min().filter(|due| *due <= until) else { break };
            self.moment(member, due.max(from));
        }
        // Of which nothing is left matures too, and nobody sees it.
        let ripe = |lot: &&mut Lot| lot.member == member && lot.ripe.is_some_and(|ripe| ripe <= until);
        self.lots.iter_mut().filter(ripe).for_each(|lot| lot.ripe = None);
        self.level();
    }

    /// The fixed order of one moment: what matures, what lapses, what is lost.
    fn moment(&mut self, member: usize, at: i64) {
        let ripe = |lot: &Lot| lot.member == member && lot.ripe.is_some_and(|ripe| ripe <= at);
        let mut order: Vec<usize> = (0..self.lots.len()).filter(|place| ripe(&self.lots[*place])).collect();
        order.sort_by_key(|place| self.lots[*place].group());
        for place in order {
            self.lots[place].ripe = None;
            self.fill(place);
        }
        self.level();
        for place in 0..self.taken.len() {
            let one = self.taken[place].clone();
            if one.member == member && one.open && one.lapses.is_some_and(|end| end <= at) {
                self.taken[place].open = false;
                if self.setup.rules.rewards[&one.key].returns_price {
                    self.give_back(member, one.wallet, &one.paid);
                }
            }
        }
        for place in 0..self.lots.len() {
            let lot = &self.lots[place];
            let over = self.lost(member, lot.wallet, lot.end).is_some_and(|end| end <= at);
            if lot.member == member && lot.ripe.is_none() && over {
                let lot = &mut self.lots[place];
                let gone = std::mem::take(&mut lot.left);
                lot.expired += gone;
                let wallet = lot.wallet;
                self.purse(member, wallet).expired += gone;
            }
        }
        let through = self.through.entry(member).or_insert(i64::MIN);
        *through = (*through).max(at);
    }

    pub(super) fn purse(&mut self, member: usize, wallet: usize) -> &mut Purse {
        self.purses.entry((member, wallet)).or_default()
    }

    pub(super) fn lost(&self, member: usize, wallet: usize, end: End) -> Option<i64> {
        match end {
            End::At(at) => Some(at),
            End::Sliding => self.purses.get(&(member, wallet)).and_then(|purse| purse.slides),
            End::Never => None,
        }
    }

    /// What becomes available fills what is owed.
    pub(super) fn fill(&mut self, place: usize) {
        let lot = &self.lots[place];
        let (member, wallet, left) = (lot.member, lot.wallet, lot.left);
        let owed = &mut self.purse(member, wallet).owed;
        let part = left.min(*owed);
        *owed -= part;
        self.lots[place].left -= part;
    }

    /// What is left of the groups that there are, in the order in which units are lost: group, when, how much.
    pub(super) fn groups(&self, member: usize, wallet: usize) -> Vec<(Group, i64, i64)> {
        let mut groups: BTreeMap<Group, i64> = BTreeMap::new();
        for lot in self.lots.iter().filter(|lot| lot.member == member && lot.wallet == wallet) {
            *groups.entry(lot.group()).or_default() += lot.left;
        }
        let lost = |end| self.lost(member, wallet, end).unwrap_or(i64::MAX);
        let mut groups: Vec<_> = groups.into_iter().map(|(group, left)| (group, lost(group.1), left)).collect();
        groups.sort_by_key(|((ripe, end), lost, _)| (*ripe, *lost, *end));
        groups
    }

    /// Takes up to `amount` from a group, from the lots earned first. Answers how much.
    pub(super) fn take(&mut self, member: usize, wallet: usize, group: Group, amount: i64) -> i64 {
        let mut left = amount;
        let mut places: Vec<usize> = (0..self.lots.len()).collect();
        places.sort_by_key(|place| (self.lots[*place].earned, self.lots[*place].id.clone()));
        for place in places {
            let lot = &mut self.lots[place];
            if lot.member == member && lot.wallet == wallet && lot.group() == group {
                let part = lot.left.min(left);
                lot.left -= part;
                left -= part;
            }
        }
        amount - left
    }

    /// Spends `amount`, what is lost first first. Answers from where; nothing if there is not enough.
    pub(super) fn spend(&mut self, member: usize, wallet: usize, amount: i64) -> Option<Vec<(End, i64)>> {
        let groups: Vec<_> = self.groups(member, wallet).into_iter().filter(|((ripe, _), ..)| ripe.is_none()).collect();
        if groups.iter().map(|(.., left)| left).sum::<i64>() < amount {
            return None;
        }
        let mut left = amount;
        let mut paid = vec![];
        for (group, _, _) in groups {
            let part = self.take(member, wallet, group, left);
            left -= part;
            if part > 0 {
                paid.push((group.1, part));
            }
        }
        self.purse(member, wallet).spent += amount;
        Some(paid)
    }

    /// Gives back what was paid: what is owed first, then to where it came from as far as units of that group are away, then to other
    /// groups of which units are away, and at last what a refund let be is taken.
    pub(super) fn give_back(&mut self, member: usize, wallet: usize, paid: &[(End, i64)]) {
        for (end, amount) in paid {
            let purse = self.purse(member, wallet);
            purse.spent -= amount;
            let fills = purse.owed.min(*amount);
            purse.owed -= fills;
            let mut left = amount - fills;
            let mut groups = self.groups(member, wallet);
            groups.sort_by_key(|(group, lost, _)| (*group != (None, *end), group.0, Reverse(*lost), group.1));
            for (group, _, _) in groups {
                let away = |lot: &Lot| lot.member == member && lot.wallet == wallet && lot.group() == group;
                for lot in self.lots.iter_mut().filter(|lot| away(lot)) {
                    let part = (lot.whole() - lot.left).min(left);
                    lot.left += part;
                    left -= part;
                }
            }
            let mut places: Vec<usize> = (0..self.lots.len()).collect();
            places.sort_by_key(|place| (self.lots[*place].earned, self.lots[*place].id.clone()));
            for place in places {
                let lot = &mut self.lots[place];
                if lot.member == member && lot.wallet == wallet {
                    let part = lot.forgiven.min(left);
                    left -= part;
                    (lot.forgiven, lot.reversed) = (lot.forgiven - part, lot.reversed + part);
                    self.purse(member, wallet).reversed += part;
                }
            }
            assert_eq!(left, 0, "units that are nobody's");
            self.level();
        }
    }

    /// The rule for units that cannot be told apart: see the module's head.
    pub(super) fn level(&mut self) {
        let mut places: Vec<usize> = (0..self.lots.len()).collect();
        places.sort_by_key(|place| Reverse((self.lots[*place].earned, self.lots[*place].id.clone())));
        let mut left: BTreeMap<(usize, usize, Group), i64> = BTreeMap::new();
        for lot in &self.lots {
            *left.entry((lot.member, lot.wallet, lot.group())).or_default() += lot.left;
        }
        for place in places {
            let lot = &mut self.lots[place];
            let there = left.entry((lot.member, lot.wallet, lot.group())).or_default();
            lot.left = lot.whole().min(*there);
            *there -= lot.left;
        }
        assert!(left.values().all(|left| *left == 0), "units that are nobody's: {left:?}");
    }

    /// `[available, pending, spent, expired, reversed]`.
    pub(super) fn stands(&self, member: usize, wallet: usize) -> [i64; 5] {
        let purse = self.purses.get(&(member, wallet)).cloned().unwrap_or_default();
        let left = |pending: bool| -> i64 {
            let own = self.lots.iter().filter(|lot| lot.member == member && lot.wallet == wallet);
            own.filter(|lot| lot.ripe.is_some() == pending).map(|lot| lot.left).sum()
        };
        [left(false) - purse.owed, left(true), purse.spent, purse.expired, purse.reversed]
    }
}
