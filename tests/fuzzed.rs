//! Everything that is fuzzed, with as many inputs as a test run has time for. `PERKGATE_FUZZ_INPUTS` says how many times as many, and
//! `PERKGATE_FUZZ_SEED` which. `cargo fuzz` looks further: see `tests/README.md`.

use perkgate_tests::Dice;
use perkgate_tests::fuzz::{TARGETS, fuzz, mutated};
use std::fmt::Write as _;

fn number(name: &str) -> u64 {
    std::env::var(name).map_or(1, |number| number.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn holds(name: &'static str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let (seeds, mut dice) = ((target.seeds)(), Dice::of(number("PERKGATE_FUZZ_SEED")));
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    let drawn = u64::from(target.inputs) * number("PERKGATE_FUZZ_INPUTS");
    let made = (0..drawn).map(|_| mutated(&seeds, &mut dice));
    for input in seeds.iter().cloned().chain(made) {
        let held = std::panic::catch_unwind(|| fuzz(name, &input));
        if held.is_err() {
            let digits = input.iter().fold(String::new(), |mut digits, byte| {
                let _ = write!(digits, "{byte:02x}");
                digits
            });
            panic!("{name} does not hold for this input: {}\nin hexadecimal: {digits}", input.escape_ascii());
        }
    }
}

macro_rules! every_target {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn no_target_is_left_out() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

every_target! { generic shopify square standard stripe woocommerce headers merchant_file settings component api }

/// `tests/fuzz` has a program for each target, and the other way round.
#[test]
fn libfuzzer_is_given_every_target() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("the fuzz package's manifest");
    for target in TARGETS {
        let path = format!("targets/{}.rs", target.name);
        assert!(manifest.contains(&path), "tests/fuzz/Cargo.toml has no [[bin]] of {path}");
        let text = std::fs::read_to_string(folder.join(&path)).expect("a program");
        assert!(text.contains(&format!("fuzz(\"{}\", data)", target.name)), "{path} runs another target");
    }
}
