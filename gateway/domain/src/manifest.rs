//! What a plugin says about itself: read from the component without running it.

use crate::event::WakeCause;
use crate::schema;
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
    /// Why it is called besides having asked: `installed`, `tier`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub wakes: BTreeSet<WakeCause>,
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
    /// The day they were born on, without the year.
    Birthday,
    /// How they stand in the merchant's tiers.
    Tier,
    /// What they tell friends, and whether somebody brought them.
    Referral,
    /// Their latest purchases: read from the journal for each entry of this plugin.
    History,
    /// What they buy most often: as `history`, and the purchases' lines are read too.
    Favourites,
    /// What matures or expires next.
    Coming,
}

/// Decisions this gateway carries out.
pub const DECISIONS: &[&str] =
    &["earn", "spend", "reward", "offer", "tier", "tag", "message", "wake", "task", "ask", "remember"];

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
        if self.wakes.contains(&WakeCause::Asked) {
            return Err(
                "`wakes` names \"asked\": what a plugin asks for itself needs no line there; add \"wake\" to `decisions`".to_owned()
            );
        }
        if !(self.settings.is_null() || self.settings.is_object()) {
            return Err("`settings` is a JSON Schema: a table".to_owned());
        }
        schema::check(&self.settings).map_err(|why| format!("`settings`, a JSON Schema: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            id: "birthday".into(),
            version: "1.0.0".into(),
            contract: CONTRACT.into(),
            title: "Birthdays".into(),
            summary: String::new(),
            facts: BTreeSet::from([Fact::Member]),
            decisions: BTreeSet::from(["wake".to_owned()]),
            wakes: BTreeSet::from([WakeCause::Installed, WakeCause::Tier]),
            settings: serde_json::Value::Null,
        }
    }

    /// The complaint about a manifest that was changed in one place.
    fn says(change: impl FnOnce(&mut Manifest)) -> String {
        let mut changed = manifest();
        change(&mut changed);
        changed.check().expect_err("a mistake")
    }

    #[test]
    fn a_good_manifest_reads_back() {
        let good = manifest();
        assert_eq!(good.check(), Ok(()));
        let json = serde_json::to_value(&good).expect("JSON");
        assert_eq!(json["wakes"], serde_json::json!(["installed", "tier"]));
        assert_eq!(serde_json::from_value::<Manifest>(json).expect("a manifest"), good);
    }

    #[test]
    fn whoever_wakes_for_nothing_has_no_such_key() {
        let mut quiet = manifest();
        quiet.wakes.clear();
        let json = serde_json::to_value(&quiet).expect("JSON");
        assert!(json.get("wakes").is_none(), "what was embedded before there were wakes reads as before");
        assert_eq!(serde_json::from_value::<Manifest>(json).expect("a manifest"), quiet);
    }

    #[test]
    fn a_mistake_is_named() {
        assert!(says(|it| it.id = "Birthday".into()).contains("lower-case"));
        assert!(says(|it| it.id = String::new()).contains("1 to 64"));
        assert!(says(|it| it.contract = "2.0".into()).contains("2.0"));
        assert!(says(|it| it.decisions = BTreeSet::from(["wish".into()])).contains("\"wish\""));
        assert!(says(|it| it.facts = BTreeSet::from([Fact::Balances])).contains("add \"member\""));
        assert!(says(|it| it.settings = serde_json::json!([])).contains("a table"));
        assert!(says(|it| it.settings = serde_json::json!({"$ref": "https://example.com"})).contains("JSON Schema"));
        let asked = says(|it| it.wakes = BTreeSet::from([WakeCause::Asked, WakeCause::Tier]));
        assert!(asked.contains("\"asked\"") && asked.contains("\"wake\""), "{asked}");
    }

    #[test]
    fn every_decision_there_is_may_be_asked_for() {
        for name in DECISIONS {
            let mut asking = manifest();
            asking.decisions = BTreeSet::from([(*name).to_owned()]);
            assert_eq!(asking.check(), Ok(()), "{name}");
        }
    }
}
