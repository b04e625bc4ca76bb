//! What the compiler refuses, where the author wrote it.
use perkgate::prelude::*;

struct Settings;

#[perkgate::purchases]
fn settings_are_not_readable(_purchase: &Purchase, _facts: &Facts, _settings: Settings) -> Decide {
    Ok(vec![])
}

#[perkgate::purchases]
fn wrong_answer(_purchase: &Purchase, _facts: &Facts) -> Vec<Decision> {
    vec![]
}

// A wake is what a rule asks for; what comes of it is a time that has come.
#[perkgate::wakes]
fn another_event(_wake: &Wake, _facts: &Facts) -> Decide {
    Ok(vec![])
}

fn main() {}
