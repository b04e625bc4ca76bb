//! `perkgate plugin …`: make a plugin from the template, build it, check it, run its cases under production limits.

use anyhow::Context as _;
use perkgate_domain::limits::COMPONENT_BYTES;
use perkgate_domain::manifest::Manifest;
use perkgate_gateway::files;
use perkgate_gateway::merchant_file::schema_problem;
use perkgate_testkit::{Bench, Case, build_plugin, create, run_cases};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode};

/// `sdk/rust` of the checkout this program was built from: where a new plugin finds the SDK, unless told otherwise.
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/rust");

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// A new plugin from the template
    New {
        /// Its id, and the name of its folder
        name: String,
        /// Where to make it [default: a folder of its name, here]
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
        /// `sdk/rust` of a Perkgate checkout
        #[arg(long, value_name = "DIR", default_value = SDK, hide_default_value = true)]
        sdk: PathBuf,
    },
    /// Build it into `<id>.wasm` in its folder
    Build {
        /// The plugin's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Read a component and its manifest, and compile it, without running it
    Check {
        /// The component
        file: PathBuf,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Build it, run its own tests, then its cases under production limits
    Test {
        /// The plugin's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Run one event and show what is decided
    Run {
        /// The plugin's folder, or a component
        #[arg(default_value = ".")]
        plugin: PathBuf,
        /// A case file; its `expect` may be left out
        #[arg(long, value_name = "FILE")]
        event: PathBuf,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New { name, into, sdk } => {
            let into = into.unwrap_or_else(|| PathBuf::from(&name));
            create(&name, &into, &sdk)?;
            println!("{} is made. Next: perkgate plugin test {}", into.display(), into.display());
        }
        Command::Build { folder } => {
            let file = build(&folder)?.0;
            println!("{} is built", file.display());
        }
        Command::Check { file, json } => check(&file, json)?,
        Command::Test { folder } => test(&folder)?,
        Command::Run { plugin, event } => {
            let component = if plugin.is_dir() { build(&plugin)?.1 } else { read(&plugin)? };
            let bench = Bench::compiled_by(super::compiler(), &component)?;
            println!("{}", bench.run(&Case::read(&event)?));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    files::read(file, COMPONENT_BYTES).with_context(|| format!("cannot read {}", file.display()))
}

/// What a merchant file would run into: the plugin's schema cannot be held against any settings.
fn usable(manifest: &Manifest) -> anyhow::Result<()> {
    match schema_problem(&manifest.settings) {
        None => Ok(()),
        Some(why) => anyhow::bail!("the schema of its settings is wrong: {why}"),
    }
}

fn build(folder: &Path) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    eprintln!("building {} (the first time takes a minute)", folder.display());
    let built = build_plugin(folder)?;
    usable(&built.manifest).with_context(|| folder.display().to_string())?;
    let file = folder.join(format!("{}.wasm", built.manifest.id));
    std::fs::write(&file, &built.component).with_context(|| format!("cannot write {}", file.display()))?;
    Ok((file, built.component))
}

fn check(file: &Path, json: bool) -> anyhow::Result<()> {
    let component = read(file)?;
    let named = || file.display().to_string();
    let found = perkgate_pack::inspect(&component).with_context(named)?;
    usable(&found.manifest).with_context(named)?;
    Bench::compiled_by(super::compiler(), &component).with_context(named)?;
    let kinds: Vec<&str> = found.exports.iter().map(|kind| kind.as_str()).collect();
    let manifest = &found.manifest;
    if json {
        return super::print_json(&serde_json::json!({
            "manifest": manifest, "digest": found.digest, "exports": kinds, "bytes": found.bytes,
        }));
    }
    println!("{} {} — {}", manifest.id, manifest.version, manifest.title);
    println!("  {}", found.digest);
    println!("  {} bytes, contract {}, decides on {}", found.bytes, manifest.contract, kinds.join(", "));
    let asked: Vec<&str> = manifest.decisions.iter().map(String::as_str).collect();
    println!("  asks to decide: {}", asked.join(", "));
    let facts: Vec<String> = manifest.facts.iter().map(|fact| format!("{fact:?}").to_lowercase()).collect();
    println!(
        "  asks to know: {}",
        if facts.is_empty() { "nothing but the event".to_owned() } else { facts.join(", ") }
    );
    Ok(())
}

fn test(folder: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Process::new(cargo)
        .args(["test", "--quiet", "--lib", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .status()
        .context("cannot run cargo; install Rust by rustup")?;
    anyhow::ensure!(status.success(), "the plugin's own tests fail; what cargo printed says where");
    let (_, component) = build(folder)?;
    let report = run_cases(&folder.join("cases"), &Bench::compiled_by(super::compiler(), &component)?)?;
    println!("{report}");
    anyhow::ensure!(report.passed(), "a case came out differently than it expects; the lines above say how");
    Ok(())
}
