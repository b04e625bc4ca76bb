//! The repository checks itself: what the design asks of the code as a whole, each rule an ordinary test.
//!
//! A rule is a function from the repository's text to complaints; every complaint names the place and the cure. Beside each
//! rule stand tests on made-up repositories that break it, since a rule that cannot fail is worth nothing.

mod contracts;
mod dependencies;
mod imports;
mod modules;
mod packages;
mod purity;
mod repo;
mod rust;
mod sizes;
mod words;

use repo::Repo;
use std::sync::OnceLock;

/// This repository, read once.
fn here() -> &'static Repo {
    static REPO: OnceLock<Repo> = OnceLock::new();
    REPO.get_or_init(|| {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Repo::read(&root).unwrap_or_else(|error| panic!("the repository cannot be read: {error}"))
    })
}

#[track_caller]
fn obeyed(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// For the rules' own tests: one complaint, with these words in it.
#[track_caller]
fn complains(complaints: &[String], words: &[&str]) {
    let [complaint] = complaints else { panic!("one complaint was expected: {complaints:#?}") };
    for word in words {
        assert!(complaint.contains(word), "`{word}` is missing in: {complaint}");
    }
}

#[test]
fn rooms_import_what_the_design_lets_them() {
    obeyed(&imports::check(here()));
}

#[test]
fn packages_depend_on_what_the_design_lets_them() {
    obeyed(&packages::check(here()));
}

#[test]
fn dependencies_are_such_as_may_be_shipped() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut ask = std::process::Command::new(cargo);
    ask.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    ask.args(["metadata", "--format-version", "1", "--locked", "--offline"]);
    // As `.cargo/deny.toml` has it. What another system needs may not even be downloaded here.
    ask.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let told = ask.output().unwrap_or_else(|error| panic!("cargo cannot be asked: {error}"));
    assert!(told.status.success(), "cargo metadata fails: {}", String::from_utf8_lossy(&told.stderr));
    let metadata = serde_json::from_slice(&told.stdout).unwrap_or_else(|error| panic!("it answers no JSON: {error}"));
    // Hidden folders are not read with the rest.
    let rules = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.cargo/deny.toml"));
    obeyed(&dependencies::check(&metadata, &rules.unwrap_or_else(|error| panic!(".cargo/deny.toml: {error}"))));
}

#[test]
fn pure_rooms_reach_for_nothing() {
    obeyed(&purity::check(here()));
}

#[test]
fn files_and_functions_stay_short() {
    obeyed(&sizes::check(here()));
}

#[test]
fn every_module_says_what_it_is_for() {
    obeyed(&modules::heads(here()));
}

#[test]
fn no_file_is_dead() {
    obeyed(&modules::dead(here()));
}

#[test]
fn nothing_is_left_for_later() {
    obeyed(&words::unfinished(here()));
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    obeyed(&words::machine_paths(here()));
}

#[test]
fn both_databases_have_the_same_migrations() {
    obeyed(&contracts::migrations(here()));
}

#[test]
fn the_plugin_contract_is_frozen() {
    obeyed(&contracts::wit(here()));
}

#[test]
fn the_readme_is_short() {
    obeyed(&contracts::readme(here()));
}

#[test]
fn every_stock_plugin_is_whole() {
    obeyed(&contracts::plugins(here()));
}
