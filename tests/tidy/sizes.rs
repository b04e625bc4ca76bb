//! Length of files and functions, as a ratchet: what is longer than it should be is written down and may only shrink.

use super::repo::Repo;
use super::rust::{functions, split};
use std::collections::BTreeMap;

/// Where the exceptions are written down.
const RATCHET: &str = "tests/ratchet.toml";
/// Lines of a Rust file.
const FILE_LINES: usize = 400;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;

/// Complains about what is too long and not written down, has grown, or is written down longer than it is.
pub(super) fn check(repo: &Repo) -> Vec<String> {
    let mut ratchet: toml::Table = match repo.text(RATCHET).unwrap_or_default().parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("{RATCHET} is no TOML: {error}")],
    };
    let (mut files, mut longest) = (BTreeMap::new(), BTreeMap::new());
    for (path, text) in repo.ending(".rs") {
        files.insert(path.to_owned(), text.lines().count());
        for function in functions(&split(text).code) {
            let lines = longest.entry(format!("{path}::{}", function.name)).or_insert(0);
            *lines = function.lines.max(*lines);
        }
    }
    let mut complaints = compare("files", FILE_LINES, &files, ratchet.remove("files"));
    complaints.extend(compare("functions", FUNCTION_LINES, &longest, ratchet.remove("functions")));
    complaints
        .extend(ratchet.keys().map(|key| format!("{RATCHET}: `{key}` means nothing; it has [files] and [functions]")));
    complaints
}

fn compare(section: &str, aim: usize, sizes: &BTreeMap<String, usize>, written: Option<toml::Value>) -> Vec<String> {
    let written = written.and_then(|value| value.try_into::<BTreeMap<String, usize>>().ok()).unwrap_or_default();
    let mut complaints = Vec::new();
    for (name, lines) in sizes {
        complaints.extend(match written.get(name) {
            None if lines > &aim => Some(format!(
                "{name} has {lines} lines, and {section} have at most {aim}: split it by what it does. Only if that would \
                 make it worse, add `\"{name}\" = {lines}` under [{section}] of {RATCHET} with a comment why"
            )),
            Some(_) if lines <= &aim => {
                Some(format!("{name} has {lines} lines, no more than {aim}: well done, take its line out of {RATCHET}"))
            }
            Some(before) if lines > before => Some(format!(
                "{name} has grown from {before} lines to {lines}: what is in {RATCHET} may only shrink; take something out of it"
            )),
            Some(before) if lines < before => {
                Some(format!("{name} has shrunk from {before} lines to {lines}: well done, write {lines} into {RATCHET}"))
            }
            _ => None,
        });
    }
    let gone = written.keys().filter(|name| !sizes.contains_key(*name));
    complaints.extend(gone.map(|name| format!("{name} is no more: take its line out of {RATCHET}")));
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::complains;
    use super::*;

    fn with(lines: usize, ratchet: &str) -> Vec<String> {
        let (file, function) = ("//\n".repeat(lines), format!("fn f() {{\n{}}}\n", "x;\n".repeat(lines - 2)));
        let long_file = check(&Repo::made_up(&[("a.rs", &file), (RATCHET, ratchet)]));
        let long_function = check(&Repo::made_up(&[("a.rs", &function), (RATCHET, ratchet)]));
        if ratchet.contains("files") || lines > FILE_LINES { long_file } else { long_function }
    }

    #[test]
    fn length_is_bounded() {
        assert!(with(FUNCTION_LINES, "").is_empty());
        complains(&with(FUNCTION_LINES + 1, ""), &["a.rs::f has 71 lines", "`\"a.rs::f\" = 71` under [functions]"]);
        complains(&with(FILE_LINES + 1, ""), &["a.rs has 401 lines", "[files]"]);
    }

    #[test]
    fn the_ratchet_only_turns_one_way() {
        assert!(with(401, "[files]\n\"a.rs\" = 401").is_empty());
        complains(&with(402, "[files]\n\"a.rs\" = 401"), &["a.rs has grown from 401 lines to 402"]);
        complains(&with(401, "[files]\n\"a.rs\" = 402"), &["has shrunk", "write 401"]);
        complains(&with(400, "[files]\n\"a.rs\" = 402"), &["take its line out"]);
        complains(&with(70, "[functions]\n\"a.rs::g\" = 80"), &["a.rs::g is no more"]);
        complains(&with(70, "[function]\n\"a.rs::f\" = 80"), &["`function` means nothing"]);
        complains(&with(70, "["), &["is no TOML"]);
    }
}
