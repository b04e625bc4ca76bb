//! What a settled entry does to the member's own record, whatever plugins say.

use super::desk::Desk;
use super::tiers;
use perkgate_domain::event::Event;
use perkgate_domain::rules::{Activity, Measure};

/// Counts a purchase as a visit and as spend. (What a refund takes off is counted where it is reversed.)
pub(super) fn update(desk: &mut Desk<'_>) {
    let Event::Purchase(purchase) = &desk.entry.event else { return };
    let at = purchase.placed_at;
    let rules = &desk.terms.merchant.rules;
    if rules.is_history(at) && !rules.count_earlier {
        desk.out.uncounted = true;
        return;
    }
    let own_currency = purchase.currency == desk.terms.merchant.currency;
    let member = &mut desk.book.member;
    member.visits += 1;
    if own_currency {
        member.spent = member.spent.saturating_add(purchase.total);
    }
    // Late purchases may be older than the first one known.
    member.first_purchase_at = Some(member.first_purchase_at.map_or(at, |first| first.min(at)));
    member.last_purchase_at = Some(member.last_purchase_at.map_or(at, |last| last.max(at)));
    member.joined_at = member.joined_at.min(at);
    desk.slide(Activity::Purchase, at);
    tiers::count(desk, |by| *by == Measure::Visits, at, 1);
    if own_currency {
        tiers::count(desk, |by| *by == Measure::Spend, at, purchase.total);
    }
    let known = perkgate_domain::limits::FAVOURITES_FROM;
    desk.book.history.insert(0, purchase.clone());
    desk.book.history.truncate(known);
}
