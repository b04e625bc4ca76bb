//! Programmes as they are stored: rows in, rows out, and what of them does not read back.

use perkgate_domain::ids::{ChannelId, Digest, InstallationId, MerchantId, SourceId};
use perkgate_domain::programme::{Installation, Merchant};

/// A sealed document and its id.
#[derive(Clone, Debug)]
pub struct SealedRow {
    /// Of the source or channel.
    pub id: String,
    /// The document.
    pub sealed: Vec<u8>,
}

/// One programme as stored.
#[derive(Clone, Debug)]
pub struct ProgrammeRows {
    /// The tenant.
    pub merchant: Merchant,
    /// Sealed `Source`s.
    pub sources: Vec<SealedRow>,
    /// Sealed `Channel`s.
    pub channels: Vec<SealedRow>,
    /// In the order in which they run.
    pub installations: Vec<InstallationRow>,
    /// The merchant file that it was applied from, if it was one.
    pub file: Option<String>,
}

/// Every programme as it stands, as far as it reads back. What does not takes nothing else with it.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Without what is damaged.
    pub programmes: Vec<ProgrammeRows>,
    /// What is missing there.
    pub damaged: Vec<DamagedRow>,
}

/// A row of a programme that does not read back.
#[derive(Clone, Debug)]
pub struct DamagedRow {
    /// Whose.
    pub merchant: MerchantId,
    /// Which row.
    pub part: Part,
    /// Why.
    pub detail: String,
}

/// A part of a merchant's programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it: the merchant's own document. These are its channels.
    Merchant(Vec<ChannelId>),
    /// One source.
    Source(SourceId),
    /// One channel.
    Channel(ChannelId),
    /// One installation.
    Installation(InstallationId),
}

/// An installation as stored.
#[derive(Clone, Debug)]
pub struct InstallationRow {
    /// As everybody else knows it. When applying, `settings_revision` is ignored: the store raises it on change.
    pub installation: Installation,
    /// The plugin's own id.
    pub plugin_id: String,
    /// Whether it is called once for every member there is, when it is new.
    pub enrols: bool,
}

/// A component to keep.
#[derive(Clone, Debug)]
pub struct PluginRow {
    /// Of the bytes.
    pub digest: Digest,
    /// From the manifest.
    pub plugin_id: String,
    /// From the manifest.
    pub version: String,
    /// The bytes.
    pub component: Vec<u8>,
}
