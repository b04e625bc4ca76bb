//! A merchant file into the database: everything is checked before anything is written, and applying it twice changes nothing.

mod around;
mod changes;
mod components;
#[cfg(test)]
mod tests;

pub use around::Given;
pub use components::{is_applied, load_plugins};

use crate::files;
use crate::merchant_file::{self, MerchantFile, MerchantFileError, PluginRef, Wanted};
use crate::notify;
use crate::registry::sealing_context;
use crate::stock;
use crate::store::{Actor, InstallationRow, PluginRow, ProgrammeRows, SealedRow, Store, StoreError};
use crate::vault::Vault;
use around::{AroundFile, Whose};
use perkgate_domain::event::{Kind, WakeCause};
use perkgate_domain::ids::MerchantId;
use perkgate_domain::limits::{COMPONENT_BYTES, MERCHANT_FILE_BYTES};
use perkgate_domain::manifest::Manifest;
use perkgate_domain::programme::{Channel, Installation, Merchant, Source};
use perkgate_domain::time::Moment;
use perkgate_pack::Inspection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Why a merchant file is not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file cannot be read.
    #[error("cannot read the merchant file {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file itself.
    #[error(transparent)]
    File(#[from] MerchantFileError),
    /// The operator says that it is of another merchant than it says itself.
    #[error(
        "{file} says that it is of the merchant `{says}`, and it is to be of `{wanted}`: nothing is applied. Correct `id` of [merchant], \
         or name the merchant that it is of"
    )]
    OtherMerchant {
        /// Which file.
        file: String,
        /// In the file.
        says: String,
        /// By the operator's word, or its name.
        wanted: String,
    },
    /// It would replace a programme that came from another file.
    #[error(
        "{file} says that it is of the merchant `{merchant}`, whose programme came from {before}: one file does not replace \
         another's programme by accident. If it is {merchant}'s, call it {merchant}.toml or apply it with `perkgate apply FILE \
         --merchant {merchant}`; else correct `id` of [merchant]"
    )]
    OtherFile {
        /// Which file.
        file: String,
        /// Whose programme.
        merchant: String,
        /// The file that it came from.
        before: String,
    },
    /// What the file names.
    #[error("{file}:{line}: {text}")]
    Plugin {
        /// Which file.
        file: String,
        /// Which line.
        line: usize,
        /// What is wrong and what to do.
        text: String,
    },
    /// A channel that could not send.
    #[error("{file}: channel `{channel}`: {text}")]
    Channel {
        /// Which file.
        file: String,
        /// Which channel.
        channel: String,
        /// What is wrong and what to do.
        text: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document that cannot be written as JSON.
    #[error("the programme cannot be written: {0}")]
    Document(#[from] serde_json::Error),
}

/// A merchant file, checked, with every component at hand.
#[derive(Debug)]
pub struct Prepared {
    /// The tenant.
    pub merchant: Merchant,
    /// What is not wrong enough to refuse the file, in sentences for the operator.
    pub warnings: Vec<String>,
    sources: Vec<Source>,
    channels: Vec<Channel>,
    installations: Vec<InstallationRow>,
    plugins: Vec<PluginRow>,
    /// Where the merchant file names each plugin.
    named: Vec<components::Named>,
    file: Option<String>,
    whose: Whose,
}

impl Prepared {
    /// The sources, secrets included: for the demo and tests, which act as the platforms.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}

/// Reads and checks a merchant file and everything it names.
///
/// # Errors
/// [`ApplyError`] names file, line, what is wrong and what to do.
pub async fn prepare(given: &Given<'_>, store: &dyn Store) -> Result<Prepared, ApplyError> {
    let path = given.path;
    let unread = |source| ApplyError::Read { path: path.to_owned(), source };
    let text = files::read_text(path, MERCHANT_FILE_BYTES).map_err(unread)?;
    let name = path.display().to_string();
    if let (Some(wanted), Some(says)) = (given.merchant, merchant_file::merchant_id(&text))
        && wanted != says
    {
        return Err(ApplyError::OtherMerchant { file: name, says, wanted: wanted.to_owned() });
    }
    let directory = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
    let whose = Whose::file(given);
    let around = AroundFile::new(directory, given.secrets, whose.clone());
    let prepared = prepare_around(&text, &name, around, store).await?;
    // Where it is, whatever directory the next command is run in. Links stay: what they lead to changes with every update.
    let place = std::path::absolute(path).map_err(unread)?;
    Ok(Prepared { file: Some(place.display().to_string()), whose, ..prepared })
}

/// As [`prepare`], for a text that is in no file and that the program itself wrote.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_text(
    text: &str,
    name: &str,
    directory: PathBuf,
    store: &dyn Store,
) -> Result<Prepared, ApplyError> {
    prepare_around(text, name, AroundFile::new(directory, None, Whose::AsItSays), store).await
}

async fn prepare_around(text: &str, name: &str, around: AroundFile, store: &dyn Store) -> Result<Prepared, ApplyError> {
    let file = merchant_file::parse(text, name, &around)?;
    let warnings = around.into_warnings();
    let MerchantFile { merchant, sources, plugins: wanted, channels } = file;
    for channel in &channels {
        notify::check(&channel.kind).map_err(|text| ApplyError::Channel {
            file: name.to_owned(),
            channel: channel.id.to_string(),
            text,
        })?;
    }
    let (mut installations, mut plugins, mut named) = (Vec::with_capacity(wanted.len()), Vec::new(), Vec::new());
    for wanted in wanted {
        named.push(components::Named { file: name.to_owned(), line: wanted.line });
        let wrong = |text: String| ApplyError::Plugin { file: name.to_owned(), line: wanted.line, text };
        let component = component(&wanted.plugin, store).await?.map_err(wrong)?;
        let inspection = perkgate_pack::inspect(&component).map_err(|error| wrong(error.to_string()))?;
        let settings = checked_settings(&wanted, &inspection).map_err(wrong)?;
        let manifest = inspection.manifest;
        plugins.push(PluginRow {
            digest: inspection.digest,
            plugin_id: manifest.id.clone(),
            version: manifest.version.clone(),
            component,
        });
        let installation = Installation {
            id: wanted.id,
            digest: inspection.digest,
            partner: wanted.partner,
            settings,
            settings_revision: 0,
            grants: wanted.grants,
            caps: wanted.caps,
            mode: wanted.mode,
        };
        let enrols = manifest.wakes.contains(&WakeCause::Installed) && inspection.exports.contains(&Kind::Wake);
        installations.push(InstallationRow { installation, plugin_id: manifest.id, enrols });
    }
    let (file, whose) = (None, Whose::AsItSays);
    Ok(Prepared { merchant, warnings, sources, channels, installations, plugins, named, file, whose })
}

/// The bytes a merchant file means by a plugin's name, path or digest.
async fn component(plugin: &PluginRef, store: &dyn Store) -> Result<Result<Vec<u8>, String>, StoreError> {
    Ok(match plugin {
        PluginRef::Stock(id) => stock::find(id)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| format!("there is no stock plugin `{id}`; there are {}", stock::ids().join(", "))),
        PluginRef::File(path) => files::read(path, COMPONENT_BYTES).map_err(|error| {
            format!("cannot read the plugin {}: {error}; `perkgate plugin build` makes it", path.display())
        }),
        PluginRef::Digest(digest) => store.component(*digest).await?.ok_or_else(|| {
            format!("no plugin {digest} was ever applied to this database; name the .wasm file instead")
        }),
    })
}

