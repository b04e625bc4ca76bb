//! The last steps every connector shares: accounting for what the lines leave open, and who is known.

use super::{Happening, Unreadable};
use perkgate_domain::event::{Event, Join};
use perkgate_domain::member::Identity;
use perkgate_domain::purchase::{Line, LineKind, Purchase, Refund};

/// Puts the difference between the total and the lines into `unaccounted`, with `reason`, and checks the purchase.
///
/// # Errors
/// [`Unreadable`] with the first thing that cannot be.
pub(crate) fn purchase(mut purchase: Purchase, reason: &str) -> Result<Purchase, Unreadable> {
    purchase.unaccounted = gap(purchase.total, &purchase.lines)?;
    purchase.unaccounted_reason = (purchase.unaccounted != 0).then(|| reason.to_owned());
    checked(purchase)
}

/// Checks a purchase.
///
/// # Errors
/// [`Unreadable`] with the first thing that cannot be.
pub(crate) fn checked(purchase: Purchase) -> Result<Purchase, Unreadable> {
    purchase.check().map_err(|error| Unreadable(format!("the purchase cannot be: {error}")))?;
    Ok(purchase)
}

/// Checks a refund and makes it a happening. Refunds concern their purchase's member, so they carry no identity.
///
/// # Errors
/// [`Unreadable`] with the first thing that cannot be.
pub(crate) fn refund(refund: Refund) -> Result<Happening, Unreadable> {
    refund.check().map_err(|error| Unreadable(format!("the refund cannot be: {error}")))?;
    Ok(Happening { event: Event::Refund(refund), identity: None, member: None })
}

/// A join as a happening.
pub(crate) fn join(join: Join, identity: Identity) -> Happening {
    Happening { event: Event::Join(join), identity: known(identity), member: None }
}

/// What `total` has beyond `lines`, minor units.
///
/// # Errors
/// [`Unreadable`] if the sum does not fit in 64 bits.
pub(crate) fn gap(total: i64, lines: &[Line]) -> Result<i64, Unreadable> {
    lines.iter().try_fold(total, |left, line| left.checked_sub(line.total)).ok_or_else(too_large)
}

/// A sum that does not fit.
pub(crate) fn too_large() -> Unreadable {
    Unreadable("the amounts are too large to add up".to_owned())
}

/// `from` less `what`.
///
/// # Errors
/// [`Unreadable`] if it does not fit in 64 bits.
pub(crate) fn less(from: i64, what: i64) -> Result<i64, Unreadable> {
    from.checked_sub(what).ok_or_else(too_large)
}

/// The sum of some amounts.
///
/// # Errors
/// [`Unreadable`] if it does not fit in 64 bits.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Result<i64, Unreadable>>) -> Result<i64, Unreadable> {
    amounts.into_iter().try_fold(0_i64, |sum, amount| sum.checked_add(amount?).ok_or_else(too_large))
}

/// `unit` times a quantity in thousandths, to the nearest, halves away from zero.
///
/// # Errors
/// [`Unreadable`] if it does not fit in 64 bits.
pub(crate) fn times(unit: i64, quantity_milli: i64) -> Result<i64, Unreadable> {
    divide(i128::from(unit) * i128::from(quantity_milli), 1000)
}

/// `total` over a quantity in thousandths, to the nearest; `total` itself where there is no quantity.
///
/// # Errors
/// [`Unreadable`] if it does not fit in 64 bits.
pub(crate) fn per_piece(total: i64, quantity_milli: i64) -> Result<i64, Unreadable> {
    if quantity_milli == 0 { Ok(total) } else { divide(i128::from(total) * 1000, i128::from(quantity_milli)) }
}

/// A division to the nearest, halves away from zero. `by` is not zero.
fn divide(value: i128, by: i128) -> Result<i64, Unreadable> {
    let half = by.abs() / 2;
    let magnitude = (value.abs() + half) / by.abs();
    let rounded = if (value < 0) == (by < 0) { magnitude } else { -magnitude };
    i64::try_from(rounded).map_err(|_| too_large())
}

/// A line of one piece.
pub(crate) fn single(id: &str, name: &str, total: i64, tax: i64, kind: LineKind) -> Line {
    Line {
        id: id.to_owned(),
        sku: None,
        name: name.to_owned(),
        category: None,
        quantity_milli: 1000,
        unit: total,
        total,
        tax,
        kind,
    }
}

/// A text with something in it.
pub(crate) fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A full name from its parts.
pub(crate) fn full_name(first: Option<String>, last: Option<String>) -> Option<String> {
    let parts: Vec<String> = [filled(first), filled(last)].into_iter().flatten().collect();
    filled(Some(parts.join(" ")))
}

/// The identity, if there is a key in it that a member can be known by.
pub(crate) fn known(identity: Identity) -> Option<Identity> {
    let keys = [&identity.card, &identity.customer_id, &identity.email, &identity.phone];
    keys.iter().any(|key| key.is_some()).then_some(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_shares_round_half_away_from_zero() {
        assert_eq!(times(199, 2000), Ok(398));
        assert_eq!(times(333, 1500), Ok(500));
        assert_eq!(times(-333, 1500), Ok(-500));
        assert!(times(i64::MAX, 2000).is_err());
        assert_eq!(per_piece(1000, 3000), Ok(333));
        assert_eq!(per_piece(-1000, 3000), Ok(-333));
        assert_eq!(per_piece(1000, 0), Ok(1000));
    }

    #[test]
    fn nobody_is_known_by_a_name() {
        assert_eq!(known(Identity { name: Some("Jo".into()), ..Identity::default() }), None);
        assert!(known(Identity { phone: Some("1".into()), ..Identity::default() }).is_some());
        assert_eq!(full_name(Some(" Jo ".into()), Some(String::new())), Some("Jo".into()));
        assert_eq!(full_name(None, None), None);
    }
}
