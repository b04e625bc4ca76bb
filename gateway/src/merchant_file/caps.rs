//! Caps: what may be given of a wallet. A key is a wallet and a measure, as in `points_per_day`; no wallet's name has an
//! underscore, so the first one parts them.

use super::checks::{self, nearest, shown};
use super::reading::Section;
use perkgate_domain::programme::Caps;

const MEASURES: &[&str] = &["per_purchase", "per_member_day", "per_day", "per_month", "total"];

/// `caps`; empty if the key is missing.
pub(super) fn caps(section: &Section<'_>) -> Caps {
    let mut caps = Caps::new();
    let Some(written) = section.words("caps") else { return caps };
    for key in written.keys() {
        let (wallet, measure) = key.value.split_once('_').unwrap_or((key.value, ""));
        if !MEASURES.contains(&measure) {
            let cure = nearest(measure, MEASURES).map_or_else(
                || format!("write a wallet and one of {}, as in `points_per_day`", MEASURES.join(", ")),
                |near| format!("did you mean `{wallet}_{near}`?"),
            );
            section.say_of(key.line, "caps", format!("has no key `{}`; {cure}", shown(key.value)));
            continue;
        }
        let Some(()) = section.checked("caps", key.line, checks::wallet(wallet)) else { continue };
        let most = written.count(key.value);
        let of_wallet = caps.entry(wallet.to_owned()).or_default();
        match measure {
            "per_purchase" => of_wallet.per_purchase = most,
            "per_member_day" => of_wallet.per_member_day = most,
            "per_day" => of_wallet.per_day = most,
            "per_month" => of_wallet.per_month = most,
            _ => of_wallet.total = most,
        }
    }
    caps
}
