//! What is sealed at rest, and the keyed hashes that stand in for what must not be stored.
//!
//! One master key of 32 bytes, from the environment or a key file; every use has its own subkey, so that none says anything
//! about another. Sealing is XChaCha20-Poly1305 with the place it is stored in as associated data: a sealed contact copied
//! to another member's row does not open there.
//!
//! Sealed bytes: version (1), nonce (24), ciphertext and tag (16 more than the plain bytes).

use crate::files;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use perkgate_domain::ids::{MemberId, PartnerId, base32};
use perkgate_domain::member::KeyKind;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The name of the key file within the data directory.
pub const KEY_FILE: &str = "perkgate.key";
/// More than any key file has, comments included.
const KEY_FILE_BYTES: usize = 64 * 1024;

/// The first byte of everything sealed in today's way.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// Why the vault cannot be had, or does not open something.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The environment's key is not one.
    #[error(
        "PERKGATE_KEY is not a key: write 64 hexadecimal digits or the base64 of 32 bytes (`openssl rand -hex 32` makes one)"
    )]
    Key,
    /// There is a database and no key file beside it.
    #[error(
        "there is no key: the key file {} is missing, and the database was made with one. Put it back from a backup, set \
         PERKGATE_KEY, or name its directory with --data; a new key would open nothing, so none is made", path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key opens nothing of what is in the database.
    #[error(
        "this is not the key that the database was made with: nothing that is sealed in there opens with it. Check PERKGATE_KEY, or \
         the key file in the directory that --data names"
    )]
    Wrong,
    /// The key file is there and is not what Perkgate wrote.
    #[error(
        "the key file {} is damaged: restore it from a backup. Without its key nothing that was sealed can be opened, \
         so it is not replaced by a new one", path.display()
    )]
    Damaged {
        /// Where it is.
        path: PathBuf,
    },
    /// The key file cannot be read or made.
    #[error("the key file {}: cannot {doing}: {source}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system has no randomness to make a key from.
    #[error("the system gave no random bytes to make a key from: {0}")]
    Random(getrandom::Error),
    /// Sealed with another key, for another place, or changed since.
    #[error(
        "what is sealed as `{context}` does not open: it was changed, moved, or sealed with another key. \
         Check that PERKGATE_KEY or the key file is the one this database was made with"
    )]
    Sealed {
        /// The place it was opened for.
        context: String,
    },
    /// Sealed by a newer Perkgate.
    #[error(
        "what is sealed as `{context}` is of version {version}, which this Perkgate does not know: run a newer one"
    )]
    Version {
        /// The place it was opened for.
        context: String,
        /// Its first byte.
        version: u8,
    },
}

/// Seals, opens, and hashes with a key.
#[derive(Clone)]
pub struct Vault {
    seal: [u8; 32],
    nonce: [u8; 32],
    blind: [u8; 32],
    code: [u8; 32],
    cache: [u8; 32],
    pseudonym: [u8; 32],
    token: [u8; 32],
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(closed)")
    }
}

