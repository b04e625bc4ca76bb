//! How bytes are proven: HMACs compared in constant time against every active secret, the spellings of a signature, and
//! the windows in which a signed time is believed.
//!
//! Two rules turn a secret's text into a key: [`raw_keys`] takes it as it stands, [`standard_keys`] decodes it as Standard
//! Webhooks says. Which one holds is the connector's own fact. It is never told from the secret's looks: Stripe and Standard
//! Webhooks both write `whsec_` and mean opposite things by it.

use super::Rejected;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use perkgate_domain::programme::Source;
use perkgate_domain::time::Moment;
use serde::Deserialize;
use subtle::{Choice, ConstantTimeEq as _};

/// Standard alphabet. Padding is accepted and not asked for: some senders drop it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The hash under an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Algorithm {
    /// SHA-1: for senders that have nothing better; unbroken within an HMAC.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a signature's bytes are written in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// The standard alphabet.
    Base64,
}

impl Encoding {
    /// The bytes that `text` stands for; nothing if it is not of this spelling. White space around it is ignored: Ruby's
    /// `Base64.encode64` ends with a newline.
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        let text = text.trim();
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => BASE64.decode(text).ok(),
        }
    }
    /// The text for these bytes.
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
        }
    }
}

/// The HMAC of `parts`, one after the other, under `key`.
pub(crate) fn mac(algorithm: Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    macro_rules! run {
        ($hash:ty) => {
            // An HMAC takes a key of any length, so the error arm is never taken; an empty answer matches no signature.
            Hmac::<$hash>::new_from_slice(key)
                .map(|mut hmac| {
                    for part in parts {
                        hmac.update(part);
                    }
                    hmac.finalize().into_bytes().to_vec()
                })
                .unwrap_or_default()
        };
    }
    match algorithm {
        Algorithm::Sha1 => run!(sha1::Sha1),
        Algorithm::Sha256 => run!(sha2::Sha256),
        Algorithm::Sha512 => run!(sha2::Sha512),
    }
}

/// Whether any of `given` is the HMAC of `parts` under any of `keys`.
///
/// Every pair is compared in constant time and none is left out, so the time taken tells neither how much of a signature was
/// right nor which key it was. An empty signature never holds.
pub(crate) fn holds(algorithm: Algorithm, keys: &[Vec<u8>], parts: &[&[u8]], given: &[Vec<u8>]) -> bool {
    let mut found = Choice::from(0);
    for key in keys {
        let expected = mac(algorithm, key, parts);
        for signature in given.iter().filter(|signature| !signature.is_empty()) {
            found |= expected.ct_eq(signature);
        }
    }
    found.into()
}

/// The source's secrets as keys, each text taken as it stands.
///
/// # Errors
/// A sentence if there is none, or one is empty or has white space at an end (the usual accident when pasting).
pub(crate) fn raw_keys(source: &Source) -> Result<Vec<Vec<u8>>, String> {
    let key = |secret: &String| {
        if secret.trim().is_empty() {
            return Err(
                "a secret in `secrets` is empty: anybody could sign with it; put the platform's signing secret there"
                    .to_owned(),
            );
        }
        if secret.trim() != secret {
            return Err("a secret in `secrets` begins or ends with white space: remove it".to_owned());
        }
        Ok(secret.clone().into_bytes())
    };
    if source.secrets.is_empty() {
        return Err("`secrets` is missing: add the platform's signing secret".to_owned());
    }
    source.secrets.iter().map(key).collect()
}

/// Bytes of the shortest secret that is taken for a platform that makes long ones. Square's have 22, Shopify's 32, Stripe's 38,
/// WooCommerce's 50 unless the merchant types one. Below eight, whoever sees one signed body finds the secret by trying.
pub(crate) const SECRET_BYTES: usize = 8;

/// Whether no secret of the source is too short to be a platform's.
///
/// # Errors
/// A sentence about the first that is.
pub(super) fn long_enough(source: &Source) -> Result<(), String> {
    match source.secrets.iter().find(|secret| secret.len() < SECRET_BYTES) {
        None => Ok(()),
        Some(short) => Err(format!(
            "a secret in `secrets` has {} bytes, and one below {SECRET_BYTES} is found by trying: put the platform's signing secret \
             there, all of it; where you make it up yourself, make one with `openssl rand -hex 32`",
            short.len()
        )),
    }
}

/// The source's secrets as keys by the rule of Standard Webhooks: base64 of 24 to 64 bytes after an optional `whsec_`.
///
/// # Errors
/// A sentence if there is none or one is not of that form.
pub(crate) fn standard_keys(source: &Source) -> Result<Vec<Vec<u8>>, String> {
    let key = |secret: &[u8]| {
        let text = String::from_utf8_lossy(secret);
        if text.starts_with("whsk_") || text.starts_with("whpk_") {
            return Err(
                "a secret in `secrets` is of an asymmetric key (`whsk_`, `whpk_`): only `whsec_` is understood"
                    .to_owned(),
            );
        }
        let encoded = text.strip_prefix("whsec_").unwrap_or(&text);
        match Encoding::Base64.decode(encoded) {
            Some(key) if (24..=64).contains(&key.len()) => Ok(key),
            Some(key) => {
                Err(format!("a secret in `secrets` holds {} bytes: Standard Webhooks wants 24 to 64", key.len()))
            }
            None => Err("a secret in `secrets` is not `whsec_` and base64".to_owned()),
        }
    };
    raw_keys(source)?.iter().map(|secret| key(secret)).collect()
}

