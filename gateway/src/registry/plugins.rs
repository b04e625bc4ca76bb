//! Components on their way to being plugins: each is loaded once, in the background, and one that fails is not loaded again for
//! nothing.

use super::snapshot::{host, loading};
use crate::store::Store;
use perkgate_domain::decision::Fault;
use perkgate_domain::ids::Digest;
use perkgate_domain::time::Moment;
use perkgate_plugin_host::{Host, Plugin};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long a component that failed for a reason of ours is left alone: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));

/// What is known of each component that a programme names.
#[derive(Default)]
pub(super) struct Plugins {
    slots: BTreeMap<Digest, Slot>,
}

#[derive(Default)]
struct Slot {
    /// A load is under way.
    loading: bool,
    state: State,
}

#[derive(Default)]
enum State {
    /// It was never loaded.
    #[default]
    New,
    Loaded(Plugin),
    Failed(Failure),
}

/// A component that did not load.
struct Failure {
    detail: String,
    since: Moment,
    /// Ours to repeat: missing, damaged, no room. Anything else would come to the same.
    passing: bool,
    /// There was compiled code of it all the same.
    compiled: bool,
    tries: u32,
    next: Instant,
}

/// What loading a component came to.
pub(super) type Loaded = Result<Plugin, NotLoaded>;

/// Why it did not load.
pub(super) struct NotLoaded {
    detail: String,
    passing: bool,
    compiled: bool,
}

impl Plugins {
    /// Forgets components that no programme names any more, and answers which of the others are to be loaded now: new ones, those
    /// whose time to be tried again has come, those in `asked`, and those of which compiled code has turned up.
    pub(super) fn wanted(
        &mut self,
        named: &BTreeSet<Digest>,
        asked: &BTreeSet<Digest>,
        now: Instant,
        is_compiled: impl Fn(Digest) -> bool,
    ) -> Vec<Digest> {
        self.slots.retain(|digest, _| named.contains(digest));
        let mut wanted = Vec::new();
        for digest in named {
            let slot = self.slots.entry(*digest).or_default();
            let load = !slot.loading
                && match &slot.state {
                    State::New => true,
                    State::Loaded(_) => false,
                    State::Failed(failure) if failure.passing => now >= failure.next || asked.contains(digest),
                    State::Failed(failure) => asked.contains(digest) || (!failure.compiled && is_compiled(*digest)),
                };
            if load {
                slot.loading = true;
                wanted.push(*digest);
            }
        }
        wanted
    }

    /// Takes in what loading came to. A component that no programme names any more is let go.
    pub(super) fn loaded(&mut self, digest: Digest, loaded: Loaded, at: Moment, now: Instant) {
        let Some(slot) = self.slots.get_mut(&digest) else { return };
        slot.loading = false;
        slot.state = match loaded {
            Ok(plugin) => State::Loaded(plugin),
            Err(NotLoaded { detail, passing, compiled }) => {
                let (since, tries) = match &slot.state {
                    State::Failed(before) => (before.since, before.tries.saturating_add(1)),
                    State::New | State::Loaded(_) => (at, 0),
                };
                let wait = (AGAIN.0 * 2_u32.saturating_pow(tries.min(10))).min(AGAIN.1);
                State::Failed(Failure { detail, since, passing, compiled, tries, next: now + wait })
            }
        };
    }

    /// As snapshots have them.
    pub(super) fn snapshot(&self) -> BTreeMap<Digest, Result<Plugin, Fault>> {
        let told = |slot: &Slot| match &slot.state {
            State::New => Err(loading()),
            State::Loaded(plugin) => Ok(plugin.clone()),
            State::Failed(failure) => Err(host(failure.detail.clone())),
        };
        self.slots.iter().map(|(digest, slot)| (*digest, told(slot))).collect()
    }

    /// Why a component is not loaded, and since when; none if it is, or is on its way for the first time.
    pub(super) fn failure(&self, digest: Digest) -> Option<(&str, Moment)> {
        match &self.slots.get(&digest)?.state {
            State::Failed(failure) => Some((&failure.detail, failure.since)),
            State::New | State::Loaded(_) => None,
        }
    }
}

