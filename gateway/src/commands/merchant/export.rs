//! A merchant's export: a file of one JSON document a line. The first says whose it is, then comes a line for each row, and the last
//! one says that nothing is missing.

use anyhow::Context as _;
use perkgate_domain::ids::{ArrivalId, MerchantId, SourceId};
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::identity::contact_context;
use perkgate_gateway::journal;
use perkgate_gateway::store::UnreadArrival;
use perkgate_gateway::store::whole::RemovedRow;
use perkgate_gateway::vault::Vault;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The line behind the rows of the programme: what is above it was written before anything was removed.
const PROGRAMME_ENDS: &str = r#"{"programme":"ends"}"#;

/// An export being written. It has its name when it is whole.
pub(super) struct Export {
    file: BufWriter<File>,
    draft: PathBuf,
    path: PathBuf,
    opener: Option<Opener>,
    rows: u64,
    unopened: u64,
}

impl Export {
    /// Begins, or goes on behind the programme where an earlier run has `begun` to remove it.
    pub(super) fn begin(
        path: &Path,
        merchant: &MerchantId,
        begun: bool,
        opener: Option<Opener>,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(
            path.symlink_metadata().is_err(),
            "{} is there already, and is not written over: name another file with --export",
            path.display()
        );
        let mut draft = path.as_os_str().to_owned();
        draft.push(".partial");
        let draft = PathBuf::from(draft);
        let cannot = || format!("cannot write {}", draft.display());
        let kept = if begun { programme_of(&draft, merchant)? } else { None };
        if begun && kept.is_none() {
            eprintln!(
                "the merchant's programme is gone already, and is not in this export: an earlier one began with it"
            );
        }
        if kept.is_none() && draft.exists() {
            anyhow::ensure!(
                is_ours(&draft, merchant),
                "{} is there, and was not left by an export of `{merchant}`: name another file with --export",
                draft.display()
            );
            std::fs::remove_file(&draft).with_context(cannot)?;
        }
        let mut file = match kept {
            Some(_) => super::super::backup::private().open(&draft),
            None => super::super::backup::private().create_new(true).open(&draft),
        }
        .with_context(cannot)?;
        let (bytes, rows) = kept.unwrap_or_default();
        file.set_len(bytes).with_context(cannot)?;
        file.seek(std::io::SeekFrom::End(0)).with_context(cannot)?;
        let is_opened = opener.is_some();
        let mut export = Self { file: BufWriter::new(file), draft, path: path.to_owned(), opener, rows, unopened: 0 };
        if bytes == 0 {
            let head =
                json!({"export": "merchant", "merchant": merchant, "at": SystemClock.now(), "opened": is_opened});
            export.line(&head.to_string())?;
        }
        Ok(export)
    }

    /// Adds a row.
    pub(super) fn write(&mut self, found: RemovedRow) -> anyhow::Result<()> {
        let mut line = json!({"table": found.table});
        if let Some(opener) = &self.opener {
            match opener.open(&found) {
                Opened::Nothing => {}
                Opened::Sealed => self.unopened += 1,
                Opened::Value(value) => line["opened"] = value,
            }
        }
        line["row"] = Value::Object(found.row);
        self.rows += 1;
        self.line(&line.to_string())
    }

    /// The programme is in it: down to the disk, before anything is removed.
    pub(super) fn end_programme(&mut self) -> anyhow::Result<()> {
        self.line(PROGRAMME_ENDS)?;
        self.sync()
    }

    /// Everything is in it: it gets its name. Answers how many sealed values did not open.
    pub(super) fn end(mut self) -> anyhow::Result<u64> {
        let last = json!({"end": true, "rows": self.rows});
        self.line(&last.to_string())?;
        self.sync()?;
        let place = || {
            anyhow::ensure!(self.path.symlink_metadata().is_err(), "it is there already, and is not written over");
            std::fs::rename(&self.draft, &self.path)?;
            let folder = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Ok(File::open(folder)?.sync_all()?)
        };
        place().with_context(|| format!("cannot make {}", self.path.display()))?;
        Ok(self.unopened)
    }

