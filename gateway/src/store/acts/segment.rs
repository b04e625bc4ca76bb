//! Whom a campaign is for: members with a tag or in a tier, page by page.

use super::rows::document;
use crate::store::StoreError;
use crate::store::engine::{Engine, Row};
use perkgate_domain::ids::{MemberId, MerchantId};
use perkgate_domain::rules::Audience;

/// Tags are a list within a document, which the engines look into in different ways: it is done here, page by page.
const PAGE: i64 = 1_000;

pub(in crate::store) async fn segment(
    engine: &Engine,
    merchant: &MerchantId,
    audience: &Audience,
    after: Option<&MemberId>,
    most: usize,
) -> Result<Vec<MemberId>, StoreError> {
    let mut found = Vec::new();
    let mut after = after.map_or("", MemberId::as_str).to_owned();
    loop {
        let rows = engine
            .rows(
                "select member_id, tier, tags from members
                 where merchant_id = $1 and member_id > $2 and merged_into is null and forgotten_at is null
                 order by member_id limit $3",
                &[merchant.into(), after.as_str().into(), PAGE.into()],
                &[],
            )
            .await?;
        let Some(last) = rows.last() else { return Ok(found) };
        after = last.get("member_id")?;
        for row in &rows {
            if belongs(row, audience)? {
                found.push(row.get::<&str>("member_id")?.into());
                if found.len() == most {
                    return Ok(found);
                }
            }
        }
    }
}

fn belongs(row: &Row, audience: &Audience) -> Result<bool, StoreError> {
    Ok(match audience {
        Audience::Tier(tier) => row.get::<Option<&str>>("tier")? == Some(tier.as_str()),
        Audience::Tag(tag) => {
            let tags: Vec<String> = document("member's tags", row.get("tags")?)?;
            tags.contains(tag)
        }
    })
}
