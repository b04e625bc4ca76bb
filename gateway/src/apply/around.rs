//! What a merchant file finds around it, and whose file it is.
//!
//! Anybody can write `id = "kavarna"` into a file. A file is held to be a merchant's if it is called after it (`kavarna.toml`) or if
//! the operator says so; only then does it get that merchant's secrets.

use crate::connectors;
use crate::files;
use crate::merchant_file::Surroundings;
use crate::stock;
use perkgate_domain::limits::SECRET_BYTES;
use perkgate_domain::programme::Source;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// A merchant file as the operator names it.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Which merchant's it is, if the operator says so; else its name does.
    pub merchant: Option<&'a str>,
    /// The directory in which each merchant has a directory of secrets.
    pub secrets: Option<&'a Path>,
}

impl<'a> Given<'a> {
    /// A file of which nothing else is said.
    #[must_use]
    pub fn new(path: &'a Path) -> Self {
        Self { path, merchant: None, secrets: None }
    }
}

/// Whose file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Written by the program itself, so of whichever merchant it says.
    AsItSays,
    /// Of this merchant, by its name or the operator's word.
    Of(String),
}

impl Whose {
    /// As the operator says, or as the file is called.
    pub(super) fn file(given: &Given<'_>) -> Self {
        let stem = || given.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::Of(given.merchant.map_or_else(stem, str::to_owned))
    }
    pub(super) fn is(&self, merchant: &str) -> bool {
        match self {
            Self::AsItSays => true,
            Self::Of(owner) => owner == merchant,
        }
    }
}

/// What a merchant file finds around it.
pub(super) struct AroundFile {
    directory: PathBuf,
    secrets: Option<PathBuf>,
    platforms: Vec<&'static str>,
    stock: Vec<&'static str>,
    whose: Whose,
    warnings: RefCell<Vec<String>>,
}

impl AroundFile {
    pub(super) fn new(directory: PathBuf, secrets: Option<&Path>, whose: Whose) -> Self {
        Self {
            directory,
            secrets: secrets.map(Path::to_owned),
            platforms: connectors::platforms().collect(),
            stock: stock::ids(),
            whose,
            warnings: RefCell::default(),
        }
    }
    /// What is not wrong enough to refuse the file.
    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings.into_inner()
    }
    fn warn(&self, text: String) {
        self.warnings.borrow_mut().push(text);
    }
}

impl Surroundings for AroundFile {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
    fn secret_file(&self, merchant: &str, name: &str) -> Result<String, String> {
        let Some(secrets) = &self.secrets else {
            return Err(format!(
                "there is no directory of secrets to find the file {name} in; name one with --secrets DIR, or set PERKGATE_SECRETS"
            ));
        };
        let own = secrets.join(merchant);
        let path = own.join(name);
        let unread = |error: std::io::Error| format!("cannot read {}: {error}; put the secret there", path.display());
        let real = path.canonicalize().map_err(unread)?;
        if !real.starts_with(own.canonicalize().map_err(unread)?) {
            return Err(format!(
                "{} is a link to a place outside of its directory; put the file itself there",
                path.display()
            ));
        }
        let others = files::others(&real).map_err(unread)?;
        if others & 0o2 != 0 {
            return Err(format!("others may write {}; take that from them (chmod 600)", path.display()));
        }
        if others & 0o4 != 0 {
            self.warn(format!("others may read {}; take that from them (chmod 600)", path.display()));
        }
        files::read_text(&real, SECRET_BYTES).map_err(unread)
    }
    fn may_take_secrets(&self, merchant: &str) -> Result<(), String> {
        match &self.whose {
            whose if whose.is(merchant) => Ok(()),
            Whose::Of(owner) => Err(format!(
                "it is a secret of the merchant \"{merchant}\", and this file is {owner}'s by its name; if it is {merchant}'s, call \
                 it {merchant}.toml, or apply it with `perkgate apply FILE --merchant {merchant}`"
            )),
            Whose::AsItSays => Ok(()),
        }
    }
    fn directory(&self) -> &Path {
        &self.directory
    }
    fn platforms(&self) -> &[&str] {
        &self.platforms
    }
    fn stock(&self) -> &[&str] {
        &self.stock
    }
    fn check_source(&self, source: &Source) -> Result<(), String> {
        connectors::check(source)?;
        if let Some(doubt) = connectors::doubt(source) {
            self.warn(format!("the source \"{}\": {doubt}", source.id));
        }
        Ok(())
    }
}
