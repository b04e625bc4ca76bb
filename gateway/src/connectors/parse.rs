//! Reading what platforms write: amounts and ids that never pass through a float, times in their several spellings, and
//! errors that name the place in the JSON but never what stood there.

use super::Unreadable;
use perkgate_domain::money::{Currency, MoneyError, parse_scaled};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

mod time;

pub(crate) use time::{When, moment, moment_gmt, unix};

/// Reads a JSON body, tolerant of keys that the type does not know.
///
/// # Errors
/// A sentence with the path (`line_items[2].quantity`) of the first thing that is not as `T` wants it. It never quotes a value,
/// which may be contact data.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Unreadable> {
    let text = text(body, what)?;
    serde_json::from_str(text).map_err(|error| Unreadable(explain(&error, text, what)))
}

/// The body as text.
///
/// # Errors
/// If it is empty or not UTF-8.
pub(crate) fn text<'a>(body: &'a [u8], what: &str) -> Result<&'a str, Unreadable> {
    if body.is_empty() {
        return Err(Unreadable(format!("{what} is empty")));
    }
    std::str::from_utf8(body)
        .map_err(|error| Unreadable(format!("{what} is not UTF-8 text from byte {} on", error.valid_up_to())))
}

/// Says where and why JSON could not be read.
fn explain(error: &serde_json::Error, text: &str, what: &str) -> String {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    match error.classify() {
        Category::Data => {
            // serde_json stands behind the closing bracket both for what an object lacks and for a last value it dislikes.
            let of_whole = message.starts_with("missing field");
            let path = path_at(text, offset(text, error.line(), error.column()), of_whole);
            // serde quotes the offending value first ("invalid type: string …, expected …"): only what was expected is ours.
            let message = match message.rsplit_once(", expected ") {
                Some((found, expected)) if !found.starts_with("unknown field") => format!("expected {expected}"),
                _ => message.to_owned(),
            };
            let path = if path.is_empty() { "its outermost value".to_owned() } else { format!("`{path}`") };
            format!("{what} is not as documented: at {path}: {message}")
        }
        Category::Syntax | Category::Eof | Category::Io => {
            format!("{what} is not JSON: {message} (line {}, column {})", error.line(), error.column())
        }
    }
}

/// The byte offset of `serde_json`'s line and column, both counted from 1 and columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before.saturating_add(column).min(text.len())
}

/// One level of nesting around a place in JSON text.
enum Level {
    /// In an object, at or after this key.
    Key(String),
    /// In an array, at this index.
    Index(usize),
}

/// The path (`lines[2].price`) of the value that ends at, or reaches over, byte `end` of valid JSON text. Where a bracket closes
/// there, it is the path of the bracketed value if `of_whole`, else of the last value within.
fn path_at(text: &str, end: usize, of_whole: bool) -> String {
    let bytes = text.as_bytes();
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while at < end {
        let byte = bytes[at];
        at += 1;
        match byte {
            b'{' => levels.push(Level::Key(String::new())),
            b'[' => levels.push(Level::Index(0)),
            b'}' | b']' if at < end || of_whole => {
                levels.pop();
            }
            b',' => {
                if let Some(Level::Index(index)) = levels.last_mut() {
                    *index += 1;
                }
            }
            b'"' => {
                let start = at;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let string = text.get(start..at.min(bytes.len())).unwrap_or_default();
                at += 1;
                let is_key =
                    bytes.get(at..).unwrap_or_default().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if let (true, Some(Level::Key(key))) = (is_key, levels.last_mut()) {
                    *key = string.chars().take(40).collect();
                }
            }
            _ => {}
        }
    }
    // Hostile nesting must not make a hostile message.
    levels.iter().take(12).fold(String::new(), |path, level| match level {
        Level::Key(key) if key.is_empty() => path,
        Level::Key(key) if path.is_empty() => key.clone(),
        Level::Key(key) => format!("{path}.{key}"),
        Level::Index(index) => format!("{path}[{index}]"),
    })
}

/// The text of a JSON string or number; nothing for any other value.
fn scalar(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'-' | b'0'..=b'9' => Some(text.to_owned()),
        _ => None,
    }
}

/// A number as the platform wrote it, be it a JSON string (`"12.50"`), integer or number: kept as text, so that no digit is
/// lost to a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amount(String);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        scalar(&raw).map(Self).ok_or_else(|| D::Error::custom("an amount is a number or a decimal text"))
    }
}

