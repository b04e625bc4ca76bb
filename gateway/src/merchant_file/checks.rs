//! What single values of a merchant file must look like. Each check answers with the rest of a sentence that begins with
//! the key, says what is wrong and what to write instead; none repeats a value that may be secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use perkgate_domain::limits::{TEXT_BYTES, WALLET_BYTES};
use perkgate_domain::money::{Currency, parse_scaled};

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

/// Where members reach the gateway, which links are made from: a URL that a path can be put behind. Answers without a
/// slash at its end.
pub(super) fn entrance(url: &str) -> Result<String, String> {
    if url.contains(['?', '#', '@']) {
        return Err(
            "has a `?`, `#` or `@` in it, and links begin with it; write \"https://body.example.com\"".to_owned()
        );
    }
    if url.len() > TEXT_BYTES {
        return Err(format!("has more than {TEXT_BYTES} bytes; write a shorter one"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// The name of a wallet: 1 to 32 lower-case letters, digits and dashes.
pub(super) fn wallet(text: &str) -> Result<(), String> {
    if text.len() <= WALLET_BYTES && id(text).is_ok() {
        return Ok(());
    }
    let name = shown(text);
    Err(format!("names \"{name}\"; a wallet has 1 to {WALLET_BYTES} lower-case letters a-z, digits and dashes"))
}

/// A title or name: one line, 1 to [`TEXT_BYTES`] bytes.
pub(super) fn title(text: &str) -> Result<String, String> {
    let fits = !text.trim().is_empty() && text.len() <= TEXT_BYTES && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
        .ok_or_else(|| format!("must be one line of 1 to {TEXT_BYTES} bytes; write such a one"))
}

/// What everybody types in to use a shared coupon.
pub(super) fn code(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    if (4..=32).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err(format!("is \"{}\"; a code has 4 to 32 capital letters A-Z, digits and dashes", shown(text)))
}

/// Decimal text as `10^-places`, from 1 to `most` of them.
pub(super) fn positive(text: &str, places: u8, most: i64) -> Result<i64, String> {
    if let Some(number) = parse_scaled(text, places.into()).ok().filter(|number| (1..=most).contains(number)) {
        return Ok(number);
    }
    let whole = most / 10_i64.pow(places.into());
    let wanted = match places {
        0 => format!("a whole number from 1 to {whole}"),
        _ => format!("a number above 0 and up to {whole}, with at most {places} decimal places"),
    };
    Err(format!("is \"{}\"; write {wanted}", shown(text)))
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
