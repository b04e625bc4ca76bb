//! Words that must not be committed: work left for later, and paths of somebody's machine.

use super::repo::Repo;
use super::rust::{line, split, tokens};

/// Macros that stand for work not done, or for a look that was forgotten.
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];
/// Marks of unfinished work in a comment.
const MARKS: &[&str] = &["TODO", "FIXME", "HACK", "XXX"];
/// Folders outside the repository. Their slashes are put on below, so that this file obeys its own rule.
const FOLDERS: &[&str] = &["home", "root", "work", "Users"];

/// Complains about macros and marks of unfinished work in Rust.
pub(super) fn unfinished(repo: &Repo) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in repo.ending(".rs") {
        let split = split(text);
        for two in tokens(&split.code).windows(2) {
            if MACROS.contains(&two[0].text) && two[1].text == "!" {
                let (line, name) = (line(text, two[0].at), two[0].text);
                complaints
                    .push(format!("{path}:{line}: `{name}!` must not be committed: do the work, or return an error"));
            }
        }
        for word in tokens(&split.comments) {
            if MARKS.contains(&word.text) {
                let (line, mark) = (line(text, word.at), word.text);
                complaints.push(format!(
                    "{path}:{line}: a comment says {mark}: do it now, or open an issue and say why it can wait"
                ));
            }
        }
    }
    complaints
}

/// Complains about absolute paths that only one machine has, in any text.
pub(super) fn machine_paths(repo: &Repo) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in repo.files().filter(|(path, _)| !path.ends_with("Cargo.lock")) {
        for folder in FOLDERS {
            let wanted = format!("/{folder}/");
            for (at, _) in text.match_indices(&wanted) {
                // `../work/`, `example.com/home/` and `{dir}/root/` lead elsewhere.
                let before = text[..at].chars().next_back();
                if !before.is_some_and(|char| char.is_alphanumeric() || "._-}~*)]$".contains(char)) {
                    let line = line(text, at);
                    complaints.push(format!(
                        "{path}:{line}: {wanted} is a path of one machine: use one from the repository's root"
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

    #[test]
    fn unfinished_work_is_seen() {
        let unfinished = |text: &str| unfinished(&Repo::made_up(&[("a.rs", text)]));
        for name in MACROS {
            complains(&unfinished(&format!("fn f() {{\n    {name}!()\n}}")), &["a.rs:2:", name]);
        }
        for mark in MARKS {
            complains(&unfinished(&format!("fn f() {{}} // {mark}: later")), &["a.rs:1:", mark]);
        }
        assert!(unfinished("/// An `XXXL` shirt.\nfn todo() { \"XXX todo!()\" }").is_empty());
    }

    #[test]
    fn machine_paths_are_seen() {
        let found = |text: &str| machine_paths(&Repo::made_up(&[("a.md", text)]));
        for folder in FOLDERS {
            complains(&found(&format!("see\n`/{folder}/x`")), &["a.md:2:", folder]);
        }
        complains(&found(&format!("file://{}home/x", "/")), &["home"]);
        assert!(found("../work/x example.com/home/x {dir}/root/x /homes/").is_empty());
    }
}