/// As [`raw_keys`] or [`standard_keys`], at the door: an unusable secret proves nobody.
pub(crate) fn at_the_door(keys: Result<Vec<Vec<u8>>, String>) -> Result<Vec<Vec<u8>>, Rejected> {
    keys.map_err(|sentence| Rejected::bad_signature(format!("nothing can be verified for this source: {sentence}")))
}

/// The rejection where no pair of secret and signature fits.
pub(crate) fn mismatch() -> Rejected {
    Rejected::bad_signature(
        "the signature fits none of the source's secrets: the secret is another one, or the body was changed on its way",
    )
}

/// Accepts a signed time within `tolerance` seconds of `now`, in either direction.
///
/// # Errors
/// [`Rejected`] as stale.
pub(crate) fn in_window(signed_at: i64, now: Moment, tolerance: i64) -> Result<(), Rejected> {
    let age = now.seconds().saturating_sub(signed_at);
    if age > tolerance {
        return Err(Rejected::stale(format!(
            "signed {age} s ago, more than the {tolerance} s allowed: a replay, or a slow clock"
        )));
    }
    if age < -tolerance {
        let ahead = age.saturating_neg();
        return Err(Rejected::stale(format!(
            "signed {ahead} s in the future, more than the {tolerance} s allowed: check the clocks"
        )));
    }
    Ok(())
}

/// Reads the decimal digits of a Unix time in seconds.
///
/// # Errors
/// [`Rejected`] as a bad signature: a time that is none was not signed by the platform.
pub(crate) fn unix_seconds(text: &str, place: &str) -> Result<i64, Rejected> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| Rejected::bad_signature(format!("{place} is no Unix time in seconds")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primitive_agrees_with_published_vectors() {
        // stripe-node, test/crypto/helpers.ts.
        let sha256 = |body: &str| hex::encode(mac(Algorithm::Sha256, b"test_secret", &[body.as_bytes()]));
        assert_eq!(sha256(""), "f7f9bd47fb987337b5796fdc1fdb9ba221d0d5396814bfcaf9521f43fd8927fd");
        assert_eq!(
            sha256(r#"{"obj1":"hello","obj2":"world"}"#),
            "bebb1a643997f419b315ddba19e6f5411e1ce7f810ba6d3617ce72823092f363"
        );
        assert_eq!(sha256("\u{1F600}"), "837da296d05c4fe31f61d5d7ead035099d9585a5bcde87de952012a78f0b0c43");
        // RFC 2202 and RFC 4231, test case 2.
        let jefe = |algorithm| hex::encode(mac(algorithm, b"Jefe", &[b"what do ya want ", b"for nothing?"]));
        assert_eq!(jefe(Algorithm::Sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert!(
            jefe(Algorithm::Sha512).starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554")
        );
    }

    #[test]
    fn any_pair_may_fit_and_nothing_else() {
        let keys = [b"old".to_vec(), b"new".to_vec()];
        let right = mac(Algorithm::Sha256, b"new", &[b"body"]);
        assert!(holds(Algorithm::Sha256, &keys, &[b"body"], &[vec![1; 32], right.clone()]));
        assert!(!holds(Algorithm::Sha256, &keys, &[b"body!"], std::slice::from_ref(&right)));
        assert!(!holds(Algorithm::Sha256, &keys, &[b"body"], &[right[..31].to_vec()]));
        assert!(!holds(Algorithm::Sha256, &keys, &[b"body"], &[Vec::new()]));
        assert!(!holds(Algorithm::Sha256, &[], &[b"body"], &[right]));
    }

    #[test]
    fn signatures_are_read_as_senders_write_them() {
        assert_eq!(Encoding::Base64.decode("AQID\n"), Some(vec![1, 2, 3]));
        assert_eq!(Encoding::Base64.decode("AQIDBA"), Some(vec![1, 2, 3, 4]));
        assert_eq!(Encoding::Hex.decode("0AFF"), Some(vec![10, 255]));
        assert_eq!(Encoding::Hex.decode("0x"), None);
        assert_eq!(Encoding::Base64.decode("*"), None);
    }

    #[test]
    fn the_window_has_two_ends() {
        let now = Moment::from_seconds(1_000);
        assert!(in_window(700, now, 300).is_ok() && in_window(1_300, now, 300).is_ok());
        assert!(in_window(699, now, 300).is_err() && in_window(1_301, now, 300).is_err());
        assert!(in_window(i64::MAX, now, 300).is_err());
        assert!(
            unix_seconds("+5", "t").is_err() && unix_seconds("", "t").is_err() && unix_seconds("1e3", "t").is_err()
        );
        assert!(unix_seconds("99999999999999999999", "t").is_err());
    }
}
