//! Rooms that are functions of what they are given: no files, sockets, processes, environment, threads or clock of their own.

use super::modules::reached;
use super::repo::{Repo, has_extension};
use super::rust::{line, production, split, tokens};

/// Folders of pure code.
const PURE: &[&str] = &[
    "gateway/domain/src",
    "gateway/src/connectors",
    "gateway/src/decide",
    "gateway/src/ledger",
    "gateway/src/merchant_file",
];
/// Parts of the standard library that reach out of the process, or are not the same twice.
const OUTWARD: &[&str] = &["fs", "net", "process", "env", "thread", "SystemTime", "Instant", "RandomState"];

/// Complains about pure code that reaches out.
pub(super) fn check(repo: &Repo) -> Vec<String> {
    let reached = reached(repo);
    let mut complaints = Vec::new();
    for folder in PURE {
        for (path, text) in repo.under(folder).filter(|(path, _)| has_extension(path, "rs")) {
            let full = format!("{folder}/{path}");
            if reached.get(&full).copied().unwrap_or(false) {
                continue;
            }
            let code = split(text).code;
            let mut in_std = false;
            for token in production(&tokens(&code)) {
                // From `std` on, through braces and commas, until the path or the `use` is over.
                let goes_on =
                    matches!(token.text, "::" | "{" | "}" | ",") || token.text.as_bytes()[0].is_ascii_alphabetic();
                in_std = token.text == "std" || (in_std && goes_on);
                if in_std && OUTWARD.contains(&token.text) {
                    let (line, name) = (line(text, token.at), token.text);
                    complaints.push(format!(
                        "{full}:{line}: `std`'s `{name}` has no place in {folder}, which is a pure function of what it is given: \
                         let the caller ask and pass on the answer"
                    ));
                }
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::complains;
    use super::*;

    fn with(path: &str, text: &str) -> Vec<String> {
        check(&Repo::made_up(&[(path, text)]))
    }

    #[test]
    fn pure_code_is_held_to_it() {
        for text in
            ["use std::fs;", "use std::{fmt,\nfs::File};", "let a = std::env::var(\"A\");", "std::time::Instant::now()"]
        {
            complains(&with("gateway/src/ledger/mod.rs", text), &["gateway/src/ledger/mod.rs:", "pure function"]);
        }
        complains(&with("gateway/domain/src/ids.rs", "\nuse std::time::SystemTime;"), &["ids.rs:2:", "`SystemTime`"]);
    }

    #[test]
    fn what_is_not_pure_or_not_outward_passes() {
        assert!(with("gateway/src/vault.rs", "use std::fs;").is_empty());
        assert!(with("gateway/domain/src/ids.rs", "use std::fmt;\nlet net = env(process);").is_empty());
        assert!(with("gateway/domain/src/ids.rs", "// std::fs\n#[cfg(test)]\nmod tests { use std::fs; }").is_empty());
    }
}
