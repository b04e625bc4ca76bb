//! What is kept, and for how long: looks raw bytes through for whoever was forgotten, and removes what was kept for long enough. One process
//! at a time, in bounded batches.

use super::read::opened;
use super::{BATCH, Pipeline, PipelineError, lock};
use crate::identity;
use crate::journal;
use crate::registry::Snapshot;
use crate::store::{Kept, KeptPage, Looked, Sweep};
use crate::vault::{Vault, VaultError};
use perkgate_domain::ids::MerchantId;
use perkgate_domain::limits::{LEASE_MS, Retention};
use perkgate_domain::member::MemberKey;
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Rows of each kind that one sweep removes.
const SWEPT: i64 = 1_000;
/// How often it is looked whether anything was kept for long enough.
const AGAIN: Duration = Duration::from_mins(1);
const DAY_MS: i64 = 24 * 3_600_000;

impl Pipeline {
    /// Does some of it. Answers whether there may be more to do at once.
    ///
    /// # Errors
    /// [`PipelineError`] if the database fails: nothing is lost by doing it later.
    pub async fn clear(&self, retention: &Retention) -> Result<usize, PipelineError> {
        if let Some(page) = self.store.erasable(BATCH).await? {
            if !self.store.lead(&self.shared.name, LEASE_MS).await? {
                return Ok(0);
            }
            self.erase(page).await?;
            return Ok(1);
        }
        let lately = lock(&self.shared.swept).is_some_and(|when| when.elapsed() < AGAIN);
        if lately || !self.store.lead(&self.shared.name, LEASE_MS).await? {
            return Ok(0);
        }
        let more = self.sweep(retention).await?;
        if !more {
            *lock(&self.shared.swept) = Some(Instant::now());
        }
        Ok(usize::from(more))
    }

    /// Removes some of what was kept for long enough. Answers whether there may be more.
    ///
    /// # Errors
    /// [`PipelineError`] if the database fails.
    pub async fn sweep(&self, retention: &Retention) -> Result<bool, PipelineError> {
        let now = self.clock.now();
        let before = |days: u32| now.plus_ms(-i64::from(days) * DAY_MS);
        let sweep = Sweep {
            bodies: before(retention.bodies_days),
            rejections: before(retention.rejections_days),
            deliveries: before(retention.deliveries_days),
            answers: before(retention.answers_days),
            most: SWEPT,
        };
        let swept = self.store.sweep(&sweep).await?;
        for (what, count) in [
            ("bodies", swept.bodies),
            ("rejections", swept.rejections),
            ("deliveries", swept.deliveries),
            ("answers", swept.answers),
        ] {
            self.metrics.removed(what, count);
        }
        Ok(swept.more)
    }

    async fn erase(&self, page: KeptPage) -> Result<(), PipelineError> {
        let pipeline = self.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let snapshot = pipeline.registry.snapshot();
            let named = |kept: &[Kept], arrivals| named(&pipeline.vault, &snapshot, &page.merchant, kept, arrivals);
            let (arrivals, rejections) = (named(&page.arrivals, true), named(&page.rejections, false));
            Looked { arrivals, rejections, page }
        })
        .await?;
        let emptied = self.store.erase(&looked).await?;
        self.metrics.removed("forgotten", emptied);
        if emptied > 0 {
            tracing::info!(merchant = %looked.page.merchant, emptied, "raw bytes that named somebody forgotten were removed");
        }
        Ok(())
    }
}

/// Whom each of these names.
fn named(
    vault: &Vault,
    snapshot: &Snapshot,
    merchant: &MerchantId,
    kept: &[Kept],
    arrivals: bool,
) -> Vec<(i64, MemberKey)> {
    let Some(programme) = snapshot.programme(merchant) else { return Vec::new() };
    let look = |kept: &Kept| -> Vec<(i64, MemberKey)> {
        let mut found = Vec::new();
        for bytes in bodies(vault, &journal::context(merchant, &kept.source), kept, arrivals) {
            match bytes {
                Ok(bytes) => {
                    let persons = identity::persons(vault, &programme.merchant, &kept.source, &bytes);
                    found.extend(persons.into_iter().map(|key| (kept.number, key)));
                }
                Err(error) => tracing::warn!(%merchant, number = kept.number, "whom it names cannot be told: {error}"),
            }
        }
        found
    };
    kept.par_iter().flat_map_iter(look).collect()
}

/// The body, and what the platform answered about it.
fn bodies(vault: &Vault, context: &str, kept: &Kept, arrivals: bool) -> Vec<Result<Vec<u8>, VaultError>> {
    let mut bodies = Vec::new();
    if !kept.sealed.is_empty() {
        bodies.push(if arrivals {
            journal::body(vault, context, &kept.sealed)
        } else {
            vault.open(context, &kept.sealed)
        });
    }
    match kept.fetched.as_ref().map(|sealed| vault.open(context, sealed)) {
        Some(Ok(plain)) => bodies.extend(opened(&plain).into_values().map(Ok)),
        Some(Err(error)) => bodies.push(Err(error)),
        None => {}
    }
    bodies
}
