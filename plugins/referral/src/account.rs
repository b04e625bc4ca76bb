//! What is remembered about a member: as a friend of somebody's, and as somebody who brings friends.

use perkgate::{Date, Purchase, Refund};
use serde::{Deserialize, Serialize};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Account {
    /// As a friend; none for whoever nobody brought or who bought before the plugin was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) friend: Option<Friend>,
    /// The invitation was sent.
    pub(crate) invited: bool,
    /// Friends there was a gift for.
    friends: u32,
    /// The month of the latest, counted from the year 0.
    month: i32,
    /// Friends there was a gift for in that month.
    in_month: u32,
}

/// A member whom somebody brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Friend {
    /// Their own gift was given.
    pub(crate) welcomed: bool,
    /// The purchase their referrer is to get something for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) counted: Option<Counted>,
}

/// A purchase, and what is left of it after refunds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Counted {
    /// Source and id.
    purchase: String,
    /// Minor units.
    pub(crate) left: i64,
    /// When the referrer gets it, milliseconds since 1970.
    pub(crate) due: i64,
}

impl Account {
    /// Which limit is reached, in words.
    pub(crate) fn limit(&self, altogether: Option<u32>, per_month: Option<u32>, today: Date) -> Option<String> {
        let in_month = self.in_month(today);
        if altogether.is_some_and(|limit| self.friends >= limit) {
            return Some(format!("there were gifts for {} friends, which is the limit", self.friends));
        }
        let reached = per_month.is_some_and(|limit| in_month >= limit);
        reached.then(|| format!("there were gifts for {in_month} friends this month, which is the limit"))
    }

    /// One friend more.
    pub(crate) fn count(&mut self, today: Date) {
        self.in_month = self.in_month(today).saturating_add(1);
        self.month = month(today);
        self.friends = self.friends.saturating_add(1);
    }

    fn in_month(&self, today: Date) -> u32 {
        if self.month == month(today) { self.in_month } else { 0 }
    }
}

fn month(day: Date) -> i32 {
    let (year, month, _) = day.parts();
    year * 12 + i32::from(month)
}

impl Counted {
    /// The whole of a purchase.
    pub(crate) fn of(purchase: &Purchase, due: i64) -> Self {
        Self { purchase: name(purchase), left: purchase.total, due }
    }

    /// Whether it is this purchase.
    pub(crate) fn is(&self, purchase: &Purchase) -> bool {
        self.purchase == name(purchase)
    }

    /// Takes off what a refund gives back. Where the platform tells pieces and no amounts, they are worth their part of the line.
    pub(crate) fn give_back(&mut self, refund: &Refund, purchase: &Purchase) {
        if refund.complete {
            self.left = 0;
        } else if refund.currency == purchase.currency {
            let lines = refund.lines.iter().map(|part| {
                let line = purchase.lines.iter().find(|line| line.id == part.line);
                match line.filter(|line| part.amount == 0 && line.quantity_milli > 0) {
                    Some(line) => worth(line.total, part.quantity_milli, line.quantity_milli),
                    None => part.amount,
                }
            });
            let lines = lines.fold(0_i64, i64::saturating_add);
            self.left = self.left.saturating_sub(lines.max(refund.amount));
        }
    }
}

/// So much of a line, rounded down.
fn worth(total: i64, quantity: i64, of: i64) -> i64 {
    i64::try_from(i128::from(total) * i128::from(quantity) / i128::from(of)).unwrap_or(total)
}

fn name(purchase: &Purchase) -> String {
    format!("{}/{}", purchase.source, purchase.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::RefundLine;
    use perkgate::sample::{line, purchase, refund};

    #[test]
    fn limits_are_altogether_and_by_the_month() {
        let (november, december) = (Date::new(2026, 11, 30), Date::new(2026, 12, 1));
        let mut account = Account::default();
        account.count(november);
        account.count(november);
        assert!(account.limit(None, Some(2), november).is_some());
        assert_eq!(account.limit(None, Some(2), december), None);
        assert!(account.limit(Some(2), None, december).is_some());
        account.count(december);
        assert_eq!((account.friends, account.in_month), (3, 1));
        // The same month of another year is another month.
        assert_eq!(account.limit(None, Some(1), Date::new(2027, 12, 1)), None);
    }

    #[test]
    fn what_is_left_follows_every_way_of_telling_a_refund() {
        let mut cups = line("cup", 1000);
        cups.quantity_milli = 4000;
        let bought = purchase([cups, line("beans", 2000)]);
        let left = |refund: &Refund| {
            let mut counted = Counted::of(&bought, 0);
            counted.give_back(refund, &bought);
            counted.left
        };
        let part = |quantity_milli, amount| RefundLine { line: "cup".to_owned(), quantity_milli, amount };
        assert_eq!(left(&refund(500)), 2500);
        assert_eq!(left(&Refund { lines: vec![part(1000, 0)], ..refund(0) }), 2750);
        assert_eq!(left(&Refund { lines: vec![part(1000, 250)], ..refund(250) }), 2750);
        assert_eq!(left(&Refund { complete: true, ..refund(1) }), 0);
        assert_eq!(left(&Refund { currency: "CZK".to_owned(), ..refund(500) }), 3000);
    }
}
