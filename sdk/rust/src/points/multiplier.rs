//! How many times a rate counts: exact thousandths.

use super::Rate;
use crate::{Decimal, Refusal};
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// A factor in thousandths. In settings it is decimal text: `"1.25"`, at most three decimal places, from 0 to 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Multiplier {
    milli: u32,
}

impl Multiplier {
    /// That many thousandths: 1500 is one and a half.
    #[must_use]
    pub const fn milli(milli: u32) -> Self {
        Self { milli }
    }

    /// The rate at which what goes beyond the rate itself is earned: with 1.5, half of it. None if nothing goes beyond.
    ///
    /// [`super::per_spend`] then rounds once, so of 3.50 at a point per 1.00 and 1.5 the part beyond is 1.75, not half of 3.
    ///
    /// # Errors
    /// [`Refusal::NotConfigured`] if the rate is too large to be multiplied.
    pub fn beyond(self, rate: Rate) -> Result<Option<Rate>, Refusal> {
        let Some(beyond) = self.milli.checked_sub(1000).filter(|beyond| *beyond > 0) else { return Ok(None) };
        let points = rate.points.checked_mul(i64::from(beyond));
        match (points, rate.per.checked_mul(1000)) {
            (Some(points), Some(per)) => Ok(Some(Rate { points, per, ..rate })),
            _ => Err(Refusal::not_configured("points and the amount they are earned for are too large")),
        }
    }
}

/// As `1.25`, without idle zeros.
impl fmt::Display for Multiplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.milli / 1000, self.milli % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl<'de> Deserialize<'de> for Multiplier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let decimal = Decimal::deserialize(deserializer)?;
        let milli = decimal.minor(3).ok().and_then(|milli| u32::try_from(milli).ok());
        milli.filter(|milli| *milli <= 1_000_000).map(Self::milli).ok_or_else(|| {
            de::Error::custom(format_args!(
                "a multiplier is from 0 to 1000 with at most three decimal places, not {decimal}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::{Eligible, Rounding, per_spend};

    fn read(json: &str) -> Result<Multiplier, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn what_goes_beyond_is_exact_and_rounded_once() {
        let rate = Rate { points: 1, per: 100, rounding: Rounding::Nearest };
        let eligible = Eligible { lines: vec![("a", 350)] };
        let extra = |multiplier: &str| {
            let beyond = read(multiplier).expect("a multiplier").beyond(rate).expect("fits");
            beyond.map(|rate| per_spend(&eligible, rate).expect("earns").amount)
        };
        // 3.5 × 0.5 = 1.75; 3.5 × 0.001 = 0.0035; 3.5 × 2 = 7.
        assert_eq!([extra(r#""1.5""#), extra(r#""1.001""#), extra("3")], [Some(2), Some(0), Some(7)]);
        assert_eq!([extra("1"), extra(r#""0.5""#), extra("0")], [None; 3]);
        assert!(Multiplier::milli(2000).beyond(Rate { per: i64::MAX, ..rate }).is_err());
    }

    #[test]
    fn it_is_read_from_decimals_and_written_without_idle_zeros() {
        let written = [r#""1.250""#, "2", r#""0.05""#].map(|json| read(json).expect(json).to_string());
        assert_eq!(written, ["1.25", "2", "0.05"]);
        for json in [r#""1.2345""#, r#""-1""#, "1001", "1.5", "true"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