/// Settings that fit the plugin's schema, as JSON text; grants that the plugin asks for.
fn checked_settings(wanted: &Wanted, inspection: &Inspection) -> Result<String, String> {
    let manifest: &Manifest = &inspection.manifest;
    let problems = merchant_file::settings_problems(&manifest.settings, &wanted.settings);
    if !problems.is_empty() {
        return Err(format!("the settings of `{}` do not fit its schema: {}", wanted.id, problems.join("; ")));
    }
    if let Some(idle) = wanted.grants.iter().find(|grant| !manifest.decisions.contains(*grant)) {
        let asked: Vec<&str> = manifest.decisions.iter().map(String::as_str).collect();
        return Err(format!(
            "`grants` of `{}` names \"{idle}\", which {} does not ask for; it asks for {}",
            wanted.id,
            manifest.id,
            asked.join(", ")
        ));
    }
    serde_json::to_string(&wanted.settings).map_err(|error| error.to_string())
}

/// Writes a prepared programme, and into the audit log who did it. Answers whether anything changed.
///
/// # Errors
/// [`ApplyError::Store`], or [`ApplyError::OtherFile`] if it would replace a programme that is not its to replace.
pub async fn apply(
    prepared: &Prepared,
    store: &dyn Store,
    vault: &Vault,
    by: &Actor,
    now: Moment,
) -> Result<bool, ApplyError> {
    if !may_replace(prepared, store, vault).await? && components::are_whole(prepared, store).await? {
        return Ok(false);
    }
    let merchant = &prepared.merchant.id;
    let stored = store.programmes().await?.into_iter().find(|rows| rows.merchant.id == *merchant);
    let note = changes::note(prepared, stored.as_ref(), vault, by, now);
    let programme = ProgrammeRows {
        merchant: prepared.merchant.clone(),
        sources: seal_all(
            vault,
            merchant,
            "source",
            prepared.sources.iter().map(|source| (source.id.as_str(), source)),
        )?,
        channels: seal_all(
            vault,
            merchant,
            "channel",
            prepared.channels.iter().map(|channel| (channel.id.as_str(), channel)),
        )?,
        installations: prepared.installations.clone(),
        file: prepared.file.clone(),
    };
    store.apply(&programme, &prepared.plugins, &note).await?;
    Ok(true)
}

