//! Who bought: the same person, however a platform writes them, has the same keys.
//!
//! Each key is brought into one notation and then blinded by the [`Vault`]; what cannot be one (an implausible address, an
//! invalid number) is ignored rather than guessed at, because a wrong key would give one person's points to another.

mod doubt;
mod persons;
mod placeholder;

pub use doubt::doubt;
pub use persons::persons;

use crate::vault::Vault;
use perkgate_domain::facts::MonthDay;
use perkgate_domain::ids::{MemberId, MerchantId, SourceId};
use perkgate_domain::limits::{EXTERNAL_ID_BYTES, TEXT_BYTES};
use perkgate_domain::member::{Contact, Identity, KeyKind, MemberKey, Proof};
use perkgate_domain::programme::Merchant;
use phonenumber::Mode;
use unicode_normalization::UnicodeNormalization as _;

/// What an [`Identity`] comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The strongest kind first, one of a kind at most.
    pub keys: Vec<MemberKey>,
    /// Where they can be reached, normalised.
    pub contact: Contact,
    /// Their language as a BCP 47 tag: `sk`, `cs-CZ`.
    pub locale: Option<String>,
    /// Whether they agreed to messages; nothing if the platform does not say.
    pub consent: Option<bool>,
    /// The day they were born on.
    pub birthday: Option<MonthDay>,
    /// What whoever brought them may be known by.
    pub referrers: Vec<MemberKey>,
    /// Who says so.
    pub proof: Proof,
}

/// Reads an identity that came by `source`. An address or number that stands for nobody counts as none.
#[must_use]
pub fn known(vault: &Vault, merchant: &Merchant, source: &SourceId, identity: &Identity) -> Known {
    let countries = [identity.country.as_deref(), merchant.country.as_deref()];
    let email = identity.email.as_deref().and_then(email).filter(|email| !placeholder::email(email));
    let phone = identity.phone.as_deref().and_then(|text| phone(text, countries));
    let phone = phone.filter(|phone| !placeholder::phone(phone));
    let normalised = [
        (KeyKind::Card, identity.card.as_deref().and_then(card)),
        (KeyKind::Id, identity.customer_id.as_deref().and_then(|id| customer(source, id))),
        (KeyKind::Email, email.clone()),
        (KeyKind::Phone, phone.clone()),
    ];
    let keys = normalised.into_iter().filter_map(|(kind, text)| Some(key(vault, merchant, kind, &text?))).collect();
    let contact = Contact { email, phone, name: identity.name.as_deref().and_then(name) };
    Known {
        keys,
        contact,
        locale: identity.locale.as_deref().and_then(locale),
        consent: identity.consent,
        birthday: identity.birthday.as_deref().and_then(MonthDay::parse),
        referrers: identity.referrer.iter().flat_map(|text| referrers(vault, merchant, text)).collect(),
        proof: identity.proof,
    }
}

/// The keys of whoever is meant by what somebody says who was brought: a friend's code, or a key such as `card:…`.
#[must_use]
pub fn referrers(vault: &Vault, merchant: &Merchant, text: &str) -> Vec<MemberKey> {
    if let Ok(Lookup::Keys(keys)) = parse_key(vault, merchant, std::iter::empty(), text) {
        return keys;
    }
    card(text).into_iter().map(|code| key(vault, merchant, KeyKind::Referral, &code)).collect()
}

/// Whether what somebody says who brought them is somebody's address or number and not a code. Events are not sealed, and plugins are
/// told them: neither is for addresses.
#[must_use]
pub fn is_address(referrer: &str) -> bool {
    let kind = referrer.split_once(':').and_then(|(kind, _)| KeyKind::parse(kind.trim()));
    matches!(kind, Some(KeyKind::Email | KeyKind::Phone)) || email(referrer).is_some()
}

/// What a member tells friends, as a key.
#[must_use]
pub fn referral(vault: &Vault, merchant: &Merchant, member: &MemberId) -> MemberKey {
    let code = vault.referral_code(merchant.id.as_str(), member);
    key(vault, merchant, KeyKind::Referral, &card(&code).unwrap_or(code))
}

/// What a sealed contact field is bound to. Not to the member: members merge.
#[must_use]
pub fn contact_context(merchant: &MerchantId, field: &str) -> String {
    format!("contact/{merchant}/{field}")
}

/// Whom a KEY of the command line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The member of this id.
    Member(MemberId),
    /// Whoever has any of these keys.
    Keys(Vec<MemberKey>),
}

