//! Wrapped data keys, and what is done to rows when keys change: sealed bytes are sealed again, plain digests become keyed ones.

use super::audit;
use super::rows::digest;
use crate::store::engine::{Cell, Engine, Kind, Row, Set, Tx};
use crate::store::{KeyRow, Note, RowKey, SealedCell, SealedPlace, StoreError, Unkeyed};
use perkgate_domain::ids::Digest;
use perkgate_domain::time::Moment;
use std::collections::BTreeMap;

/// Rows looked at for one batch.
const ROWS: i64 = 500;
/// Sealed bytes read for one batch: what is read is opened, sealed again and written, all in memory.
const BYTES: i64 = 8 * 1024 * 1024;
/// What tells sealed bytes from others of the same row: format, generation and nonce.
const HEAD: usize = 29;

pub(in crate::store) async fn all(engine: &Engine) -> Result<Vec<KeyRow>, StoreError> {
    let rows = engine.rows("select * from keys order by purpose, generation, root", &[], &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(KeyRow {
                purpose: row.get("purpose")?,
                generation: generation(row.get("generation")?)?,
                root: row.get("root")?,
                wrapped: row.get("wrapped")?,
                active: row.get::<i64>("active")? != 0,
                made_at: Moment(row.get("made_at")?),
            })
        })
        .collect()
}

fn generation(number: i64) -> Result<u32, StoreError> {
    let wrong = |_| StoreError::Corrupt { what: "key", detail: format!("generation {number} is no such number") };
    u32::try_from(number).map_err(wrong)
}

/// Adds wrappings of known keys, and new keys. Stale if somebody else has made one of the new keys meanwhile.
pub(in crate::store) async fn add(
    engine: &Engine,
    wrappings: &[KeyRow],
    new: &[KeyRow],
    note: &Note,
) -> Result<(), StoreError> {
    let mut tx = begin(engine).await?;
    let mine = set(new);
    let known = "select k.purpose from {k} join keys o on o.purpose = k.purpose and o.generation = k.generation";
    if !tx.rows(known, &[], &[&mine]).await?.is_empty() {
        return Err(StoreError::Stale);
    }
    for rows in [mine, set(wrappings)] {
        tx.run(
            "insert into keys (purpose, generation, root, wrapped, active, made_at)
             select k.purpose, k.generation, k.root, k.wrapped, k.active, k.made_at from {k} where true
             on conflict do nothing",
            &[],
            &[&rows],
        )
        .await?;
    }
    audit::write(&mut tx, std::iter::once((note, None))).await?;
    tx.commit().await
}

/// One change of the keys at a time; everybody looks again afterwards.
async fn begin(engine: &Engine) -> Result<Tx, StoreError> {
    let mut tx = engine.write().await?;
    tx.run("update registry set revision = revision + 1", &[], &[]).await?;
    Ok(tx)
}

fn set(rows: &[KeyRow]) -> Set {
    let mut set = Set::new(
        "k",
        &[
            ("purpose", Kind::Text),
            ("generation", Kind::Int),
            ("root", Kind::Text),
            ("wrapped", Kind::Bytes),
            ("active", Kind::Int),
            ("made_at", Kind::Int),
        ],
    );
    for row in rows {
        set.push([
            (&row.purpose).into(),
            i64::from(row.generation).into(),
            (&row.root).into(),
            (&row.wrapped).into(),
            row.active.into(),
            row.made_at.into(),
        ]);
    }
    set
}

pub(in crate::store) async fn activate(engine: &Engine, note: &Note) -> Result<(), StoreError> {
    let mut tx = begin(engine).await?;
    if tx.run("update keys set active = 1 where active = 0", &[], &[]).await? > 0 {
        audit::write(&mut tx, std::iter::once((note, None))).await?;
    }
    tx.commit().await
}

/// Drops the wrappings by these roots, and these generations altogether.
pub(in crate::store) async fn retire(
    engine: &Engine,
    roots: &[String],
    generations: &[(String, u32)],
    note: &Note,
) -> Result<(), StoreError> {
    let mut tx = begin(engine).await?;
    for root in roots {
        tx.run("delete from keys where root = $1", &[root.into()], &[]).await?;
    }
    for (purpose, generation) in generations {
        let values = [purpose.into(), i64::from(*generation).into()];
        tx.run("delete from keys where purpose = $1 and generation = $2", &values, &[]).await?;
    }
    audit::write(&mut tx, std::iter::once((note, None))).await?;
    tx.commit().await
}

/// Whether anything was ever written that the keys matter for.
pub(in crate::store) async fn is_used(engine: &Engine) -> Result<bool, StoreError> {
    let statement = "select (select count(*) from (select merchant_id from merchants limit 1) m)
                          + (select count(*) from (select arrival_id from arrivals limit 1) a) as used";
    Ok(engine.row(statement, &[]).await?.map_or(Ok(0), |row| row.get::<i64>("used"))? > 0)
}

