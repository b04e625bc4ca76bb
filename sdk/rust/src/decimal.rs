//! Decimal amounts in settings, read without floats.

use crate::Refusal;
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// A decimal number as somebody wrote it: `"1.50"`. In JSON it is text or a whole number; a fraction outside quotes is
/// refused, because it would pass through a float on its way here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All digits as one number.
    digits: i64,
    /// How many of them stand behind the point.
    places: u8,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn whole(number: i64) -> Self {
        Self { digits: number, places: 0 }
    }

    /// Reads `1`, `1.50` or `-0.5`.
    ///
    /// # Errors
    /// A sentence if it is anything else, or has more than 18 digits.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{}` is not a decimal amount such as \"1.50\"", text.chars().take(40).collect::<String>());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let pointless = unsigned.contains('.') && part.is_empty();
        let digits = whole.bytes().chain(part.bytes());
        if whole.is_empty() || pointless || whole.len() + part.len() > 18 || !digits.clone().all(|b| b.is_ascii_digit())
        {
            return Err(wrong());
        }
        let number = digits.fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
        let places = u8::try_from(part.len()).map_err(|_| wrong())?;
        Ok(Self { digits: if text.starts_with('-') { -number } else { number }, places })
    }

    /// As minor units of a currency with this many decimal places: `1.5` is 150 where the exponent is 2.
    ///
    /// # Errors
    /// [`Refusal::NotConfigured`] if it is finer than the minor unit (`1.505` in EUR, `0.5` in JPY) or too large.
    pub fn minor(self, exponent: u8) -> Result<i64, Refusal> {
        let power = |places: u8| 10_i64.checked_pow(u32::from(places));
        let fits = if self.places <= exponent {
            power(exponent - self.places).and_then(|factor| self.digits.checked_mul(factor))
        } else {
            power(self.places - exponent).filter(|factor| self.digits % factor == 0).map(|factor| self.digits / factor)
        };
        fits.ok_or_else(|| {
            Refusal::not_configured(format!("{self} does not fit a currency with {exponent} decimal places"))
        })
    }

    /// Whether it is above zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.digits > 0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::from(self.places);
        let digits = format!("{:0width$}", self.digits.unsigned_abs(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        let sign = if self.digits < 0 { "-" } else { "" };
        if places == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{part}") }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Decimal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal amount in quotes, such as \"1.50\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                Decimal::parse(text).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
                Ok(Decimal::whole(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
                i64::try_from(number).map(Decimal::whole).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_minor_units_of_each_currency() {
        let minor = |text: &str, exponent| Decimal::parse(text).expect(text).minor(exponent);
        assert_eq!(minor("1.00", 2), Ok(100));
        assert_eq!(minor("1", 2), Ok(100));
        assert_eq!(minor("1.5", 3), Ok(1500));
        assert_eq!(minor("-0.05", 2), Ok(-5));
        assert_eq!(minor("100.00", 0), Ok(100));
        assert_eq!(minor("1.500", 2), Ok(150));
    }

    #[test]
    fn a_digit_is_never_dropped() {
        let refused = Decimal::parse("1.505").expect("a decimal").minor(2);
        let Err(Refusal::NotConfigured(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("1.505") && why.contains('2'), "{why}");
        assert!(Decimal::parse("0.5").expect("a decimal").minor(0).is_err());
        assert!(Decimal::parse("999999999999999999").expect("18 digits").minor(2).is_err());
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", "-", ".5", "1.", "1,5", "1e3", "NaN", "+1", " 1", "1.2.3", "--1", "9999999999999999999"] {
            assert!(Decimal::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn json_says_it_in_quotes_or_whole() {
        let read = |json: &str| serde_json::from_str::<Decimal>(json).map_err(|error| error.to_string());
        assert_eq!(read(r#""2.50""#).map(|decimal| decimal.to_string()), Ok("2.50".to_owned()));
        assert_eq!(read("3"), Ok(Decimal::whole(3)));
        assert!(read("2.5").expect_err("a float").contains("in quotes"));
        assert!(read("true").is_err());
    }
}
