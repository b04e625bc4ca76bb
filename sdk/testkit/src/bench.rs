//! One plugin, loaded under the limits of production.

use crate::case::{Case, Happening};
use crate::report::Run;
use perkgate_domain::decision::Verdict;
use perkgate_domain::facts::Facts;
use perkgate_domain::limits::CallLimits;
use perkgate_domain::manifest::{Fact, Manifest};
use perkgate_plugin_host::{Call, Compiler, Host, HostConfig, HostError, LoadError, Plugin};

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
        Self::compiled_by(Compiler::Here, component)
    }

    /// As [`Bench::new`], of a component that may be anybody's.
    pub fn compiled_by(compiler: Compiler, component: &[u8]) -> Result<Self, BenchError> {
        let limits = CallLimits::default();
        let host = Host::new(HostConfig { limits, cache_dir: None, cache_key: [0; 32], instances: 1, compiler })?;
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
            Self::Profile(profile) => Call::Profile { source, profile },
            Self::Woken(woken) => Call::Wake(woken),
            Self::Answer(answer) => Call::Answer(answer),
            Self::Redemption(taken) => Call::Redemption(perkgate_plugin_host::Taken {
                at: taken.at,
                undone: taken.undone,
                reward: &taken.reward,
                title: &taken.title,
                price: taken.price.as_ref(),
            }),
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
    if !asks(Fact::Birthday) {
        facts.birthday = None;
    }
    if !asks(Fact::Tier) {
        facts.standing = None;
    }
    if !asks(Fact::Referral) {
        facts.referral = None;
    }
    if !asks(Fact::History) {
        facts.history.clear();
    }
    if !asks(Fact::Favourites) {
        facts.favourites.clear();
    }
    if !asks(Fact::Coming) {
        facts.coming.clear();
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(facts: &[Fact]) -> Manifest {
        Manifest {
            id: "x".into(),
            version: "1".into(),
            contract: "1.0".into(),
            title: "X".into(),
            summary: String::new(),
            facts: facts.iter().copied().collect(),
            decisions: std::iter::empty().collect(),
            wakes: std::iter::empty().collect(),
            settings: serde_json::Value::Null,
        }
    }

    /// Facts with something of everything.
    fn everything() -> Facts {
        let case = Case::parse(
            r#"{"purchase":{"lines":[]},"facts":{
                "memory":"07","member":{"balances":{"points":{"available":1,"pending":0}}},"birthday":{},"standing":{},
                "referral":{},"history":[{}],"favourites":[{}],"coming":[{}]}}"#,
        );
        case.expect("a case").facts
    }

    /// Which facts are there.
    fn told(facts: &Facts) -> Vec<Fact> {
        let member = facts.member.as_ref();
        let there = [
            (Fact::Member, member.is_some()),
            (Fact::Balances, member.is_some_and(|member| !member.balances.is_empty())),
            (Fact::Memory, !facts.memory.is_empty()),
            (Fact::Birthday, facts.birthday.is_some()),
            (Fact::Tier, facts.standing.is_some()),
            (Fact::Referral, facts.referral.is_some()),
            (Fact::History, !facts.history.is_empty()),
            (Fact::Favourites, !facts.favourites.is_empty()),
            (Fact::Coming, !facts.coming.is_empty()),
        ];
        there.into_iter().filter_map(|(fact, there)| there.then_some(fact)).collect()
    }

    #[test]
    fn a_plugin_is_told_only_what_its_manifest_asks_for() {
        let all = told(&everything());
        assert_eq!(all.len(), 9, "every fact there is");
        assert_eq!(told(&cut(everything(), &manifest(&[]))), []);
        assert_eq!(cut(everything(), &manifest(&all)), everything());
        for fact in &all {
            // Balances are a part of the member.
            let asked = if *fact == Fact::Balances { vec![Fact::Member, *fact] } else { vec![*fact] };
            assert_eq!(told(&cut(everything(), &manifest(&asked))), asked);
            let others: Vec<Fact> = all.iter().copied().filter(|other| !asked.contains(other)).collect();
            let expected: Vec<Fact> =
                others.iter().copied().filter(|other| *fact != Fact::Member || *other != Fact::Balances).collect();
            assert_eq!(told(&cut(everything(), &manifest(&others))), expected);
        }
        let mut bare = everything();
        bare.member = None;
        assert!(cut(bare, &manifest(&[Fact::Member, Fact::Balances])).member.is_none());
    }
}
