//! A plugin's settings: from TOML to JSON without floats, and held against the plugin's own schema.

use super::checks::shown;
use super::reading::Reading;
use perkgate_domain::schema;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

/// Bytes of memory that a pattern may take, compiled or as a cache.
const PATTERN_BYTES: usize = 1024 * 1024;
/// Problems that are told at once.
const SAID: usize = 20;
/// Characters of what is told about one.
const LONGEST: usize = 300;

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
    if let Err(why) = schema::check_work(schema, settings) {
        return vec![format!("settings: {why}")];
    }
    let validator = match validator(schema) {
        Ok(validator) => validator,
        Err(why) => return vec![format!("the plugin's own settings schema is wrong: {why}; ask its author")],
    };
    let errors = validator.iter_errors(settings).take(SAID);
    errors.map(|error| sentence(&error.instance_path().to_string(), &error)).collect()
}

/// Why a schema cannot be held against any settings, if so.
#[must_use]
pub fn schema_problem(schema: &Value) -> Option<String> {
    if schema.is_null() {
        return None;
    }
    schema::check(schema).err().or_else(|| validator(schema).err())
}

/// Patterns are matched by the engine whose time grows with the text and no faster. It knows no look-around.
fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    let patterns = jsonschema::PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
    jsonschema::options().with_pattern_options(patterns).build(schema).map_err(|error| shortened(&error.to_string()))
}

/// `settings.tiers[2].name: …` from the JSON Pointer `/tiers/2/name` and what the validator says.
fn sentence(pointer: &str, error: &jsonschema::ValidationError<'_>) -> String {
    let mut path = "settings".to_owned();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let is_index = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        path.extend(if is_index { ["[", &step, "]"] } else { [".", &step, ""] });
    }
    format!("{path}: {}", shortened(&error.to_string()))
}

/// The value that is wrong may be as long as all settings together.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