impl Amount {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
    /// A value of JSON text, as where a field mapping points.
    pub(crate) fn from_raw(raw: &RawValue) -> Option<Self> {
        scalar(raw).map(Self)
    }
    /// Minor units of `currency`, refusing to lose a digit.
    pub(crate) fn exact(&self, currency: Currency, field: &str) -> Result<i64, Unreadable> {
        currency.minor(&self.0).map_err(|error| money(field, &error))
    }
    /// Minor units of `currency`, to the nearest, halves away from zero: for the parts of a sum, which some platforms write
    /// with more places than the currency has, or with a float's noise (`8.100000000000001`).
    pub(crate) fn nearest(&self, currency: Currency, field: &str) -> Result<i64, Unreadable> {
        nearest(&self.0, u32::from(currency.exponent())).map_err(|error| money(field, &error))
    }
    /// A quantity in thousandths, to the nearest.
    pub(crate) fn milli(&self, field: &str) -> Result<i64, Unreadable> {
        nearest(&self.0, 3).map_err(|error| money(field, &error))
    }
    /// A whole number, as of minor units.
    pub(crate) fn whole(&self, field: &str) -> Result<i64, Unreadable> {
        parse_scaled(&self.0, 0).map_err(|error| money(field, &error))
    }
}

/// An amount that cannot be read, with the place it stands at.
fn money(field: &str, error: &MoneyError) -> Unreadable {
    Unreadable(format!("`{field}`: {error}"))
}

/// Reads decimal text as `10^-places` units, to the nearest, halves away from zero.
fn nearest(text: &str, places: u32) -> Result<i64, MoneyError> {
    match parse_scaled(text, places) {
        // From here on the text is known to be a number with digits below the unit.
        Err(MoneyError::TooFine { .. }) => {}
        decided => return decided,
    }
    let text = text.trim();
    let too_large = || MoneyError::TooLarge(text.chars().take(40).collect());
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = mantissa.trim_start_matches(['-', '+']).split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches(['-', '+']);
    let digits = [whole, part].concat();
    let kept = i64::try_from(whole.len())
        .ok()
        .and_then(|whole| whole.checked_add(exponent.parse().ok()?)?.checked_add(i64::from(places)))
        .ok_or_else(too_large)?;
    // Nothing to keep and nothing to round up: far below half a unit.
    let Ok(kept) = usize::try_from(kept) else { return Ok(0) };
    let (head, tail) = digits.split_at(kept.min(digits.len()));
    let up = i64::from(tail.bytes().next().is_some_and(|digit| digit >= b'5'));
    let head: i64 = if head.is_empty() { 0 } else { head.parse().map_err(|_| too_large())? };
    let magnitude = head.checked_add(up).ok_or_else(too_large)?;
    Ok(if mantissa.starts_with('-') { -magnitude } else { magnitude })
}

/// A platform's id: a JSON string or a whole number of any length. Shopify's exceed 2^53, where a float would change them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_raw(&raw).ok_or_else(|| D::Error::custom("an id is a text or a whole number"))
    }
}

