//! The merchant files that `perkgate serve` applies before it listens.

use super::actor;
use anyhow::Context as _;
use perkgate_domain::limits::MERCHANT_FILE_BYTES;
use perkgate_gateway::apply::{self, ApplyError, Given};
use perkgate_gateway::gateway::Gateway;
use perkgate_gateway::{files, merchant_file};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the operator named.
pub(super) struct Wanted {
    pub(super) files: Vec<PathBuf>,
    /// Of files that are called after their merchants.
    pub(super) directory: Option<PathBuf>,
    /// Where each merchant has a directory of secrets.
    pub(super) secrets: Option<PathBuf>,
}

/// A file, and whose it must be if its directory says so.
struct Named {
    path: PathBuf,
    merchant: Option<String>,
}

/// Applies them in order, and says where webhooks are taken.
pub(super) async fn apply(gateway: &Gateway, wanted: &Wanted, listen: &str) -> anyhow::Result<()> {
    let mut named: Vec<Named> = wanted.files.iter().map(|path| Named { path: path.clone(), merchant: None }).collect();
    if let Some(directory) = &wanted.directory {
        named.extend(within(directory)?);
    }
    each_its_own(&named)?;
    for one in &named {
        match apply_one(gateway, one, wanted.secrets.as_deref(), listen).await {
            // One merchant's mistake must not keep the others' gateway from starting.
            Err(error) if one.merchant.is_some() && !is_outage(&error) => {
                let merchant = one.merchant.as_deref();
                tracing::error!(merchant, file = %one.path.display(), "this merchant file is not applied, and what it was before stays: \
                    {error:#}. Mend it and run `perkgate apply`");
            }
            applied => applied?,
        }
    }
    Ok(())
}

async fn apply_one(gateway: &Gateway, named: &Named, secrets: Option<&Path>, listen: &str) -> anyhow::Result<()> {
    let given = Given { path: &named.path, merchant: named.merchant.as_deref(), secrets };
    let store = gateway.store.as_ref();
    let prepared = apply::prepare(&given, store).await?;
    let merchant = &prepared.merchant.id;
    for warning in &prepared.warnings {
        tracing::warn!(%merchant, file = %named.path.display(), "{warning}");
    }
    if !apply::is_applied(&prepared, store, &gateway.vault).await? {
        apply::load_plugins(&prepared, &gateway.host).await?;
    }
    let changed = apply::apply(&prepared, store, &gateway.vault, &actor(), gateway.clock().now()).await?;
    tracing::info!(%merchant, changed, "merchant file applied");
    for source in prepared.sources() {
        tracing::info!(%merchant, source = %source.id, platform = source.platform,
            "takes webhooks at http://{listen}/in/{merchant}/{}", source.id);
    }
    Ok(())
}

/// Whether the database failed, and so would with every other file.
fn is_outage(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ApplyError::Store(error)) if error.is_outage())
}

/// The merchant files in a directory, by name. Each is its name's merchant's, and no other's.
fn within(directory: &Path) -> anyhow::Result<Vec<Named>> {
    let unread = || format!("cannot read the directory of merchant files {}", directory.display());
    let mut named = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(unread)? {
        let path = entry.with_context(unread)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let merchant = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            named.push(Named { path, merchant });
        }
    }
    named.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(named)
}

/// Before any is applied: two files of one merchant would replace each other's programme at every start.
fn each_its_own(named: &[Named]) -> anyhow::Result<()> {
    let mut seen: BTreeMap<String, &Path> = BTreeMap::new();
    for Named { path, merchant: own } in named {
        // What is wrong with a file is said when it is read in earnest; so is a file that says it is somebody else's.
        let Ok(text) = files::read_text(path, MERCHANT_FILE_BYTES) else { continue };
        let says = merchant_file::merchant_id(&text);
        let Some(merchant) = says.filter(|says| own.as_ref().is_none_or(|own| own == says)) else { continue };
        if let Some(first) = seen.insert(merchant.clone(), path) {
            anyhow::ensure!(
                first == path,
                "{} and {} both say that they are of the merchant `{merchant}`: nothing is applied. Correct `id` of [merchant] in \
                 one of them, or leave it out",
                first.display(),
                path.display()
            );
        }
    }
    Ok(())
}
