//! What is sealed at rest, and the keyed hashes that stand in for what must not be stored.
//!
//! One root key of 32 bytes, from the environment or a key file, wraps the data keys that the database has; every use has its own,
//! so that none says anything about another (`vault/data_keys.rs`). Sealing is XChaCha20-Poly1305 with the place it is stored in as
//! associated data: a sealed contact copied to another member's row does not open there.
//!
//! Sealed bytes: a format; in format 2 the generation of the key (4, the first byte highest), which in format 1 is the first; nonce
//! (24); ciphertext and tag (16 more than the plain bytes).

mod data_keys;
mod error;
mod roots;

pub use data_keys::{Purpose, Wrapped};
pub use error::VaultError;

use crate::files;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use data_keys::{Ring, Root, decrypt, encrypt, random};
use hmac::{Hmac, KeyInit as _, Mac as _};
use perkgate_domain::ids::{Digest, MemberId, MerchantId, PartnerId, base32};
use perkgate_domain::member::KeyKind;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The name of the key file within the data directory.
pub const KEY_FILE: &str = "perkgate.key";
/// More than any key file has, comments included.
const KEY_FILE_BYTES: usize = 64 * 1024;

/// The first byte of what is sealed with the first generation.
const FIRST: u8 = 1;
/// The first byte of what names its key's generation.
const NUMBERED: u8 = 2;
const GENERATION_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// Seals, opens, and hashes with keys. Clones share what they know.
#[derive(Clone)]
pub struct Vault {
    shared: Arc<Shared>,
}

struct Shared {
    ring: RwLock<Arc<Ring>>,
    /// Newest first.
    roots: RwLock<Vec<Root>>,
    /// Where the root keys are, if they are in a file.
    file: Option<PathBuf>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(closed)")
    }
}

