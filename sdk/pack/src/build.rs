//! From a plugin's folder to its component: cargo, `plugin.toml`, pack.
//!
//! Every plugin is built alike, whatever its own workspace says: small, without debug information, with paths of the building
//! machine left out. cargo runs in a target directory of its own, so that it neither waits for a cargo that called it nor
//! disturbs that one's cache.

use crate::PackError;
use perkgate_domain::manifest::Manifest;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// The profile every plugin is built with.
const PROFILE: [&str; 6] = [
    "profile.plugin.inherits=\"release\"",
    "profile.plugin.opt-level=\"s\"",
    "profile.plugin.lto=true",
    "profile.plugin.codegen-units=1",
    "profile.plugin.panic=\"abort\"",
    "profile.plugin.strip=true",
];

/// The stack of a plugin. The default, 1 MiB, would be most of what a small rule holds.
const STACK: &str = "-Clink-arg=-zstack-size=131072";

/// What an outer cargo, a coverage or a lint run leaves in the environment and a plugin must not be built with.
const FOREIGN: [&str; 11] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "LLVM_PROFILE_FILE",
    "CARGO_LLVM_COV",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
];

/// A plugin that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component, manifest embedded.
    pub component: Vec<u8>,
    /// What it says about itself.
    pub manifest: Manifest,
}

