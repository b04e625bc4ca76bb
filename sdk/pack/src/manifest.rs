//! From `plugin.toml` to a manifest; every complaint names the line to mend.

use crate::PackError;
use perkgate_domain::event::WakeCause;
use perkgate_domain::manifest::{Fact, Manifest};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The file as authors write it. [`Manifest`] is what is embedded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginToml {
    id: String,
    version: String,
    contract: String,
    title: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    facts: BTreeSet<Fact>,
    #[serde(default)]
    decisions: BTreeSet<String>,
    #[serde(default)]
    wakes: BTreeSet<WakeCause>,
    settings: Option<toml::Spanned<toml::Value>>,
}

/// Reads `plugin.toml`. `settings` is a table (the JSON Schema itself) or the name of a file that `read` reads.
///
/// # Errors
/// [`PackError`] names the line or the file to mend.
pub fn manifest_toml(text: &str, read: impl FnOnce(&str) -> std::io::Result<String>) -> Result<Manifest, PackError> {
    let file: PluginToml = toml::from_str(text).map_err(|error| PackError::Toml {
        line: line(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let settings = match file.settings {
        None => Value::Null,
        Some(settings) => {
            let line = line(text, settings.span().start);
            match settings.into_inner() {
                toml::Value::String(name) => schema_file(&name, read)?,
                table @ toml::Value::Table(_) => json(table).map_err(|message| PackError::Toml { line, message })?,
                _ => {
                    let message = "`settings` is a table or the name of a JSON Schema file".to_owned();
                    return Err(PackError::Toml { line, message });
                }
            }
        }
    };
    let manifest = Manifest {
        id: file.id,
        version: file.version,
        contract: file.contract,
        title: file.title,
        summary: file.summary,
        facts: file.facts,
        decisions: file.decisions,
        wakes: file.wakes,
        settings,
    };
    manifest.check().map_err(PackError::Manifest)?;
    Ok(manifest)
}

fn schema_file(name: &str, read: impl FnOnce(&str) -> std::io::Result<String>) -> Result<Value, PackError> {
    let refuse = |message: String| PackError::Settings { file: name.to_owned(), message };
    let text = read(name).map_err(|error| refuse(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| refuse(format!("it is no JSON ({error})")))
}

/// The same value as JSON. TOML's dates have no counterpart there, nor have infinities.
fn json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("`{number}` in `settings` is no JSON number"))?,
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(date) => {
            return Err(format!("`{date}` in `settings` is a date, which JSON does not have; write it in quotes"));
        }
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| Ok((key, json(value)?))).collect::<Result<_, String>>()?)
        }
    })
}

/// The line a byte stands on, counted from 1.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
