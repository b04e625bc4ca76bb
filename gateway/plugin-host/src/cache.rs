//! Compiled code on disk. It is an accelerator: whatever is wrong with it, the component is compiled again.
//!
//! Compiled code is machine code that will be run, and wasmtime does not check it. So each file carries an HMAC under the
//! host's key, over what it was compiled from and by, and is not looked at before that holds.

use crate::host::HostError;
use hmac::{Hmac, KeyInit as _, Mac as _};
use perkgate_domain::ids::Digest;
use sha2::Sha256;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of the HMAC-SHA256 a file begins with.
const SEAL: usize = 32;

/// The most bytes of a file that are read: eight for every byte of the largest component. A 12 MB one compiles to 40 MB.
pub(crate) const FILE_BYTES: u64 = perkgate_domain::limits::COMPONENT_BYTES as u64 * 8;

/// A directory of compiled components.
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; 32],
    fingerprint: String,
}

impl Cache {
    /// Makes the directory if it is not there.
    pub(crate) fn open(dir: PathBuf, key: [u8; 32], fingerprint: &str) -> Result<Self, HostError> {
        match std::fs::create_dir_all(&dir) {
            Ok(()) => Ok(Self { dir, key, fingerprint: fingerprint.to_owned() }),
            Err(error) => Err(HostError::CacheDir { path: dir, error }),
        }
    }

    /// The compiled component, if there is one that this key sealed for this digest and engine.
    pub(crate) fn read(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let path = self.path(digest);
        let file = match read_bounded(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled plugin cannot be read; compiling it again");
                return None;
            }
        };
        let kept = match self.unseal(&file, digest) {
            Some(payload) => load(engine, payload).map_err(|error| format!("does not load: {error:#}")),
            None => Err("is damaged or not ours".to_owned()),
        };
        kept.inspect_err(|why| {
            tracing::warn!(path = %path.display(), "compiled plugin {why}; compiling it again");
            // Whether there is a file says whether there is code. What cannot be removed is replaced.
            let _ = std::fs::remove_file(&path);
        })
        .ok()
    }

    /// Whether there is a file for this component. What is in it shows when it is read.
    pub(crate) fn holds(&self, digest: Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Keeps compiled code. If that fails, the next start compiles it again.
    pub(crate) fn write(&self, payload: &[u8], digest: Digest) {
        let path = self.path(digest);
        if let Err(error) = self.put(&path, &self.seal(digest, payload), payload) {
            tracing::warn!(path = %path.display(), %error, "compiled plugin cannot be kept; it is compiled at every start");
        }
    }

    /// Writes beside and renames, so that a reader sees the old file, the new one, or none.
    fn put(&self, path: &Path, seal: &[u8], payload: &[u8]) -> std::io::Result<()> {
        /// Tells apart two hosts of one process; the process id tells apart processes.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = format!("{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let beside = self.dir.join(unique);
        let written = std::fs::write(&beside, [seal, payload].concat()).and_then(|()| std::fs::rename(&beside, path));
        if written.is_err() {
            // There may be nothing to remove.
            let _ = std::fs::remove_file(&beside);
        }
        written
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.dir.join(format!("{}-{}.cwasm", hex::encode(digest.as_bytes()), self.fingerprint))
    }

    fn mac(&self, digest: Digest, payload: &[u8]) -> Hmac<Sha256> {
        // A key of 32 bytes fits the array form, which cannot fail.
        let mut block = [0; 64];
        block[..self.key.len()].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(digest.as_bytes());
        mac.update(self.fingerprint.as_bytes());
        mac.update(payload);
        mac
    }

    fn seal(&self, digest: Digest, payload: &[u8]) -> [u8; SEAL] {
        self.mac(digest, payload).finalize().into_bytes().into()
    }

    fn unseal<'a>(&self, file: &'a [u8], digest: Digest) -> Option<&'a [u8]> {
        let (seal, payload) = file.split_at_checked(SEAL)?;
        self.mac(digest, payload).verify_slice(seal).ok()?;
        Some(payload)
    }
}

/// Compiled code made ready to run. Fails if it needs more of anything than an instance may have.
///
/// Whoever calls this answers for the bytes: they come from this program's own compiler, untouched.
pub(crate) fn load(engine: &Engine, payload: &[u8]) -> wasmtime::Result<Component> {
    #[expect(
        unsafe_code,
        reason = "compiled code is loaded; its callers have it from the compiler or have checked its seal"
    )]
    // SAFETY: `deserialize` asks for bytes that the compiler made and nobody changed. They come straight from it, or from a file
    // whose seal was made over exactly such bytes with a key that only this host's operator has. That they belong to an engine
    // with these settings is in the seal too, and wasmtime checks it once more.
    unsafe {
        Component::deserialize(engine, payload)
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "longer than any compiled plugin"));
    }
    Ok(bytes)
}
