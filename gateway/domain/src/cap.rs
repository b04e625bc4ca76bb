//! Caps that a verdict goes beyond: the sentence that its fault keeps, and what reads it back for whoever asks why.

use crate::ids::InstallationId;
use std::fmt;

/// Over what a cap is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One entry.
    Purchase,
    /// One member's day.
    MemberDay,
    /// A day.
    Day,
    /// A month.
    Month,
    /// Everything.
    Total,
}

impl Span {
    const ALL: [Self; 5] = [Self::Purchase, Self::MemberDay, Self::Day, Self::Month, Self::Total];

    /// The name in merchant files, after the wallet's: `per_day`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "per_purchase",
            Self::MemberDay => "per_member_day",
            Self::Day => "per_day",
            Self::Month => "per_month",
            Self::Total => "total",
        }
    }
}

/// A cap, and what went beyond it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// Over what it is counted.
    pub span: Span,
    /// The day (`2026-11-21`) or month (`2026-11`) of the merchant's that it was counted over; empty where there is none.
    pub scope: String,
    /// Of which wallet.
    pub wallet: String,
    /// What it would have come to.
    pub sum: i64,
    /// The cap.
    pub most: i64,
    /// Whose cap; none for all installations together.
    pub whose: Option<InstallationId>,
}

impl Beyond {
    /// The key in the merchant file: `points_per_day`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}_{}", self.wallet, self.span.as_str())
    }
    /// Whose cap it is, for people.
    #[must_use]
    pub fn owner(&self) -> String {
        self.whose.as_ref().map_or_else(|| "all plugins together".to_owned(), |whose| format!("`{whose}`"))
    }
    /// Reads what [`fmt::Display`] writes; none for any other sentence.
    #[must_use]
    pub fn parse(detail: &str) -> Option<Self> {
        let (said, key) = detail.strip_suffix(')')?.rsplit_once(" (caps.")?;
        let (given, cap) = said.split_once(" are more than the cap of ")?;
        let (most, owner) = cap.split_once(" for ")?;
        let mut words = given.splitn(3, ' ');
        let (sum, wallet, over) = (words.next()?, words.next()?, words.next()?);
        let span = Span::ALL.into_iter().find(|span| key == format!("{wallet}_{}", span.as_str()))?;
        let whose = match owner {
            "all plugins together" => None,
            named => Some(named.strip_prefix('`')?.strip_suffix('`')?.into()),
        };
        let scope = match span {
            Span::Purchase | Span::Total => "",
            Span::MemberDay => over.strip_prefix("to one member on ")?,
            Span::Day | Span::Month => over.strip_prefix("in ")?,
        };
        Some(Self {
            span,
            scope: scope.to_owned(),
            wallet: wallet.to_owned(),
            sum: sum.parse().ok()?,
            most: most.parse().ok()?,
            whose,
        })
    }
}

/// What the fault says: `120 points in 2026-11-21 are more than the cap of 100 for `bonus` (caps.points_per_day)`.
impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { span, scope, wallet, sum, most, .. } = self;
        write!(f, "{sum} {wallet} ")?;
        match span {
            Span::Purchase => f.write_str("for one purchase")?,
            Span::MemberDay => write!(f, "to one member on {scope}")?,
            Span::Day | Span::Month => write!(f, "in {scope}")?,
            Span::Total => f.write_str("ever")?,
        }
        write!(f, " are more than the cap of {most} for {} (caps.{})", self.owner(), self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for (span, scope) in [
            (Span::Purchase, ""),
            (Span::MemberDay, "2026-11-21"),
            (Span::Day, "2026-11-21"),
            (Span::Month, "2026-11"),
            (Span::Total, ""),
        ] {
            for whose in [None, Some(InstallationId::from("bonus"))] {
                let wallet = "points".to_owned();
                let beyond = Beyond { span, scope: scope.to_owned(), wallet, sum: 120, most: 100, whose };
                assert_eq!(Beyond::parse(&beyond.to_string()), Some(beyond.clone()), "{beyond}");
            }
        }
    }

    #[test]
    fn other_sentences_are_no_cap() {
        for text in
            ["", "spend takes 5 of points, the member has 3", "1 x are more than the cap of 0 for y (caps.x_ever)"]
        {
            assert_eq!(Beyond::parse(text), None, "{text}");
        }
    }
}
