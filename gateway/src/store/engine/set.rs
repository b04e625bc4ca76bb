//! A set of rows as one parameter or a few: JSON that SQLite takes apart with `jsonb_each`, and beside it all bytes in one piece; arrays
//! that PostgreSQL takes apart with `unnest`. One statement for a batch, not one for a row.

use perkgate_domain::ids::{
    ArrivalId, ChannelId, DeliveryId, Digest, EntryId, InstallationId, LotId, MemberId, MerchantId, PartnerId,
    RewardId, SourceId,
};
use perkgate_domain::time::Moment;
use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use std::borrow::Cow;
use std::fmt::Write as _;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) enum Kind {
    Text,
    Int,
    Bytes,
}

/// One value on its way into a statement.
#[derive(Clone, Debug)]
pub(in crate::store) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Int(i64),
    Bytes(Cow<'a, [u8]>),
}

#[derive(Debug)]
enum Column {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

/// Rows with the columns of its declaration, and `place`: their order, from 1.
#[derive(Debug)]
pub(in crate::store) struct Set {
    name: &'static str,
    names: Vec<Cow<'static, str>>,
    columns: Vec<Column>,
    rows: usize,
}

impl Set {
    /// No rows yet. In a statement `{name}` stands for the set, and `name.column` for its columns.
    pub(in crate::store) fn new(name: &'static str, columns: &[(&'static str, Kind)]) -> Self {
        Self::named(name, columns.iter().map(|(column, kind)| (Cow::Borrowed(*column), *kind)))
    }

    /// As [`Set::new`], for columns whose names are read from a database.
    pub(in crate::store) fn named(
        name: &'static str,
        columns: impl IntoIterator<Item = (Cow<'static, str>, Kind)>,
    ) -> Self {
        let (names, columns) = columns.into_iter().map(|(name, kind)| (name, Column::of(kind))).unzip();
        Self { name, names, columns, rows: 0 }
    }

    /// A set of one column, `id`.
    pub(in crate::store) fn of_ids(name: &'static str, ids: impl IntoIterator<Item = i64>) -> Self {
        let column: Vec<_> = ids.into_iter().map(Some).collect();
        Self { name, names: vec!["id".into()], rows: column.len(), columns: vec![Column::Int(column)] }
    }

    /// Adds a row, its cells in the order of the columns. A cell of another kind than its column counts as null, which no column that
    /// matters takes.
    pub(in crate::store) fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        debug_assert_eq!(N, self.columns.len(), "set {} has other columns", self.name);
        self.push_row(cells);
    }

    /// As [`Set::push`], for a number of columns that is known only when the program runs.
    pub(in crate::store) fn push_row<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) {
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match column {
                Column::Text(values) => values.push(match cell {
                    Cell::Text(text) => Some(without_nul(&text).into_owned()),
                    _ => None,
                }),
                Column::Int(values) => values.push(match cell {
                    Cell::Int(number) => Some(number),
                    _ => None,
                }),
                Column::Bytes(values) => values.push(match cell {
                    Cell::Bytes(bytes) => Some(bytes.into_owned()),
                    _ => None,
                }),
            }
        }
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(in crate::store) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn placeholder(&self) -> String {
        format!("{{{}}}", self.name)
    }

    pub(super) fn sqlite_source(&self, number: usize) -> String {
        let mut columns = String::new();
        let mut place = 0;
        for (name, column) in self.names.iter().zip(&self.columns) {
            match column {
                Column::Bytes(_) => {
                    let (piece, length) = (number + 1, place + 1);
                    let _ = write!(columns, "substr(${piece}, value ->> {place}, value ->> {length}) as {name}, ");
                    place += 2;
                }
                Column::Text(_) | Column::Int(_) => {
                    let _ = write!(columns, "value ->> {place} as {name}, ");
                    place += 1;
                }
            }
        }
        format!("(select {columns}key + 1 as place from jsonb_each(${number})) as {}", self.name)
    }

    pub(super) fn postgres_source(&self, number: usize) -> String {
        let mut arrays = String::new();
        for (place, column) in self.columns.iter().enumerate() {
            let kind = match column {
                Column::Text(_) => "text",
                Column::Int(_) => "bigint",
                Column::Bytes(_) => "bytea",
            };
            let comma = if place == 0 { "" } else { ", " };
            let _ = write!(arrays, "{comma}${}::{kind}[]", number + place);
        }
        format!("unnest({arrays}) with ordinality as {}({}, place)", self.name, self.names.join(", "))
    }

    /// Answers how many parameters it took.
    pub(super) fn add_to(&self, arguments: &mut PgArguments) -> Result<usize, BoxDynError> {
        for column in &self.columns {
            match column {
                Column::Text(values) => arguments.add(values)?,
                Column::Int(values) => arguments.add(values)?,
                Column::Bytes(values) => arguments.add(values)?,
            }
        }
        Ok(self.columns.len())
    }

    /// The rows as an array of arrays, and the bytes of all of them in one piece, if the set has any. In the JSON a cell of bytes is its
    /// place in the piece, from 1, and its length.
    pub(super) fn to_sqlite(&self) -> (String, Option<Vec<u8>>) {
        let mut text = String::with_capacity(self.rows * self.columns.len() * 24);
        let mut piece = Vec::with_capacity(self.columns.iter().map(Column::bytes).sum());
        text.push('[');
        for row in 0..self.rows {
            text.push_str(if row == 0 { "[" } else { ",[" });
            for (place, column) in self.columns.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                column.write_json(row, &mut text, &mut piece);
            }
            text.push(']');
        }
        text.push(']');
        if piece.is_empty() {
            // Of an empty piece SQLite makes nulls.
            piece.push(0);
        }
        let any = self.columns.iter().any(|column| matches!(column, Column::Bytes(_)));
        (text, any.then_some(piece))
    }
}

