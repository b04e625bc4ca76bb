//! What a plugin did against what its case expects, said so that the difference is seen at once.

use crate::case::Expect;
use perkgate_domain::decision::{Decision, Outcome, Verdict};
use perkgate_domain::event::Kind;
use perkgate_domain::manifest::Manifest;
use serde_json::Value;

/// Every difference, a line each; none if the case passes.
pub(crate) fn differences(expect: &Expect, kind: Kind, verdict: Option<&Verdict>, manifest: &Manifest) -> Vec<String> {
    let Some(verdict) = verdict else {
        return vec![format!("the plugin has no rule about {}s", kind.as_str())];
    };
    let mut found = Vec::new();
    match (&verdict.outcome, expect) {
        (Outcome::Decided(decisions), Expect { decisions: Some(expected), .. }) => {
            let actual = decisions.iter().map(json).collect();
            compare("decisions", &Value::Array(expected.clone()), &Value::Array(actual), &mut found);
            found.extend(unasked(decisions, manifest));
        }
        (Outcome::Refused(refusal), Expect { refused: Some(expected), .. }) => {
            let told = serde_json::to_value(refusal).unwrap_or_default();
            sentence("refused", expected, expect.why.as_deref(), &told["refusal"], &told["why"], &mut found);
        }
        (Outcome::Fault(fault), Expect { fault: Some(expected), .. }) => {
            let told = serde_json::to_value(fault).unwrap_or_default();
            sentence("fault", expected, expect.why.as_deref(), &told["kind"], &told["detail"], &mut found);
        }
        (outcome, _) => found.push(format!("expected {}, got {}", expected_in_a_word(expect), in_words(outcome))),
    }
    for part in &expect.log {
        if !verdict.log.iter().any(|line| line.text.contains(part)) {
            let logged: Vec<&str> = verdict.log.iter().map(|line| line.text.as_str()).collect();
            found.push(format!("log: no line has {part:?}; logged {logged:?}"));
        }
    }
    found
}

/// Decisions the gateway would refuse because the manifest does not ask for them.
fn unasked(decisions: &[Decision], manifest: &Manifest) -> Option<String> {
    let name = decisions.iter().map(Decision::name).find(|name| !manifest.decisions.contains(*name))?;
    Some(format!("it decides `{name}`, which plugin.toml does not ask for: add \"{name}\" to `decisions`"))
}

fn sentence(
    what: &str,
    kind: &str,
    why: Option<&str>,
    actual_kind: &Value,
    actual_why: &Value,
    found: &mut Vec<String>,
) {
    let told = actual_why.as_str().unwrap_or_default();
    if actual_kind.as_str() != Some(kind) {
        found.push(format!("{what}: expected {kind:?}, got {actual_kind} ({told})"));
    } else if let Some(part) = why
        && !told.contains(part)
    {
        found.push(format!("why: expected a sentence with {part:?}, got {told:?}"));
    }
}

/// Compares what is stated: every key of an expected object, every element of an expected list.
fn compare(path: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (key, expected) in expected {
                match actual.get(key) {
                    Some(actual) => compare(&format!("{path}.{key}"), expected, actual, found),
                    None => found.push(format!("{path}.{key}: expected {expected}, there is no such field")),
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(&format!("{path}[{index}]"), expected, actual, found);
            }
            for (index, missing) in expected.iter().enumerate().skip(actual.len()) {
                found.push(format!("{path}[{index}]: expected {missing}, got nothing"));
            }
            for (index, extra) in actual.iter().enumerate().skip(expected.len()) {
                found.push(format!("{path}[{index}]: not expected: {extra}"));
            }
        }
        (expected, actual) if expected != actual => found.push(format!("{path}: expected {expected}, got {actual}")),
        _ => {}
    }
}

pub(crate) fn json(decision: &Decision) -> Value {
    serde_json::to_value(decision).unwrap_or_default()
}

fn expected_in_a_word(expect: &Expect) -> String {
    match expect {
        Expect { decisions: Some(decisions), .. } => format!("{} decisions", decisions.len()),
        Expect { refused: Some(kind), .. } => format!("the refusal {kind:?}"),
        Expect { fault, .. } => format!("the fault {:?}", fault.as_deref().unwrap_or_default()),
    }
}

/// An outcome in one line.
pub(crate) fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Decided(decisions) => {
            format!("decisions {}", Value::Array(decisions.iter().map(json).collect()))
        }
        Outcome::Refused(refusal) => {
            let told = serde_json::to_value(refusal).unwrap_or_default();
            format!("the refusal {}: {}", told["refusal"], told["why"].as_str().unwrap_or_default())
        }
        Outcome::Fault(fault) => {
            let told = serde_json::to_value(fault).unwrap_or_default();
            format!("the fault {} (blame: {}): {}", told["kind"], told["blame"], fault.detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(expected: &Value, actual: &Value) -> Vec<String> {
        let mut found = Vec::new();
        compare("decisions", expected, actual, &mut found);
        found
    }

    #[test]
    fn only_what_is_stated_is_compared() {
        assert!(said(&json!([{ "amount": 5 }]), &json!([{ "amount": 5, "reason": "why" }])).is_empty());
        assert_eq!(
            said(&json!([{ "amount": 5 }]), &json!([{ "amount": 6 }])),
            ["decisions[0].amount: expected 5, got 6"]
        );
        assert_eq!(
            said(&json!([{ "amont": 5 }]), &json!([{ "amount": 5 }])),
            ["decisions[0].amont: expected 5, there is no such field"]
        );
    }

    #[test]
    fn too_few_and_too_many_are_named() {
        assert_eq!(said(&json!([1]), &json!([])), ["decisions[0]: expected 1, got nothing"]);
        assert_eq!(said(&json!([]), &json!([7])), ["decisions[0]: not expected: 7"]);
    }
}
