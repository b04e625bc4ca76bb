//! Money is whole minor units of a currency. Decimal text becomes minor units without passing through a float.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISO 4217 currency code in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The codes whose minor unit is not a hundredth (ISO 4217, list one).
const UNUSUAL: &[(&str, u8)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// The codes whose minor unit is a hundredth (ISO 4217, list one).
const USUAL: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
    CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS \
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD \
    NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP \
    SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG";

impl Currency {
    /// Reads a code in any case.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] if ISO 4217 has no such circulating currency.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let upper = code.trim().to_ascii_uppercase();
        let known =
            UNUSUAL.iter().any(|(name, _)| *name == upper) || USUAL.split_whitespace().any(|name| name == upper);
        match upper.as_bytes() {
            [a, b, c] if known => Ok(Self([*a, *b, *c])),
            _ => Err(MoneyError::UnknownCurrency(code.chars().take(16).collect())),
        }
    }
    /// How many decimal places one minor unit stands for: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u8 {
        UNUSUAL.iter().find(|(name, _)| *name == self.as_str()).map_or(2, |(_, exponent)| *exponent)
    }
    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters are ever stored, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
    /// Reads decimal text (`"12.50"`, `"-3"`, `"1.2e1"`) as minor units of this currency.
    ///
    /// # Errors
    /// [`MoneyError`] if it is no number, has digits below the minor unit, or does not fit.
    pub fn minor(self, decimal: &str) -> Result<i64, MoneyError> {
        parse_scaled(decimal, u32::from(self.exponent()))
    }
    /// Writes minor units as decimal text: 1250 in EUR is `12.50`.
    #[must_use]
    pub fn decimal(self, minor: i64) -> String {
        let places = usize::from(self.exponent());
        let sign = if minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", minor.unsigned_abs(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }
}

/// Reads decimal text as an integer of `10^-places` units, refusing to lose a digit.
///
/// # Errors
/// [`MoneyError`] if it is no number, is finer than a unit, or does not fit.
pub fn parse_scaled(decimal: &str, places: u32) -> Result<i64, MoneyError> {
    let text = decimal.trim();
    let shown = || text.chars().take(40).collect::<String>();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| MoneyError::NotANumber(shown()))?),
        None => (text, 0),
    };
    let (negative, unsigned) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() && part.is_empty() || !whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(MoneyError::NotANumber(shown()));
    }
    let digits: String = [whole, part].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    let part_len = i64::try_from(part.len()).unwrap_or(i64::MAX);
    // How many zeros to append (or, if negative, how many zeros must stand at the end to be dropped).
    let shift = i64::from(exponent).saturating_add(i64::from(places)).saturating_sub(part_len);
    let scaled = if shift >= 0 {
        if shift > 19 || digits.len() > 19 {
            return Err(MoneyError::TooLarge(shown()));
        }
        format!("{digits}{}", "0".repeat(usize::try_from(shift).unwrap_or(0)))
    } else {
        let drop = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
        let keep = digits.len().saturating_sub(drop);
        let (kept, dropped) = digits.split_at(keep);
        if drop > digits.len() || dropped.bytes().any(|byte| byte != b'0') {
            return Err(MoneyError::TooFine { text: shown(), places });
        }
        if kept.is_empty() { "0".to_owned() } else { kept.to_owned() }
    };
    let signed = if negative { format!("-{scaled}") } else { scaled };
    signed.parse().map_err(|_| MoneyError::TooLarge(shown()))
}

/// Why some text is not money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// ISO 4217 has no such currency.
    #[error("`{0}` is not an ISO 4217 currency")]
    UnknownCurrency(String),
    /// Not decimal digits (this is where NaN and Infinity end).
    #[error("`{0}` is not a decimal amount")]
    NotANumber(String),
    /// A digit would have to be dropped.
    #[error("`{text}` is finer than the currency's smallest unit ({places} decimal places)")]
    TooFine {
        /// The amount as it stood.
        text: String,
        /// How many places the currency has.
        places: u32,
    },
    /// Beyond 64 bits.
    #[error("`{0}` is too large an amount")]
    TooLarge(String),
}

