//! What all entries of a merchant are settled on, made once for a batch.

use crate::civil::Zone;
use crate::decide::Ground;
use crate::ledger::Terms;
use crate::registry::Snapshot;
use perkgate_domain::event::{Kind, WakeCause};
use perkgate_domain::ids::{ChannelId, InstallationId, MerchantId};
use perkgate_domain::manifest::Fact;
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::programme::{Audience, Mode, Programme};
use perkgate_domain::time::Moment;
use std::sync::Arc;

/// One merchant's.
pub(super) struct Field {
    programme: Arc<Programme>,
    zone: Zone,
    channels: Vec<ChannelId>,
    own_channels: Vec<ChannelId>,
    tier_watchers: Vec<InstallationId>,
    /// How many earlier purchases its plugins ask for.
    pub(super) history: usize,
    /// Whether anything is capped by days, months or members.
    pub(super) capped: bool,
}

impl Field {
    pub(super) fn of(merchant: &MerchantId, snapshot: &Snapshot) -> Option<Self> {
        let programme = Arc::clone(snapshot.programme(merchant)?);
        let running = || programme.installations.iter().filter(|installation| installation.mode != Mode::Paused);
        let manifests = || running().filter_map(|one| Some((one, snapshot.plugin(one.digest).ok()?)));
        let tier_watchers = manifests()
            .filter(|(_, plugin)| plugin.handles(Kind::Wake) && plugin.manifest().wakes.contains(&WakeCause::Tier))
            .map(|(installation, _)| installation.id.clone())
            .collect();
        let asked = |fact| manifests().any(|(_, plugin)| plugin.manifest().facts.contains(&fact));
        let history = if asked(Fact::Favourites) {
            perkgate_domain::limits::FAVOURITES_FROM
        } else if asked(Fact::History) {
            perkgate_domain::limits::HISTORY
        } else {
            0
        };
        let rules = &programme.merchant.rules;
        let capped = !rules.caps.is_empty()
            || rules.rewards.values().any(|reward| reward.per_member.is_some())
            || programme.installations.iter().any(|installation| !installation.caps.is_empty());
        let channels_of = |audience| {
            let channels = programme.channels.values().filter(move |channel| channel.audience == audience);
            channels.map(|channel| channel.id.clone()).collect::<Vec<_>>()
        };
        let mut channels: Vec<ChannelId> = channels_of(Audience::Members);
        // Whose messages a channel takes that cannot be read is not known; nearly all take members'.
        channels.extend(snapshot.left_out_channels().filter(|(whose, _)| *whose == merchant).map(|(_, id)| id.clone()));
        Some(Self {
            zone: Zone::named(&programme.merchant.timezone),
            channels,
            own_channels: channels_of(Audience::Merchant),
            tier_watchers,
            history,
            capped,
            programme,
        })
    }

    /// Whether something that happened then is from before the programme began.
    pub(super) fn is_history(&self, at: Moment) -> bool {
        self.programme.merchant.rules.is_history(at)
    }

    pub(super) fn ground(&self) -> Ground<'_> {
        Ground { programme: &self.programme, zone: &self.zone }
    }

    pub(super) fn terms<'a>(&'a self, entry: &QueuedEntry, code_key: &'a [u8; 32], now: Moment) -> Terms<'a> {
        let source = self.programme.sources.get(&entry.source);
        Terms {
            merchant: &self.programme.merchant,
            zone: &self.zone,
            now,
            refund_window_days: source.and_then(|source| source.refund_window_days),
            channels: &self.channels,
            own_channels: &self.own_channels,
            tier_watchers: &self.tier_watchers,
            code_key,
        }
    }

    /// The scopes that what is given at that time may be counted over.
    pub(super) fn scopes(&self, member: &str, at: Moment) -> Vec<String> {
        if !self.capped {
            return Vec::new();
        }
        let date = self.zone.date(at);
        let month = date.get(..7).unwrap_or_default().to_owned();
        vec![format!("{date}/{member}"), date, month, member.to_owned()]
    }
}
