//! Modules: each says what it is for, and each is reached from something that Cargo builds.

use super::repo::{Repo, has_extension, is_ui_test};
use super::rust::declarations;
use std::collections::BTreeMap;

/// Characters under which a head says nothing.
const HEAD: usize = 30;

/// Complains about Rust files that do not begin by saying what they are for.
pub(super) fn heads(repo: &Repo) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in repo.ending(".rs").filter(|(path, _)| !is_ui_test(path)) {
        let head: String = text.lines().map_while(|line| line.trim_start().strip_prefix("//!")).collect();
        if head.trim().chars().count() < HEAD {
            complaints.push(format!(
                "{path} does not begin with a `//!` head of {HEAD} characters or more: say in a sentence what it is for"
            ));
        }
    }
    complaints
}

/// Complains about Rust files that nothing builds.
pub(super) fn dead(repo: &Repo) -> Vec<String> {
    let reached = reached(repo);
    let files = repo.ending(".rs").filter(|(path, _)| !is_ui_test(path) && !reached.contains_key(*path));
    files
        .map(|(path, _)| {
            format!("{path} is dead: no `mod`, `#[path]` or Cargo target leads to it; declare or delete it")
        })
        .collect()
}

/// The files that are built, and whether only for tests.
pub(super) fn reached(repo: &Repo) -> BTreeMap<String, bool> {
    let mut reached = BTreeMap::new();
    let mut waiting = targets(repo);
    while let Some((path, root, test)) = waiting.pop() {
        // What production reaches is production, even if a test reached it first.
        if reached.get(&path).is_some_and(|before| !before || test) {
            continue;
        }
        let Some(source) = repo.text(&path) else { continue };
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let base =
            if root || file == "mod.rs" { folder.to_owned() } else { join(folder, file.trim_end_matches(".rs")) };
        for module in declarations(source) {
            let for_test = test || module.test;
            let name = &module.name;
            if let Some(given) = &module.path {
                waiting.push((join(folder, given), true, for_test));
            } else {
                waiting.push((join(&base, &format!("{name}.rs")), false, for_test));
                waiting.push((join(&base, &format!("{name}/mod.rs")), false, for_test));
            }
        }
        reached.insert(path, test);
    }
    reached
}

/// The roots of everything Cargo builds: path, that it is one, and whether it is a test.
fn targets(repo: &Repo) -> Vec<(String, bool, bool)> {
    let mut targets = Vec::new();
    for (path, text) in repo.files().filter(|(path, _)| *path == "Cargo.toml" || path.ends_with("/Cargo.toml")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let manifest: toml::Table = text.parse().unwrap_or_default();
        if !manifest.contains_key("package") {
            continue;
        }
        for usual in ["src/lib.rs", "src/main.rs", "build.rs"] {
            targets.push((join(folder, usual), true, false));
        }
        for (kind, test) in [("lib", false), ("bin", false), ("test", true), ("bench", true), ("example", true)] {
            let tables = match manifest.get(kind) {
                Some(toml::Value::Array(tables)) => tables.as_slice(),
                Some(table) => std::slice::from_ref(table),
                None => &[],
            };
            let paths = tables.iter().filter_map(|table| table.get("path")?.as_str());
            targets.extend(paths.map(|path| (join(folder, path), true, test)));
        }
        for (found, _) in repo.under(if folder.is_empty() { "." } else { folder }) {
            let automatic = [("src/bin/", false), ("tests/", true), ("benches/", true), ("examples/", true)];
            for (place, test) in automatic {
                let Some(name) = found.strip_prefix(place) else { continue };
                let alone = has_extension(name, "rs") && !name.contains('/');
                if alone || (name.ends_with("/main.rs") && name.matches('/').count() == 1) {
                    targets.push((join(folder, found), true, test));
                }
            }
        }
    }
    targets
}

/// `folder/path` with its `..` and `.` taken out.
fn join(folder: &str, path: &str) -> String {
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::complains;
    use super::*;

    #[test]
    fn a_head_says_something() {
        let with = |text: &str| heads(&Repo::made_up(&[("a/b.rs", text)]));
        assert!(with("//! What this is for, in a sentence of some length.\nfn f() {}").is_empty());
        assert!(with("//! Two lines that say\n//! enough when taken together.").is_empty());
        for text in ["", "fn f() {}", "//! Utils.", "use a;\n//! What this is for, in a sentence of some length."] {
            complains(&with(text), &["a/b.rs", "`//!` head"]);
        }
        assert!(heads(&Repo::made_up(&[("sdk/rust/tests/ui/x.rs", "")])).is_empty());
    }

    #[test]
    fn a_file_that_nothing_declares_is_dead() {
        let files = [
            ("p/Cargo.toml", "[package]\nname = \"p\"\n[[test]]\nname = \"it\"\npath = \"it/main.rs\""),
            ("p/src/lib.rs", "mod a;\n#[cfg(test)]\nmod tests;\n#[path = \"../else/z.rs\"]\nmod z;"),
            ("p/src/a/mod.rs", "mod b;"),
            ("p/src/a/b.rs", "mod c;"),
            ("p/src/a/b/c.rs", ""),
            ("p/src/tests.rs", ""),
            ("p/else/z.rs", ""),
            ("p/it/main.rs", "mod story;"),
            ("p/it/story.rs", "mod deep;"),
            ("p/it/story/deep.rs", ""),
            ("p/build.rs", ""),
            ("p/tests/ui/wrong.rs", ""),
            ("p/benches/speed.rs", ""),
        ];
        assert!(dead(&Repo::made_up(&files)).is_empty());
        let test_only: Vec<String> =
            reached(&Repo::made_up(&files)).into_iter().filter_map(|(path, test)| test.then_some(path)).collect();
        let stories = ["p/benches/speed.rs", "p/it/main.rs", "p/it/story.rs", "p/it/story/deep.rs", "p/src/tests.rs"];
        assert_eq!(test_only, stories);
        for stray in ["p/src/a/c.rs", "p/src/b.rs", "p/src/z.rs", "q/src/lib.rs", "p/benches/help/more.rs"] {
            let mut files = files.to_vec();
            files.push((stray, ""));
            complains(&dead(&Repo::made_up(&files)), &[stray, "is dead"]);
        }
        let mut commented = files.to_vec();
        commented[2].1 = "// mod b;";
        assert_eq!(dead(&Repo::made_up(&commented)).len(), 2);
    }
}