/// Splits `amount` over `weights` in proportion, by largest remainder, so that the parts always add up to `amount`.
///
/// Ties go to the earlier part. Weights that are not positive get nothing; if none is positive the first part gets
/// all. An empty `weights` gives an empty answer (and keeps the amount: the caller must not have a use for it).
#[must_use]
pub fn share(amount: i64, weights: &[i64]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|weight| i128::from((*weight).max(0))).sum();
    if total == 0 {
        return weights.iter().enumerate().map(|(index, _)| if index == 0 { amount } else { 0 }).collect();
    }
    let magnitude = i128::from(amount.unsigned_abs());
    let mut parts: Vec<(i128, i128)> = weights
        .iter()
        .map(|weight| {
            let product = magnitude * i128::from((*weight).max(0));
            (product / total, product % total)
        })
        .collect();
    let missing = magnitude - parts.iter().map(|(part, _)| part).sum::<i128>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(parts[*index].1), *index));
    for index in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[index].0 += 1;
    }
    // A part is at most the whole, so it fits wherever `amount` did.
    parts.into_iter().map(|(part, _)| i64::try_from(part).unwrap_or(i64::MAX) * amount.signum()).collect()
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(currency: &str, text: &str) -> Result<i64, MoneyError> {
        Currency::parse(currency)?.minor(text)
    }

    #[test]
    fn every_currency_keeps_its_own_exponent() {
        assert_eq!(minor("EUR", "12.50"), Ok(1250));
        assert_eq!(minor("JPY", "1250"), Ok(1250));
        assert_eq!(minor("KWD", "1.250"), Ok(1250));
        assert_eq!(minor("usd", "-0.5"), Ok(-50));
        assert_eq!(minor("EUR", "25.0000"), Ok(2500));
        assert_eq!(minor("EUR", "1.2e1"), Ok(1200));
        assert_eq!(minor("EUR", "0.00"), Ok(0));
    }

    #[test]
    fn nothing_is_dropped_or_guessed() {
        assert!(matches!(minor("EUR", "1.005"), Err(MoneyError::TooFine { .. })));
        assert!(matches!(minor("JPY", "0.5"), Err(MoneyError::TooFine { .. })));
        for text in ["NaN", "inf", "", ".", "1,5", "0x10", "--1", "1e", "１"] {
            assert!(matches!(minor("EUR", text), Err(MoneyError::NotANumber(_))), "{text}");
        }
        for text in ["1e400", "99999999999999999999", "1e2147483647"] {
            assert!(matches!(minor("EUR", text), Err(MoneyError::TooLarge(_))), "{text}");
        }
        assert!(matches!(minor("EUR", "1e-400"), Err(MoneyError::TooFine { .. })));
        assert!(matches!(minor("EUZ", "1"), Err(MoneyError::UnknownCurrency(_))));
    }

    #[test]
    fn decimal_text_reads_back() {
        for (code, amount) in [("EUR", -5), ("EUR", 1250), ("JPY", 7), ("KWD", 12), ("EUR", i64::MIN)] {
            let currency = Currency::parse(code).expect("known");
            assert_eq!(currency.minor(&currency.decimal(amount)), Ok(amount));
        }
    }

    #[test]
    fn shares_always_add_up() {
        assert_eq!(share(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(share(-10, &[1, 1, 1]), [-4, -3, -3]);
        assert_eq!(share(7, &[0, 0]), [7, 0]);
        assert_eq!(share(7, &[-5, 5]), [0, 7]);
        assert_eq!(share(i64::MAX, &[i64::MAX, i64::MAX]).iter().sum::<i64>(), i64::MAX);
        assert!(share(7, &[]).is_empty());
    }
}
