//! `perkgate explain ORDER`: why did this purchase give what it gave?

use super::{Database, print_json};
use anyhow::Context as _;
use perkgate_domain::decision::{Decision, Outcome, Refusal};
use perkgate_domain::ids::{MerchantId, SourceId};
use perkgate_domain::plan::DecisionRecord;
use perkgate_gateway::store::{DecisionView, ExplainView, Schema};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose programme
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// Which source the order came by
    #[arg(long, value_name = "ID")]
    source: String,
    /// The platform's order id, or its number as staff read it
    order: String,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, _) = flags.database.open(Schema::Current).await?;
    let (merchant, source) = (MerchantId::new(flags.merchant), SourceId::new(flags.source));
    let view = store.explain(&merchant, &source, &flags.order).await?.with_context(|| {
        format!(
            "no purchase `{}` came by source `{source}` of `{merchant}`: it may not be paid yet, or was turned away \
             (`perkgate rejections --merchant {merchant}` lists those)",
            flags.order
        )
    })?;
    if flags.json {
        print_json(&document(&view))?;
    } else {
        for line in lines(&view) {
            println!("{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The document of DESIGN's promise, and what else is known.
pub(super) fn document(view: &ExplainView) -> Value {
    let refunds: Vec<Value> = view
        .refunds
        .iter()
        .map(|(entry, refund)| json!({"entry": entry.id, "state": entry.state, "cause": entry.cause, "refund": refund}))
        .collect();
    json!({
        "entry": view.entry.id,
        "state": view.entry.state,
        "cause": view.entry.cause,
        "member": view.entry.member,
        "purchase": view.purchase,
        "decisions": view.decisions.iter().map(decision).collect::<Vec<_>>(),
        "postings": view.postings,
        "rewards": view.rewards,
        "deliveries": view.deliveries,
        "refunds": refunds,
        "arrivals": view.arrivals,
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

/// The same for people.
pub(super) fn lines(view: &ExplainView) -> Vec<String> {
    let purchase = &view.purchase;
    let currency = purchase.currency;
    let mut lines = vec![format!(
        "purchase {} of {} {currency}: {} for {}",
        purchase.id,
        currency.decimal(purchase.total),
        view.entry.state,
        view.entry.member.as_ref().map_or("nobody known yet", |member| member.as_str())
    )];
    if let Some(cause) = &view.entry.cause {
        lines.push(format!("  {cause}"));
    }
    for made in &view.decisions {
        let made = &made.record;
        lines.extend(said(made).into_iter().map(|line| format!("  {}: {line}", made.installation)));
    }
    for posting in &view.postings {
        lines.push(format!(
            "  {} {} from {} to {}",
            posting.amount, posting.wallet, posting.source, posting.destination
        ));
    }
    for reward in &view.rewards {
        lines.push(format!("  {} — code {} ({})", reward.title, reward.code, reward.state.as_str()));
    }
    for delivery in &view.deliveries {
        let message = &delivery.delivery;
        let note = message.note.as_deref().map_or_else(String::new, |note| format!(": {note}"));
        lines.push(format!(
            "  message \"{}\" by {}: {}{note}",
            message.message.subject,
            message.channel,
            message.state.as_str()
        ));
    }
    for (entry, refund) in &view.refunds {
        let what = if refund.complete {
            "all of it".to_owned()
        } else {
            format!("{} {currency}", currency.decimal(refund.amount))
        };
        lines.push(format!(
            "  refund {} gives back {what}: {}{}",
            refund.id,
            entry.state,
            entry.cause.as_deref().map_or_else(String::new, |cause| format!(" ({cause})"))
        ));
    }
    lines
}

fn said(made: &DecisionRecord) -> Vec<String> {
    if let Some(fault) = &made.ruling {
        return vec![format!("not acted on: {}", fault.detail)];
    }
    let mut lines = match &made.outcome {
        Outcome::Decided(decisions) if decisions.is_empty() => {
            let why = made.log.last().map_or_else(String::new, |line| format!(" ({})", line.text));
            vec![format!("nothing{why}")]
        }
        Outcome::Decided(decisions) => decisions.iter().filter_map(words).collect(),
        Outcome::Refused(Refusal::NotConfigured(why)) => vec![format!("is not configured: {why}")],
        Outcome::Refused(Refusal::Unsupported(why)) => vec![format!("does not cover this: {why}")],
        Outcome::Refused(Refusal::Broken(why)) => vec![format!("is broken: {why}")],
        Outcome::Fault(fault) => vec![format!("failed: {}", fault.detail)],
    };
    lines.extend(made.notes.iter().cloned());
    if made.shadow {
        lines.push("in the shadow: nothing follows".to_owned());
    }
    lines
}

fn words(decision: &Decision) -> Option<String> {
    Some(match decision {
        Decision::Earn(earn) => format!("{} {} — {}", earn.amount, earn.wallet, earn.reason),
        Decision::Spend(spend) => format!("takes {} {} — {}", spend.amount, spend.wallet, spend.reason),
        Decision::Reward(reward) => format!("reward: {}", reward.title),
        Decision::Offer(offer) => format!("offer: {}", offer.title),
        Decision::Tier { name } => format!("tier {}", name.as_deref().unwrap_or("none")),
        Decision::Tag { name, present } => format!("tag {name} {}", if *present { "on" } else { "off" }),
        Decision::Message(message) => format!("message: {}", message.subject),
        Decision::Wake(_) | Decision::Remember { .. } => return None,
    })
}
