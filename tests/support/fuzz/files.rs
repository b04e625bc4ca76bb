//! What a merchant or a plugin's author hands in: merchant files, settings schemas, components.

use super::parts;
use perkgate_domain::programme::Merchant;
use perkgate_gateway::gateway::Config;
use perkgate_gateway::merchant_file::{MerchantFile, Surroundings, parse, settings_problems};
use perkgate_gateway::vault::Vault;
use perkgate_gateway::{connectors, stock};
use serde_json::Value;
use std::path::Path;

/// What every variable of the environment holds here.
const SECRET: &str = "whsec_TmV2ZXJ0b2xkTmV2ZXJ0b2xkTmV2ZXJ0b2xk";

struct Around {
    platforms: Vec<&'static str>,
    stock: Vec<&'static str>,
}

impl Surroundings for Around {
    fn env(&self, _: &str) -> Option<String> {
        Some(SECRET.to_owned())
    }
    fn secret_file(&self, _: &str, _: &str) -> Result<String, String> {
        Ok(SECRET.to_owned())
    }
    fn may_take_secrets(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn directory(&self) -> &Path {
        Path::new("shop")
    }
    fn platforms(&self) -> &[&str] {
        &self.platforms
    }
    fn stock(&self) -> &[&str] {
        &self.stock
    }
}

/// A file that is taken says the same when it is read again; one that is not taken tells no secret.
pub(super) fn merchant_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let around = Around { platforms: connectors::platforms().collect(), stock: stock::ids() };
    match parse(text, "shop.toml", &around) {
        Ok(file) => {
            let again = parse(&format!("{text}\n# The end.\n"), "shop.toml", &around).expect("it was taken before");
            assert_eq!(programme(&file), programme(&again), "the same file is the same programme");
            let document = serde_json::to_string(&file.merchant).expect("a merchant is JSON");
            let back: Merchant = serde_json::from_str(&document).expect("it reads back");
            assert_eq!(back, file.merchant, "it reads back as it was");
        }
        Err(error) => {
            assert!(!error.problems.is_empty(), "it says what is wrong");
            assert!(!error.to_string().contains(SECRET), "a secret is told: {error}");
        }
    }
}

/// Everything that the file comes to. What is sealed later shows no secret by `Debug`, so it is written as JSON.
fn programme(file: &MerchantFile) -> (Value, Value, Value, String) {
    let json = |value: serde_json::Result<Value>| value.expect("it is JSON");
    (
        json(serde_json::to_value(&file.merchant)),
        json(serde_json::to_value(&file.sources)),
        json(serde_json::to_value(&file.channels)),
        format!(
            "{:?}",
            file.plugins.iter().map(|wanted| (&wanted.id, &wanted.settings, &wanted.grants)).collect::<Vec<_>>()
        ),
    )
}

/// A schema, and settings behind a line of `===`.
pub(super) fn settings(data: &[u8]) {
    let (schema, settings) = parts(data);
    let Ok(schema) = serde_json::from_slice::<Value>(schema) else { return };
    let settings = serde_json::from_slice::<Value>(settings).unwrap_or_default();
    let problems = settings_problems(&schema, &settings);
    assert_eq!(problems, settings_problems(&schema, &settings), "the same settings are judged alike");
    for problem in problems {
        assert!(problem.starts_with("settings") || problem.starts_with("the plugin's"), "{problem}");
    }
}

/// A component that is taken is loaded, or it is said why not.
pub(super) fn component(data: &[u8]) {
    let Ok(found) = perkgate_pack::inspect(data) else { return };
    assert!(!found.manifest.id.is_empty() && !found.exports.is_empty(), "{:?}", found.manifest);
    let directory = tempfile::tempdir().expect("a directory");
    let host = Config::new("", directory.path()).host(&Vault::new([7; 32])).expect("a plugin host");
    if let Err(error) = host.load(data) {
        assert!(!error.fault().detail.is_empty());
    }
}
