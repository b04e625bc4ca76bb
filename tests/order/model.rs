//! What must come out, worked out from what happened alone: no entries, no order, no plugins. A point per whole euro; a stamp for a
//! visit, on its dearest line; refunds take back what lay on what is given back.

use super::cases::{Case, Given, Sold};
use perkgate_domain::money::share;

/// Stamps of a full card.
pub(super) const GOAL: i64 = 3;

/// How one member must stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) points: i64,
    pub(super) visits: i64,
    pub(super) spent: i64,
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
}

/// What the member's cards must come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps {
    /// Stamps earned, less those taken back.
    pub(super) left: i64,
    /// Whether any was taken back.
    pub(super) any_taken: bool,
    /// Whether a purchase was given back as a whole.
    pub(super) any_undone: bool,
}

/// Sums over a member's purchases.
pub(super) fn of(case: &Case, member: usize) -> (Standing, Stamps) {
    let (mut standing, mut stamps) = (Standing::default(), Stamps::default());
    for sold in case.sales.iter().filter(|sold| sold.member == member) {
        let back = Back::of(sold);
        standing.points += back.points_left(sold);
        standing.visits += i64::from(!back.everything);
        standing.spent += sold.total() - back.money(sold);
        standing.first = Some(standing.first.map_or(sold.at, |first| first.min(sold.at)));
        standing.last = Some(standing.last.map_or(sold.at, |last| last.max(sold.at)));
        let taken = back.stamp_taken(sold);
        stamps.left += i64::from(!taken);
        stamps.any_taken |= taken;
        stamps.any_undone |= back.everything;
    }
    (standing, stamps)
}

/// Sums over a purchase's refunds.
struct Back {
    /// Of each line, in cents.
    lines: Vec<i64>,
    loose: i64,
    everything: bool,
}

impl Back {
    fn of(sold: &Sold) -> Self {
        let mut back = Self { lines: vec![0; sold.lines.len()], loose: 0, everything: false };
        for given in &sold.given {
            match *given {
                Given::Pieces(line, pieces) => back.lines[line] += pieces * sold.lines[line].1,
                Given::Money(line, amount) => back.lines[line] += amount,
                Given::Loose(amount) => back.loose += amount,
                Given::All => back.everything = true,
            }
        }
        back.everything |= back.lines.iter().sum::<i64>() + back.loose == sold.total();
        back
    }

    fn money(&self, sold: &Sold) -> i64 {
        if self.everything { sold.total() } else { self.lines.iter().sum::<i64>() + self.loose }
    }

    /// What of `amount`, lying on a line, is taken back: in proportion, what was given back on no line spread over what is left.
    fn taken(&self, sold: &Sold, line: usize, amount: i64) -> i64 {
        if self.everything {
            return amount;
        }
        let total = sold.lines[line].0 * sold.lines[line].1;
        let rest = sold.total() - self.lines.iter().sum::<i64>();
        let spread = (total - self.lines[line]) * self.loose / rest.max(1);
        amount * (self.lines[line] + spread) / total
    }

    fn points_left(&self, sold: &Sold) -> i64 {
        let totals: Vec<i64> = sold.lines.iter().map(|(pieces, price)| pieces * price).collect();
        let shares = share(sold.total() / 100, &totals);
        shares.iter().enumerate().map(|(line, points)| points - self.taken(sold, line, *points)).sum()
    }

    fn stamp_taken(&self, sold: &Sold) -> bool {
        let dearest = (0..sold.lines.len()).rev().max_by_key(|line| sold.lines[*line].0 * sold.lines[*line].1);
        dearest.is_some_and(|line| self.taken(sold, line, 1) == 1)
    }
}
