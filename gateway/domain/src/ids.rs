//! Names of things. Ids are derived from what they name, never drawn, so that doing a thing twice names it once.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Crockford's base 32 in lower case: no `i`, `l`, `o` or `u`, so an id survives being read out.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A SHA-256 over length-prefixed parts: `("ab", "c")` and `("a", "bc")` differ.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    sha.finalize().into()
}

/// The first `chars` base-32 digits of `bytes`.
///
/// # Panics
/// Never: the number of digits is bounded by the bytes given.
#[must_use]
pub fn base32(bytes: &[u8], chars: usize) -> String {
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| (byte >> (7 - index % 8)) & 1);
    (0..chars)
        .map(|digit| {
            let value = (0..5).fold(0_u8, |value, place| (value << 1) | bit(digit * 5 + place));
            char::from(ALPHABET[usize::from(value)])
        })
        .collect()
}

/// `prefix_` and 26 digits (130 bits) of the hash of `parts`.
#[must_use]
pub fn derive(prefix: &str, parts: &[&str]) -> String {
    let parts: Vec<&[u8]> =
        std::iter::once(prefix.as_bytes()).chain(parts.iter().map(|part| part.as_bytes())).collect();
    format!("{prefix}_{}", base32(&hash(&parts), 26))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id!(
    /// The tenant: a shop or chain, as named in its merchant file.
    MerchantId
);
text_id!(
    /// One connected platform endpoint of a merchant.
    SourceId
);
text_id!(
    /// A customer in one merchant's programme: `mem_…`.
    MemberId
);
text_id!(
    /// A plugin in a merchant's programme, as named in its merchant file (its plugin's id where unnamed).
    InstallationId
);
text_id!(
    /// Another business that publishes or funds plugins.
    PartnerId
);
text_id!(
    /// An amount earned at one time: `lot_…`.
    LotId
);
text_id!(
    /// What a member may claim: `rwd_…`.
    RewardId
);
text_id!(
    /// A message on its way out, stable over attempts: `dlv_…`.
    DeliveryId
);
text_id!(
    /// A way out for messages, as named in the merchant file (its kind where unnamed).
    ChannelId
);

/// An entry's number in the journal. Numbers rise; gaps mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub i64);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An arrival's number in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArrivalId(pub i64);

impl fmt::Display for ArrivalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The SHA-256 of some bytes. A plugin *is* its digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
    /// Takes 32 bytes as a digest computed elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// Reads `sha256:` and 64 hexadecimal digits, as [`fmt::Display`] writes them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a digest is `sha256:` and 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }

    #[test]
    fn a_digest_reads_back() {
        let digest = Digest::of(b"perkgate");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("sha256:00"), None);
        assert_eq!(Digest::parse(&digest.to_string()[7..]), None);
    }

    #[test]
    fn base32_reads_five_bits_at_a_time() {
        assert_eq!(base32(&[0xff, 0xff], 4), "zzzg");
        assert_eq!(base32(&[0], 1), "0");
    }
}
