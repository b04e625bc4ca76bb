//! A plugin's settings: from TOML to JSON without floats, and held against the plugin's own schema.

use super::checks::shown;
use super::reading::Reading;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

/// A table as JSON. Complains about every float and every number beyond 64 bits, by line.
pub(super) fn to_json(table: &DeTable<'_>, path: &str, reading: &Reading<'_>) -> Map<String, Value> {
    let mut object = Map::new();
    for (key, value) in table {
        let inner = format!("{path}.{}", key.get_ref());
        let line = reading.line(key.span().start);
        object.insert(key.get_ref().to_string(), value_to_json(value.get_ref(), &inner, line, reading));
    }
    object
}

fn value_to_json(value: &DeValue<'_>, path: &str, line: usize, reading: &Reading<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        // JSON has no dates; their text says the same.
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Table(table) => Value::Object(to_json(table, path, reading)),
        DeValue::Array(items) => {
            let inner = items.iter().enumerate().map(|(index, item)| {
                let line = reading.line(item.span().start);
                value_to_json(item.get_ref(), &format!("{path}[{index}]"), line, reading)
            });
            Value::Array(inner.collect())
        }
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).map_or_else(
            |_| {
                reading.say(line, format!("`{path}` does not fit into 64 bits; write a smaller number"));
                Value::Null
            },
            Value::from,
        ),
        DeValue::Float(number) => {
            let text = shown(number.as_str());
            reading.say(
                line,
                format!("`{path}` is the float {text}, and money is never a float; write it as text: \"{text}\""),
            );
            Value::Null
        }
    }
}

/// Holds settings against a plugin's JSON Schema. Each answer is a sentence that begins with the path of what is wrong;
/// no answer means that they fit. An absent schema (`null`) takes no settings at all.
#[must_use]
pub fn settings_problems(schema: &Value, settings: &Value) -> Vec<String> {
    if schema.is_null() {
        let empty = settings.as_object().is_none_or(Map::is_empty);
        return if empty { Vec::new() } else { vec!["settings: this plugin takes none; leave them out".to_owned()] };
    }
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => return vec![format!("the plugin's own settings schema is wrong: {error}; ask its author")],
    };
    validator.iter_errors(settings).map(|error| sentence(&error.instance_path().to_string(), &error)).collect()
}

/// `settings.tiers[2].name: …` from the JSON Pointer `/tiers/2/name` and what the validator says.
fn sentence(pointer: &str, error: &jsonschema::ValidationError<'_>) -> String {
    let mut path = "settings".to_owned();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let is_index = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        path.extend(if is_index { ["[", &step, "]"] } else { [".", &step, ""] });
    }
    format!("{path}: {error}")
}
