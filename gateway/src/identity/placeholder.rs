//! Addresses and numbers that stand for nobody: what a till, a shop or a marketplace writes where it knows none. The ones in use everywhere
//! are listed here; one shop's own are recognised by being named beside many different people (`store/acts/identify.rs`).

/// What stands before the `@` of an address that nobody reads.
const NOBODY: &[&str] = &[
    "anonymous",
    "donotreply",
    "do-not-reply",
    "guest",
    "noemail",
    "no-email",
    "nomail",
    "none",
    "noreply",
    "no-reply",
    "pos",
    "unknown",
    "walkin",
    "walk-in",
];
/// Where marketplaces forward mail from: another address for each order, and none of them the customer's.
const RELAYS: &[&str] = &["allegromail.pl", "members.ebay.com", "relay.walmart.com", "verkopen.bol.com"];
/// How the domains of Amazon's relays begin, whatever the country.
const AMAZON: &str = "marketplace.amazon.";
/// Digits in a row that somebody types to get past a field.
const ROWS: &[&str] = &["123456789", "987654321"];
/// So many equal digits at the end are no number.
const EQUAL: usize = 7;

/// Whether an address, normalised, is a placeholder.
pub(super) fn email(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(local, domain)| {
        NOBODY.contains(&local) || RELAYS.contains(&domain) || domain.starts_with(AMAZON)
    })
}

/// Whether a number, in E.164, is a placeholder.
pub(super) fn phone(number: &str) -> bool {
    let last = number.chars().next_back();
    let equal = number.chars().rev().take_while(|digit| Some(*digit) == last).count();
    equal >= EQUAL || ROWS.iter().any(|row| number.ends_with(row))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_stands_for_nobody_is_told_from_what_stands_for_somebody() {
        for address in ["noreply@kavarna.sk", "guest@shop.example", "x1y2@marketplace.amazon.de", "a@members.ebay.com"]
        {
            assert!(super::email(address), "{address}");
        }
        for address in ["jana@example.com", "guestova@example.com", "jana@noreply.example"] {
            assert!(!super::email(address), "{address}");
        }
        for number in ["+421000000000", "+421999999999", "+421123456789", "+4210987654321"] {
            assert!(super::phone(number), "{number}");
        }
        for number in ["+421905123456", "+421905777888", "+420777777123", "+421901234567"] {
            assert!(!super::phone(number), "{number}");
        }
    }
}
