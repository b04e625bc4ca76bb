//! JSON pointers (RFC 6901) into JSON text. Values stay text, so that no number is ever a float.

use crate::connectors::Unreadable;
use crate::connectors::parse::{self, Amount, Id};
use perkgate_domain::time::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A pointer of the mapping: `/sale/id`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pointer(String);

impl TryFrom<String> for Pointer {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err("a place in the body is a JSON pointer that begins with `/`".to_owned())
        }
    }
}

impl Pointer {
    /// The value there; nothing if it is missing or null.
    pub(super) fn find<'a>(&self, body: &'a RawValue) -> Option<&'a RawValue> {
        let mut value = body;
        for part in self.0.split('/').skip(1) {
            let name = part.replace("~1", "/").replace("~0", "~");
            value = match value.get().as_bytes().first()? {
                b'{' => serde_json::from_str::<BTreeMap<String, &'a RawValue>>(value.get()).ok()?.remove(&name)?,
                b'[' => {
                    let items: Vec<&'a RawValue> = serde_json::from_str(value.get()).ok()?;
                    *items.get(name.parse::<usize>().ok()?)?
                }
                _ => return None,
            };
        }
        (value.get() != "null").then_some(value)
    }

    fn missing(&self) -> Unreadable {
        Unreadable(format!("`{}` is missing from the body", self.0))
    }

    /// The amount there.
    pub(super) fn amount(&self, body: &RawValue) -> Result<Option<Amount>, Unreadable> {
        let Some(value) = self.find(body) else { return Ok(None) };
        let wrong = || Unreadable(format!("`{}` is no number and no decimal text", self.0));
        Amount::from_raw(value).map(Some).ok_or_else(wrong)
    }
    /// As [`Pointer::amount`], where there has to be one.
    pub(super) fn required_amount(&self, body: &RawValue) -> Result<Amount, Unreadable> {
        self.amount(body)?.ok_or_else(|| self.missing())
    }

    /// The text or whole number there; nothing for an empty text.
    pub(super) fn text(&self, body: &RawValue) -> Result<Option<String>, Unreadable> {
        let Some(value) = self.find(body) else { return Ok(None) };
        if matches!(value.get().trim_matches('"').trim(), "") {
            return Ok(None);
        }
        let wrong = || Unreadable(format!("`{}` is neither text nor a whole number", self.0));
        Id::from_raw(value).map(|id| Some(id.into())).ok_or_else(wrong)
    }
    /// As [`Pointer::text`], where there has to be one.
    pub(super) fn required_text(&self, body: &RawValue) -> Result<String, Unreadable> {
        self.text(body)?.ok_or_else(|| self.missing())
    }

    /// The items of the array there; none if it is missing.
    pub(super) fn items<'a>(&self, body: &'a RawValue) -> Result<Vec<&'a RawValue>, Unreadable> {
        let Some(value) = self.find(body) else { return Ok(vec![]) };
        serde_json::from_str(value.get()).map_err(|_| Unreadable(format!("`{}` is no array", self.0)))
    }

    /// The time there: ISO 8601 text (UTC where it does not say), or a number since 1970.
    pub(super) fn moment(&self, body: &RawValue) -> Result<Moment, Unreadable> {
        let amount = self.required_amount(body)?;
        if let Ok(number) = amount.whole(&self.0) {
            return Ok(parse::unix(number));
        }
        // With a fraction: thousandths of whatever unit it is in are a whole number of the next smaller one.
        match amount.milli(&self.0) {
            Ok(thousandths) => Ok(parse::unix(thousandths)),
            Err(_) => parse::moment_gmt(amount.as_str(), &self.0),
        }
    }

    /// As the mapping wrote it.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn pointers_lead_through_objects_and_arrays() {
        let json = r#"{"a":[{"b/c":90071992547409931},{"~":null}],"t":" x ","e":"","f":1.5}"#;
        let body: &RawValue = serde_json::from_str(json).unwrap();
        assert_eq!(pointer("/a/0/b~1c").text(body), Ok(Some("90071992547409931".to_owned())));
        for nothing in ["/a/1/~0", "/a/2", "/a/x", "/t/x", "/", "/a/0/b"] {
            assert!(pointer(nothing).find(body).is_none(), "{nothing}");
        }
        assert_eq!(pointer("/t").text(body), Ok(Some("x".to_owned())));
        assert_eq!(pointer("/e").text(body), Ok(None));
        assert!(
            pointer("/f").text(body).is_err()
                && pointer("/a").amount(body).is_err()
                && pointer("/t").items(body).is_err()
        );
        assert!(Pointer::try_from("a".to_owned()).is_err());
    }

    #[test]
    fn times_are_told_by_their_size() {
        let body: &RawValue =
            serde_json::from_str(r#"[1700000000,1700000000123,"1700000000.5","2023-11-14T22:13:20",-5,true]"#).unwrap();
        for (at, ms) in [
            ("/0", 1_700_000_000_000),
            ("/1", 1_700_000_000_123),
            ("/2", 1_700_000_000_500),
            ("/3", 1_700_000_000_000),
            ("/4", -5000),
        ] {
            assert_eq!(pointer(at).moment(body), Ok(Moment(ms)), "{at}");
        }
        assert!(pointer("/5").moment(body).is_err() && pointer("/6").moment(body).is_err());
    }
}
