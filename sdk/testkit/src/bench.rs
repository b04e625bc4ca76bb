//! One plugin, loaded under the limits of production.

use crate::case::{Case, Happening};
use crate::report::Run;
use perkgate_domain::decision::Verdict;
use perkgate_domain::facts::Facts;
use perkgate_domain::limits::CallLimits;
use perkgate_domain::manifest::{Fact, Manifest};
use perkgate_plugin_host::{Call, Host, HostConfig, HostError, LoadError, Plugin};

/// A plugin ready to be asked.
pub struct Bench {
    plugin: Plugin,
    limits: CallLimits,
}

/// Why a plugin cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The engine does not start on this machine.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The component is none the gateway would run.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Bench {
    /// Loads a component as the gateway would with its default limits.
    pub fn new(component: &[u8]) -> Result<Self, BenchError> {
        let limits = CallLimits::default();
        let host = Host::new(HostConfig { limits, cache_dir: None, cache_key: [0; 32], instances: 1 })?;
        Ok(Self { plugin: host.load(component)?, limits })
    }

    /// The loaded plugin.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// What a call may use, before fuel is added for lines.
    #[must_use]
    pub fn limits(&self) -> &CallLimits {
        &self.limits
    }

    /// Runs one case: as the gateway would, the plugin is told only the facts its manifest asks for.
    #[must_use]
    pub fn run(&self, case: &Case) -> Run {
        let facts = cut(case.facts.clone(), self.plugin.manifest());
        let call = case.happening.call(&case.source);
        let lines = u64::try_from(call.lines().len()).unwrap_or(u64::MAX);
        let fuel_limit = self.limits.fuel.saturating_add(self.limits.fuel_per_line.saturating_mul(lines));
        let handled = self.plugin.handles(call.kind());
        let verdict = handled.then(|| self.plugin.decide(call, &facts));
        Run { kind: call.kind(), verdict, fuel_limit, memory_limit: self.limits.memory_bytes }
    }

    /// Asks the plugin directly, with facts as they are.
    #[must_use]
    pub fn decide(&self, call: Call<'_>, facts: &Facts) -> Verdict {
        self.plugin.decide(call, facts)
    }
}

impl Happening {
    /// As the host takes it.
    #[must_use]
    pub fn call<'a>(&'a self, source: &'a str) -> Call<'a> {
        match self {
            Self::Purchase(purchase) => Call::Purchase { source, purchase },
            Self::Refund(refund, purchase) => Call::Refund { refund, source, purchase },
            Self::Join(join) => Call::Join { source, join },
        }
    }
}

/// Leaves only what the manifest asks for.
fn cut(mut facts: Facts, manifest: &Manifest) -> Facts {
    let asks = |fact| manifest.facts.contains(&fact);
    if !asks(Fact::Member) {
        facts.member = None;
    }
    if !asks(Fact::Balances)
        && let Some(member) = &mut facts.member
    {
        member.balances.clear();
    }
    if !asks(Fact::Memory) {
        facts.memory.clear();
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn manifest(facts: &[Fact]) -> Manifest {
        Manifest {
            id: "x".into(),
            version: "1".into(),
            contract: "1.0".into(),
            title: "X".into(),
            summary: String::new(),
            facts: facts.iter().copied().collect(),
            decisions: std::iter::empty().collect(),
            settings: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_plugin_is_told_only_what_its_manifest_asks_for() {
        let case = Case::parse(
            r#"{"purchase":{"lines":[]},"facts":{"memory":"07","member":{"balances":{"points":{"available":1,"pending":0}}}}}"#,
        );
        let facts = case.expect("a case").facts;
        assert_eq!(cut(facts.clone(), &manifest(&[])).member, None);
        let told = cut(facts.clone(), &manifest(&[Fact::Member]));
        assert_eq!((told.member.expect("told").balances.len(), told.memory.len()), (0, 0));
        let all = [Fact::Member, Fact::Balances, Fact::Memory];
        assert_eq!(cut(facts.clone(), &manifest(&all)), facts);
        assert!(sample::facts()["member"].is_object());
    }
}