impl Vault {
    /// From a root key, with data keys derived from it until [`Vault::learn`] is told others.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self::of_root(Root::new(key))
    }

    fn of_root(root: Root) -> Self {
        let ring = RwLock::new(Arc::new(Ring::derived(&root)));
        Self { shared: Arc::new(Shared { ring, roots: RwLock::new(vec![root]), file: None }) }
    }

    fn of_roots(keys: Vec<[u8; 32]>, file: Option<PathBuf>) -> Option<Self> {
        let roots: Vec<Root> = keys.into_iter().map(Root::new).collect();
        let ring = RwLock::new(Arc::new(Ring::derived(roots.first()?)));
        Some(Self { shared: Arc::new(Shared { ring, roots: RwLock::new(roots), file }) })
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.shared.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The vault of an installation: the root key is `env`, the text of `PERKGATE_KEY`, if that is set (older keys may follow it,
    /// separated by blanks or commas); else it is in [`KEY_FILE`] within `dir`, which is made on first use. An empty `PERKGATE_KEY` is
    /// an error, and so is a damaged file: with a wrong key the gateway would not find its members.
    pub fn load(dir: &Path, env: Option<&str>) -> Result<Self, VaultError> {
        if let Some(text) = env {
            let keys = text.split([' ', ',', '\n', '\t']).filter(|key| !key.is_empty()).map(parse_key);
            return keys.collect::<Option<_>>().and_then(|keys| Self::of_roots(keys, None)).ok_or(VaultError::Key);
        }
        let path = dir.join(KEY_FILE);
        files::close_to_others(&path);
        let unread = |kind| matches!(kind, std::io::ErrorKind::InvalidData | std::io::ErrorKind::FileTooLarge);
        let keys = match files::read_text(&path, KEY_FILE_BYTES) {
            Ok(text) => read_file(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(vec![make_file(dir, &path)?]),
            Err(error) if unread(error.kind()) => None,
            Err(source) => return Err(VaultError::File { path, doing: "read it", source }),
        };
        keys.and_then(|keys| Self::of_roots(keys, Some(path.clone()))).ok_or(VaultError::Damaged { path })
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
    #[must_use]
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let ring = self.ring();
        let (_, key) = ring.newest(Purpose::Seal);
        // Random, and hedged: should the system ever fail to give randomness, different contents still get different
        // nonces, and all that shows is which sealed things are equal.
        let nonce = random(&mac(&ring.hedge, &[context.as_bytes(), plain]));
        let mut bytes = self.sealed_head();
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&encrypt(&key, &nonce, context, plain));
        bytes
    }

    /// How everything begins that is sealed now.
    #[must_use]
    pub fn sealed_head(&self) -> Vec<u8> {
        match self.ring().newest(Purpose::Seal).0 {
            1 => vec![FIRST],
            generation => [&[NUMBERED][..], &generation.to_be_bytes()].concat(),
        }
    }

    /// The generation of the key of what begins like this.
    #[must_use]
    pub fn generation_of(sealed: &[u8]) -> Option<u32> {
        match sealed.split_first()? {
            (&FIRST, _) => Some(1),
            (&NUMBERED, rest) => rest.first_chunk::<GENERATION_BYTES>().map(|bytes| u32::from_be_bytes(*bytes)),
            _ => None,
        }
    }

    /// Opens what [`Vault::seal`] sealed for the same `context`.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let wrong = || VaultError::Sealed { context: context.to_owned() };
        let &version = sealed.first().ok_or_else(wrong)?;
        let head = match version {
            FIRST => 1,
            NUMBERED => 1 + GENERATION_BYTES,
            version => return Err(VaultError::Version { context: context.to_owned(), version }),
        };
        let generation = Self::generation_of(sealed).ok_or_else(wrong)?;
        if sealed.len() < head + NONCE_BYTES + TAG_BYTES {
            return Err(wrong());
        }
        let missing = || VaultError::Generation { context: context.to_owned(), generation };
        let key = self.ring().get(Purpose::Seal, generation).ok_or_else(missing)?;
        let (nonce, ciphertext) = sealed[head..].split_at(NONCE_BYTES);
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| wrong())?;
        decrypt(&key, &nonce, context, ciphertext).ok_or_else(wrong)
    }

    /// What tells one body of a merchant's from another, and gives neither away: whoever has only the database cannot try what a body
    /// may have been.
    #[must_use]
    pub fn digest(&self, merchant: &MerchantId, body: &[u8]) -> Digest {
        self.keyed(merchant, &Digest::of(body))
    }

    /// The same from the plain digest, which is what databases had before.
    #[must_use]
    pub fn keyed(&self, merchant: &MerchantId, plain: &Digest) -> Digest {
        let (_, key) = self.ring().newest(Purpose::Digest);
        let own = mac(&key, &[b"merchant", merchant.as_str().as_bytes()]);
        Digest::from_bytes(mac(&own, &[plain.as_bytes()]))
    }

    /// What stands in the database for a member's key: HMAC-SHA256, different for every merchant and kind, so that the
    /// table tells nobody an address and two merchants' tables do not tell that they share a customer.
    #[must_use]
    pub fn blind(&self, merchant: &str, kind: KeyKind, normalised: &str) -> [u8; 32] {
        mac(
            &self.ring().newest(Purpose::Blind).1,
            &[merchant.as_bytes(), kind.as_str().as_bytes(), normalised.as_bytes()],
        )
    }

    /// The key that the codes of rewards and offers are derived with, so that nobody can guess one from another.
    #[must_use]
    pub fn code_key(&self) -> [u8; 32] {
        self.ring().newest(Purpose::Code).1
    }

    /// A text that nobody else draws, of so many digits, 51 at most.
    #[must_use]
    pub fn draw(&self, digits: usize) -> String {
        let salt = mac(&self.ring().hedge, &[&std::process::id().to_be_bytes()]);
        base32(&random::<32>(&salt), digits)
    }

    /// A name that no other process has.
    #[must_use]
    pub fn process_name(&self) -> String {
        self.draw(16)
    }

    /// What a member tells friends: ten digits and letters, in no alphabet that is read wrongly.
    #[must_use]
    pub fn referral_code(&self, merchant: &str, member: &MemberId) -> String {
        let hash = mac(&self.code_key(), &[b"referral", merchant.as_bytes(), member.as_str().as_bytes()]);
        base32(&hash, 10).to_ascii_uppercase()
    }

    /// The key that cached compiled code is authenticated with: a file that somebody else wrote is not run.
    #[must_use]
    pub fn cache_key(&self) -> [u8; 32] {
        self.ring().newest(Purpose::Cache).1
    }

    /// What the ids of traces are derived with.
    #[must_use]
    pub fn trace_space(&self) -> [u8; 32] {
        mac(&self.ring().newest(Purpose::Digest).1, &[b"traces"])
    }

    /// The seeds of the key pairs that tokens are signed with, by generation; the last active one signs.
    #[must_use]
    pub fn token_seeds(&self) -> Vec<(u32, [u8; 32])> {
        self.ring().generations(Purpose::Token).map(|(generation, data)| (generation, data.bytes)).collect()
    }

    /// The member id that a partner's plugin sees: the same for this partner for ever, another for every other partner,
    /// and in the shape of a real one.
    #[must_use]
    pub fn pseudonym(&self, partner: &PartnerId, member: &MemberId) -> String {
        let (_, key) = self.ring().newest(Purpose::Pseudonym);
        let hash = mac(&key, &[partner.as_str().as_bytes(), member.as_str().as_bytes()]);
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

/// The keys of the file, the newest first; there is one, or while keys are rotated two.
fn read_file(text: &str) -> Option<Vec<[u8; 32]>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let key = |line: &str| {
        let key = parse_key(line.split(' ').nth(1)?)?;
        (line == write_line(&key)).then_some(key)
    };
    let keys: Vec<[u8; 32]> = lines.map(key).collect::<Option<_>>()?;
    let distinct = keys.iter().enumerate().all(|(place, key)| !keys[..place].contains(key));
    (distinct && !keys.is_empty()).then_some(keys)
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
        let keys = read_file(&text).and_then(|keys| keys.first().copied());
        return keys.ok_or_else(|| VaultError::Damaged { path: path.to_owned() });
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
