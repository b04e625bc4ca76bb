//! Whether an answer makes sense by itself: lengths, amounts, shares. Pure. Grants and caps are judged elsewhere.

use crate::fault::plugin;
use crate::plugin::Call;
use perkgate_domain::decision::{
    Ask, CivilTime, Decision, Earn, Fault, FaultKind, Message, Offer, Reward, Share, Task, Wake, WakeTime,
};
use perkgate_domain::limits::{AMOUNT, CallLimits, MEMORY_BYTES, MESSAGE_BYTES, TEXT_BYTES, WALLET_BYTES};
use perkgate_domain::purchase::Line;
use std::collections::BTreeSet;

/// Checks everything about an answer that needs no merchant to judge.
///
/// # Errors
/// The plugin's fault: [`FaultKind::Result`] if there is too much of something, [`FaultKind::Invalid`] if it makes no sense.
pub fn check(decisions: &[Decision], event: &Call<'_>, limits: &CallLimits) -> Result<(), Fault> {
    if decisions.len() > limits.decisions {
        return too_much(&format!(
            "{} decisions are more than the {} of one answer",
            decisions.len(),
            limits.decisions
        ));
    }
    for decision in decisions {
        one(decision, event.lines())?;
    }
    at_most_one(decisions, "remember", |decision| matches!(decision, Decision::Remember { .. }))?;
    at_most_one(decisions, "tier", |decision| matches!(decision, Decision::Tier { .. }))
}

fn one(decision: &Decision, lines: &[Line]) -> Result<(), Fault> {
    match decision {
        Decision::Earn(Earn { wallet, amount, shares, reason, .. }) => {
            value("earn", wallet, *amount)?;
            text("earn: `reason`", reason)?;
            self::shares(shares, *amount, lines)
        }
        Decision::Spend(spend) => {
            value("spend", &spend.wallet, spend.amount)?;
            text("spend: `reason`", &spend.reason)
        }
        Decision::Reward(Reward { key, title, price, .. }) => {
            name("reward: `key`", key)?;
            text("reward: `title`", title)?;
            price.as_ref().map_or(Ok(()), |price| value("reward: `price`", &price.wallet, price.amount))
        }
        Decision::Offer(Offer { key, title, text: terms, .. }) => {
            name("offer: `key`", key)?;
            text("offer: `title`", title)?;
            long_text("offer: `text`", terms)
        }
        Decision::Tier { name: tier } => tier.as_ref().map_or(Ok(()), |tier| name("tier: `name`", tier)),
        Decision::Tag { name: tag, .. } => name("tag: `name`", tag),
        Decision::Message(Message { key, subject, text: body, locale }) => {
            name("message: `key`", key)?;
            text("message: `subject`", subject)?;
            text("message: `locale`", locale)?;
            long_text("message: `text`", body)
        }
        Decision::Wake(Wake { key, data, when, .. }) => {
            name("wake: `key`", key)?;
            within("wake: `data`", data.len(), MEMORY_BYTES)?;
            match when {
                Some(WakeTime::Civil(civil)) => civil_time(*civil),
                Some(WakeTime::Moment(_)) | None => Ok(()),
            }
        }
        Decision::Task(Task { key, title, text: body }) => {
            name("task: `key`", key)?;
            name("task: `title`", title)?;
            long_text("task: `text`", body)
        }
        Decision::Ask(Ask { key, subject, text: body, locale, valid_days, .. }) => {
            name("ask: `key`", key)?;
            text("ask: `subject`", subject)?;
            text("ask: `locale`", locale)?;
            long_text("ask: `text`", body)?;
            if *valid_days == 0 { nonsense("ask: `valid-days` is 0") } else { Ok(()) }
        }
        Decision::Remember { bytes } => within("remember", bytes.len(), MEMORY_BYTES),
    }
}

/// A time that some clock shows in some year.
fn civil_time(time: CivilTime) -> Result<(), Fault> {
    let CivilTime { year, month, day, hour, minute } = time;
    let longest = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let shown = (1..=9999).contains(&year) && (1..=12).contains(&month) && hour < 24 && minute < 60;
    if shown && (1..=longest).contains(&day) {
        return Ok(());
    }
    nonsense(&format!("wake: no clock shows {year}-{month:02}-{day:02} {hour:02}:{minute:02}"))
}

fn value(what: &str, wallet: &str, amount: i64) -> Result<(), Fault> {
    let byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if wallet.is_empty() || wallet.len() > WALLET_BYTES || !wallet.bytes().all(byte) {
        return nonsense(&format!(
            "{what}: a wallet has 1 to {WALLET_BYTES} lower-case letters, digits and dashes, unlike `{}`",
            shown(wallet)
        ));
    }
    if !(1..=AMOUNT).contains(&amount) {
        return nonsense(&format!("{what}: an amount is from 1 to {AMOUNT}, not {amount}"));
    }
    Ok(())
}

fn shares(shares: &[Share], amount: i64, lines: &[Line]) -> Result<(), Fault> {
    if shares.is_empty() {
        return Ok(());
    }
    let mut left: BTreeSet<&str> = lines.iter().map(|line| line.id.as_str()).collect();
    let mut sum = 0_i64;
    for share in shares {
        if share.amount < 0 {
            return nonsense(&format!("earn: the share of line `{}` is {}, below 0", shown(&share.line), share.amount));
        }
        if !left.remove(share.line.as_str()) {
            let known = lines.iter().any(|line| line.id == share.line);
            let why = if known { "has two shares" } else { "is not in the purchase" };
            return nonsense(&format!("earn: line `{}` {why}", shown(&share.line)));
        }
        // Saturating is enough: an amount is far below where it would matter.
        sum = sum.saturating_add(share.amount);
    }
    if sum != amount {
        return nonsense(&format!("earn: the shares add up to {sum}, the amount is {amount}"));
    }
    Ok(())
}

fn at_most_one(decisions: &[Decision], name: &str, is: impl Fn(&Decision) -> bool) -> Result<(), Fault> {
    match decisions.iter().filter(|decision| is(decision)).count() {
        0 | 1 => Ok(()),
        count => nonsense(&format!("an answer has at most one `{name}`, this one has {count}")),
    }
}

/// A name that something is found by: not empty.
fn name(what: &str, value: &str) -> Result<(), Fault> {
    if value.is_empty() { nonsense(&format!("{what} is empty")) } else { text(what, value) }
}

/// A short text, without the one character that databases do not keep.
pub(crate) fn text(what: &str, value: &str) -> Result<(), Fault> {
    readable(what, value, TEXT_BYTES)
}

/// The text of a message, an offer, a task or a question.
fn long_text(what: &str, value: &str) -> Result<(), Fault> {
    readable(what, value, MESSAGE_BYTES)
}

fn readable(what: &str, value: &str, most: usize) -> Result<(), Fault> {
    if value.contains('\0') {
        return nonsense(&format!("{what} has a NUL character in it"));
    }
    within(what, value.len(), most)
}

fn within(what: &str, bytes: usize, most: usize) -> Result<(), Fault> {
    if bytes > most { too_much(&format!("{what} has {bytes} bytes and may have {most}")) } else { Ok(()) }
}

/// As much of a plugin's text as fits a sentence.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

fn too_much(what: &str) -> Result<(), Fault> {
    Err(plugin(FaultKind::Result, format!("the plugin answered too much: {what}")))
}

fn nonsense(what: &str) -> Result<(), Fault> {
    Err(plugin(FaultKind::Invalid, format!("the plugin's answer makes no sense: {what}")))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
