//! What a plugin says about itself: read from the component without running it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `plugin.toml`, as it is embedded in the component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Lower-case letters, digits and dashes: `points-per-spend`.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    /// The contract it is built for: `1.0`.
    pub contract: String,
    /// One line for a list.
    pub title: String,
    /// A sentence or two for whoever considers it.
    #[serde(default)]
    pub summary: String,
    /// The facts it asks for.
    #[serde(default)]
    pub facts: BTreeSet<Fact>,
    /// The decisions it asks to make, by [`crate::decision::Decision::name`].
    #[serde(default)]
    pub decisions: BTreeSet<String>,
    /// JSON Schema of its settings.
    #[serde(default)]
    pub settings: serde_json::Value,
}

/// A fact that is only given to plugins that ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Who the member is to this programme: visits, spend, tier, tags, language, consent.
    Member,
    /// What the member has in each wallet. Asks for `member` too.
    Balances,
    /// What the installation remembered about this member.
    Memory,
}

/// Decisions this gateway carries out.
pub const DECISIONS: &[&str] = &["earn", "spend", "reward", "offer", "tier", "tag", "message", "remember"];

/// The contract this gateway serves.
pub const CONTRACT: &str = "1.0";

impl Manifest {
    /// Checks what can be checked without the component.
    ///
    /// # Errors
    /// A sentence that names the line of `plugin.toml` to mend.
    pub fn check(&self) -> Result<(), String> {
        let id_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(id_byte) {
            return Err(format!("`id = \"{}\"`: an id has 1 to 64 lower-case letters, digits and dashes", self.id));
        }
        if self.contract != CONTRACT {
            return Err(format!("`contract = \"{}\"`: this gateway serves contract \"{CONTRACT}\"", self.contract));
        }
        if let Some(unknown) = self.decisions.iter().find(|name| !DECISIONS.contains(&name.as_str())) {
            return Err(format!(
                "`decisions` asks for \"{unknown}\", which this gateway does not carry out; it knows {}",
                DECISIONS.join(", ")
            ));
        }
        if self.facts.contains(&Fact::Balances) && !self.facts.contains(&Fact::Member) {
            return Err("`facts` asks for \"balances\" without \"member\": add \"member\"".to_owned());
        }
        if !(self.settings.is_null() || self.settings.is_object()) {
            return Err("`settings` is a JSON Schema: a table".to_owned());
        }
        Ok(())
    }
}