/// Why a plugin was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A program that is needed does not run.
    #[error("`{program}` does not run ({error}): install Rust by rustup")]
    Missing {
        /// Which.
        program: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// The wasm target is not there and could not be added.
    #[error("the Rust target for plugins is missing: run `rustup target add {TARGET}`")]
    Target,
    /// cargo says no.
    #[error("cargo does not build {path}:\n{said}")]
    Cargo {
        /// The plugin's folder.
        path: PathBuf,
        /// Its own words.
        said: String,
    },
    /// The package is no plugin.
    #[error("{path} is no plugin: {message}")]
    Package {
        /// The plugin's folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A file of the plugin cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The manifest or the component is not acceptable.
    #[error(transparent)]
    Pack(#[from] PackError),
}

/// Builds the plugin in a folder, in `wasm-plugins` within its target directory.
///
/// The wasm target is added by rustup where it is missing. Blocks as long as cargo takes: minutes the first time.
pub fn build(dir: &Path) -> Result<Vec<u8>, BuildError> {
    build_plugin(dir).map(|built| built.component)
}

/// As [`build`], with what the plugin says about itself.
pub fn build_plugin(dir: &Path) -> Result<Built, BuildError> {
    let dir = absolute(dir)?;
    let package = Package::of(&dir)?;
    let target = package.target_directory.join("wasm-plugins");
    package.build(&dir, &target)
}

/// As [`build_plugin`], in a target directory of the caller's choice: plugins that share one share their dependencies.
pub fn build_in(dir: &Path, target: &Path) -> Result<Built, BuildError> {
    let dir = absolute(dir)?;
    Package::of(&dir)?.build(&dir, target)
}

/// cargo runs in the plugin's folder, where a path relative to the caller's would mean another place.
fn absolute(dir: &Path) -> Result<PathBuf, BuildError> {
    dir.canonicalize().map_err(|error| BuildError::File { path: dir.to_owned(), error })
}

/// What cargo knows about a plugin's package.
struct Package {
    name: String,
    library: String,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    name: String,
    crate_types: Vec<String>,
}

impl Package {
    fn of(dir: &Path) -> Result<Self, BuildError> {
        let manifest = dir.join("Cargo.toml");
        let manifest = manifest.canonicalize().map_err(|error| BuildError::File { path: manifest, error })?;
        let mut cargo = cargo(dir);
        cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest);
        let told = run("cargo", &mut cargo, dir)?;
        let refuse = |message: String| BuildError::Package { path: dir.to_owned(), message };
        let metadata: Metadata =
            serde_json::from_slice(&told).map_err(|error| refuse(format!("cargo metadata says {error}")))?;
        let package = metadata.packages.into_iter().find(|package| package.manifest_path == manifest);
        let package = package.ok_or_else(|| refuse("its Cargo.toml has no [package]".to_owned()))?;
        let library = package.targets.into_iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
        let library = library
            .ok_or_else(|| refuse("add `[lib] crate-type = [\"cdylib\", \"rlib\"]` to Cargo.toml".to_owned()))?;
        Ok(Self {
            name: package.name,
            library: library.name.replace('-', "_"),
            workspace_root: metadata.workspace_root,
            target_directory: metadata.target_directory,
        })
    }

    fn build(&self, dir: &Path, target: &Path) -> Result<Built, BuildError> {
        // The manifest first: a mistake in it is told at once, not after minutes of compiling.
        let file = dir.join("plugin.toml");
        let text = std::fs::read_to_string(&file).map_err(|error| BuildError::File { path: file, error })?;
        let manifest = crate::manifest_toml(&text, |name| std::fs::read_to_string(dir.join(name)))?;
        ensure_target(dir)?;
        run("cargo", &mut self.command(dir, target), dir)?;
        let module = target.join(TARGET).join("plugin").join(format!("{}.wasm", self.library));
        let module = std::fs::read(&module).map_err(|error| BuildError::File { path: module, error })?;
        let component = crate::pack(&module, &manifest)?;
        Ok(Built { component, manifest })
    }

    fn command(&self, dir: &Path, target: &Path) -> Command {
        let mut cargo = cargo(dir);
        cargo.args(["build", "--quiet", "--lib", "--target", TARGET, "--profile", "plugin", "--package", &self.name]);
        cargo.arg("--manifest-path").arg(dir.join("Cargo.toml")).arg("--target-dir").arg(target);
        for setting in PROFILE {
            cargo.args(["--config", setting]);
        }
        // A digest should not depend on who built: panics name their source file.
        let mut flags = vec![STACK.to_owned()];
        flags.push(format!("--remap-path-prefix={}=/plugin", self.workspace_root.display()));
        if let Some(home) = cargo_home() {
            flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
        }
        // Separated by 0x1f, as cargo reads this variable: paths may have spaces.
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        cargo
    }
}

/// cargo, in the plugin's folder (a `rust-toolchain.toml` there counts) and without what a caller left in the environment.
fn cargo(dir: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(dir);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
}

fn cargo_home() -> Option<PathBuf> {
    let home = |name| std::env::var_os(name).map(PathBuf::from);
    home("CARGO_HOME").or_else(|| home("HOME").map(|home| home.join(".cargo")))
}

/// Adds the wasm target to the toolchain in use, if it is not there.
fn ensure_target(dir: &Path) -> Result<(), BuildError> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let printed = run("rustc", Command::new(rustc).current_dir(dir).args(["--print", "sysroot"]), dir)?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&printed).trim());
    let there = || sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir();
    if there() {
        return Ok(());
    }
    let added = Command::new("rustup").current_dir(dir).args(["target", "add", TARGET]).output();
    if added.is_ok_and(|output| output.status.success()) && there() { Ok(()) } else { Err(BuildError::Target) }
}

/// Runs a program and gives its standard output; what it says on standard error becomes the error.
fn run(program: &'static str, command: &mut Command, dir: &Path) -> Result<Vec<u8>, BuildError> {
    let output = command.output().map_err(|error| BuildError::Missing { program, error })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(BuildError::Cargo { path: dir.to_owned(), said })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_plugin_says_what_is_missing() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = build(dir.path()).expect_err("no Cargo.toml").to_string();
        assert!(error.contains("Cargo.toml"), "{error}");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        std::fs::create_dir(dir.path().join("src")).expect("made");
        write("src/lib.rs", "");
        write("Cargo.toml", "[package]\nname = \"x\"\nedition = \"2024\"\n[workspace]\n");
        let error = build(dir.path()).expect_err("no cdylib").to_string();
        assert!(error.contains("cdylib"), "{error}");
        write(
            "Cargo.toml",
            "[package]\nname = \"x\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
        );
        let error = build(dir.path()).expect_err("no plugin.toml").to_string();
        assert!(error.contains("plugin.toml"), "{error}");
    }
}
