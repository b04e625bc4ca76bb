//! Caps: what an installation, and all of them together, may give of a wallet. A verdict beyond one is refused whole: clipped points
//! would be a third rule that neither plugin nor merchant wrote. The merchant is told once for each cap and day, month or for ever.

use super::desk::Desk;
use super::{fault, say};
use perkgate_domain::cap::{Beyond, Span};
use perkgate_domain::decision::{Decision, Fault, FaultKind, Task};
use perkgate_domain::ids::{InstallationId, derive};
use perkgate_domain::plan::Counter;
use perkgate_domain::programme::{Caps, Installation, WalletCaps};
use std::collections::BTreeMap;

/// Where counters of the merchant's own caps are counted.
const MERCHANT: &str = "";

/// Holds a verdict against the caps, and counts what it gives.
///
/// # Errors
/// [`Fault`] names the cap; nothing is counted then.
pub(super) fn check(desk: &mut Desk<'_>, installation: &Installation, decisions: &[Decision]) -> Result<(), Fault> {
    let mut given: BTreeMap<&str, i64> = BTreeMap::new();
    for decision in decisions {
        if let Decision::Earn(earn) = decision {
            let sum = given.entry(&earn.wallet).or_default();
            *sum = sum.saturating_add(earn.amount);
        }
    }
    let merchant = &desk.terms.merchant.rules.caps;
    let mut counts = Vec::new();
    for (wallet, amount) in given {
        for (whose, caps) in [(installation.id.as_str(), &installation.caps), (MERCHANT, merchant)] {
            counts.extend(hold(desk, whose, caps, wallet, amount)?);
        }
    }
    for (counter, amount) in counts {
        desk.count(counter, amount);
    }
    Ok(())
}

/// Holds an amount against one owner's caps of one wallet. Answers what is to be counted.
fn hold(
    desk: &mut Desk<'_>,
    whose: &str,
    caps: &Caps,
    wallet: &str,
    amount: i64,
) -> Result<Vec<(Counter, i64)>, Fault> {
    let Some(caps) = caps.get(wallet) else { return Ok(Vec::new()) };
    let WalletCaps { per_purchase, per_member_day, per_day, per_month, total } = *caps;
    // An installation says all that it gives in one verdict; all of them together say it one after the other.
    let before = desk.out.lots.iter().filter(|lot| whose == MERCHANT && lot.wallet == wallet).map(|lot| lot.amount);
    let given = before.fold(amount, i64::saturating_add);
    if let Some(cap) = per_purchase.filter(|cap| given > *cap) {
        return Err(beyond(desk, whose, wallet, Span::Purchase, "", (given, cap)));
    }
    let date = desk.terms.zone.date(desk.at());
    let month = date.get(..7).unwrap_or_default().to_owned();
    let member_day = format!("{date}/{}", desk.book.member.id);
    let held = [
        (Span::MemberDay, per_member_day, member_day),
        (Span::Day, per_day, date),
        (Span::Month, per_month, month),
        (Span::Total, total, String::new()),
    ];
    let mut counts = Vec::new();
    for (span, cap, scope) in held {
        let Some(cap) = cap else { continue };
        let counter = Counter {
            merchant: desk.entry.merchant.clone(),
            installation: InstallationId::new(whose),
            name: wallet.to_owned(),
            scope,
        };
        let sum = desk.counted(&counter).saturating_add(amount);
        if sum > cap {
            return Err(beyond(desk, whose, wallet, span, &counter.scope, (sum, cap)));
        }
        counts.push((counter, amount));
    }
    Ok(counts)
}

/// The refusal; the merchant is told of it too. A cap for one entry is told of once a day.
fn beyond(desk: &mut Desk<'_>, whose: &str, wallet: &str, span: Span, scope: &str, (sum, most): (i64, i64)) -> Fault {
    let scope = scope.split('/').next().unwrap_or_default();
    let beyond = Beyond {
        span,
        scope: scope.to_owned(),
        wallet: wallet.to_owned(),
        sum,
        most,
        whose: (whose != MERCHANT).then(|| InstallationId::new(whose)),
    };
    let (key, owner) = (beyond.key(), beyond.owner());
    let detail = beyond.to_string();
    let told_for = if span == Span::Purchase { desk.terms.zone.date(desk.at()) } else { scope.to_owned() };
    let task = Task {
        key: "cap".to_owned(),
        title: format!("A cap is reached: {key} of {owner}"),
        text: format!(
            "{detail}. What goes beyond it is refused whole. Raise the cap in the merchant file, or leave it as it is."
        ),
    };
    let id = derive("tsk", &[desk.entry.merchant.as_str(), "cap", &owner, &key, &told_for]);
    say::open(desk, id, &InstallationId::new(""), None, &task);
    fault(FaultKind::Cap, detail)
}
