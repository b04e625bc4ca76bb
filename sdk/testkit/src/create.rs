//! A new plugin from the template that lies in `sdk/template`.

use std::path::{Path, PathBuf};

/// The template's files. `Cargo.toml` is rewritten, the others only renamed within.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("../../template/Cargo.toml")),
    ("plugin.toml", include_str!("../../template/plugin.toml")),
    ("settings.schema.json", include_str!("../../template/settings.schema.json")),
    ("src/lib.rs", include_str!("../../template/src/lib.rs")),
    ("cases/first.json", include_str!("../../template/cases/first.json")),
    ("README.md", include_str!("../../template/README.md")),
];

/// Why no plugin was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name cannot be a plugin's id.
    #[error("`{0}` is no name for a plugin: use 1 to 64 lower-case letters, digits and dashes, a letter first")]
    Name(String),
    /// There is something already.
    #[error("{0} exists already: choose another name or folder")]
    Exists(PathBuf),
    /// The SDK is not where it was said to be.
    #[error("{0} is not the Perkgate SDK: give the path of `sdk/rust` in a checkout")]
    Sdk(PathBuf),
    /// A file cannot be written.
    #[error("{path} cannot be written: {error}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Writes a new plugin `name` into the folder `into`, which must not exist, with the SDK at `sdk` (`sdk/rust` of a checkout).
///
/// The plugin stands alone: it is a workspace of its own, and starts with the checkout's `Cargo.lock`, so that it is built
/// with the versions the SDK is tested with.
pub fn create(name: &str, into: &Path, sdk: &Path) -> Result<(), CreateError> {
    check_name(name)?;
    if into.exists() {
        return Err(CreateError::Exists(into.to_owned()));
    }
    let found = sdk.canonicalize().ok().filter(|sdk| sdk.join("src/lib.rs").is_file() && sdk.join("../wit").is_dir());
    let sdk = found.ok_or_else(|| CreateError::Sdk(sdk.to_owned()))?;
    for (file, text) in FILES {
        let text = text.replace("my-rule", name).replace("my_rule", &name.replace('-', "_"));
        let text = if file == "Cargo.toml" { alone(&text, &sdk) } else { text };
        write(&into.join(file), text.as_bytes())?;
    }
    write(&into.join(".gitignore"), b"/target\n/*.wasm\n")?;
    if let Ok(lock) = std::fs::read(sdk.join("../../Cargo.lock")) {
        write(&into.join("Cargo.lock"), &lock)?;
    }
    Ok(())
}

/// A name is the plugin's id, the package's name and (with underscores) the rule's: all three must allow it.
fn check_name(name: &str) -> Result<(), CreateError> {
    let byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    // Names that Rust or cargo keep for themselves would fail later, with a worse message.
    let kept = ["test", "core", "std", "alloc", "perkgate", "serde", "self", "super", "crate", "fn", "mod", "use"];
    if starts && name.len() <= 64 && name.bytes().all(byte) && !name.ends_with('-') && !kept.contains(&name) {
        Ok(())
    } else {
        Err(CreateError::Name(name.to_owned()))
    }
}

/// The template's `Cargo.toml` away from the template's place.
fn alone(text: &str, sdk: &Path) -> String {
    // A TOML literal string takes backslashes as they are.
    let path = format!("path = '{}'", sdk.display());
    let text = text.replace("path = \"../rust\"", &path);
    format!("{text}\n# It stands alone, wherever it lies.\n[workspace]\n")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CreateError> {
    let failed = |error| CreateError::Write { path: path.to_owned(), error };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::write(path, bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdk() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../rust")
    }

    #[test]
    fn every_place_is_renamed() {
        let dir = tempfile::tempdir().expect("a directory");
        let into = dir.path().join("double-tuesday");
        create("double-tuesday", &into, &sdk()).expect("made");
        for (file, _) in FILES {
            let text = std::fs::read_to_string(into.join(file)).expect(file);
            assert!(!text.contains("my-rule") && !text.contains("my_rule"), "{file}");
        }
        let manifest = std::fs::read_to_string(into.join("Cargo.toml")).expect("read");
        assert!(manifest.contains("[workspace]") && !manifest.contains("../rust\""), "{manifest}");
        assert!(matches!(create("double-tuesday", &into, &sdk()), Err(CreateError::Exists(_))));
    }

    #[test]
    fn a_name_must_do_for_id_package_and_function() {
        for name in ["", "My-Rule", "1st", "a b", "über", "-a", "a-", "test", &"a".repeat(65)] {
            assert!(matches!(check_name(name), Err(CreateError::Name(_))), "{name}");
        }
        assert!(check_name("double-tuesday-2").is_ok());
    }

    #[test]
    fn the_sdk_must_be_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let made = create("x", &dir.path().join("x"), dir.path());
        assert!(matches!(made, Err(CreateError::Sdk(_))));
    }
}
