//! What a settled entry does to the member's own record, whatever plugins say.

use super::Terms;
use perkgate_domain::member::Member;
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::purchase::Event;

/// Counts a purchase as a visit and as spend. (What a refund takes off is counted where it is reversed.)
pub(super) fn update(entry: &QueuedEntry, terms: Terms<'_>, member: &mut Member) {
    let Event::Purchase(purchase) = &entry.event else { return };
    let at = purchase.placed_at;
    member.visits += 1;
    if purchase.currency == terms.currency {
        member.spent = member.spent.saturating_add(purchase.total);
    }
    // Late purchases may be older than the first one known.
    member.first_purchase_at = Some(member.first_purchase_at.map_or(at, |first| first.min(at)));
    member.last_purchase_at = Some(member.last_purchase_at.map_or(at, |last| last.max(at)));
    member.joined_at = member.joined_at.min(at);
}
