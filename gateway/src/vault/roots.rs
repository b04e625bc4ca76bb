//! Root keys: which there are, and how one takes another's place. The newest comes first, in the key file as in the environment.

use super::data_keys::{DataKey, Purpose, Ring, Root, Wrapped, random};
use super::{KEY_FILE, Vault, VaultError, read_file, sync_directory, write_line, write_private};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// What is held while the key file is changed, so that two rotations at once do not lose each other's key.
const LOCK: &str = "perkgate.key.lock";

impl Vault {
    /// The fingerprints of the root keys at hand, newest first.
    #[must_use]
    pub fn roots(&self) -> Vec<String> {
        self.all_roots().into_iter().map(|root| root.fingerprint).collect()
    }

    /// Whether the root keys are in a key file, which a rotation writes; else the environment has them.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.shared.file.is_some()
    }

    /// The generation of the key that new things are sealed, signed or derived with.
    #[must_use]
    pub fn generation(&self, purpose: Purpose) -> u32 {
        self.ring().newest(purpose).0
    }

    /// The newest generation that is known, also if it is not used yet.
    #[must_use]
    pub fn coming(&self, purpose: Purpose) -> u32 {
        self.ring().generations(purpose).map(|(generation, _)| generation).last().unwrap_or(1)
    }

    /// Takes over the data keys that the database has. Answers whether anything is new.
    ///
    /// # Errors
    /// [`VaultError::Foreign`] if none of the root keys wrapped them; [`VaultError`] if one did and they do not open.
    pub fn learn(&self, rows: &[Wrapped]) -> Result<bool, VaultError> {
        let mut found = self.unwrap(rows)?;
        if found.is_none() && self.read_again() {
            found = self.unwrap(rows)?;
        }
        let Some(ring) = found else {
            let mut wanted: Vec<String> = rows.iter().map(|row| row.root.clone()).collect();
            wanted.sort();
            wanted.dedup();
            return Err(VaultError::Foreign {
                wanted: format!("the key {}", wanted.join(" or ")),
                given: self.roots().join(", "),
            });
        };
        let mut current = self.shared.ring.write().unwrap_or_else(PoisonError::into_inner);
        let changed = !current.is_like(&ring);
        *current = Arc::new(ring);
        Ok(changed)
    }

    fn unwrap(&self, rows: &[Wrapped]) -> Result<Option<Ring>, VaultError> {
        for root in self.all_roots() {
            if let Some(ring) = Ring::unwrapped(&root, rows)? {
                return Ok(Some(ring));
            }
        }
        Ok(None)
    }

    /// Reads the key file again: it may have been rotated. Answers whether it says something else now.
    fn read_again(&self) -> bool {
        let Some(path) = &self.shared.file else { return false };
        let Some(roots) = std::fs::read_to_string(path).ok().and_then(|text| read_file(&text)) else { return false };
        let roots: Vec<Root> = roots.into_iter().map(Root::new).collect();
        let mut current = self.shared.roots.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *current != roots;
        *current = roots;
        changed
    }

    /// The first data keys of a database, wrapped by the root key of this fingerprint. What is in the database already was made with keys
    /// derived from it; a new database gets keys of its own.
    #[must_use]
    pub fn first_keys(&self, root: &str, is_used: bool) -> Vec<Wrapped> {
        let Some(root) = self.root(root) else { return Vec::new() };
        let ring = if is_used { Ring::derived(&root) } else { Ring::drawn(&root) };
        ring.wrapped_by(&root)
    }

    /// Every known data key, wrapped by the root key of this fingerprint.
    #[must_use]
    pub fn wrapped_by(&self, root: &str) -> Vec<Wrapped> {
        self.root(root).map(|root| self.ring().wrapped_by(&root)).unwrap_or_default()
    }

    /// A new data key that is not used yet, wrapped by each of these root keys.
    #[must_use]
    pub fn new_key(&self, purpose: Purpose, generation: u32, roots: &[String]) -> Vec<Wrapped> {
        let data = DataKey { bytes: random(&self.ring().hedge), active: false };
        let roots = roots.iter().filter_map(|root| self.root(root));
        roots.map(|root| root.wrap(purpose, generation, &data)).collect()
    }

    /// The root key that sealed this when keys were derived from it.
    #[must_use]
    pub fn root_of(&self, context: &str, sealed: &[u8]) -> Option<String> {
        let opens = |root: &Root| Self::of_root(root.clone()).open(context, sealed).is_ok();
        self.all_roots().into_iter().find(opens).map(|root| root.fingerprint)
    }

    /// Puts a new root key before the others in the key file; of those, only `kept` stay.
    ///
    /// # Errors
    /// [`VaultError`] if the file cannot be written, or is being changed by somebody else.
    pub fn add_root(&self, kept: &[String]) -> Result<(), VaultError> {
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key).map_err(VaultError::Random)?;
        self.rewrite(|roots| {
            roots.retain(|root| kept.contains(&root.fingerprint));
            roots.insert(0, Root::new(key));
        })
    }

    /// Leaves only this root key in the key file, if that is where they are.
    ///
    /// # Errors
    /// [`VaultError`] as [`Vault::add_root`].
    pub fn keep_root(&self, root: &str) -> Result<(), VaultError> {
        if self.shared.file.is_none() {
            return Ok(());
        }
        self.rewrite(|roots| roots.retain(|other| other.fingerprint == root))
    }

    /// Changes the key file, whole or not at all.
    fn rewrite(&self, change: impl FnOnce(&mut Vec<Root>)) -> Result<(), VaultError> {
        let Some(path) = self.shared.file.clone() else { return Err(VaultError::Environment) };
        let at = |doing: &'static str| {
            let path = path.clone();
            move |source| VaultError::File { path, doing, source }
        };
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        let lock = File::create(dir.join(LOCK)).map_err(at("make its lock"))?;
        if lock.try_lock().is_err() {
            return Err(VaultError::Locked { path });
        }
        // As it is now, not as it was when this process began.
        self.read_again();
        let mut roots = self.all_roots();
        change(&mut roots);
        if roots.is_empty() {
            return Err(VaultError::Damaged { path });
        }
        let lines: Vec<String> = roots.iter().map(|root| write_line(&root.key)).collect();
        let lines = lines.join("\n");
        let text = format!(
            "# The keys of this Perkgate installation, the newest first. Back this file up, apart from the database: without it no\n\
             # contact data, secret or member key in there can be read again. Keep it from everybody else.\n{lines}\n"
        );
        let draft = dir.join(format!("{KEY_FILE}.{}", self.draw(16)));
        write_private(&draft, text.as_bytes()).map_err(at("write it"))?;
        std::fs::rename(&draft, &path).map_err(at("put it into place"))?;
        sync_directory(dir).map_err(at("make it durable"))?;
        *self.shared.roots.write().unwrap_or_else(PoisonError::into_inner) = roots;
        Ok(())
    }

    fn all_roots(&self) -> Vec<Root> {
        self.shared.roots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn root(&self, fingerprint: &str) -> Option<Root> {
        self.all_roots().into_iter().find(|root| root.fingerprint == fingerprint)
    }
}
