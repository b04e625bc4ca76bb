//! The five languages: which form of a word goes with a number, how numbers, money and days are written, what wallets are called.
//!
//! Source: Unicode CLDR (cardinal plural rules for whole numbers; separators, sign order and the smallest grouped number; long dates
//! without their weekday, in English with the day first).

use perkgate_domain::facts::LocalTime;
use perkgate_domain::money::Currency;

/// A language in which it can be said what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `cs`
    Czech,
    /// `sk`
    Slovak,
    /// `pl`
    Polish,
    /// `en`
    English,
    /// `de`
    German,
}

/// No line break may part a number from its currency or its groups.
const SPACE: char = '\u{a0}';

impl Language {
    /// Every one, in the order in which texts stand in tables.
    pub const ALL: [Self; 5] = [Self::Czech, Self::Slovak, Self::Polish, Self::English, Self::German];

    /// The language of a tag (`sk`, `cs-CZ`, `de_AT`, in any case); English for any other.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        let language = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL.into_iter().find(|known| known.tag().eq_ignore_ascii_case(language)).unwrap_or(Self::English)
    }

    /// Its tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Czech => "cs",
            Self::Slovak => "sk",
            Self::Polish => "pl",
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The form of a word that goes with a number: `forms` are those for one, for few, and for all others.
    #[must_use]
    pub fn form(self, number: i64, forms: [&str; 3]) -> &str {
        let count = number.unsigned_abs();
        let few = match self {
            Self::Czech | Self::Slovak => (2..=4).contains(&count),
            Self::Polish => (2..=4).contains(&(count % 10)) && !(12..=14).contains(&(count % 100)),
            Self::English | Self::German => false,
        };
        match (count, few) {
            (1, _) => forms[0],
            (_, true) => forms[1],
            (_, false) => forms[2],
        }
    }

    /// An amount of a wallet: `5 bodov`. Wallets other than `points` and `stamps` are called what the merchant calls them.
    #[must_use]
    pub fn units(self, amount: i64, wallet: &str) -> String {
        let number = self.number(amount);
        let forms = match (wallet, self) {
            ("points", Self::Czech) => ["bod", "body", "bodů"],
            ("points", Self::Slovak) => ["bod", "body", "bodov"],
            ("points", Self::Polish) => ["punkt", "punkty", "punktów"],
            ("points", Self::English) => ["point", "points", "points"],
            ("points", Self::German) => ["Punkt", "Punkte", "Punkte"],
            ("stamps", Self::Czech) => ["razítko", "razítka", "razítek"],
            ("stamps", Self::Slovak) => ["pečiatka", "pečiatky", "pečiatok"],
            ("stamps", Self::Polish) => ["pieczątka", "pieczątki", "pieczątek"],
            ("stamps", Self::English) => ["stamp", "stamps", "stamps"],
            ("stamps", Self::German) => ["Stempel", "Stempel", "Stempel"],
            (other, _) => [other; 3],
        };
        format!("{number} {}", self.form(amount, forms))
    }

    /// A whole number, its digits in groups: `1 234` in Slovak, `1,234` in English.
    #[must_use]
    pub fn number(self, number: i64) -> String {
        let sign = if number < 0 { "-" } else { "" };
        format!("{sign}{}", self.grouped(&number.unsigned_abs().to_string()))
    }

    fn grouped(self, whole: &str) -> String {
        let (group, from) = match self {
            Self::Czech | Self::Slovak => (SPACE, 4),
            Self::Polish => (SPACE, 5),
            Self::English => (',', 4),
            Self::German => ('.', 4),
        };
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.len() >= from {
                grouped.push(group);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// Minor units as its readers write them: `1 234,50 €` in Slovak, `€1,234.50` in English.
    #[must_use]
    pub fn money(self, minor: i64, currency: Currency) -> String {
        let plain = currency.decimal(minor);
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
        let point = if self == Self::English { '.' } else { ',' };
        let number = match digits.split_once('.') {
            Some((whole, part)) => format!("{}{point}{part}", self.grouped(whole)),
            None => self.grouped(digits),
        };
        let symbol = match currency.as_str() {
            "EUR" => Some("€"),
            "CZK" => Some("Kč"),
            "PLN" => Some("zł"),
            "USD" => Some("$"),
            "GBP" => Some("£"),
            _ => None,
        };
        match (self, symbol) {
            (Self::English, Some(symbol)) => format!("{sign}{symbol}{number}"),
            (Self::English, None) => format!("{sign}{currency}{SPACE}{number}"),
            (_, symbol) => format!("{sign}{number}{SPACE}{}", symbol.unwrap_or(currency.as_str())),
        }
    }

    /// A day: `3. marca 2026`.
    #[must_use]
    pub fn date(self, local: &LocalTime) -> String {
        let month = self.months().split(' ').nth(usize::from(local.month.max(1)) - 1).unwrap_or_default();
        let point = if matches!(self, Self::Polish | Self::English) { "" } else { "." };
        format!("{}{point} {month} {}", local.day, local.year)
    }

    /// A day, and the time of day unless it is midnight: `3. marca 2026, 14:05`.
    #[must_use]
    pub fn moment(self, local: &LocalTime) -> String {
        let date = self.date(local);
        match (local.hour, local.minute) {
            (0, 0) => date,
            (hour, minute) => format!("{date}, {hour}:{minute:02}"),
        }
    }

    /// Months as they stand after a day, from January.
    fn months(self) -> &'static str {
        match self {
            Self::Czech => "ledna února března dubna května června července srpna září října listopadu prosince",
            Self::Slovak => "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
            Self::Polish => {
                "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"
            }
            Self::English => "January February March April May June July August September October November December",
            Self::German => "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        }
    }

    /// Within the language's quotation marks.
    #[must_use]
    pub fn quoted(self, text: &str) -> String {
        let (before, after) = match self {
            Self::Czech | Self::Slovak | Self::German => ('„', '“'),
            Self::Polish => ('„', '”'),
            Self::English => ('“', '”'),
        };
        format!("{before}{text}{after}")
    }
}
