//! Data keys: what seals, blinds, signs and derives. Each has a purpose and a generation; the database keeps them wrapped by a root key.

use super::{VaultError, mac};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::collections::BTreeMap;
use std::fmt;

const NONCE_BYTES: usize = 24;

/// What a data key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Sealing what is stored.
    Seal,
    /// Standing in for addresses, customer ids and cards.
    Blind,
    /// Deriving codes and the links of questions.
    Code,
    /// Proving compiled code to be ours.
    Cache,
    /// Deriving the member ids that partners see.
    Pseudonym,
    /// Signing tokens.
    Token,
    /// Telling bodies apart without giving them away.
    Digest,
}

impl Purpose {
    /// All there are.
    pub const ALL: [Self; 7] =
        [Self::Seal, Self::Blind, Self::Code, Self::Cache, Self::Pseudonym, Self::Token, Self::Digest];
    /// Those that a rotation makes anew. The others cannot be: what they made is derived again, or cannot be opened to be made again.
    pub const ROTATED: [Self; 3] = [Self::Seal, Self::Cache, Self::Token];

    /// Its name in the database, and in what is derived.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Blind => "blind",
            Self::Code => "code",
            Self::Cache => "cache",
            Self::Pseudonym => "pseudonym",
            Self::Token => "token",
            Self::Digest => "digest",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A data key as the database keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// What it is for, as text: a newer Perkgate may have more.
    pub purpose: String,
    /// From 1.
    pub generation: u32,
    /// The fingerprint of the root key that wrapped it.
    pub root: String,
    /// The key, sealed.
    pub bytes: Vec<u8>,
    /// Whether it is used for what is new.
    pub active: bool,
}

/// A root key: it wraps data keys and does nothing else.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) key: [u8; 32],
    /// Tells root keys apart, and nothing about them.
    pub(super) fingerprint: String,
}

impl Root {
    pub(super) fn new(key: [u8; 32]) -> Self {
        let fingerprint = hex::encode(&mac(&key, &[b"perkgate", b"fingerprint"])[..8]);
        Self { key, fingerprint }
    }

    /// What was a subkey before there were data keys.
    pub(super) fn subkey(&self, label: &str) -> [u8; 32] {
        mac(&self.key, &[b"perkgate", label.as_bytes()])
    }

    pub(super) fn wrap(&self, purpose: Purpose, generation: u32, data: &DataKey) -> Wrapped {
        let nonce = random::<NONCE_BYTES>(&data.bytes);
        let bytes = encrypt(&self.subkey("wrap"), &nonce, &place(purpose, generation), &data.bytes);
        Wrapped {
            purpose: purpose.as_str().to_owned(),
            generation,
            root: self.fingerprint.clone(),
            bytes: [&nonce[..], &bytes].concat(),
            active: data.active,
        }
    }

    fn unwrap(&self, purpose: Purpose, wrapped: &Wrapped) -> Result<DataKey, VaultError> {
        let place = place(purpose, wrapped.generation);
        let wrong = || VaultError::Sealed { context: place.clone() };
        let (nonce, bytes) = wrapped.bytes.split_at_checked(NONCE_BYTES).ok_or_else(wrong)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| wrong())?;
        let plain = decrypt(&self.subkey("wrap"), &nonce, &place, bytes).ok_or_else(wrong)?;
        Ok(DataKey { bytes: plain.try_into().map_err(|_| wrong())?, active: wrapped.active })
    }
}

fn place(purpose: Purpose, generation: u32) -> String {
    format!("key/{purpose}/{generation}")
}

/// One key.
#[derive(Clone, Copy)]
pub(super) struct DataKey {
    pub(super) bytes: [u8; 32],
    pub(super) active: bool,
}

/// Every data key that is known.
#[derive(Clone)]
pub(super) struct Ring {
    keys: BTreeMap<(Purpose, u32), DataKey>,
    /// The newest active key of each purpose, in the order of [`Purpose::ALL`].
    newest: [(u32, [u8; 32]); Purpose::ALL.len()],
    /// Hedges nonces.
    pub(super) hedge: [u8; 32],
}