/// Whether writing the programme would change anything.
///
/// # Errors
/// [`ApplyError::OtherFile`] if it would replace a programme that is not its to replace.
pub async fn may_replace(prepared: &Prepared, store: &dyn Store, vault: &Vault) -> Result<bool, ApplyError> {
    let merchant = &prepared.merchant.id;
    let stored = store.programmes().await?.into_iter().find(|rows| rows.merchant.id == *merchant);
    let Some(rows) = stored else { return Ok(true) };
    let (its_own, same_file) = (prepared.whose.is(merchant.as_str()), rows.file == prepared.file);
    if is_same(prepared, &rows, vault) && (same_file || !its_own) {
        return Ok(false);
    }
    if its_own || same_file {
        return Ok(true);
    }
    Err(ApplyError::OtherFile {
        file: prepared.file.clone().unwrap_or_default(),
        merchant: merchant.to_string(),
        before: rows.file.unwrap_or_else(|| "elsewhere".to_owned()),
    })
}

fn seal_all<'a, T: Serialize + 'a>(
    vault: &Vault,
    merchant: &MerchantId,
    kind: &str,
    documents: impl Iterator<Item = (&'a str, &'a T)>,
) -> Result<Vec<SealedRow>, ApplyError> {
    documents
        .map(|(id, document)| {
            let plain = serde_json::to_vec(document)?;
            Ok(SealedRow { id: id.to_owned(), sealed: vault.seal(&sealing_context(merchant, kind, id), &plain) })
        })
        .collect()
}

/// Whether the stored programme says the same. What does not open (another key) is not the same: it is written anew.
fn is_same(prepared: &Prepared, rows: &ProgrammeRows, vault: &Vault) -> bool {
    let merchant = &prepared.merchant.id;
    let mut sources: Vec<&Source> = prepared.sources.iter().collect();
    let mut channels: Vec<&Channel> = prepared.channels.iter().collect();
    sources.sort_by(|left, right| left.id.cmp(&right.id));
    channels.sort_by(|left, right| left.id.cmp(&right.id));
    let placed = |rows: &[InstallationRow]| -> Vec<Installation> {
        rows.iter().map(|row| Installation { settings_revision: 0, ..row.installation.clone() }).collect()
    };
    rows.merchant == prepared.merchant
        && open_all::<Source>(vault, merchant, "source", &rows.sources).is_some_and(|stored| stored.iter().eq(sources))
        && open_all::<Channel>(vault, merchant, "channel", &rows.channels)
            .is_some_and(|stored| stored.iter().eq(channels))
        && placed(&rows.installations) == placed(&prepared.installations)
}

fn open_all<T: DeserializeOwned>(
    vault: &Vault,
    merchant: &MerchantId,
    kind: &str,
    rows: &[SealedRow],
) -> Option<Vec<T>> {
    rows.iter()
        .map(|row| {
            serde_json::from_slice(&vault.open(&sealing_context(merchant, kind, &row.id), &row.sealed).ok()?).ok()
        })
        .collect()
}
