//! What stands at one moment: programmes as far as they could be read, plugins as far as they are loaded, and what is missing.

use crate::store::Part;
use perkgate_domain::decision::{Blame, Fault, FaultKind};
use perkgate_domain::ids::{ChannelId, Digest, MerchantId, SourceId};
use perkgate_domain::programme::Programme;
use perkgate_domain::time::Moment;
use perkgate_plugin_host::Plugin;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What stands at one moment.
#[derive(Default)]
pub struct Snapshot {
    /// The store's revision it was read at.
    pub revision: i64,
    /// Rises whenever programmes say something else than before, or something that was left out is back.
    pub generation: u64,
    pub(super) programmes: Arc<Programmes>,
    pub(super) plugins: BTreeMap<Digest, Result<Plugin, Fault>>,
    pub(super) problems: Vec<Problem>,
}

/// Something of a merchant's programme that is left out until it is mended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Whose.
    pub merchant: MerchantId,
    /// Which part: `` source `eshop` ``, `` plugin `points` ``, `programme`.
    pub what: String,
    /// Why, and what to do.
    pub detail: String,
    /// Since when this process knows.
    pub since: Moment,
}

/// Programmes, as far as they read back.
#[derive(Default)]
pub(super) struct Programmes {
    pub(super) whole: HashMap<MerchantId, Arc<Programme>>,
    pub(super) left_out: Vec<LeftOut>,
}

/// A part of a programme that does not read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) merchant: MerchantId,
    pub(super) part: Part,
    pub(super) detail: String,
}

impl LeftOut {
    /// As an operator calls it.
    pub(super) fn what(&self) -> String {
        match &self.part {
            Part::Merchant(_) => "programme".to_owned(),
            Part::Source(id) => format!("source `{id}`"),
            Part::Channel(id) => format!("channel `{id}`"),
            Part::Installation(id) => format!("plugin `{id}`"),
        }
    }
}

impl Snapshot {
    /// A merchant's programme.
    #[must_use]
    pub fn programme(&self, merchant: &MerchantId) -> Option<&Arc<Programme>> {
        self.programmes.whole.get(merchant)
    }
    /// Every merchant.
    pub fn programmes(&self) -> impl Iterator<Item = &Arc<Programme>> {
        self.programmes.whole.values()
    }
    /// A loaded plugin, or why it is not loaded.
    ///
    /// # Errors
    /// The host's [`Fault`]: whatever is wrong with a component, the entry waits until it is there.
    pub fn plugin(&self, digest: Digest) -> Result<&Plugin, Fault> {
        let loaded = self.plugins.get(&digest).map(|loaded| loaded.as_ref().map_err(Clone::clone));
        loaded.unwrap_or_else(|| Err(loading()))
    }
    /// What is left out now, and since when.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
    /// Whether this source is configured and cannot be read: its platform is to send again later.
    #[must_use]
    pub fn leaves_out_source(&self, merchant: &MerchantId, source: &SourceId) -> bool {
        self.parts_of(merchant).any(|part| match part {
            Part::Merchant(_) => true,
            Part::Source(left_out) => left_out == source,
            Part::Channel(_) | Part::Installation(_) => false,
        })
    }
    /// Whether this merchant is there and cannot be read.
    #[must_use]
    pub fn leaves_out(&self, merchant: &MerchantId) -> bool {
        self.parts_of(merchant).any(|part| matches!(part, Part::Merchant(_)))
    }
    /// Channels that are configured and cannot be read: their deliveries wait.
    pub fn left_out_channels(&self) -> impl Iterator<Item = (&MerchantId, &ChannelId)> {
        let left_out = self.programmes.left_out.iter();
        left_out.flat_map(|left_out| channels(&left_out.part).iter().map(|channel| (&left_out.merchant, channel)))
    }
    /// Why entries of this merchant that came by this source cannot be decided yet, if so: deciding them now would leave out what is
    /// only damaged.
    #[must_use]
    pub fn holds_up(&self, merchant: &MerchantId, source: &SourceId) -> Option<String> {
        let wanted = |part: &Part| match part {
            Part::Source(left_out) => left_out == source,
            Part::Installation(_) => true,
            Part::Merchant(_) | Part::Channel(_) => false,
        };
        let mut left_out = self.programmes.left_out.iter();
        let found = left_out.find(|left_out| left_out.merchant == *merchant && wanted(&left_out.part))?;
        Some(format!("{} cannot be read: {}", found.what(), found.detail))
    }

    fn parts_of(&self, merchant: &MerchantId) -> impl Iterator<Item = &Part> {
        let left_out = self.programmes.left_out.iter();
        left_out.filter(move |left_out| left_out.merchant == *merchant).map(|left_out| &left_out.part)
    }

    /// Every component that a programme names.
    pub(super) fn digests(&self) -> BTreeSet<Digest> {
        let installations = self.programmes().flat_map(|programme| &programme.installations);
        installations.map(|installation| installation.digest).collect()
    }
}

fn channels(part: &Part) -> &[ChannelId] {
    match part {
        Part::Merchant(channels) => channels,
        Part::Channel(channel) => std::slice::from_ref(channel),
        Part::Source(_) | Part::Installation(_) => &[],
    }
}

/// The fault of a plugin that is on its way.
pub(super) fn loading() -> Fault {
    host("the component is still being loaded".to_owned())
}

/// A component that is not there is never the plugin's fault: that would settle entries without it.
pub(super) fn host(detail: String) -> Fault {
    Fault { blame: Blame::Host, kind: FaultKind::Load, detail }
}