impl Ring {
    /// The first generation, derived from a root key.
    pub(super) fn derived(root: &Root) -> Self {
        let newest = Purpose::ALL.map(|purpose| (1, root.subkey(purpose.as_str())));
        let keys = Purpose::ALL.into_iter().zip(newest);
        let keys = keys.map(|(purpose, (generation, bytes))| ((purpose, generation), DataKey { bytes, active: true }));
        Self { keys: keys.collect(), newest, hedge: hedge(&newest[0].1) }
    }

    /// The first generation of a new database: drawn, so that it says nothing about the root key and outlives it. Only the first sealing
    /// key is derived, as it always was.
    pub(super) fn drawn(root: &Root) -> Self {
        let mut ring = Self::derived(root);
        for ((purpose, _), data) in ring.keys.iter_mut().filter(|((purpose, _), _)| *purpose != Purpose::Seal) {
            data.bytes = random::<32>(&mac(&root.key, &[b"drawn", purpose.as_str().as_bytes()]));
        }
        ring
    }

    /// What a root key unwraps; none if it wrapped nothing of this.
    pub(super) fn unwrapped(root: &Root, rows: &[Wrapped]) -> Result<Option<Self>, VaultError> {
        let mut keys = BTreeMap::new();
        for row in rows.iter().filter(|row| row.root == root.fingerprint) {
            // What a newer Perkgate needs a key for, this one does not do.
            let Some(purpose) = Purpose::parse(&row.purpose) else { continue };
            keys.insert((purpose, row.generation), root.unwrap(purpose, row)?);
        }
        if keys.is_empty() {
            return Ok(None);
        }
        let mut newest = [(0, [0; 32]); Purpose::ALL.len()];
        for (place, purpose) in newest.iter_mut().zip(Purpose::ALL) {
            let mut own = keys.range((purpose, 0)..=(purpose, u32::MAX));
            let last = own.rfind(|(_, data)| data.active);
            *place =
                last.map(|((_, generation), data)| (*generation, data.bytes)).ok_or(VaultError::NoKey { purpose })?;
        }
        Ok(Some(Self { keys, newest, hedge: hedge(&newest[0].1) }))
    }

    /// The key for what is new.
    pub(super) fn newest(&self, purpose: Purpose) -> (u32, [u8; 32]) {
        self.newest[purpose as usize]
    }

    pub(super) fn get(&self, purpose: Purpose, generation: u32) -> Option<[u8; 32]> {
        self.keys.get(&(purpose, generation)).map(|data| data.bytes)
    }

    /// Generations of a purpose, oldest first.
    pub(super) fn generations(&self, purpose: Purpose) -> impl Iterator<Item = (u32, DataKey)> {
        self.keys.range((purpose, 0)..=(purpose, u32::MAX)).map(|((_, generation), data)| (*generation, *data))
    }

    pub(super) fn wrapped_by(&self, root: &Root) -> Vec<Wrapped> {
        self.keys.iter().map(|((purpose, generation), data)| root.wrap(*purpose, *generation, data)).collect()
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).all(|((place, data), (other_place, other))| {
                place == other_place && data.bytes == other.bytes && data.active == other.active
            })
    }
}

fn hedge(seal: &[u8; 32]) -> [u8; 32] {
    mac(seal, &[b"nonce"])
}

/// Random bytes, hedged: should the system ever fail to give randomness, different `salt` still makes different bytes.
pub(super) fn random<const N: usize>(salt: &[u8; 32]) -> [u8; N] {
    let mut bytes = [0_u8; 32];
    if getrandom::fill(&mut bytes).is_err() {
        tracing::error!("the system gives no random bytes; what should be drawn is derived instead");
    }
    let hedged = mac(salt, &[b"random", &bytes]);
    let mut drawn = [0; N];
    for (byte, other) in drawn.iter_mut().zip(hedged) {
        *byte = other;
    }
    drawn
}

/// # Panics
/// Only for 256 GiB and more, which the cipher does not take and no memory holds.
#[expect(clippy::expect_used, reason = "the cipher refuses only messages longer than any memory")]
pub(super) fn encrypt(key: &[u8; 32], nonce: &[u8; NONCE_BYTES], place: &str, plain: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad: place.as_bytes() })
        .expect("a message that fits into memory")
}

pub(super) fn decrypt(key: &[u8; 32], nonce: &[u8; NONCE_BYTES], place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let payload = Payload { msg: sealed, aad: place.as_bytes() };
    XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload).ok()
}
