//! Points per spend: what of a purchase counts, how much it earns, and which line earned how much.
//!
//! Everything is whole numbers. Products are made in 128 bits, rounding is named, and shares are made by largest remainder,
//! so they always add up to the amount.

mod multiplier;

use crate::{LineKind, Purchase, Refusal, Share};
use serde::Deserialize;
use std::cmp::Reverse;

pub use multiplier::Multiplier;

/// What a line is worth to a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// What the customer paid, tax included.
    #[default]
    AfterTax,
    /// What the customer paid less the tax within it.
    BeforeTax,
}

/// What happens to a part of a point. It happens once, to the purchase, never to a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// It is dropped.
    #[default]
    Down,
    /// From one half on it counts as a point.
    Nearest,
    /// It counts as a point.
    Up,
}

/// `points` for every `per` minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Positive.
    pub points: i64,
    /// Minor units, positive.
    pub per: i64,
    /// What happens to a part of a point.
    pub rounding: Rounding,
}

/// What of a purchase counts, by line, minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Eligible<'a> {
    /// Line id and what it counts; never negative, lines that count nothing are left out.
    pub lines: Vec<(&'a str, i64)>,
}

/// An amount, and which line earned how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// Whole units.
    pub amount: i64,
    /// Adds up to `amount`; lines that earned nothing are left out.
    pub shares: Vec<Share>,
}

impl<'a> Eligible<'a> {
    /// The lines that `counts` says count. Money off the whole purchase (lines of kind `discount`) makes every line cheaper
    /// in proportion to what it costs, those that count and those that do not.
    #[must_use]
    pub fn of(purchase: &'a Purchase, basis: Basis, counts: impl Fn(&crate::Line) -> bool) -> Self {
        let worth = |line: &crate::Line| match basis {
            Basis::AfterTax => line.total,
            Basis::BeforeTax => line.total.saturating_sub(line.tax),
        };
        let (discounts, goods): (Vec<_>, Vec<_>) =
            purchase.lines.iter().partition(|line| line.kind == LineKind::Discount);
        let worths: Vec<i64> = goods.iter().map(|line| worth(line).max(0)).collect();
        let all = worths.iter().fold(0_i64, |sum, worth| sum.saturating_add(*worth));
        let off = discounts.iter().fold(0_i64, |sum, line| sum.saturating_sub(worth(line))).clamp(0, all);
        let lines = goods
            .iter()
            .zip(worths.iter().zip(share(off, &worths)))
            .filter(|(line, _)| counts(line))
            .map(|(line, (worth, off))| (line.id.as_str(), worth - off))
            .filter(|(_, worth)| *worth > 0)
            .collect();
        Self { lines }
    }

    /// What counts altogether, minor units.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.lines.iter().fold(0_i64, |sum, (_, worth)| sum.saturating_add(*worth))
    }
}

/// What the eligible lines earn at a rate.
///
/// # Errors
/// [`Refusal::NotConfigured`] if the rate is not positive, [`Refusal::Unsupported`] if the amount does not fit in 64 bits.
pub fn per_spend(eligible: &Eligible<'_>, rate: Rate) -> Result<Earned, Refusal> {
    if rate.points <= 0 || rate.per <= 0 {
        return Err(Refusal::not_configured("points and the amount they are earned for are more than zero"));
    }
    let product = i128::from(eligible.total()) * i128::from(rate.points);
    let per = i128::from(rate.per);
    let amount = match rate.rounding {
        Rounding::Down => product / per,
        Rounding::Nearest => (2 * product + per) / (2 * per),
        Rounding::Up => (product + per - 1) / per,
    };
    let amount =
        i64::try_from(amount).map_err(|_| Refusal::unsupported("the purchase earns more than a wallet can hold"))?;
    let worths: Vec<i64> = eligible.lines.iter().map(|(_, worth)| *worth).collect();
    let shares = eligible
        .lines
        .iter()
        .zip(share(amount, &worths))
        .filter(|(_, part)| *part > 0)
        .map(|((line, _), part)| Share::new(*line, part))
        .collect();
    Ok(Earned { amount, shares })
}

/// Splits `amount` over `weights` in proportion, by largest remainder; ties go to the earlier part. Neither the amount nor
/// any weight may be negative (they count as 0). Weights that are all 0 give everything to the first part.
#[must_use]
pub fn share(amount: i64, weights: &[i64]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|weight| i128::from((*weight).max(0))).sum();
    let amount = i128::from(amount.max(0));
    if total == 0 {
        let part = i64::try_from(amount).unwrap_or(i64::MAX);
        return weights.iter().enumerate().map(|(index, _)| if index == 0 { part } else { 0 }).collect();
    }
    let products = weights.iter().map(|weight| amount * i128::from((*weight).max(0)));
    let mut parts: Vec<(i128, i128)> = products.map(|product| (product / total, product % total)).collect();
    let missing = amount - parts.iter().map(|(part, _)| part).sum::<i128>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_unstable_by_key(|index| (Reverse(parts[*index].1), *index));
    for index in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[index].0 += 1;
    }
    // A part is at most the whole, so it fits wherever the amount did.
    parts.into_iter().map(|(part, _)| i64::try_from(part).unwrap_or(i64::MAX)).collect()
}

#[cfg(test)]
mod tests;
