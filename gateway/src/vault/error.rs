//! Why the vault cannot be had, or does not open something, in sentences for the operator.

use super::Purpose;
use std::path::PathBuf;

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
    /// The data keys of the database are wrapped by other root keys.
    #[error(
        "this database was made with another key: it needs {wanted}, and what is given is {given}. Put the right PERKGATE_KEY or key file \
         back (`perkgate key status` shows fingerprints); nothing was changed"
    )]
    Foreign {
        /// What would do.
        wanted: String,
        /// The fingerprints of those at hand.
        given: String,
    },
    /// A data key is not there.
    #[error("the database has no key of the purpose `{purpose}`: it was changed by hand, or is of a newer Perkgate")]
    NoKey {
        /// Of this purpose.
        purpose: Purpose,
    },
    /// Sealed with a key that came later than this process last looked, or was retired.
    #[error("what is sealed as `{context}` needs the key of generation {generation}, which this process does not have")]
    Generation {
        /// The place it was opened for.
        context: String,
        /// Of the key.
        generation: u32,
    },
    /// There is no key file to change.
    #[error(
        "the key is in PERKGATE_KEY, so a new one is for you to make: put `openssl rand -hex 32` into PERKGATE_KEY, the present key into \
         PERKGATE_KEY_OLD, and run this again"
    )]
    Environment,
    /// Somebody else is changing the key file.
    #[error("the key file {} is being changed by another process: wait for it", path.display())]
    Locked {
        /// Where it is.
        path: PathBuf,
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