/// Reads `mem_…`, `email:…`, `phone:…`, `card:…` or `id:…`. An id is a member's (`mem_…`) or a platform's customer id, which is tried
/// with each of `sources`.
///
/// # Errors
/// A sentence that says what a key looks like, without repeating what was given.
pub fn parse_key<'a>(
    vault: &Vault,
    merchant: &Merchant,
    sources: impl Iterator<Item = &'a SourceId>,
    text: &str,
) -> Result<Lookup, String> {
    let forms = "a member is named by mem_…, email:ADDRESS, phone:NUMBER, card:CODE, id:CUSTOMER or id:mem_…";
    if text.starts_with("mem_") {
        return Ok(Lookup::Member(MemberId::from(text)));
    }
    let (kind, value) = text.split_once(':').ok_or(forms)?;
    let kind = KeyKind::parse(kind.trim()).ok_or(forms)?;
    let value = value.trim();
    let one = |normalised: Option<String>, wrong: &str| {
        normalised.map(|text| Lookup::Keys(vec![key(vault, merchant, kind, &text)])).ok_or_else(|| wrong.to_owned())
    };
    match kind {
        KeyKind::Email => one(email(value), "the text after `email:` is not an e-mail address"),
        KeyKind::Phone => one(
            phone(value, [merchant.country.as_deref(), None]),
            "the text after `phone:` is not a valid number; write it with its country code: phone:+421…",
        ),
        KeyKind::Card => one(card(value), "the text after `card:` is not a card's code"),
        KeyKind::Referral => one(card(value), "the text after `referral:` is not what members tell friends"),
        KeyKind::Id if value.starts_with("mem_") => Ok(Lookup::Member(MemberId::from(value))),
        KeyKind::Id => {
            let keys: Vec<MemberKey> =
                sources.filter_map(|source| Some(key(vault, merchant, kind, &customer(source, value)?))).collect();
            if keys.is_empty() {
                return Err("the text after `id:` is not a customer id of any of the merchant's sources".to_owned());
            }
            Ok(Lookup::Keys(keys))
        }
    }
}

fn key(vault: &Vault, merchant: &Merchant, kind: KeyKind, normalised: &str) -> MemberKey {
    MemberKey { kind, hash: vault.blind(merchant.id.as_str(), kind, normalised) }
}

/// One notation for an address: compatibility forms composed (NFKC), lower case, the domain in its ASCII form (IDNA), so that
/// `xn--…` and its Unicode spelling are one. The part before the `@` keeps its dots and `+tag`: whether they matter is each
/// mail server's own business, and joining two people is worse than not joining one.
///
/// Implausible text is none: quoted local parts, domains without a dot, IP addresses.
fn email(text: &str) -> Option<String> {
    let folded: String = text.nfkc().collect::<String>().trim_matches(is_blank).to_lowercase().nfkc().collect();
    let (local, domain) = folded.rsplit_once('@')?;
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || is_mark(c);
    let plausible = (1..=64).contains(&local.len())
        && local.chars().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.len() <= 253
        && domain.contains('.')
        // A last label of digits alone makes it an IPv4 address (RFC 3696, section 2).
        && domain.rsplit('.').next().is_some_and(|label| label.len() >= 2 && !label.bytes().all(|c| c.is_ascii_digit()));
    plausible.then(|| format!("{local}@{domain}"))
}

/// Marks that NFKC leaves beside their letter, in scripts that have no composed form.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// White space, and the invisible characters that copying brings along.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// The number in E.164. Without `+` or `00` it is read in the first of `countries` that is one.
fn phone(text: &str, countries: [Option<&str>; 2]) -> Option<String> {
    let folded: String = text.nfkc().filter(|c| !is_blank(*c) || c.is_whitespace()).collect();
    let folded = folded.trim();
    let international = folded.strip_prefix("00").map(|rest| format!("+{rest}"));
    let number = international.as_deref().unwrap_or(folded);
    let country = if number.starts_with('+') {
        None
    } else {
        let country = countries.into_iter().flatten().find_map(|country| country.trim().to_uppercase().parse().ok());
        Some(country?)
    };
    let parsed = phonenumber::parse::<&str>(country, number).ok()?;
    if !phonenumber::is_valid(&parsed) || parsed.extension().is_some() {
        return None;
    }
    let e164 = parsed.format().mode(Mode::E164).to_string();
    let digits = e164.strip_prefix('+')?;
    // E.164 allows fifteen digits; anything else is a notation that slipped through.
    ((7..=15).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit())).then_some(e164)
}

/// A platform's customer id is one within its source only.
fn customer(source: &SourceId, id: &str) -> Option<String> {
    let id = id.trim();
    (!id.is_empty() && id.len() <= EXTERNAL_ID_BYTES).then(|| format!("{source}|{id}"))
}

/// A code as a till, a scanner or a hand would write it: no spaces, no dashes, capitals.
fn card(text: &str) -> Option<String> {
    let dash = |c: char| matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let bare: String = text.nfkc().filter(|c| !is_blank(*c) && !dash(*c)).collect();
    // What stood apart may be one letter now.
    let code: String = bare.nfkc().collect::<String>().to_uppercase().nfkc().collect();
    (!code.is_empty() && code.len() <= EXTERNAL_ID_BYTES && !code.chars().any(char::is_control)).then_some(code)
}

/// A name on one line, without anything that is not to be seen.
fn name(text: &str) -> Option<String> {
    let visible: String = text.nfc().map(|c| if c.is_control() || is_blank(c) { ' ' } else { c }).collect();
    let name = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    (!name.is_empty() && name.len() <= TEXT_BYTES).then_some(name)
}

/// A language tag: letters and digits between single dashes, the language itself of two or three letters.
fn locale(text: &str) -> Option<String> {
    let tag = text.trim().replace('_', "-");
    let mut parts = tag.split('-');
    let language = parts.next()?;
    let plausible = (2..=3).contains(&language.len())
        && language.bytes().all(|c| c.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric()))
        && tag.len() <= 35;
    plausible.then_some(tag)
}

#[cfg(test)]
mod tests;
