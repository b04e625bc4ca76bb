//! What others rely on: the frozen plugin contract, migrations that go together, whole stock plugins, a short README.

use super::repo::{Repo, has_extension};
use perkgate_domain::ids::Digest;
use std::collections::BTreeSet;

/// Lines of the README.
const README_LINES: usize = 150;
/// What every stock plugin has, from its folder.
const PLUGIN_FILES: &[&str] = &["plugin.toml", "settings.schema.json", "README.md"];
/// Where the digests of the contract are.
const FROZEN: &str = "sdk/wit/frozen.toml";

/// Complains about migrations that only one of the databases has. Until there is a second database there is nothing to compare.
pub(super) fn migrations(repo: &Repo) -> Vec<String> {
    let names = |folder: &str| repo.under(folder).map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>();
    let (sqlite, postgres) = (names("migrations/sqlite"), names("migrations/postgres"));
    if postgres.is_empty() {
        return Vec::new();
    }
    let lone = sqlite.symmetric_difference(&postgres).map(|name| {
        let (has, lacks) = if sqlite.contains(name) { ("sqlite", "postgres") } else { ("postgres", "sqlite") };
        format!("migrations/{has}/{name} has no twin in migrations/{lacks}: write one of the same name, even if it does nothing")
    });
    lone.collect()
}

/// Complains about a plugin contract that is not as `frozen.toml` has it.
pub(super) fn wit(repo: &Repo) -> Vec<String> {
    let frozen: toml::Table = match repo.text(FROZEN).unwrap_or_default().parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("{FROZEN} is no TOML: {error}")],
    };
    let (mut complaints, mut listed) = (Vec::new(), BTreeSet::new());
    for entry in frozen.get("file").and_then(toml::Value::as_array).into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let (name, digest) = (text("path"), text("digest"));
        let Some(released) = entry.get("released").and_then(toml::Value::as_bool) else {
            complaints.push(format!("{FROZEN}: `{name}` does not say whether it is `released`"));
            continue;
        };
        listed.insert(name.to_owned());
        let present = repo.text(&format!("sdk/wit/{name}")).map(|text| Digest::of(text.as_bytes()).to_string());
        complaints.extend(match present {
            None => Some(format!("sdk/wit/{name} is gone: plugins are built against it for ever; put it back")),
            Some(present) if present == digest => None,
            Some(_) if released => Some(format!(
                "sdk/wit/{name} is released and was changed: every plugin out there was built against it. Put it back, and make \
                 a new package version beside it (a new kind of entry: a new interface; a changed record: a new major version)"
            )),
            Some(present) => Some(format!(
                "sdk/wit/{name} was changed: it is not released yet, so that is allowed. Rebuild and check every plugin, write \
                 `digest = \"{present}\"` into {FROZEN} and a line about the change into CHANGELOG.md"
            )),
        });
    }
    let files = repo.under("sdk/wit").filter(|(name, _)| has_extension(name, "wit") && !listed.contains(*name));
    complaints.extend(files.map(|(name, text)| {
        let digest = Digest::of(text.as_bytes());
        format!("sdk/wit/{name} is not frozen: add a [[file]] with path, `released = false` and `digest = \"{digest}\"` to {FROZEN}")
    }));
    complaints
}

/// Complains about a README that nobody will read.
pub(super) fn readme(repo: &Repo) -> Vec<String> {
    match repo.text("README.md").map(|text| text.lines().count()) {
        None => vec!["README.md is missing: say what this is, the two commands, and where things are".to_owned()],
        Some(lines) if lines > README_LINES => {
            vec![format!(
                "README.md has {lines} lines and may have {README_LINES}: move what is not for everybody into the rooms"
            )]
        }
        Some(_) => Vec::new(),
    }
}

/// Complains about stock plugins that lack something.
pub(super) fn plugins(repo: &Repo) -> Vec<String> {
    let names: BTreeSet<&str> = repo.under("plugins").filter_map(|(path, _)| Some(path.split_once('/')?.0)).collect();
    let mut complaints = Vec::new();
    for name in names {
        let folder = format!("plugins/{name}");
        let missing = PLUGIN_FILES.iter().filter(|file| repo.text(&format!("{folder}/{file}")).is_none());
        complaints.extend(
            missing.map(|file| format!("{folder} has no {file}: every stock plugin has one; it is a lesson too")),
        );
        if repo.under(&format!("{folder}/cases")).next().is_none() {
            complaints.push(format!("{folder} has no cases/: add at least one that the built .wasm is run against"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::complains;
    use super::*;

    #[test]
    fn migrations_come_in_pairs() {
        let with = |files: &[(&str, &str)]| migrations(&Repo::made_up(files));
        let (one, two) = (("migrations/sqlite/0001_a.sql", ""), ("migrations/postgres/0001_a.sql", ""));
        assert!(with(&[one]).is_empty());
        assert!(with(&[one, two]).is_empty());
        complains(
            &with(&[one, two, ("migrations/sqlite/0002_b.sql", "")]),
            &["sqlite/0002_b.sql has no twin", "postgres"],
        );
        complains(&with(&[one, two, ("migrations/postgres/0002_b.sql", "")]), &["postgres/0002_b.sql has no twin"]);
    }

    #[test]
    fn the_contract_does_not_change_by_accident() {
        let entry = |text: &str, released: bool| {
            let digest = Digest::of(text.as_bytes());
            format!("[[file]]\npath = \"a.wit\"\nreleased = {released}\ndigest = \"{digest}\"\n")
        };
        let with = |text: &str, frozen: &str| wit(&Repo::made_up(&[("sdk/wit/a.wit", text), (FROZEN, frozen)]));
        assert!(with("x", &entry("x", true)).is_empty());
        complains(&with("y", &entry("x", true)), &["is released", "Put it back"]);
        complains(&with("y", &entry("x", false)), &["not released yet", "CHANGELOG.md", "digest = \"sha256:"]);
        complains(&with("x", ""), &["is not frozen", "[[file]]"]);
        complains(&with("x", "[[file]]\npath = \"a.wit\"").split_off(1), &["is not frozen"]);
        complains(&wit(&Repo::made_up(&[(FROZEN, &entry("x", true))])), &["is gone"]);
        complains(&with("x", "["), &["is no TOML"]);
    }

    #[test]
    fn the_readme_is_there_and_short() {
        let with = |lines: usize| readme(&Repo::made_up(&[("README.md", &"line\n".repeat(lines))]));
        assert!(with(README_LINES).is_empty());
        complains(&with(README_LINES + 1), &["151 lines"]);
        complains(&readme(&Repo::default()), &["missing"]);
    }

    #[test]
    fn a_stock_plugin_is_whole() {
        let whole = ["Cargo.toml", "plugin.toml", "settings.schema.json", "README.md", "cases/one.json"];
        for lacking in 1..=whole.len() {
            let paths: Vec<String> = whole.iter().map(|file| format!("plugins/x/{file}")).collect();
            let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
            let without = files.iter().enumerate().filter(|(at, _)| *at != lacking).map(|(_, file)| *file);
            let complaints = plugins(&Repo::made_up(&without.collect::<Vec<_>>()));
            match whole.get(lacking) {
                Some(file) => complains(
                    &complaints,
                    &["plugins/x has no", file.split_once('/').map_or(*file, |(folder, _)| folder)],
                ),
                None => assert!(complaints.is_empty(), "{complaints:#?}"),
            }
        }
    }
}
