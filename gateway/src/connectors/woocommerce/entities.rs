//! HTML entities in names: `WordPress` sends `Ship Your Idea &ndash; Color: Black` as it would print it in a page.

/// The named entities that `WordPress` writes and shops type. Others stay as they are.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("hellip", '…'),
    ("bull", '•'),
    ("middot", '·'),
    ("times", '×'),
    ("deg", '°'),
    ("trade", '™'),
    ("reg", '®'),
    ("copy", '©'),
    ("euro", '€'),
    ("pound", '£'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("prime", '′'),
    ("Prime", '″'),
];

/// The longest text between `&` and `;` that is looked at.
const LONGEST: usize = 10;

/// Replaces entities by their characters, once: `&amp;lt;` becomes `&lt;`.
pub(super) fn decode(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.bytes().take(LONGEST + 2).position(|byte| byte == b';');
        if let Some((end, character)) = end.and_then(|end| Some((end, character(&rest[1..end])?))) {
            plain.push(character);
            rest = &rest[end + 1..];
        } else {
            plain.push('&');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    plain
}

/// The character that an entity's name or number stands for.
fn character(entity: &str) -> Option<char> {
    let Some(number) = entity.strip_prefix('#') else {
        return NAMED.iter().find(|(name, _)| *name == entity).map(|(_, character)| *character);
    };
    let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| plain)?;
    char::from_u32(code).filter(|character| !character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_become_characters_and_the_rest_stays() {
        for (from, to) in [
            ("Ship Your Idea &ndash; Black", "Ship Your Idea – Black"),
            ("Fish &amp; Chips", "Fish & Chips"),
            ("8&#8243; pan, &#x2019;s", "8″ pan, ’s"),
            ("&amp;lt;", "&lt;"),
            ("R&D; &unknown; & &", "R&D; &unknown; & &"),
            ("&#0;&#xD800;&#99999999999;&#+65;", "&#0;&#xD800;&#99999999999;&#+65;"),
            ("káva &čaj; &", "káva &čaj; &"),
            ("", ""),
        ] {
            assert_eq!(decode(from), to);
        }
    }
}
