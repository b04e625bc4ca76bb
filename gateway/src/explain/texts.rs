//! Sentences in the five languages, side by side. What stands in braces is filled in; amounts stand where a first form (a nominative)
//! does, so that they need no other one.

pub(super) mod balance;
pub(super) mod decisions;
pub(super) mod order;

use super::words::Language;

/// One sentence: Czech, Slovak, Polish, English, German.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sentence(pub(super) [&'static str; 5]);

impl Sentence {
    /// In one language, with what stands in braces filled in.
    pub(super) fn say(self, language: Language, parts: &[(&str, &str)]) -> String {
        let place = Language::ALL.iter().position(|known| *known == language).unwrap_or_default();
        let mut rest = self.0[place];
        let mut said = String::with_capacity(rest.len());
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            said.push_str(before);
            // What is filled in is not looked into: a title may have braces of its own.
            said.push_str(parts.iter().find(|(part, _)| *part == name).map_or("", |(_, text)| text));
            rest = after;
        }
        said.push_str(rest);
        said
    }
}

/// Sentences by name, and a list of them for the tests.
macro_rules! sentences {
    ($($name:ident { cs: $cs:literal, sk: $sk:literal, pl: $pl:literal, en: $en:literal, de: $de:literal })*) => {
        $(pub(in crate::explain) const $name: $crate::explain::texts::Sentence =
            $crate::explain::texts::Sentence([$cs, $sk, $pl, $en, $de]);)*
        #[cfg(test)]
        pub(in crate::explain) const ALL: &[(&str, $crate::explain::texts::Sentence)] =
            &[$((stringify!($name), $name)),*];
    };
}
use sentences;
