//! Programmes as they stand, and the components they name.

use super::rows::{digest, document, json};
use crate::store::{InstallationRow, PluginRow, ProgrammeRows, SealedRow, StoreError};
use perkgate_domain::ids::{Digest, MerchantId};
use perkgate_domain::programme::Installation;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

pub(super) async fn revision(pool: &SqlitePool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("select revision from registry").fetch_one(pool).await?)
}

pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<ProgrammeRows>, StoreError> {
    let mut tx = pool.begin().await?;
    let merchants =
        sqlx::query("select merchant_id, document from merchants order by merchant_id").fetch_all(&mut *tx).await?;
    let mut programmes = Vec::with_capacity(merchants.len());
    for row in &merchants {
        let merchant: &str = row.try_get("merchant_id")?;
        programmes.push(ProgrammeRows {
            merchant: document("merchant", row.try_get("document")?)?,
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

async fn sealed(
    tx: &mut SqliteConnection,
    statement: &'static str,
    merchant: &str,
) -> Result<Vec<SealedRow>, StoreError> {
    let rows = sqlx::query(statement).bind(merchant).fetch_all(tx).await?;
    rows.iter().map(|row| Ok(SealedRow { id: row.try_get("id")?, sealed: row.try_get("sealed")? })).collect()
}

async fn installations(tx: &mut SqliteConnection, merchant: &str) -> Result<Vec<InstallationRow>, StoreError> {
    let rows = sqlx::query("select * from installations where merchant_id = $1 and place is not null order by place")
        .bind(merchant)
        .fetch_all(tx)
        .await?;
    rows.iter().map(installation).collect()
}

fn installation(row: &SqliteRow) -> Result<InstallationRow, StoreError> {
    Ok(InstallationRow {
        installation: Installation {
            id: row.try_get::<&str, _>("installation_id")?.into(),
            digest: digest(row, "digest")?,
            partner: row.try_get::<Option<&str>, _>("partner_id")?.map(Into::into),
            settings: row.try_get("settings")?,
            settings_revision: row.try_get("settings_revision")?,
            grants: document("grants", row.try_get("grants")?)?,
            caps: document("caps", row.try_get("caps")?)?,
            mode: document("mode", row.try_get("mode")?)?,
        },
        plugin_id: row.try_get("plugin_id")?,
    })
}

/// Replaces a merchant's programme. Sealed documents differ with every sealing, so whether anything changed is the caller's to
/// find out beforehand.
pub(super) async fn apply(
    pool: &SqlitePool,
    programme: &ProgrammeRows,
    plugins: &[PluginRow],
) -> Result<(), StoreError> {
    let mut tx = pool.begin_with("begin immediate").await?;
    let merchant = programme.merchant.id.as_str();
    for plugin in plugins {
        sqlx::query("insert into plugins (digest, plugin_id, version, component) values ($1, $2, $3, $4) on conflict do nothing")
            .bind(plugin.digest.as_bytes().as_slice())
            .bind(&plugin.plugin_id)
            .bind(&plugin.version)
            .bind(&plugin.component)
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query("insert into merchants values ($1, $2) on conflict do update set document = excluded.document")
        .bind(merchant)
        .bind(json("merchant", &programme.merchant)?)
        .execute(&mut *tx)
        .await?;
    for statement in ["delete from sources where merchant_id = $1", "delete from channels where merchant_id = $1"] {
        sqlx::query(statement).bind(merchant).execute(&mut *tx).await?;
    }
    for row in &programme.sources {
        sqlx::query("insert into sources values ($1, $2, $3)")
            .bind(merchant)
            .bind(&row.id)
            .bind(&row.sealed)
            .execute(&mut *tx)
            .await?;
    }
    for row in &programme.channels {
        sqlx::query("insert into channels values ($1, $2, $3)")
            .bind(merchant)
            .bind(&row.id)
            .bind(&row.sealed)
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query("update installations set place = null where merchant_id = $1")
        .bind(merchant)
        .execute(&mut *tx)
        .await?;
    for (place, row) in (0_i64..).zip(&programme.installations) {
        install(&mut tx, merchant, place, row).await?;
    }
    sqlx::query("update registry set revision = revision + 1").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Writes one installation; its settings revision rises when digest or settings change.
async fn install(
    tx: &mut SqliteConnection,
    merchant: &str,
    place: i64,
    row: &InstallationRow,
) -> Result<(), StoreError> {
    let wanted = &row.installation;
    let revision: i64 = sqlx::query_scalar(
        "insert into installations (merchant_id, installation_id, place, plugin_id, digest, partner_id, settings,
                                    settings_revision, grants, caps, mode)
         values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10)
         on conflict do update set place = excluded.place, plugin_id = excluded.plugin_id, partner_id = excluded.partner_id,
             grants = excluded.grants, caps = excluded.caps, mode = excluded.mode,
             settings_revision = settings_revision
                 + (settings is not excluded.settings or digest is not excluded.digest),
             settings = excluded.settings, digest = excluded.digest
         returning settings_revision",
    )
    .bind(merchant)
    .bind(wanted.id.as_str())
    .bind(place)
    .bind(&row.plugin_id)
    .bind(wanted.digest.as_bytes().as_slice())
    .bind(wanted.partner.as_ref().map(|partner| partner.as_str().to_owned()))
    .bind(&wanted.settings)
    .bind(json("grants", &wanted.grants)?)
    .bind(json("caps", &wanted.caps)?)
    .bind(json("mode", &wanted.mode)?)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query("insert into settings values ($1, $2, $3, $4, $5) on conflict do nothing")
        .bind(merchant)
        .bind(wanted.id.as_str())
        .bind(revision)
        .bind(wanted.digest.as_bytes().as_slice())
        .bind(&wanted.settings)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn component(pool: &SqlitePool, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
    let found = sqlx::query_scalar("select component from plugins where digest = $1")
        .bind(digest.as_bytes().as_slice())
        .fetch_optional(pool)
        .await?;
    Ok(found)
}

pub(super) async fn settings(
    pool: &SqlitePool,
    merchant: &MerchantId,
    installation: &str,
    revision: i64,
) -> Result<Option<String>, StoreError> {
    let found = sqlx::query_scalar(
        "select document from settings where merchant_id = $1 and installation_id = $2 and settings_revision = $3",
    )
    .bind(merchant.as_str())
    .bind(installation)
    .bind(revision)
    .fetch_optional(pool)
    .await?;
    Ok(found)
}
