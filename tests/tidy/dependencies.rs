//! What the gateway depends on: licences, where packages come from, and which are there in more than one version. The rules stand in
//! `.cargo/deny.toml`, where `cargo deny` has them too.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where the rules are.
const RULES: &str = ".cargo/deny.toml";
/// Where packages may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Complains about every package in `cargo metadata`'s document that the rules do not let in, and about rules that let nobody in.
pub(super) fn check(metadata: &Value, rules: &str) -> Vec<String> {
    let rules: toml::Table = match rules.parse() {
        Ok(rules) => rules,
        Err(error) => return vec![format!("{RULES} is no TOML: {error}")],
    };
    let used: BTreeSet<&str> = list(&metadata["resolve"]["nodes"]).filter_map(|node| node["id"].as_str()).collect();
    let is_used = |package: &&Value| package["id"].as_str().is_some_and(|id| used.contains(id));
    let packages: Vec<&Value> = list(&metadata["packages"]).filter(is_used).collect();
    let mut complaints = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    // Packages without a source are ours.
    for package in packages.into_iter().filter(|package| !package["source"].is_null()) {
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        versions.entry(name).or_default().insert(version);
        if package["source"] != REGISTRY {
            complaints.push(format!("{name} {version} comes from {}: use a released version", package["source"]));
        }
        let licence = text(&package["license"]);
        if !is_allowed(licence, name, &rules) {
            complaints.push(format!(
                "{name} {version} is licensed `{licence}`, which {RULES} does not allow: do without it, or add the licence and say why \
                 it is in order"
            ));
        }
    }
    let skipped: BTreeSet<&str> =
        tables(&rules, "bans", "skip").filter_map(|skip| skip.get("crate")?.as_str()).collect();
    for (name, found) in versions.iter().filter(|(_, found)| found.len() > 1) {
        if !skipped.contains(name) {
            let found = found.iter().copied().collect::<Vec<_>>().join(", ");
            complaints.push(format!(
                "{name} is there in more than one version ({found}): agree on one, or add {{ crate = \"{name}\", reason = \"…\" }} to \
                 [bans] `skip` of {RULES}"
            ));
        }
    }
    let twice = |name: &&str| versions.get(*name).is_some_and(|found| found.len() > 1);
    let idle = skipped.iter().filter(|name| !twice(name));
    complaints.extend(idle.map(|name| format!("{name} is there once: well done, take it out of `skip` of {RULES}")));
    complaints
}

/// Whether a licence expression can be met by what the rules allow.
fn is_allowed(licence: &str, name: &str, rules: &toml::Table) -> bool {
    let exceptions = tables(rules, "licenses", "exceptions");
    let own = exceptions.filter(|exception| exception.get("crate").and_then(toml::Value::as_str) == Some(name));
    let allowed: BTreeSet<&str> = [rules.get("licenses").and_then(toml::Value::as_table)]
        .into_iter()
        .flatten()
        .chain(own)
        .filter_map(|table| table.get("allow")?.as_array())
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX);
    expression.is_ok_and(|expression| expression.evaluate(|wanted| allowed.contains(wanted.to_string().as_str())))
}

fn tables<'a>(rules: &'a toml::Table, section: &str, key: &str) -> impl Iterator<Item = &'a toml::Table> {
    let found = rules.get(section).and_then(|section| section.get(key)).and_then(toml::Value::as_array);
    found.into_iter().flatten().filter_map(toml::Value::as_table)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::complains;
    use super::*;

    const RULES: &str = "[licenses]\nallow = [\"MIT\", \"Apache-2.0 WITH LLVM-exception\"]\n\
                         exceptions = [{ crate = \"roots\", allow = [\"CDLA-Permissive-2.0\"] }]\n\
                         [bans]\nskip = [{ crate = \"twice\", reason = \"b\" }]\n";

    fn with(packages: &[(&str, &str, &str)]) -> Vec<String> {
        let twice = [("twice", "1.0.0", "MIT"), ("twice", "2.0.0", "MIT")];
        let packages = packages.iter().chain(&twice).map(|(name, version, licence)| {
            let id = format!("{name}@{version}");
            serde_json::json!({"id": id, "name": name, "version": version, "license": licence, "source": REGISTRY})
        });
        let packages: Vec<Value> = packages.collect();
        let nodes: Vec<Value> = packages.iter().map(|package| serde_json::json!({"id": package["id"]})).collect();
        check(&serde_json::json!({"packages": packages, "resolve": {"nodes": nodes}}), RULES)
    }

    #[test]
    fn licences_are_held_to_the_list() {
        let good = [
            ("a", "1.0.0", "MIT/Apache-2.0"),
            ("b", "1.0.0", "GPL-3.0-only OR MIT"),
            ("c", "1.0.0", "Apache-2.0 WITH LLVM-exception"),
            ("roots", "1.0.0", "CDLA-Permissive-2.0"),
        ];
        assert_eq!(with(&good), Vec::<String>::new());
        for licence in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "CDLA-Permissive-2.0", "Apache-2.0", "", "made up"] {
            complains(&with(&[("a", "1.0.0", licence)]), &["a 1.0.0 is licensed", "does not allow"]);
        }
    }

    #[test]
    fn more_than_one_version_needs_a_reason_and_one_needs_none() {
        complains(&with(&[("a", "1.0.0", "MIT"), ("a", "2.0.0", "MIT")]), &["more than one version (1.0.0, 2.0.0)"]);
        let once = r#"{"packages": [], "resolve": {"nodes": []}}"#.parse().expect("JSON");
        complains(&check(&once, RULES), &["twice is there once", "well done"]);
    }

    #[test]
    fn packages_come_from_the_registry() {
        let git = r#"{"packages": [{"id": "a", "name": "a", "version": "1.0.0", "license": "MIT", "source": "git+https://example.com"}],
            "resolve": {"nodes": [{"id": "a"}]}}"#;
        complains(&check(&git.parse().expect("JSON"), "[licenses]\nallow = [\"MIT\"]"), &["a 1.0.0 comes from"]);
    }
}
