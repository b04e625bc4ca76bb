//! Programmes as they stand, and the components they name.

use super::audit;
use super::rows::{digest, document, json};
use crate::store::engine::{Engine, Row, Tx};
use crate::store::{
    DamagedRow, InstallationRow, Note, Part, PluginRow, ProgrammeRows, SealedRow, Standing, StoreError,
};
use perkgate_domain::ids::{Digest, MerchantId};
use perkgate_domain::programme::{Installation, Merchant};
use serde::{Deserialize, Serialize};

/// What the row of a merchant says besides who it is.
#[derive(Deserialize)]
struct Origin {
    #[serde(default)]
    file: Option<String>,
}

/// The document of a merchant's row.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    merchant: &'a Merchant,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

pub(in crate::store) async fn revision(engine: &Engine) -> Result<i64, StoreError> {
    engine.row("select revision from registry", &[]).await?.map_or(Ok(0), |row| row.get("revision"))
}

pub(in crate::store) async fn standing(engine: &Engine) -> Result<Standing, StoreError> {
    let mut tx = engine.read().await?;
    let merchants = tx.rows("select merchant_id, document from merchants order by merchant_id", &[], &[]).await?;
    let mut standing = Standing::default();
    for row in &merchants {
        // A name that is no text cannot be said, and nothing can be asked for by it.
        let merchant: MerchantId = row.get::<&str>("merchant_id").unwrap_or("?").into();
        let mut rows = Parts { merchant: &merchant, damaged: &mut standing.damaged };
        let sources = rows.sealed(
            &tx.rows("select source_id as id, sealed from sources where merchant_id = $1", &[(&merchant).into()], &[])
                .await?,
            |id| Part::Source(id.into()),
        );
        let channels = rows.sealed(
            &tx.rows(
                "select channel_id as id, sealed from channels where merchant_id = $1",
                &[(&merchant).into()],
                &[],
            )
            .await?,
            |id| Part::Channel(id.into()),
        );
        let statement = "select * from installations where merchant_id = $1 and place is not null order by place";
        let installed = tx.rows(statement, &[(&merchant).into()], &[]).await?;
        let named = |row: &Row| Part::Installation(row.get::<&str>("installation_id").unwrap_or("?").into());
        let installations = installed.iter().filter_map(|row| rows.keep(installation(row), || named(row))).collect();
        let read = row.get("document").and_then(|text| document("merchant", text));
        let whole = || Part::Merchant(channels.iter().map(|row| row.id.as_str().into()).collect());
        if let Some(merchant) = rows.keep(read, whole) {
            let file = row.get("document").and_then(|text| document::<Origin>("merchant", text))?.file;
            standing.programmes.push(ProgrammeRows { merchant, sources, channels, installations, file });
        }
    }
    tx.commit().await?;
    Ok(standing)
}

/// The parts of one merchant's programme: what reads back is kept, what does not is written down.
struct Parts<'a> {
    merchant: &'a MerchantId,
    damaged: &'a mut Vec<DamagedRow>,
}

impl Parts<'_> {
    fn keep<T>(&mut self, read: Result<T, StoreError>, part: impl FnOnce() -> Part) -> Option<T> {
        read.map_err(|error| {
            let (merchant, part, detail) = (self.merchant.clone(), part(), error.to_string());
            self.damaged.push(DamagedRow { merchant, part, detail });
        })
        .ok()
    }

    fn sealed(&mut self, rows: &[Row], part: impl Fn(&str) -> Part) -> Vec<SealedRow> {
        let read = |row: &Row| Ok(SealedRow { id: row.get("id")?, sealed: row.get("sealed")? });
        rows.iter().filter_map(|row| self.keep(read(row), || part(row.get("id").unwrap_or("?")))).collect()
    }
}

fn installation(row: &Row) -> Result<InstallationRow, StoreError> {
    Ok(InstallationRow {
        installation: Installation {
            id: row.get::<&str>("installation_id")?.into(),
            digest: digest(row, "digest")?,
            partner: row.get::<Option<&str>>("partner_id")?.map(Into::into),
            settings: row.get("settings")?,
            settings_revision: row.get("settings_revision")?,
            grants: document("grants", row.get("grants")?)?,
            caps: document("caps", row.get("caps")?)?,
            mode: document("mode", row.get("mode")?)?,
        },
        plugin_id: row.get("plugin_id")?,
        enrols: false,
    })
}

