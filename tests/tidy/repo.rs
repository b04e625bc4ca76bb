//! The text of a repository: read from disk, or made up by a rule's own test.

use std::collections::BTreeMap;
use std::path::Path;

/// Folders that hold what was built, downloaded or recorded.
const SKIPPED: &[&str] = &["target", "node_modules", "perkgate-data"];
/// A file larger than this, in bytes, is data and not something to be read.
const LARGEST: u64 = 2 * 1024 * 1024;

/// Text files by path from the root, with `/` between folders.
#[derive(Debug, Default)]
pub(super) struct Repo {
    files: BTreeMap<String, String>,
}

impl Repo {
    /// All text files under `root`.
    pub(super) fn read(root: &Path) -> std::io::Result<Self> {
        let mut repo = Self::default();
        repo.read_folder(root, "")?;
        Ok(repo)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for item in std::fs::read_dir(folder)? {
            let item = item?;
            let name = item.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = item.file_type()?;
            if kind.is_dir() {
                let hidden = name.starts_with('.') && name != ".ci" && name != ".github";
                if !hidden && !SKIPPED.contains(&name.as_str()) {
                    self.read_folder(&item.path(), &format!("{path}/"))?;
                }
            } else if kind.is_file() && item.metadata()?.len() <= LARGEST {
                // What is not UTF-8 is no text.
                if let Ok(text) = String::from_utf8(std::fs::read(item.path())?) {
                    self.files.insert(path, text);
                }
            }
        }
        Ok(())
    }

    /// A made-up repository.
    pub(super) fn made_up(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }
    /// Every file: path and text.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }
    /// The files whose paths end so.
    pub(super) fn ending(&self, end: &'static str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.ends_with(end))
    }
    /// The files in a folder and its folders, by path from the folder.
    pub(super) fn under(&self, folder: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter_map(move |(path, text)| Some((path.strip_prefix(folder)?.strip_prefix('/')?, text)))
    }
    /// One file's text.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }
}

/// Whether a file's name ends in a dot and `extension`. Case matters, as it does to Cargo.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
}

/// Whether a Rust file is input for a test of compiler messages, and no module of anything.
pub(super) fn is_ui_test(path: &str) -> bool {
    path.contains("/tests/ui/")
}