impl Vault {
    /// From a master key, which is not kept: only the subkeys derived from it are.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let subkey = |label: &str| mac(&key, &[b"perkgate", label.as_bytes()]);
        Self {
            seal: subkey("seal"),
            nonce: subkey("nonce"),
            blind: subkey("blind"),
            code: subkey("code"),
            cache: subkey("cache"),
            pseudonym: subkey("pseudonym"),
            token: subkey("token"),
        }
    }

    /// The vault of an installation: the key is `env`, the text of `PERKGATE_KEY`, if that is set; else it is in
    /// [`KEY_FILE`] within `dir`, which is made on first use. An empty `PERKGATE_KEY` is an error, and so is a damaged file:
    /// with a wrong key the gateway would not find its members.
    pub fn load(dir: &Path, env: Option<&str>) -> Result<Self, VaultError> {
        if let Some(text) = env {
            return parse_key(text).map(Self::new).ok_or(VaultError::Key);
        }
        let path = dir.join(KEY_FILE);
        files::close_to_others(&path);
        match files::read_text(&path, KEY_FILE_BYTES) {
            Ok(text) => read_file(&text).map(Self::new).ok_or(VaultError::Damaged { path }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_file(dir, &path).map(Self::new),
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::FileTooLarge) =>
            {
                Err(VaultError::Damaged { path })
            }
            Err(source) => Err(VaultError::File { path, doing: "read it", source }),
        }
    }

    /// As [`Vault::load`], where a database is there already: no key is made, since a new one would open nothing.
    pub fn load_existing(dir: &Path, env: Option<&str>) -> Result<Self, VaultError> {
        let path = dir.join(KEY_FILE);
        if env.is_none() && matches!(path.try_exists(), Ok(false)) {
            return Err(VaultError::Missing { path });
        }
        Self::load(dir, env)
    }

    /// Seals `plain` for the place named by `context`; it opens for no other.
    ///
    /// # Panics
    /// Only for 256 GiB and more, which the cipher does not take and no memory holds.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the cipher refuses only messages longer than any memory")]
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        // Random, and hedged: should the system ever fail to give randomness, different contents still get different
        // nonces, and all that shows is which sealed things are equal.
        let mut salt = [0_u8; 32];
        if getrandom::fill(&mut salt).is_err() {
            tracing::error!("the system gives no random bytes; sealing goes on with derived nonces");
        }
        let hedged = mac(&self.nonce, &[&salt, context.as_bytes(), plain]);
        let mut nonce = [0_u8; NONCE_BYTES];
        nonce.copy_from_slice(&hedged[..NONCE_BYTES]);
        let sealed = XChaCha20Poly1305::new(&self.seal.into())
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: context.as_bytes() })
            .expect("a message that fits into memory");
        let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        bytes
    }

    /// Opens what [`Vault::seal`] sealed for the same `context`.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let wrong = || VaultError::Sealed { context: context.to_owned() };
        match sealed.first() {
            None => return Err(wrong()),
            Some(&VERSION) => {}
            Some(&version) => return Err(VaultError::Version { context: context.to_owned(), version }),
        }
        if sealed.len() < 1 + NONCE_BYTES + TAG_BYTES {
            return Err(wrong());
        }
        let (nonce, ciphertext) = sealed[1..].split_at(NONCE_BYTES);
        let nonce = XNonce::try_from(nonce).map_err(|_| wrong())?;
        XChaCha20Poly1305::new(&self.seal.into())
            .decrypt(&nonce, Payload { msg: ciphertext, aad: context.as_bytes() })
            .map_err(|_| wrong())
    }

    /// What stands in the database for a member's key: HMAC-SHA256, different for every merchant and kind, so that the
    /// table tells nobody an address and two merchants' tables do not tell that they share a customer.
    #[must_use]
    pub fn blind(&self, merchant: &str, kind: KeyKind, normalised: &str) -> [u8; 32] {
        mac(&self.blind, &[merchant.as_bytes(), kind.as_str().as_bytes(), normalised.as_bytes()])
    }

    /// The key that the codes of rewards and offers are derived with, so that nobody can guess one from another.
    #[must_use]
    pub fn code_key(&self) -> [u8; 32] {
        self.code
    }

    /// A name that no other process has.
    #[must_use]
    pub fn process_name(&self) -> String {
        let mut salt = [0_u8; 16];
        if getrandom::fill(&mut salt).is_err() {
            tracing::error!("the system gives no random bytes; this process has the name of any other that meets this");
        }
        base32(&mac(&self.nonce, &[&salt, &std::process::id().to_be_bytes()]), 16)
    }

    /// What a member tells friends: ten digits and letters, in no alphabet that is read wrongly.
    #[must_use]
    pub fn referral_code(&self, merchant: &str, member: &MemberId) -> String {
        let hash = mac(&self.code, &[b"referral", merchant.as_bytes(), member.as_str().as_bytes()]);
        base32(&hash, 10).to_ascii_uppercase()
    }

    /// The key that cached compiled code is authenticated with: a file that somebody else wrote is not run.
    #[must_use]
    pub fn cache_key(&self) -> [u8; 32] {
        self.cache
    }

    /// The seed of the key pair that tokens are signed with.
    #[must_use]
    pub fn token_seed(&self) -> [u8; 32] {
        self.token
    }

    /// The member id that a partner's plugin sees: the same for this partner for ever, another for every other partner,
    /// and in the shape of a real one.
    #[must_use]
    pub fn pseudonym(&self, partner: &PartnerId, member: &MemberId) -> String {
        let hash = mac(&self.pseudonym, &[partner.as_str().as_bytes(), member.as_str().as_bytes()]);
        format!("mem_{}", base32(&hash, 26))
    }
}

/// HMAC-SHA256 over length-prefixed parts.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// 64 hexadecimal digits, or 32 bytes in any of base64's alphabets.
fn parse_key(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let bytes = if text.len() == 64 {
        hex::decode(text).ok()
    } else {
        [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|base64| base64.decode(text).ok())
    };
    bytes?.try_into().ok()
}

/// The line of the key file that counts: a name and version, the key, and a check of it.
fn write_line(key: &[u8; 32]) -> String {
    format!("perkgate-key-1 {} {}", hex::encode(key), check(key))
}

/// Four bytes of a hash: a digit lost or changed by hand shows, instead of making another key.
fn check(key: &[u8; 32]) -> String {
    hex::encode(&Sha256::digest(key)[..4])
}

fn read_file(text: &str) -> Option<[u8; 32]> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let key = parse_key(line.split(' ').nth(1)?)?;
    (line == write_line(&key)).then_some(key)
}

/// Makes the key file, whole or not at all; if another process was faster, its key is the one.
fn make_file(dir: &Path, path: &Path) -> Result<[u8; 32], VaultError> {
    let at = |doing: &'static str| move |source| VaultError::File { path: path.to_owned(), doing, source };
    let mut random = [0_u8; 40];
    getrandom::fill(&mut random).map_err(VaultError::Random)?;
    let mut key = [0_u8; 32];
    key.copy_from_slice(&random[..32]);

    files::make_directory(dir).map_err(at("make its directory"))?;
    let draft = dir.join(format!("{KEY_FILE}.{}", hex::encode(&random[32..])));
    let text = format!(
        "# The key of this Perkgate installation. Back it up, apart from the database: without it no contact data,\n\
         # secret or member key in there can be read again. Keep it from everybody else.\n{}\n",
        write_line(&key)
    );
    let written = write_private(&draft, text.as_bytes()).map_err(at("write it"));
    // A hard link, unlike a rename, does not replace what another process may have made meanwhile.
    let placed = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        other => other.map(|()| true).map_err(at("put it into place")),
    });
    // The draft has served either way; one that cannot be removed harms nothing but tidiness.
    let _ = std::fs::remove_file(&draft);
    if !placed? {
        let text = files::read_text(path, KEY_FILE_BYTES).map_err(at("read it"))?;
        return read_file(&text).ok_or_else(|| VaultError::Damaged { path: path.to_owned() });
    }
    sync_directory(dir).map_err(at("make it durable"))?;
    tracing::warn!(path = %path.display(), "made a new key: back this file up, without it sealed data cannot be opened");
    Ok(key)
}

/// Writes a new file that only its owner may read, down to the disk.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a new name in a directory survive a power cut. Only Unix has, or needs, this.
fn sync_directory(dir: &Path) -> std::io::Result<()> {
    if cfg!(unix) { std::fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