/// Reads a component from the store and makes it ready. Compiling may take as long as its limit: off the async threads.
pub(super) async fn load(store: &dyn Store, plugin_host: &Host, digest: Digest) -> Loaded {
    let passing = |detail: String| NotLoaded { detail, passing: true, compiled: false };
    let again = "apply the merchant file again";
    let component = match store.component(digest).await {
        Ok(Some(component)) => component,
        Ok(None) => return Err(passing(format!("the component is not in the database; {again}"))),
        Err(error) => return Err(passing(format!("the component cannot be read: {error}"))),
    };
    if Digest::of(&component) != digest {
        return Err(passing(format!(
            "the component was changed in the database: its bytes have another digest; {again}"
        )));
    }
    let in_thread = plugin_host.clone();
    match tokio::task::spawn_blocking(move || in_thread.load(&component)).await {
        Ok(Ok(plugin)) => Ok(plugin),
        Ok(Err(error)) => {
            let compiled = plugin_host.keeps(digest);
            Err(NotLoaded { detail: error.to_string(), passing: error.is_passing(), compiled })
        }
        Err(error) => Err(passing(format!("loading it stopped its thread: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Moment = Moment(1_795_000_000_000);

    fn failed(passing: bool) -> Loaded {
        Err(NotLoaded { detail: "it does not load".to_owned(), passing, compiled: false })
    }

    /// Which of one component are to be loaded, so many seconds later.
    fn wanted(plugins: &mut Plugins, digest: Digest, asked: bool, compiled: bool, now: Instant) -> bool {
        let named = BTreeSet::from([digest]);
        let asked = if asked { named.clone() } else { BTreeSet::new() };
        plugins.wanted(&named, &asked, now, |_| compiled) == [digest]
    }

    #[test]
    fn a_component_is_loaded_once() {
        let (mut plugins, digest, now) = (Plugins::default(), Digest::of(b"a"), Instant::now());
        assert!(wanted(&mut plugins, digest, false, false, now));
        assert!(!wanted(&mut plugins, digest, true, true, now), "it is on its way");
        assert!(plugins.snapshot()[&digest].as_ref().is_err_and(|fault| fault.detail.contains("still")));
        assert_eq!(plugins.failure(digest), None);
        // Nobody names it any more when it arrives.
        assert!(plugins.wanted(&BTreeSet::new(), &BTreeSet::new(), now, |_| false).is_empty());
        plugins.loaded(digest, failed(false), AT, now);
        assert!(plugins.snapshot().is_empty());
    }

    #[test]
    fn one_that_is_no_good_is_loaded_again_only_when_asked() {
        let (mut plugins, digest, now) = (Plugins::default(), Digest::of(b"a"), Instant::now());
        let later = now + Duration::from_hours(1);
        assert!(wanted(&mut plugins, digest, false, false, now));
        plugins.loaded(digest, failed(false), AT, now);
        assert_eq!(plugins.failure(digest), Some(("it does not load", AT)));
        assert!(!wanted(&mut plugins, digest, false, false, later));
        assert!(wanted(&mut plugins, digest, true, false, later), "its merchant file was applied");
        plugins.loaded(digest, failed(false), AT.plus_ms(9), later);
        assert_eq!(plugins.failure(digest), Some(("it does not load", AT)), "since the first time");
        assert!(wanted(&mut plugins, digest, false, true, later), "somebody compiled it");
        // That did not help: what is wrong is something else.
        let misfit = NotLoaded { detail: "it does not fit".to_owned(), passing: false, compiled: true };
        plugins.loaded(digest, Err(misfit), AT, later);
        assert!(!wanted(&mut plugins, digest, false, true, later));
    }

    #[test]
    fn what_is_our_fault_is_tried_again_after_a_growing_wait() {
        let (mut plugins, digest, mut now) = (Plugins::default(), Digest::of(b"a"), Instant::now());
        assert!(wanted(&mut plugins, digest, false, false, now));
        for wait in [2, 4, 8, 16, 32, 60, 60] {
            plugins.loaded(digest, failed(true), AT, now);
            assert!(!wanted(&mut plugins, digest, false, true, now + Duration::from_millis(wait * 1_000 - 1)));
            now += Duration::from_secs(wait);
            assert!(wanted(&mut plugins, digest, false, false, now), "after {wait} s");
        }
    }
}
