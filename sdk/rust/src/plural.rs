//! Which form of a word goes with a number.
//!
//! Source: Unicode CLDR, *Language Plural Rules* (cardinal), for whole numbers. The categories for fractions (`many` in Czech
//! and Slovak) cannot occur and are left out.

/// A CLDR plural category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plural {
    /// 1 nákup.
    One,
    /// 2 nákupy.
    Few,
    /// 5 zakupów; only Polish has it for whole numbers.
    Many,
    /// 5 nákupov.
    Other,
}

/// The category of a whole number in a language (`sk`, `pl-PL`). Languages this does not know count as English does.
#[must_use]
pub fn plural(language: &str, number: i64) -> Plural {
    let count = number.unsigned_abs();
    match crate::locale::language(language) {
        "cs" | "sk" => match count {
            1 => Plural::One,
            2..=4 => Plural::Few,
            _ => Plural::Other,
        },
        "pl" => match (count, count % 10, count % 100) {
            (1, ..) => Plural::One,
            (_, 2..=4, tens) if !(12..=14).contains(&tens) => Plural::Few,
            _ => Plural::Many,
        },
        _ if count == 1 => Plural::One,
        _ => Plural::Other,
    }
}

/// The form that goes with a number: `forms` are those for one, for few, and for all others (`many` in Polish).
#[must_use]
pub fn choose<'a>(language: &str, number: i64, forms: [&'a str; 3]) -> &'a str {
    match plural(language, number) {
        Plural::One => forms[0],
        Plural::Few => forms[1],
        Plural::Many | Plural::Other => forms[2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fall_where_cldr_puts_them() {
        use Plural::{Few, Many, One, Other};
        for (language, number, category) in [
            ("sk", 0, Other),
            ("sk", 1, One),
            ("sk-SK", 2, Few),
            ("sk", 4, Few),
            ("sk", 5, Other),
            ("sk", 22, Other),
            ("cs", 1, One),
            ("cs", 3, Few),
            ("cs", 5, Other),
            ("cs", 101, Other),
            ("pl", 0, Many),
            ("pl", 1, One),
            ("pl", 2, Few),
            ("pl", 5, Many),
            ("pl", 12, Many),
            ("pl", 14, Many),
            ("pl", 21, Many),
            ("pl", 22, Few),
            ("pl", 24, Few),
            ("pl", 112, Many),
            ("pl", 122, Few),
            ("en", 0, Other),
            ("en", 1, One),
            ("en", 2, Other),
            ("de_AT", 1, One),
            ("de", 7, Other),
            ("xx", 1, One),
        ] {
            assert_eq!(plural(language, number), category, "{number} in {language}");
        }
    }

    #[test]
    fn the_form_follows_the_number() {
        let forms = ["zakup", "zakupy", "zakupów"];
        assert_eq!([1, 3, 13, 23].map(|number| choose("pl", number, forms)), ["zakup", "zakupy", "zakupów", "zakupy"]);
    }
}
