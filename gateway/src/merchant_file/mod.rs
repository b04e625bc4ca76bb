//! The merchant file: what a merchant writes down about its programme, read into the domain's words.
//!
//! Reading does no I/O. Whatever the file leans on (environment variables, files of secrets, the connectors and stock plugins
//! there are) comes in by [`Surroundings`]. All that is wrong is told at once, each with its line, what it is and what to do.
//! Errors never repeat a secret, a token or a URL, since those may hold credentials.

mod caps;
mod catalogue;
mod checks;
mod days;
mod entries;
mod reading;
mod rules;
mod secrets;
mod settings;
#[cfg(test)]
mod tests;
mod tiers;
mod wallets;

pub use settings::{schema_problem, settings_problems};

use perkgate_domain::ids::{Digest, InstallationId, PartnerId};
use perkgate_domain::programme::{Caps, Channel, Merchant, Mode, Source};
use reading::{Reading, Section};
use rules::Ground;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// What a merchant file leans on besides its text.
pub trait Surroundings {
    /// The value of an environment variable, if it is set. Asked only for variables made for the file's merchant.
    fn env(&self, name: &str) -> Option<String>;
    /// What a file among a merchant's secrets holds. The name is a file's name and no path.
    ///
    /// # Errors
    /// A sentence that says why there is none and what to do.
    fn secret_file(&self, merchant: &str, name: &str) -> Result<String, String>;
    /// Whether this file may take this merchant's secrets at all: anybody can write a merchant's id into a file.
    ///
    /// # Errors
    /// A sentence that says why not and what to do.
    fn may_take_secrets(&self, merchant: &str) -> Result<(), String>;
    /// The folder the file lies in: paths of plugins are relative to it.
    fn directory(&self) -> &Path;
    /// The platforms there is a connector for, as [`Source::platform`] names them.
    fn platforms(&self) -> &[&str];
    /// The stock plugins, by manifest id.
    fn stock(&self) -> &[&str];
    /// What the platform's connector says about a source; asked only about a source with nothing else wrong.
    ///
    /// # Errors
    /// A sentence that names the key to add or mend, and no secret.
    fn check_source(&self, _source: &Source) -> Result<(), String> {
        Ok(())
    }
}

/// A merchant file that was read without a complaint.
#[derive(Clone, Debug)]
pub struct MerchantFile {
    /// The tenant, with the rules that are no plugin's.
    pub merchant: Merchant,
    /// In the order of the file, ids unique.
    pub sources: Vec<Source>,
    /// In the order of the file, which is the order in which they run; ids unique.
    pub plugins: Vec<Wanted>,
    /// In the order of the file, ids unique.
    pub channels: Vec<Channel>,
}

/// A plugin the merchant wants, before anybody looked at the component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As written, or the plugin's name; a second plugin of one name gets `-2`, a third `-3`.
    pub id: InstallationId,
    /// Which component.
    pub plugin: PluginRef,
    /// The partner it acts for, if any.
    pub partner: Option<PartnerId>,
    /// A JSON object, without floats. Not yet held against the plugin's schema: see [`settings_problems`].
    pub settings: serde_json::Value,
    /// Decisions the merchant lets it make, each one of [`perkgate_domain::manifest::DECISIONS`].
    pub grants: BTreeSet<String>,
    /// What it may give; nothing negative.
    pub caps: Caps,
    /// Whether its decisions count.
    pub mode: Mode,
    /// Where its `[[plugins]]` stands, from 1: for what is found wrong later.
    pub line: usize,
}

/// How a merchant file names a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginRef {
    /// A stock plugin's manifest id.
    Stock(String),
    /// A `.wasm` file, joined to [`Surroundings::directory`].
    File(PathBuf),
    /// A component the gateway already has.
    Digest(Digest),
}

/// Everything that is wrong with a merchant file: `kavarna.toml:12: …`, a line for each problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct MerchantFileError {
    /// As the caller calls the file.
    pub file: String,
    /// At least one, by line.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do, without secrets.
    pub text: String,
}

impl fmt::Display for MerchantFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{}:{}: {}", self.file, problem.line, problem.text)?;
        }
        Ok(())
    }
}

/// Reads a merchant file. `name_of_file` is only for messages.
///
/// # Errors
/// [`MerchantFileError`] with all problems found. A file that is no TOML is not looked at any further.
pub fn parse(
    text: &str,
    name_of_file: &str,
    surroundings: &dyn Surroundings,
) -> Result<MerchantFile, MerchantFileError> {
    let reading = Reading::new(text, surroundings);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let at = error.span().map_or(text.len(), |span| span.start);
        reading.say(reading.line(at), format!("this is not TOML: {}; mend the line first", error.message()));
    }
    let read = if syntax.is_empty() { read_document(document.get_ref(), &reading) } else { None };
    let problems = reading.into_problems();
    match read {
        Some(file) if problems.is_empty() => Ok(file),
        _ => Err(MerchantFileError { file: name_of_file.to_owned(), problems }),
    }
}

/// The id that a file gives its merchant, if it is TOML and gives one: to see whose files there are before any is read.
#[must_use]
pub fn merchant_id(text: &str) -> Option<String> {
    let document = DeTable::parse(text).ok()?;
    let merchant = document.get_ref().get("merchant")?.get_ref().as_table()?;
    Some(merchant.get("id")?.get_ref().as_str()?.to_owned())
}

/// Nothing only if something was said.
fn read_document(document: &DeTable<'_>, reading: &Reading<'_>) -> Option<MerchantFile> {
    let known = &["merchant", "wallets", "tiers", "sources", "plugins", "rewards", "channels"];
    let file = Section::new("the file", 1, document, known, reading);
    let section = file.table("merchant", "[merchant]", entries::MERCHANT_KEYS);
    if !file.has("merchant") {
        reading.say(1, "the file has no [merchant]; add it with id, name, currency, timezone and locale");
    }
    let (merchant, ground) = section.as_ref().map_or_else(|| (None, Ground::default()), entries::merchant);
    let sources = file.tables("sources", "[[sources]]", entries::SOURCE_KEYS);
    let rules = rules::rules(&file, section.as_ref(), &sources, &ground);
    let sources = entries::sources(&sources);
    let plugins = entries::plugins(&file.tables("plugins", "[[plugins]]", entries::PLUGIN_KEYS));
    let channels = entries::channels(&file.tables("channels", "[[channels]]", entries::CHANNEL_KEYS));
    Some(MerchantFile { merchant: Merchant { rules, ..merchant? }, sources, plugins, channels })
}