impl Id {
    /// A value of JSON text, as where a field mapping points.
    pub(crate) fn from_raw(raw: &RawValue) -> Option<Self> {
        let text = scalar(raw)?;
        let is_number = !raw.get().starts_with('"');
        let whole = text.bytes().all(|byte| byte.is_ascii_digit());
        (!text.trim().is_empty() && (whole || !is_number)).then(|| Self(text.trim().to_owned()))
    }
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
    /// The text, unless it is `0`, with which WooCommerce says that there is none.
    pub(crate) fn not_zero(self) -> Option<String> {
        (self.0 != "0").then_some(self.0)
    }
    /// The text, if it may stand in the path of an URL: nothing in it leads elsewhere.
    pub(crate) fn in_path(&self, field: &str) -> Result<&str, Unreadable> {
        let plain = self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if plain { Ok(&self.0) } else { Err(Unreadable(format!("`{field}` is no id that the platform would give"))) }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Probe {
        id: Id,
        amount: Option<Amount>,
        #[serde(default)]
        #[expect(dead_code, reason = "only its reading is tested")]
        lines: Vec<Line>,
    }
    #[derive(Debug, Deserialize)]
    struct Line {
        #[expect(dead_code, reason = "only its reading is tested")]
        price: Amount,
        #[expect(dead_code, reason = "only its reading is tested")]
        name: String,
    }

    fn probe(json: &str) -> Result<Probe, String> {
        read(json.as_bytes(), "the probe").map_err(|error| error.0)
    }
    fn eur() -> Currency {
        Currency::parse("EUR").unwrap()
    }
    fn amount(json: &str) -> Result<i64, Unreadable> {
        probe(&format!(r#"{{"id":1,"amount":{json}}}"#)).unwrap().amount.unwrap().exact(eur(), "amount")
    }

    #[test]
    fn amounts_are_read_in_every_spelling_and_never_as_floats() {
        for json in ["\"12.50\"", "12.50", "12.5", "1.25e1", "\"12.5\""] {
            assert_eq!(amount(json), Ok(1250), "{json}");
        }
        // 2^53 + 1 cents: a float would make it even.
        assert_eq!(amount("90071992547409.93"), Ok(9_007_199_254_740_993));
        assert_eq!(amount("\"NaN\"").unwrap_err().0, "`amount`: `NaN` is not a decimal amount");
        assert!(amount("1e400").unwrap_err().0.contains("too large"));
        assert!(amount("12.505").unwrap_err().0.contains("finer"));
        for json in ["true", "{}", "[1]"] {
            let error = probe(&format!(r#"{{"id":1,"amount":{json}}}"#)).unwrap_err();
            assert!(error.contains("at `amount`"), "{json}: {error}");
        }
        assert!(probe(r#"{"id":1,"amount":null}"#).unwrap().amount.is_none());
        assert!(probe(r#"{"id":1,"amount":NaN}"#).unwrap_err().contains("not JSON"));
    }

    #[test]
    fn the_nearest_is_half_away_from_zero() {
        let near = |text: &str| nearest(text, 2);
        for (text, minor) in [
            ("8.100000000000001", 810),
            ("66.66666666666667", 6667),
            ("0.005", 1),
            ("0.00499", 0),
            ("-0.005", -1),
            ("-3.3349", -333),
            ("+1.005", 101),
            ("5.551115123125783e-17", 0),
            ("1.2345e1", 1235),
            ("12", 1200),
            ("99999e-3", 10000),
            ("0.5e-2", 1),
        ] {
            assert_eq!(near(text), Ok(minor), "{text}");
        }
        assert!(near("1e400").is_err() && near("x").is_err() && near("92233720368547758079.999").is_err());
    }

    #[test]
    fn ids_keep_every_digit() {
        assert_eq!(probe(r#"{"id":820982911946154508}"#).unwrap().id.as_str(), "820982911946154508");
        assert_eq!(probe(r#"{"id":" ab-1 "}"#).unwrap().id.as_str(), "ab-1");
        for json in ["1.5", "-1", "\"\"", "null", "true", "1e3"] {
            assert!(probe(&format!(r#"{{"id":{json}}}"#)).is_err(), "{json}");
        }
        assert!(Id("a/../b".into()).in_path("id").is_err());
        assert_eq!(Id("a_B-1".into()).in_path("id"), Ok("a_B-1"));
    }

    #[test]
    fn errors_name_the_place_and_never_the_value() {
        let error =
            probe(r#"{"id":1,"lines":[{"price":1,"name":"a"},{"price":1,"name":["x@example.com, expected"]}]}"#);
        assert_eq!(error.unwrap_err(), "the probe is not as documented: at `lines[1].name`: expected a string");
        let error = probe("{\n \"id\": 1,\n \"lines\": [ { \"name\": \"q\\\"{\" } ] }").unwrap_err();
        assert!(error.contains("missing field `price`") && error.contains("`lines[0]"), "{error}");
        assert!(probe("{\"id\":").unwrap_err().contains("not JSON: EOF"));
        assert_eq!(probe("").unwrap_err(), "the probe is empty");
        assert_eq!(
            read::<Probe>(b"{\"\xff\"", "the probe").unwrap_err().0,
            "the probe is not UTF-8 text from byte 2 on"
        );
    }

    #[test]
    fn deep_nesting_is_refused_or_skipped_and_never_overflows() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(probe(&deep).is_err());
        assert!(probe(&format!("{{\"id\":1,\"other\":{deep}}}")).is_ok());
        assert!(probe(&format!("{{\"id\":{deep}}}")).is_err());
    }
}
