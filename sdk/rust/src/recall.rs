//! What a rule remembers about a member, as JSON: readable, and a later version of the plugin can add to it.
//!
//! The gateway keeps 4,096 bytes for each installation and member and hands them back as `facts.memory`. They stand until the rule
//! remembers something else.

use crate::{Decision, Facts, Refusal};
use serde::Serialize;
use serde::de::DeserializeOwned;

impl Facts {
    /// What was remembered by [`Decision::remember`]. Nothing, or something that is no such memory, reads as the default.
    #[must_use]
    pub fn recall<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_slice(&self.memory).unwrap_or_default()
    }
}

impl Decision {
    /// Remembers this as JSON from now on, in place of what was remembered.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if it cannot be written as JSON, as a map whose keys are no texts.
    pub fn remember<T: Serialize>(memory: &T) -> Result<Self, Refusal> {
        serde_json::to_vec(memory)
            .map(Self::Remember)
            .map_err(|error| Refusal::broken(format!("the memory cannot be written: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    struct Seen {
        visits: u32,
        last: Option<String>,
    }

    #[test]
    fn what_is_remembered_is_recalled() {
        let mut facts = sample::facts();
        assert_eq!(facts.recall::<Seen>(), Seen::default());
        let seen = Seen { visits: 3, last: Some("till".to_owned()) };
        let Ok(Decision::Remember(bytes)) = Decision::remember(&seen) else { panic!("remembers") };
        facts.memory = bytes;
        assert_eq!(facts.recall::<Seen>(), seen);
    }

    #[test]
    fn a_foreign_memory_says_nothing() {
        for memory in [&[1, 2, 3][..], b"[]", b"{\"visits\":\"many\"}"] {
            let facts = Facts { memory: memory.to_vec(), ..sample::facts() };
            assert_eq!(facts.recall::<Seen>(), Seen::default());
        }
        let facts = Facts { memory: b"{\"visits\":2,\"new\":1}".to_vec(), ..sample::facts() };
        assert_eq!(facts.recall::<Seen>().visits, 2);
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        assert!(matches!(Decision::remember(&BTreeMap::from([((1, 2), 3)])), Err(Refusal::Broken(_))));
    }
}