/// How the rows of a sealed place are found.
struct Shape {
    table: &'static str,
    column: &'static str,
    /// The primary key.
    key: &'static [&'static str],
    /// The table, with what says whose it is.
    from: &'static str,
    merchant: &'static str,
    name: &'static str,
}

impl Shape {
    fn of(place: SealedPlace) -> Self {
        let (table, column) = place.column();
        let shape =
            |key: &'static [&'static str], from, merchant, name| Self { table, column, key, from, merchant, name };
        match place {
            SealedPlace::Sources => shape(&["merchant_id", "source_id"], "sources t", "t.merchant_id", "t.source_id"),
            SealedPlace::Channels => {
                shape(&["merchant_id", "channel_id"], "channels t", "t.merchant_id", "t.channel_id")
            }
            SealedPlace::Contacts => {
                shape(&["merchant_id", "member_id", "field"], "contacts t", "t.merchant_id", "t.field")
            }
            SealedPlace::Arrivals => shape(&["arrival_id"], "arrivals t", "t.merchant_id", "t.source_id"),
            SealedPlace::Rejections => shape(&["rejection_id"], "rejections t", "t.merchant_id", "t.source_id"),
            SealedPlace::Fetched => {
                let from = "inbox t join arrivals a on a.arrival_id = t.arrival_id";
                shape(&["arrival_id"], from, "a.merchant_id", "a.source_id")
            }
            SealedPlace::Answers => {
                let from = "readings t join arrivals a on a.arrival_id = t.arrival_id";
                shape(&["arrival_id"], from, "a.merchant_id", "a.source_id")
            }
        }
    }

    fn is_numbered(&self) -> bool {
        self.key.len() == 1
    }

    /// A key's values, for `$1` and so on.
    fn values<'a>(&self, key: &'a RowKey) -> Vec<Cell<'a>> {
        match self.key.len() {
            1 => vec![key.number.into()],
            2 => vec![(&key.names[0]).into(), (&key.names[1]).into()],
            _ => vec![(&key.names[0]).into(), (&key.names[1]).into(), (&key.field).into()],
        }
    }

    /// Rows behind a key whose bytes are there and begin otherwise, in the order of their keys. The next value is `$n`.
    fn rows(&self, columns: &str, more: &str) -> String {
        let columns_of_key = self.key.iter().map(|name| format!("t.{name}")).collect::<Vec<_>>().join(", ");
        let places = (1..=self.key.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
        let (n, from, column) = (self.key.len() + 1, self.from, self.column);
        format!(
            "select {columns_of_key}, {columns} from {from}
             where ({columns_of_key}) > ({places}) and length(t.{column}) > 0 and substr(t.{column}, 1, 5) <> ${n} {more}
             order by {columns_of_key}"
        )
    }

    fn key_of(&self, row: &Row) -> Result<RowKey, StoreError> {
        let mut key = RowKey::default();
        match self.key {
            [number] => key.number = row.get(number)?,
            [merchant, name, rest @ ..] => {
                key.names = [row.get(merchant)?, row.get(name)?];
                if let [field] = rest {
                    key.field = row.get(field)?;
                }
            }
            [] => {}
        }
        Ok(key)
    }
}

/// Some sealed bytes behind a row that do not begin with `current`.
pub(in crate::store) async fn sealed(
    engine: &Engine,
    place: SealedPlace,
    current: &[u8],
    after: &RowKey,
) -> Result<Vec<SealedCell>, StoreError> {
    let shape = Shape::of(place);
    let (column, merchant, name) = (shape.column, shape.merchant, shape.name);
    let n = shape.key.len() + 1;
    let mut values = shape.values(after);
    values.push(current.into());
    let (more, last) = if shape.is_numbered() {
        // How much it is, before it is read.
        values.push(ROWS.into());
        let sizes = shape.rows(&format!("cast(length(t.{column}) as bigint) as bytes"), "");
        let rows = engine.rows(&format!("{sizes} limit ${}", n + 1), &values, &[]).await?;
        values.pop();
        let Some(last) = within(&shape, &rows)? else { return Ok(Vec::new()) };
        (format!("and t.{} <= ${}", shape.key[0], n + 1), last)
    } else {
        (String::new(), ROWS)
    };
    values.push(last.into());
    let mut statement = shape.rows(&format!("{merchant} as merchant, {name} as name, t.{column} as sealed"), &more);
    if !shape.is_numbered() {
        statement = format!("{statement} limit ${}", n + 1);
    }
    let rows = engine.rows(&statement, &values, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(SealedCell {
                key: shape.key_of(row)?,
                merchant: row.get::<&str>("merchant")?.into(),
                name: row.get("name")?,
                sealed: row.get("sealed")?,
            })
        })
        .collect()
}

/// The last row of a batch: one at least, and no more than fit.
fn within(shape: &Shape, rows: &[Row]) -> Result<Option<i64>, StoreError> {
    let (mut last, mut sum) = (None, 0_i64);
    for row in rows {
        sum += row.get::<i64>("bytes")?;
        if last.is_some() && sum > BYTES {
            break;
        }
        last = Some(row.get(shape.key[0])?);
    }
    Ok(last)
}

