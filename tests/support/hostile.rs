//! Plugins made from `tests/hostile`: each text put together as the README there says, and a manifest appended.

use perkgate_domain::manifest::{CONTRACT, Manifest};
use std::path::Path;

fn read(file: &str) -> String {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/hostile")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The component of `tests/hostile/<name>.wat`, which asks to earn.
#[must_use]
pub fn hostile(name: &str) -> Vec<u8> {
    let text = read(&format!("{name}.wat"));
    let text = if text.contains("(component") {
        text
    } else {
        let export = if text.contains("(export \"perkgate:") { String::new() } else { read("export.part") };
        format!("(component\n{}\n{text}\n{export}\n)", read("contract.part"))
    };
    let component = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}.wat: {error}"));
    let manifest = Manifest {
        id: name.to_owned(),
        version: "1.0.0".to_owned(),
        contract: CONTRACT.to_owned(),
        title: "A plugin that misbehaves".to_owned(),
        summary: String::new(),
        facts: [].into(),
        decisions: ["earn".to_owned()].into(),
        wakes: [].into(),
        settings: serde_json::Value::Null,
    };
    perkgate_pack::embed(&component, &manifest).expect("a manifest that can be embedded")
}
