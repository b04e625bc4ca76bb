//! Builds the stock plugins for `wasm32-unknown-unknown` and embeds the components, so that one `cargo` command makes the whole
//! gateway. Where the target is missing it is added by rustup, or the build says in one sentence which command adds it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

fn main() {
    if let Err(sentence) = run() {
        println!("cargo::error={}", sentence.replace('\n', " / "));
        process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("cargo did not set {name}"));
    let root = variable("CARGO_MANIFEST_DIR")?.join("..");
    let out = variable("OUT_DIR")?;
    // What a component is made of. A plugin's tests and cases are not in it.
    for part in
        ["sdk/rust/src", "sdk/rust/Cargo.toml", "sdk/macros/src", "sdk/wit", "sdk/pack/src", "Cargo.lock", "migrations"]
    {
        println!("cargo::rerun-if-changed={}", root.join(part).display());
    }
    // OUT_DIR is <target>/<profile>/build/<package>/out: one directory for all profiles, and the one that tests use too.
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not below a target directory")?;
    let mut table = String::from("pub(crate) const STOCK: &[(&str, &[u8])] = &[\n");
    for plugin in plugins(&root.join("plugins"))? {
        for part in ["src", "Cargo.toml", "plugin.toml", "settings.schema.json"] {
            println!("cargo::rerun-if-changed={}", plugin.join(part).display());
        }
        let built = perkgate_pack::build::build_in(&plugin, &target.join("wasm-plugins"))
            .map_err(|error| format!("cannot build the stock plugin {}: {error}", plugin.display()))?;
        let file = out.join(format!("{}.wasm", built.manifest.id));
        fs::write(&file, &built.component).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        writeln!(table, "    ({:?}, include_bytes!({:?})),", built.manifest.id, file.display().to_string())
            .map_err(|error| error.to_string())?;
    }
    table.push_str("];\n");
    fs::write(out.join("stock.rs"), table).map_err(|error| format!("cannot write stock.rs: {error}"))
}

/// The folders of the stock plugins, by name.
fn plugins(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut plugins: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("plugin.toml").is_file())
        .collect();
    plugins.sort();
    Ok(plugins)
}