impl Column {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Vec::new()),
            Kind::Int => Self::Int(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
        }
    }

    /// How many bytes all cells of bytes have.
    fn bytes(&self) -> usize {
        match self {
            Self::Bytes(values) => values.iter().flatten().map(Vec::len).sum(),
            Self::Text(_) | Self::Int(_) => 0,
        }
    }

    fn write_json(&self, row: usize, text: &mut String, piece: &mut Vec<u8>) {
        match self {
            Self::Text(values) => match values.get(row).and_then(Option::as_deref) {
                Some(value) => push_json(value, text),
                None => text.push_str("null"),
            },
            Self::Int(values) => {
                let _ = match values.get(row).copied().flatten() {
                    Some(value) => write!(text, "{value}"),
                    None => write!(text, "null"),
                };
            }
            Self::Bytes(values) => match values.get(row).and_then(Option::as_deref) {
                Some(value) => {
                    let _ = write!(text, "{},{}", piece.len() + 1, value.len());
                    piece.extend_from_slice(value);
                }
                None => text.push_str("null,null"),
            },
        }
    }
}

/// A text in quotes. Most texts are names and need no escapes; documents have many.
fn push_json(value: &str, text: &mut String) {
    if value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        // A text always serialises.
        text.push_str(&serde_json::to_string(value).unwrap_or_default());
    }
}

/// PostgreSQL keeps no NUL in a text, and SQLite's functions stop at one. Ids have none; in sentences, which may quote anything, it
/// becomes the sign for what cannot be shown, on both alike.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}
impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}
impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<bool> for Cell<'_> {
    fn from(yes: bool) -> Self {
        Self::Int(i64::from(yes))
    }
}
impl From<usize> for Cell<'_> {
    fn from(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
impl<'a> From<&'a [u8]> for Cell<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}
impl<'a> From<&'a Vec<u8>> for Cell<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}
impl From<[u8; 32]> for Cell<'_> {
    fn from(bytes: [u8; 32]) -> Self {
        Self::Bytes(Cow::Owned(bytes.to_vec()))
    }
}
impl From<Digest> for Cell<'_> {
    fn from(digest: Digest) -> Self {
        Self::Bytes(Cow::Owned(digest.as_bytes().to_vec()))
    }
}
impl From<Moment> for Cell<'_> {
    fn from(moment: Moment) -> Self {
        Self::Int(moment.0)
    }
}
impl From<EntryId> for Cell<'_> {
    fn from(id: EntryId) -> Self {
        Self::Int(id.0)
    }
}
impl From<ArrivalId> for Cell<'_> {
    fn from(id: ArrivalId) -> Self {
        Self::Int(id.0)
    }
}
impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! text_cells {
    ($($id:ident)*) => {$(
        impl<'a> From<&'a $id> for Cell<'a> {
            fn from(id: &'a $id) -> Self {
                id.as_str().into()
            }
        }
    )*};
}
text_cells!(MerchantId SourceId MemberId InstallationId PartnerId LotId RewardId DeliveryId ChannelId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_says_the_same_to_both_engines() {
        let mut set = Set::new("k", &[("name", Kind::Text), ("amount", Kind::Int), ("hash", Kind::Bytes)]);
        assert!(set.is_empty());
        set.push(["a\"b".into(), 7_i64.into(), Cell::from(&[0_u8, 255][..])]);
        set.push([Cell::Null, Cell::Null, Cell::Null]);
        set.push(["x\0y".into(), Cell::Null, Cell::Null]);
        assert_eq!(set.len(), 3);
        set.push(["".into(), Cell::Null, Cell::from(&[7_u8][..])]);
        assert_eq!(
            set.to_sqlite(),
            (
                "[[\"a\\\"b\",7,1,2],[null,null,null,null],[\"x\u{fffd}y\",null,null,null],[\"\",null,3,1]]".to_owned(),
                Some(vec![0, 255, 7])
            )
        );
        assert_eq!(Set::of_ids("k", [1]).to_sqlite(), ("[[1]]".to_owned(), None));
        assert_eq!(
            set.sqlite_source(3),
            "(select value ->> 0 as name, value ->> 1 as amount, substr($4, value ->> 2, value ->> 3) as hash, key + 1 as place from jsonb_each($3)) as k"
        );
        assert_eq!(
            set.postgres_source(3),
            "unnest($3::text[], $4::bigint[], $5::bytea[]) with ordinality as k(name, amount, hash, place)"
        );
    }
}
