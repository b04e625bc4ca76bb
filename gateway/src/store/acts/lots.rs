//! A member's lots and where they come from, for whoever asks what a balance is made of.

use super::rows::{lot, word};
use crate::store::engine::{Engine, Row};
use crate::store::{LotView, StoreError};
use perkgate_domain::event::Kind;
use perkgate_domain::ids::{MemberId, MerchantId};

pub(in crate::store) async fn lots(
    engine: &Engine,
    merchant: &MerchantId,
    member: &MemberId,
) -> Result<Vec<LotView>, StoreError> {
    let rows = engine
        .rows(
            "select l.*, e.kind, e.source_id, coalesce(p.external_id, e.external_id) as order_id,
                    coalesce(p.reference, e.reference) as order_reference
             from entries e join lots l on l.merchant_id = e.merchant_id and l.entry_id = e.entry_id
             left join entries p on p.entry_id = e.purchase_entry
             where e.merchant_id = $1 and e.member_id = $2 and l.amount > l.reversed + l.expired
             order by l.earned_at, l.entry_id, l.lot_id",
            &[merchant.into(), member.into()],
            &[],
        )
        .await?;
    rows.iter().map(view).collect()
}

fn view(row: &Row) -> Result<LotView, StoreError> {
    Ok(LotView {
        lot: lot(row)?,
        kind: word("entry kind", row.get("kind")?, Kind::parse)?,
        source: row.get::<&str>("source_id")?.into(),
        external_id: row.get("order_id")?,
        reference: row.get("order_reference")?,
    })
}
