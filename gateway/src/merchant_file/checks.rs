//! What single values of a merchant file must look like. Each check answers with the rest of a sentence that begins with
//! the key, says what is wrong and what to write instead; none repeats a value that may be secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use perkgate_domain::money::Currency;

/// Lower-case letters, digits and dashes, 1 to 64 of them.
pub(super) fn id(text: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(());
    }
    Err(format!("is \"{}\"; an id has 1 to 64 lower-case letters a-z, digits and dashes", shown(text)))
}

/// ISO 4217.
pub(super) fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).map_err(|error| format!("is wrong: {error}; write three letters such as \"EUR\""))
}

/// An IANA name, as the database spells it.
pub(super) fn timezone(text: &str) -> Result<String, String> {
    if let Some(name) = jiff::tz::TimeZone::get(text).ok().and_then(|zone| zone.iana_name().map(str::to_owned)) {
        return Ok(name);
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let cure = nearest(text, &names)
        .map_or_else(|| "write one such as \"Europe/Prague\"".to_owned(), |near| format!("did you mean \"{near}\"?"));
    Err(format!("is \"{}\", which is not an IANA time zone; {cure}", shown(text)))
}

/// The shape of a BCP 47 tag: a language of 2 or 3 letters, then subtags of 2 to 8 letters or digits.
pub(super) fn locale(text: &str) -> Result<(), String> {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let fits = matches!(language.len(), 2 | 3)
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if fits {
        return Ok(());
    }
    Err(format!("is \"{}\", which is no language tag; write \"sk\", or \"cs-CZ\" with a dash", shown(text)))
}

/// ISO 3166, alpha-2; answers in upper case.
pub(super) fn country(text: &str) -> Result<String, String> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(text.to_ascii_uppercase());
    }
    Err(format!("is \"{}\"; write the two letters of ISO 3166, such as \"SK\"", shown(text)))
}

/// An absolute URL of one of `schemes`, with a host that may be an international name.
pub(super) fn url(text: &str, schemes: &[&str]) -> Result<(), String> {
    let wanted = schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" or ");
    if text.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err("has a space or control character in it; write the URL without".to_owned());
    }
    let rest = text.split_once("://").filter(|(scheme, _)| schemes.contains(&scheme.to_ascii_lowercase().as_str()));
    let Some((_, rest)) = rest else {
        return Err(format!("must begin with {wanted}"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    // An IPv6 address keeps its colons within brackets.
    let (host, port) = match place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or("none"))),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err("has no host; write it in full, as in \"https://example.com/hook\"".to_owned());
    }
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |number| number == 0)) {
        return Err("has no port number after the colon; write one from 1 to 65535, or leave the colon out".to_owned());
    }
    Ok(())
}

/// A signing secret as Standard Webhooks writes it: `whsec_` and the base64 of 24 to 64 bytes
/// (the Standard Webhooks specification, "Signature scheme").
pub(super) fn webhook_secret(text: &str) -> Result<(), String> {
    const CURE: &str = "make one with `echo whsec_$(openssl rand -base64 32)`";
    let Some(code) = text.strip_prefix("whsec_") else {
        return Err(format!("does not begin with `whsec_`; {CURE}"));
    };
    match STANDARD.decode(code) {
        Ok(key) if (24..=64).contains(&key.len()) => Ok(()),
        Ok(key) => Err(format!("holds {} bytes and must hold 24 to 64; {CURE}", key.len())),
        Err(_) => Err(format!("has no padded base64 after `whsec_`; {CURE}")),
    }
}

/// An address that the mail library can send from: `a@example.com` or `Name <a@example.com>`.
pub(super) fn sender(text: &str) -> Result<(), String> {
    match text.parse::<lettre::message::Mailbox>() {
        Ok(_) => Ok(()),
        Err(_) => Err("is no mail address; write \"shop@example.com\" or \"Shop <shop@example.com>\"".to_owned()),
    }
}

/// The start of a value, for a message.
pub(super) fn shown(text: &str) -> String {
    // A control character would break the message's line.
    let mut short: String = text.chars().take(80).map(|char| if char.is_control() { '?' } else { char }).collect();
    if text.chars().nth(80).is_some() {
        short.push('…');
    }
    short
}

/// The known word that was probably meant, if any is close: at most a third of its letters differ.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |other: &&&str| edits(&lower, &other.to_lowercase());
    let best = *known.iter().min_by_key(distance)?;
    (edits(&lower, &best.to_lowercase()) <= best.chars().count().div_ceil(3)).then_some(best)
}

/// Letters to add, drop, change or swap with their neighbour to make one word of the other.
fn edits(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let changed = rows[i][j] + usize::from(a != b);
            let mut least = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last().copied()).unwrap_or_default()
}
