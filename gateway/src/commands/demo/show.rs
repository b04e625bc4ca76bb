//! The demo's words on the screen.

use super::inbox::Mail;
use super::script::Step;
use perkgate_gateway::store::{LedgerReport, MemberView};
use std::path::Path;

pub(super) fn headline(text: &str) {
    println!("\n== {text}");
}

pub(super) fn step(number: usize, of: usize, step: &Step, status: u16, answer: &serde_json::Value) {
    let word = answer["status"].as_str().unwrap_or("handshake");
    let detail = answer["detail"].as_str().map_or_else(String::new, |detail| format!(": {detail}"));
    println!("\n[{number:2}/{of}] {} — {} {status} {word}{detail}", step.about, step.source);
}

pub(super) fn note(text: &str) {
    println!("        {text}");
}

pub(super) fn lines(lines: &[String]) {
    for line in lines {
        println!("        {line}");
    }
}

pub(super) fn member(name: &str, view: &MemberView) {
    let balances: Vec<String> =
        view.member.wallets.iter().map(|(name, wallet)| format!("{} {name}", wallet.available)).collect();
    println!("  {name:<8} {} visits, {}", view.member.visits, balances.join(", "));
    for reward in &view.rewards {
        println!("           {} — code {} ({})", reward.title, reward.code, reward.state.as_str());
    }
}

pub(super) fn mail(mail: &Mail) {
    println!("  to {}: {} — {}", mail.to, mail.subject, mail.text.replace('\n', " "));
}

pub(super) fn suppressed(count: usize) {
    println!("  {count} more were not sent: their members did not agree to messages");
}

pub(super) fn ledger(report: &LedgerReport) {
    println!(
        "  {} entries, {} postings, {} lots, {} members: {}",
        report.entries,
        report.postings,
        report.lots,
        report.members,
        if report.holds() { "every invariant holds" } else { "IT DOES NOT HOLD" }
    );
    report.problems.iter().for_each(|problem| println!("  - {problem}"));
}

pub(super) fn wrong(finding: &str) {
    println!("  NOT AS IT SHOULD BE: {finding}");
}

pub(super) fn goes_on(base: &str, data: &Path) {
    let database = format!("--database sqlite://{}", data.join("perkgate.db").display());
    println!(
        "\nEverything came out as it should. The gateway goes on at {base} (Ctrl-C stops it). Try, in another window:"
    );
    println!("  perkgate send shopify --to {base}/in/kavarna/eshop --secret demo-shopify-secret");
    println!("  perkgate member --merchant kavarna email:jana@example.com {database}");
    println!("  perkgate explain --merchant kavarna --source pay pi_3001 {database}");
    println!("  perkgate ledger verify {database}");
}