/// Replaces a merchant's programme. Sealed documents differ with every sealing, so whether anything changed is the caller's to
/// find out beforehand.
pub(in crate::store) async fn apply(
    engine: &Engine,
    programme: &ProgrammeRows,
    plugins: &[PluginRow],
    note: &Note,
) -> Result<(), StoreError> {
    let mut tx = engine.write().await?;
    // First of all: two that apply at once come one after the other.
    tx.run("update registry set revision = revision + 1", &[], &[]).await?;
    let merchant = &programme.merchant.id;
    let written = Document { merchant: &programme.merchant, file: programme.file.as_deref() };
    for plugin in plugins {
        tx.run(
            // The same digest names the same bytes, unless those that are stored were damaged.
            "insert into plugins (digest, plugin_id, version, component) values ($1, $2, $3, $4)
             on conflict (digest) do update set component = excluded.component
             where plugins.component <> excluded.component",
            &[plugin.digest.into(), (&plugin.plugin_id).into(), (&plugin.version).into(), (&plugin.component).into()],
            &[],
        )
        .await?;
    }
    tx.run(
        "insert into merchants (merchant_id, document) values ($1, $2)
         on conflict (merchant_id) do update set document = excluded.document",
        &[merchant.into(), json("merchant", &written)?.into()],
        &[],
    )
    .await?;
    replace_sealed(
        &mut tx,
        merchant,
        &programme.sources,
        "delete from sources where merchant_id = $1",
        "insert into sources (merchant_id, source_id, sealed) values ($1, $2, $3)",
    )
    .await?;
    replace_sealed(
        &mut tx,
        merchant,
        &programme.channels,
        "delete from channels where merchant_id = $1",
        "insert into channels (merchant_id, channel_id, sealed) values ($1, $2, $3)",
    )
    .await?;
    // A channel that changed may be well again, one that is gone needs no breaker.
    tx.run("delete from failing_channels where merchant_id = $1", &[merchant.into()], &[]).await?;
    tx.run("update installations set place = null where merchant_id = $1", &[merchant.into()], &[]).await?;
    for (place, row) in (0_i64..).zip(&programme.installations) {
        install(&mut tx, merchant, place, row).await?;
    }
    audit::write(&mut tx, std::iter::once((note, None))).await?;
    tx.commit().await
}

async fn replace_sealed(
    tx: &mut Tx,
    merchant: &MerchantId,
    rows: &[SealedRow],
    delete: &'static str,
    insert: &'static str,
) -> Result<(), StoreError> {
    tx.run(delete, &[merchant.into()], &[]).await?;
    for row in rows {
        tx.run(insert, &[merchant.into(), (&row.id).into(), (&row.sealed).into()], &[]).await?;
    }
    Ok(())
}

/// Writes one installation; its settings revision rises when digest or settings change.
async fn install(tx: &mut Tx, merchant: &MerchantId, place: i64, row: &InstallationRow) -> Result<(), StoreError> {
    let wanted = &row.installation;
    let written = tx
        .row(
            "insert into installations (merchant_id, installation_id, place, plugin_id, digest, partner_id, settings,
                                        settings_revision, grants, caps, mode, enrolled)
             values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, $11)
             on conflict (merchant_id, installation_id) do update set place = excluded.place, plugin_id = excluded.plugin_id,
                 partner_id = excluded.partner_id, grants = excluded.grants, caps = excluded.caps, mode = excluded.mode,
                 settings_revision = installations.settings_revision
                     + case when installations.settings <> excluded.settings or installations.digest <> excluded.digest
                            then 1 else 0 end,
                 settings = excluded.settings, digest = excluded.digest
             returning settings_revision",
            &[
                merchant.into(),
                (&wanted.id).into(),
                place.into(),
                (&row.plugin_id).into(),
                wanted.digest.into(),
                wanted.partner.as_ref().into(),
                (&wanted.settings).into(),
                json("grants", &wanted.grants)?.into(),
                json("caps", &wanted.caps)?.into(),
                json("mode", &wanted.mode)?.into(),
                // One that was here before knows the members there are.
                row.enrols.then_some("").into(),
            ],
        )
        .await?;
    let revision: i64 = written.map_or(Ok(1), |row| row.get("settings_revision"))?;
    tx.run(
        "insert into settings (merchant_id, installation_id, settings_revision, digest, document)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
        &[merchant.into(), (&wanted.id).into(), revision.into(), wanted.digest.into(), (&wanted.settings).into()],
        &[],
    )
    .await?;
    Ok(())
}

pub(in crate::store) async fn component(engine: &Engine, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
    let row = engine.row("select component from plugins where digest = $1", &[digest.into()]).await?;
    row.map(|row| row.get("component")).transpose()
}

pub(in crate::store) async fn settings(
    engine: &Engine,
    merchant: &MerchantId,
    installation: &str,
    revision: i64,
) -> Result<Option<String>, StoreError> {
    let row = engine
        .row(
            "select document from settings where merchant_id = $1 and installation_id = $2 and settings_revision = $3",
            &[merchant.into(), installation.into(), revision.into()],
        )
        .await?;
    row.map(|row| row.get("document")).transpose()
}
