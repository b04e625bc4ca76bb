//! Everything that a database keeps, table by table and column by column as its schema has them, opened with the key where it is sealed.
//! So a table that is new is looked into without anybody thinking of it.

use perkgate_gateway::vault::Vault;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// One value and where it was.
#[derive(Clone, Debug)]
pub struct Kept {
    /// `table.column`.
    pub place: String,
    /// As it stands there, or opened.
    pub bytes: Vec<u8>,
}

/// Columns that hold what is sealed.
const SEALED: [&str; 2] = ["sealed", "fetched"];

/// Every value of every table of the database that `url` names. `contexts` are the places for which things of `merchant`'s are sealed.
pub async fn everything(url: &str, vault: &Vault, contexts: &[String]) -> Vec<Kept> {
    let mut all = Vec::new();
    for (table, column, value) in values(url).await {
        let place = format!("{table}.{column}");
        if !SEALED.contains(&column.as_str()) || value.is_empty() {
            all.push(Kept { place, bytes: value });
            continue;
        }
        let plain = contexts.iter().find_map(|context| vault.open(context, &value).ok());
        let plain = plain.unwrap_or_else(|| panic!("{place} does not open: say in the test what it is sealed for"));
        // What a platform answered is a document of hexadecimal texts.
        if let Ok(serde_json::Value::Object(answers)) = serde_json::from_slice(&plain) {
            for answer in answers.values().filter_map(|answer| answer.as_str()) {
                all.extend(unhexed(answer).map(|bytes| Kept { place: place.clone(), bytes }));
            }
        }
        all.push(Kept { place, bytes: plain });
    }
    all
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| (pair[0] << 4) | pair[1]).collect())
}

async fn values(url: &str) -> Vec<(String, String, Vec<u8>)> {
    let sqlite = url.starts_with("sqlite:");
    let columns = if sqlite {
        "select t.name, c.name from sqlite_schema t join pragma_table_info(t.name) c where t.type = 'table'"
    } else {
        "select table_name::text, column_name::text from information_schema.columns where table_schema = 'public'"
    };
    let mut values = Vec::new();
    for (table, column) in pairs(url, columns).await {
        // Bytes as hexadecimal digits, and so everything else too.
        let value = if sqlite {
            format!("hex(cast(\"{column}\" as blob))")
        } else {
            format!(
                "encode(case when pg_typeof(\"{column}\")::text = 'bytea' then \"{column}\"::text::bytea
                        else convert_to(\"{column}\"::text, 'UTF8') end, 'hex')"
            )
        };
        let statement = format!("select '{table}', {value} from \"{table}\" where \"{column}\" is not null");
        for (_, hex) in pairs(url, &statement).await {
            let bytes = unhexed(&hex).expect("hexadecimal digits");
            values.push((table.clone(), column.clone(), bytes));
        }
    }
    values
}

async fn pairs(url: &str, statement: &str) -> Vec<(String, String)> {
    let statement = AssertSqlSafe(statement.to_owned());
    if url.starts_with("sqlite:") {
        let mut hand = SqliteConnection::connect(url).await.expect("a connection");
        sqlx::query_as(statement).fetch_all(&mut hand).await.expect("rows")
    } else {
        let mut hand = PgConnection::connect(url).await.expect("a connection");
        sqlx::query_as(statement).fetch_all(&mut hand).await.expect("rows")
    }
}
