//! A rule's settings: the merchant's JSON document, read into the rule's own type.

use crate::{Facts, Refusal};
use serde::de::DeserializeOwned;

/// What a rule's settings can be: anything with `#[derive(Deserialize)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a rule's settings",
    label = "settings are read from JSON",
    note = "write `#[derive(Deserialize)]` and `#[serde(deny_unknown_fields)]` above the type"
)]
pub trait Settings: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Settings for T {}

/// Compiles only for types that can be settings; the attributes call it to say so above the rule and not in its expansion.
#[doc(hidden)]
pub fn are_settings<T: Settings>() {}

/// Reads the settings out of the facts. No document at all reads as an empty one, so that defaults are enough.
///
/// # Errors
/// [`Refusal::NotConfigured`] with what serde says is missing or too much.
pub fn read<T: DeserializeOwned>(facts: &Facts) -> Result<T, Refusal> {
    let text = if facts.settings.trim().is_empty() { "{}" } else { &facts.settings };
    serde_json::from_str(text).map_err(|error| Refusal::not_configured(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Two {
        points: i64,
        #[serde(default)]
        extra: bool,
    }

    #[test]
    fn settings_are_read_or_the_refusal_says_what_is_wrong() {
        let mut facts = sample::facts();
        facts.settings = r#"{"points":3}"#.to_owned();
        assert_eq!(read::<Two>(&facts), Ok(Two { points: 3, extra: false }));
        facts.settings = String::new();
        let Err(Refusal::NotConfigured(why)) = read::<Two>(&facts) else { panic!("points are missing") };
        assert!(why.contains("missing field `points`"), "{why}");
        facts.settings = r#"{"points":3,"pionts":4}"#.to_owned();
        let Err(Refusal::NotConfigured(why)) = read::<Two>(&facts) else { panic!("one is unknown") };
        assert!(why.contains("unknown field `pionts`"), "{why}");
    }
}
