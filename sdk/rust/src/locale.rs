//! Which language a member is written to.

use crate::Facts;

/// The language within a tag: `cs` in `cs-CZ` or `cs_CZ`. Case is as it was written.
#[must_use]
pub fn language(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// The first of the member's language, the merchant's and English that `known` has; the first of `known` if it has none
/// of them, and `en` if it is empty. Tags are compared by language, in any case.
#[must_use]
pub fn choose<'a>(facts: &Facts, known: &[&'a str]) -> &'a str {
    let member = facts.member.as_ref().and_then(|member| member.locale.as_deref());
    let wishes = member.into_iter().chain([facts.merchant.locale.as_str(), "en"]);
    wishes
        .filter_map(|wish| known.iter().find(|known| language(known).eq_ignore_ascii_case(language(wish))))
        .chain(known.first())
        .next()
        .map_or("en", |known| known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_members_language_goes_before_the_merchants_and_english() {
        let known = ["cs", "sk", "en"];
        let mut facts = sample::facts();
        facts.member = Some(sample::member());
        let choice = |facts: &Facts, member: Option<&str>, merchant: &str| {
            let mut facts = facts.clone();
            facts.merchant.locale = merchant.to_owned();
            if let Some(told) = &mut facts.member {
                told.locale = member.map(str::to_owned);
            }
            choose(&facts, &known)
        };
        assert_eq!(choice(&facts, Some("CS-cz"), "sk"), "cs");
        assert_eq!(choice(&facts, Some("fr"), "sk_SK"), "sk");
        assert_eq!(choice(&facts, None, "hu"), "en");
        facts.member = None;
        assert_eq!(choice(&facts, None, "cs"), "cs");
        assert_eq!(choose(&facts, &["hu"]), "hu");
    }
}
