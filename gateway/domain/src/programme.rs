//! A merchant's programme as it stands: sources, installations, channels.

use crate::ids::{ChannelId, Digest, InstallationId, MerchantId, PartnerId, SourceId};
use crate::money::Currency;
use crate::rules::Rules;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    /// Lower-case letters, digits and dashes.
    pub id: MerchantId,
    /// As customers know it.
    pub name: String,
    /// What `spent` and settings are counted in.
    pub currency: Currency,
    /// IANA time zone: what "today" and "17:00" mean.
    pub timezone: String,
    /// Language of messages to members whose own is not known.
    pub locale: String,
    /// ISO 3166 country, which phone numbers without a country code are read in.
    pub country: Option<String>,
    /// Where members reach this gateway: what links in messages begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The rules of the programme that are no plugin's.
    #[serde(default, skip_serializing_if = "Rules::is_default")]
    pub rules: Rules,
}

/// One connected platform endpoint. Holds secrets: sealed at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Within the merchant.
    pub id: SourceId,
    /// Which connector.
    pub platform: String,
    /// Any of them may sign; several while rotating.
    pub secrets: Vec<String>,
    /// The public URL, for platforms that sign it.
    pub url: Option<String>,
    /// How to ask the platform, where a webhook does not say everything.
    pub api: Option<SourceApi>,
    /// The connector's own options: field mapping, event family.
    pub options: serde_json::Map<String, serde_json::Value>,
    /// Takes the platform's test-mode events (and only those).
    pub test: bool,
    /// Takes nothing.
    pub paused: bool,
    /// For how long the platform lets money be given back: what matures at the end of the refund window waits so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_window_days: Option<u32>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("id", &self.id)
            .field("platform", &self.platform)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// Credentials for a platform's API.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceApi {
    /// Bearer token, API key, or `key:secret`, as the platform wants it.
    pub token: String,
    /// Where the API is, if not at the platform's public address.
    #[serde(default)]
    pub base: Option<String>,
}

/// A plugin in a merchant's programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Within the merchant.
    pub id: InstallationId,
    /// The component.
    pub digest: Digest,
    /// The partner it acts for, if any.
    pub partner: Option<PartnerId>,
    /// JSON text.
    pub settings: String,
    /// Rises when settings or digest change.
    pub settings_revision: i64,
    /// Decisions the merchant lets it make.
    pub grants: BTreeSet<String>,
    /// What it may give.
    pub caps: Caps,
    /// Whether its decisions count.
    pub mode: Mode,
}

/// What may be given, by wallet. A verdict beyond a cap is refused whole.
pub type Caps = BTreeMap<String, WalletCaps>;

/// What may be given of one wallet, whole units. Days and months are the merchant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletCaps {
    /// For one entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_purchase: Option<i64>,
    /// To one member in a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_member_day: Option<i64>,
    /// To all members in a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<i64>,
    /// To all members in a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<i64>,
    /// Ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

/// Whether an installation's decisions count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They do.
    #[default]
    Live,
    /// It is run and its decisions are stored, and nothing follows from them.
    Shadow,
    /// It is not run.
    Paused,
}

/// A way out for messages. Holds secrets: sealed at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Within the merchant.
    pub id: ChannelId,
    /// Whose messages it takes.
    #[serde(default)]
    pub audience: Audience,
    /// What it is.
    pub kind: ChannelKind,
}

/// Whose messages a channel takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Those to members.
    #[default]
    Members,
    /// Those to the merchant: tasks.
    Merchant,
}

/// The kinds of channel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// A POST signed as Standard Webhooks.
    Webhook {
        /// Where to.
        url: String,
        /// `whsec_` and base64.
        secret: String,
    },
    /// Mail.
    Email {
        /// `smtp://host:port`, `smtps://user:password@host`.
        smtp: String,
        /// The sender's address.
        from: String,
        /// The merchant's own address, for tasks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            ChannelKind::Webhook { .. } => "webhook",
            ChannelKind::Email { .. } => "email",
        };
        f.debug_struct("Channel").field("id", &self.id).field("kind", &kind).finish_non_exhaustive()
    }
}

/// Everything about one merchant that a room may need to look up.
#[derive(Clone, Debug)]
pub struct Programme {
    /// The tenant.
    pub merchant: Merchant,
    /// By id.
    pub sources: BTreeMap<SourceId, Source>,
    /// In the order in which they run.
    pub installations: Vec<Installation>,
    /// By id.
    pub channels: BTreeMap<ChannelId, Channel>,
}