/// Replaces sealed bytes where they are still the same. Answers how many were.
pub(in crate::store) async fn reseal(
    engine: &Engine,
    place: SealedPlace,
    cells: &[(SealedCell, Vec<u8>)],
) -> Result<u64, StoreError> {
    let shape = Shape::of(place);
    let mut rows = Set::new(
        "k",
        &[
            ("number", Kind::Int),
            ("first", Kind::Text),
            ("second", Kind::Text),
            ("third", Kind::Text),
            ("head", Kind::Bytes),
            ("fresh", Kind::Bytes),
        ],
    );
    for (cell, fresh) in cells {
        let RowKey { number, names, field } = &cell.key;
        rows.push([
            (*number).into(),
            (&names[0]).into(),
            (&names[1]).into(),
            field.into(),
            cell.sealed.get(..HEAD).unwrap_or(&cell.sealed).into(),
            fresh.into(),
        ]);
    }
    let Shape { table, column, key, .. } = &shape;
    let named = if shape.is_numbered() { &["number"][..] } else { &["first", "second", "third"][..] };
    let fits = key.iter().zip(named).map(|(column, name)| format!("{table}.{column} = k.{name}"));
    let fits = fits.collect::<Vec<_>>().join(" and ");
    let mut tx = engine.write().await?;
    let statement = format!(
        "update {table} set {column} = k.fresh from {{k}} where {fits} and substr({table}.{column}, 1, {HEAD}) = k.head"
    );
    let done = tx.run(&statement, &[], &[&rows]).await?;
    tx.commit().await?;
    Ok(done)
}

/// How many sealed values a place has, by how they begin: one byte, or five where the first one is `2`.
pub(in crate::store) async fn sealed_counts(
    engine: &Engine,
    place: SealedPlace,
) -> Result<BTreeMap<Vec<u8>, i64>, StoreError> {
    let Shape { table, column, .. } = Shape::of(place);
    let statement = format!(
        "select case when substr({column}, 1, 1) = $1 then substr({column}, 1, 5) else substr({column}, 1, 1) end as head,
                count(*) as many
         from {table} where length({column}) > 0 group by 1"
    );
    let rows = engine.rows(&statement, &[[2_u8].as_slice().into()], &[]).await?;
    rows.iter().map(|row| Ok((row.get("head")?, row.get("many")?))).collect()
}

/// Rows whose digest is still a plain one.
pub(in crate::store) async fn unkeyed(engine: &Engine) -> Result<Vec<Unkeyed>, StoreError> {
    let mut found = Vec::new();
    for (rejection, statement) in [
        (
            false,
            "select arrival_id as number, merchant_id, dedupe, digest from arrivals where keyed = 0 order by arrival_id limit $1",
        ),
        (
            true,
            "select rejection_id as number, merchant_id, '' as dedupe, digest from rejections where keyed = 0
             order by rejection_id limit $1",
        ),
    ] {
        for row in engine.rows(statement, &[ROWS.into()], &[]).await? {
            found.push(Unkeyed {
                rejection,
                number: row.get("number")?,
                merchant: row.get::<&str>("merchant_id")?.into(),
                dedupe: row.get("dedupe")?,
                digest: digest(&row, "digest")?,
            });
        }
    }
    Ok(found)
}

/// Puts keyed digests in the place of plain ones.
pub(in crate::store) async fn rekey(engine: &Engine, rows: &[Unkeyed]) -> Result<(), StoreError> {
    let columns = [("number", Kind::Int), ("dedupe", Kind::Text), ("digest", Kind::Bytes)];
    let (mut arrivals, mut rejections) = (Set::new("k", &columns), Set::new("k", &columns));
    for row in rows {
        let set = if row.rejection { &mut rejections } else { &mut arrivals };
        set.push([row.number.into(), (&row.dedupe).into(), Cell::from(row.digest)]);
    }
    let mut tx = engine.write().await?;
    // A process of the version before may have journalled a repetition meanwhile: it keeps a key of its own.
    tx.run(
        "update arrivals set digest = k.digest, keyed = 1, dedupe = case when exists (
                 select 1 from arrivals o where o.merchant_id = arrivals.merchant_id and o.source_id = arrivals.source_id
                     and o.dedupe = k.dedupe and o.arrival_id <> arrivals.arrival_id)
             then k.dedupe || '#' || k.number else k.dedupe end
         from {k} where arrivals.arrival_id = k.number and arrivals.keyed = 0",
        &[],
        &[&arrivals],
    )
    .await?;
    tx.run(
        "update rejections set digest = k.digest, keyed = 1
         from {k} where rejections.rejection_id = k.number and rejections.keyed = 0",
        &[],
        &[&rejections],
    )
    .await?;
    tx.commit().await
}

/// How a keyed digest is written where a text is needed.
pub(super) fn keyed_text(digest: &Digest) -> String {
    format!("hmac:{}", hex::encode(digest.as_bytes()))
}
