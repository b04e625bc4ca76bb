//! Which packages may depend on which: the rows of the design's import table that are packages. A package cannot import
//! what its manifest does not name, so the manifest is what is read.

use super::repo::Repo;

/// What a package may depend on.
enum May {
    /// These and nothing else. Tests (`dev-dependencies`) may have more, but never a package in [`NEVER`].
    Only(&'static [&'static str]),
    /// Anything but a package in [`NEVER`].
    Others,
}

/// What is the gateway's alone: the gateway itself, SQL, HTTP, mail.
const NEVER: &[&str] = &["perkgate", "sqlx", "axum", "reqwest", "lettre"];

/// Folder (`*` for any name), what it may, and why.
const TABLE: &[(&str, May, &str)] = &[
    (
        "gateway/domain",
        May::Only(&["serde", "serde_json", "sha2", "thiserror"]),
        "the vocabulary does no I/O; ids are hashes, settings are JSON, errors are enums",
    ),
    (
        "gateway/plugin-host",
        May::Only(&[
            "hex",
            "hmac",
            "perkgate-domain",
            "perkgate-pack",
            "rlimit",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tracing",
            "wasmtime",
        ]),
        "the host runs components and knows no HTTP and no SQL; it seals its cache of compiled code by HMAC, and tells the process that compiles, in JSON, what it may use",
    ),
    (
        "sdk/rust",
        May::Only(&["perkgate-macros", "serde", "serde_json", "wit-bindgen"]),
        "every byte lands in every plugin",
    ),
    ("sdk/macros", May::Only(&["proc-macro2", "quote", "syn"]), "a macro needs no more"),
    ("sdk/pack", May::Others, "reads and writes components, without running them"),
    ("sdk/testkit", May::Others, "runs plugins under production limits, so it has the plugin host"),
    ("sdk/template", May::Only(&["perkgate-sdk", "serde", "serde_json"]), "what an author begins with"),
    ("plugins/*", May::Only(&["perkgate-sdk", "serde", "serde_json"]), "a rule is the SDK and its own settings"),
];

/// Complains about dependencies that a package's row does not allow.
pub(super) fn check(repo: &Repo) -> Vec<String> {
    let root: toml::Table = repo.text("Cargo.toml").unwrap_or_default().parse().unwrap_or_default();
    let shared = root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let mut complaints = Vec::new();
    for (path, text) in repo.ending("/Cargo.toml") {
        let folder = path.trim_end_matches("/Cargo.toml");
        let Some((_, may, why)) = TABLE.iter().find(|(row, ..)| covers(row, folder)) else { continue };
        let manifest: toml::Table = text.parse().unwrap_or_default();
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let Some(toml::Value::Table(dependencies)) = manifest.get(section) else { continue };
            for (key, value) in dependencies {
                let shared = shared.and_then(|shared| shared.get(key)?.get("package"));
                let package = value.get("package").or(shared).and_then(toml::Value::as_str).unwrap_or(key);
                let allowed = match may {
                    May::Only(only) => section == "dev-dependencies" || only.contains(&package),
                    May::Others => true,
                };
                if !allowed || NEVER.contains(&package) {
                    complaints.push(format!(
                        "{path}: [{section}] may not name `{package}` ({why}): do without it, or change the row in \
                         tests/tidy/packages.rs and say why"
                    ));
                }
            }
        }
    }
    complaints
}

fn covers(row: &str, folder: &str) -> bool {
    match row.strip_suffix("/*") {
        Some(parent) => folder.strip_prefix(parent).is_some_and(|rest| rest.matches('/').count() == 1),
        None => row == folder,
    }
}

#[cfg(test)]
mod tests {
    use super::super::complains;
    use super::*;

    fn with(folder: &str, dependencies: &str) -> Vec<String> {
        let root = "[workspace.dependencies]\nperkgate-gateway = { path = \"gateway\", package = \"perkgate\" }";
        let path = format!("{folder}/Cargo.toml");
        check(&Repo::made_up(&[("Cargo.toml", root), (&path, dependencies)]))
    }

    #[test]
    fn a_package_keeps_to_its_row() {
        assert!(
            with("gateway/domain", "[dependencies]\nserde.workspace = true\n[dev-dependencies]\nproptest = \"1\"")
                .is_empty()
        );
        assert!(with("gateway", "[dependencies]\nsqlx.workspace = true").is_empty());
        complains(
            &with("gateway/domain", "[dependencies]\ntokio = \"1\""),
            &["gateway/domain/Cargo.toml", "`tokio`", "no I/O"],
        );
        complains(&with("plugins/x", "[build-dependencies]\nregex = \"1\""), &["[build-dependencies]", "`regex`"]);
    }

    #[test]
    fn nobody_reaches_into_the_gateway_by_any_name() {
        complains(&with("plugins/x", "[dev-dependencies]\nperkgate-gateway.workspace = true"), &["`perkgate`"]);
        complains(
            &with("sdk/testkit", "[dependencies]\ngate = { path = \"../..\", package = \"perkgate\" }"),
            &["`perkgate`"],
        );
        complains(&with("gateway/plugin-host", "[dev-dependencies]\nsqlx.workspace = true"), &["`sqlx`"]);
    }
}
