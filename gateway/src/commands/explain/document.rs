//! The documents of `perkgate explain --json`.

use perkgate_domain::decision::Outcome;
use perkgate_domain::ledger::{Expiry, Lot};
use perkgate_domain::member::Member;
use perkgate_gateway::store::{DecisionView, EntryView, ExplainView, LotView};
use serde_json::{Value, json};

/// The document of DESIGN's promise, and what else is known.
pub(super) fn order(view: &ExplainView, words: &[String]) -> Value {
    json!({
        "entry": view.entry.id,
        "state": view.entry.state,
        "cause": view.entry.cause,
        "member": view.entry.member,
        "purchase": view.purchase,
        "decisions": view.decisions.iter().map(decision).collect::<Vec<_>>(),
        "postings": view.postings,
        "lots": view.lots.iter().map(lot).collect::<Vec<_>>(),
        "rewards": view.rewards,
        "coupons": view.coupons,
        "deliveries": view.deliveries,
        "refunds": view.refunds.iter().map(|(entry, refund)| later(entry, "refund", &json!(refund))).collect::<Vec<_>>(),
        "edits": view.edits.iter().map(|(entry, edit)| later(entry, "edit", &json!(edit))).collect::<Vec<_>>(),
        "arrivals": view.arrivals,
        "words": words,
    })
}

/// What a member's balance is made of: every lot of which something is left or was spent, earned first first.
pub(super) fn balance(member: &Member, wallet: Option<&str>, lots: &[LotView], words: &[String]) -> Value {
    let wanted = |name: &str| wallet.is_none_or(|wallet| wallet == name);
    let balances = member.wallets.iter().filter(|(name, _)| wanted(name));
    let balances = balances.map(|(name, wallet)| (name.clone(), crate::commands::member::wallet(wallet)));
    let lots = lots.iter().filter(|view| wanted(&view.lot.wallet)).map(|view| {
        let mut document = lot(&view.lot);
        document["kind"] = json!(view.kind);
        document["source"] = json!(view.source);
        document["external_id"] = json!(view.external_id);
        document["reference"] = json!(view.reference);
        document
    });
    json!({
        "member": member.id,
        "balances": balances.collect::<serde_json::Map<_, _>>(),
        "lots": lots.collect::<Vec<_>>(),
        "words": words,
    })
}

/// A refund or an edit, and where it stands.
fn later(entry: &EntryView, kind: &str, what: &Value) -> Value {
    let mut document = json!({"entry": entry.id, "state": entry.state, "cause": entry.cause});
    document[kind] = what.clone();
    document
}

fn lot(lot: &Lot) -> Value {
    let expires_at = match lot.expires {
        Expiry::At(at) => Some(at),
        Expiry::Sliding | Expiry::Never => None,
    };
    json!({
        "lot": lot.id,
        "entry": lot.entry,
        "plugin": lot.installation,
        "digest": lot.digest,
        "settings_revision": lot.settings_revision,
        "wallet": lot.wallet,
        "amount": lot.amount,
        "reversed": lot.reversed,
        "forgiven": lot.forgiven,
        "expired": lot.expired,
        "earned_at": lot.earned_at,
        "matures_at": lot.matures_at,
        "expires_at": expires_at,
        "slides": lot.expires == Expiry::Sliding,
        "shares": lot.shares,
    })
}

fn decision(view: &DecisionView) -> Value {
    let made = &view.record;
    let (decisions, refused, fault) = match &made.outcome {
        Outcome::Decided(decisions) => (json!(decisions), Value::Null, json!(made.ruling)),
        Outcome::Refused(refusal) => (json!([]), json!(refusal), json!(made.ruling)),
        Outcome::Fault(fault) => (json!([]), Value::Null, json!(fault)),
    };
    json!({
        "plugin": made.installation,
        "entry": view.entry,
        "digest": made.digest,
        "settings_revision": made.settings_revision,
        "fuel": made.fuel,
        "decisions": decisions,
        "refused": refused,
        "fault": fault,
        "notes": made.notes,
        "shadow": made.shadow,
        "log": made.log,
        "facts": made.facts,
    })
}
