//! Programmes as they stand, and the components they name.

use super::audit;
use super::rows::{digest, document, json};
use crate::store::engine::{Engine, Row, Tx};
use crate::store::{InstallationRow, Note, PluginRow, ProgrammeRows, SealedRow, StoreError};
use perkgate_domain::ids::{Digest, MerchantId};
use perkgate_domain::programme::Installation;

pub(in crate::store) async fn revision(engine: &Engine) -> Result<i64, StoreError> {
    engine.row("select revision from registry", &[]).await?.map_or(Ok(0), |row| row.get("revision"))
}

pub(in crate::store) async fn all(engine: &Engine) -> Result<Vec<ProgrammeRows>, StoreError> {
    let mut tx = engine.read().await?;
    let merchants = tx.rows("select merchant_id, document from merchants order by merchant_id", &[], &[]).await?;
    let mut programmes = Vec::with_capacity(merchants.len());
    for row in &merchants {
        let merchant: &str = row.get("merchant_id")?;
        programmes.push(ProgrammeRows {
            merchant: document("merchant", row.get("document")?)?,
            sources: sealed(&mut tx, "select source_id as id, sealed from sources where merchant_id = $1", merchant)
                .await?,
            channels: sealed(&mut tx, "select channel_id as id, sealed from channels where merchant_id = $1", merchant)
                .await?,
            installations: installations(&mut tx, merchant).await?,
        });
    }
    tx.commit().await?;
    Ok(programmes)
}

async fn sealed(tx: &mut Tx, statement: &'static str, merchant: &str) -> Result<Vec<SealedRow>, StoreError> {
    let rows = tx.rows(statement, &[merchant.into()], &[]).await?;
    rows.iter().map(|row| Ok(SealedRow { id: row.get("id")?, sealed: row.get("sealed")? })).collect()
}

async fn installations(tx: &mut Tx, merchant: &str) -> Result<Vec<InstallationRow>, StoreError> {
    let statement = "select * from installations where merchant_id = $1 and place is not null order by place";
    let rows = tx.rows(statement, &[merchant.into()], &[]).await?;
    rows.iter().map(installation).collect()
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
    for plugin in plugins {
        tx.run(
            "insert into plugins (digest, plugin_id, version, component) values ($1, $2, $3, $4) on conflict do nothing",
            &[plugin.digest.into(), (&plugin.plugin_id).into(), (&plugin.version).into(), (&plugin.component).into()],
            &[],
        )
        .await?;
    }
    tx.run(
        "insert into merchants (merchant_id, document) values ($1, $2)
         on conflict (merchant_id) do update set document = excluded.document",
        &[merchant.into(), json("merchant", &programme.merchant)?.into()],
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