    fn line(&mut self, text: &str) -> anyhow::Result<()> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.write_all(b"\n"));
        written.with_context(|| format!("cannot write {}", self.draft.display()))
    }

    fn sync(&mut self) -> anyhow::Result<()> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.with_context(|| format!("cannot write {}", self.draft.display()))
    }
}

/// Whether this is a whole export of the merchant's.
pub(super) fn is_whole(path: &Path, merchant: &MerchantId) -> anyhow::Result<bool> {
    if !path.exists() || !is_ours(path, merchant) {
        return Ok(false);
    }
    let lines = BufReader::new(File::open(path)?).lines();
    let last = lines.map_while(Result::ok).last().unwrap_or_default();
    Ok(parsed(&last)["end"] == true)
}

/// Whether a file begins as an export of the merchant's, or has not begun yet.
fn is_ours(path: &Path, merchant: &MerchantId) -> bool {
    let mut first = String::new();
    let read = File::open(path).and_then(|file| BufReader::new(file).read_line(&mut first));
    let head = parsed(&first);
    read.is_ok() && (first.is_empty() || (head["export"] == "merchant" && head["merchant"] == merchant.as_str()))
}

/// How many bytes and rows of a broken off export belong to the programme, if all of it is there.
fn programme_of(draft: &Path, merchant: &MerchantId) -> anyhow::Result<Option<(u64, u64)>> {
    if !draft.exists() || !is_ours(draft, merchant) {
        return Ok(None);
    }
    let (mut bytes, mut rows) = (0, 0);
    for line in BufReader::new(File::open(draft)?).split(b'\n') {
        let line = line?;
        bytes += line.len() as u64 + 1;
        if line == PROGRAMME_ENDS.as_bytes() {
            return Ok(Some((bytes, rows)));
        }
        rows += u64::from(bytes != line.len() as u64 + 1);
    }
    Ok(None)
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_default()
}

/// Opens what was sealed about the merchant's customers. Secrets of sources and channels stay sealed.
pub(super) struct Opener {
    vault: Vault,
    merchant: MerchantId,
}

/// What a row has sealed.
enum Opened {
    Nothing,
    /// It does not open with this key.
    Sealed,
    Value(Value),
}

impl Opener {
    pub(super) fn new(vault: Vault, merchant: MerchantId) -> Self {
        Self { vault, merchant }
    }

    fn open(&self, found: &RemovedRow) -> Opened {
        let text = |column: &str| found.row.get(column).and_then(Value::as_str).unwrap_or_default();
        let sealed = found.row.get("sealed").and_then(|sealed| hex::decode(sealed["hex"].as_str()?).ok());
        let Some(sealed) = sealed.filter(|sealed| !sealed.is_empty()) else { return Opened::Nothing };
        let plain = |context: &str| self.vault.open(context, &sealed).ok();
        let source = SourceId::new(text("source_id"));
        let opened = match found.table.as_str() {
            "contacts" => plain(&contact_context(&self.merchant, text("field"))).map(readable),
            "rejections" => plain(&journal::context(&self.merchant, &source)).map(readable),
            "arrivals" => self.arrival(source, sealed.clone()),
            _ => return Opened::Nothing,
        };
        opened.map_or(Opened::Sealed, Opened::Value)
    }

    fn arrival(&self, source: SourceId, sealed: Vec<u8>) -> Option<Value> {
        let merchant = self.merchant.clone();
        let stored = UnreadArrival {
            id: ArrivalId(0),
            merchant,
            source,
            topic: String::new(),
            dedupe: String::new(),
            test: false,
            sealed,
            fetched: None,
            received_at: Moment(0),
            attempts: 0,
        };
        let opened = journal::reopen(&self.vault, &stored).ok()?;
        let arrival = opened.arrival();
        let headers: Vec<_> =
            arrival.headers.iter().map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
        Some(json!({"headers": headers, "body": readable(arrival.body.to_vec())}))
    }
}

/// As text, or as hexadecimal digits if it is none.
fn readable(bytes: Vec<u8>) -> Value {
    String::from_utf8(bytes).map_or_else(|error| json!({"hex": hex::encode(error.into_bytes())}), Value::String)
}
