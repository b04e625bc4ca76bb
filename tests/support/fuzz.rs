//! What is fuzzed: functions that take any bytes and panic if something does not hold. `tests/fuzz` gives them to libFuzzer; `cargo test`
//! gives each a few hundred inputs, drawn from a seed, of the same making every time.

mod api;
mod connectors;
mod files;
mod seeds;

use crate::load::Dice;

/// Between two parts of one input.
const BETWEEN: &[u8] = b"\n===\n";
/// No input is longer.
const LONGEST: usize = 256 * 1024;
/// What breaks readers now and then.
const WORDS: &[&str] = &[
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "-0.00",
    "0.001",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "1767225600000000",
    "0001-01-01T00:00:00Z",
    "9999-12-31",
    "\"\"",
    "[]",
    "{}",
    "[",
    "}",
    "\u{0}",
    "\u{feff}",
    "\\u0000",
    "\\ud800",
    "é",
    "\u{202e}",
    "EUR",
    "JPY",
    "XXX",
    "\r\n",
    "%00",
    "../",
    "env:",
    "'''",
    "[[",
    "= ",
    "\"id\":",
    "\"amount\":",
];

/// One thing that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As `cargo fuzz run` names it.
    pub name: &'static str,
    /// Panics if something does not hold.
    pub run: fn(&[u8]),
    /// Good inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many inputs a test run is given; what takes long has fewer.
    pub inputs: u32,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "generic", run: |data| connectors::body("generic-hmac", data), seeds: seeds::generic, inputs: 400 },
    Target { name: "shopify", run: |data| connectors::body("shopify", data), seeds: seeds::shopify, inputs: 400 },
    Target { name: "square", run: |data| connectors::body("square", data), seeds: seeds::square, inputs: 400 },
    Target {
        name: "standard",
        run: |data| connectors::body("standard-webhooks", data),
        seeds: seeds::standard,
        inputs: 400,
    },
    Target { name: "stripe", run: |data| connectors::body("stripe", data), seeds: seeds::stripe, inputs: 400 },
    Target {
        name: "woocommerce",
        run: |data| connectors::body("woocommerce", data),
        seeds: seeds::woocommerce,
        inputs: 400,
    },
    Target { name: "headers", run: connectors::headers, seeds: seeds::headers, inputs: 400 },
    Target { name: "merchant_file", run: files::merchant_file, seeds: seeds::merchant_files, inputs: 300 },
    Target { name: "settings", run: files::settings, seeds: seeds::settings, inputs: 200 },
    Target { name: "component", run: files::component, seeds: seeds::components, inputs: 60 },
    Target { name: "api", run: api::api, seeds: seeds::api, inputs: 120 },
];

/// Hands an input to the target of this name.
///
/// # Panics
/// If something does not hold, or there is no such target.
pub fn fuzz(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    if data.len() <= LONGEST {
        (target.run)(data);
    }
}

/// The two parts of an input; the second is empty if there is one only.
fn parts(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    at.map_or((data, &[]), |at| (&data[..at], &data[at + BETWEEN.len()..]))
}

/// An input made of good ones: something is changed, lost, said twice or put between, a few times over.
#[must_use]
pub fn mutated(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut data = seeds[dice.pick(seeds.len())].clone();
    for _ in 0..=dice.pick(4) {
        let (at, length) = (dice.pick(data.len() + 1), dice.pick(24));
        let end = (at + length).min(data.len());
        match dice.pick(8) {
            0 => data.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.pick(8)),
            1 => drop(data.drain(at..end)),
            2 => drop(data.splice(at..at, WORDS[dice.pick(WORDS.len())].bytes())),
            3 => drop(data.splice(at..end, WORDS[dice.pick(WORDS.len())].bytes())),
            // A number or a text becomes another.
            4 => {
                let digits = |byte: &u8| byte.is_ascii_digit();
                let from = data[at..].iter().position(digits).map_or(at, |found| at + found);
                let to = data[from..].iter().position(|byte| !digits(byte)).map_or(data.len(), |found| from + found);
                drop(data.splice(from..to, WORDS[dice.pick(12)].bytes()));
            }
            5 => {
                let again = data[at..end].to_vec();
                drop(data.splice(at..at, again));
            }
            6 => {
                let other = &seeds[dice.pick(seeds.len())];
                let from = dice.pick(other.len() + 1);
                let taken = other[from..(from + length).min(other.len())].iter().copied();
                drop(data.splice(at..end, taken));
            }
            _ => data.truncate(at),
        }
    }
    data
}
