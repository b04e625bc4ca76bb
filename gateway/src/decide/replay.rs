//! Proves what was decided: every stored decision is made again by the component of its digest, told what it was told, and must come
//! to the same bytes. Page by page, so that a large ledger is proved in bounded memory; the decisions of a page on all cores.

use super::told;
use crate::store::{DecidedRow, LedgerReport, Replayed, Store, StoreError};
use perkgate_domain::decision::{Blame, Fault, FaultKind, Outcome, Verdict};
use perkgate_domain::event::Event;
use perkgate_domain::ids::{Digest, EntryId, InstallationId, MerchantId};
use perkgate_domain::plan::{About, DecisionRecord};
use perkgate_domain::purchase::Purchase;
use perkgate_plugin_host::{Host, Plugin};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Entries read at once.
const PAGE: usize = 256;
/// Loaded plugins, and past settings, that are kept for the next page though this one did not need them.
const KEPT: (usize, usize) = (32, 1_024);
/// How often a decision is made again that failed by a fault of ours: a machine under load is no difference.
const TRIES: usize = 3;
/// Characters of a value that a finding shows.
const SHOWN: usize = 80;

/// Settings of an installation of a merchant.
type Revision = (MerchantId, InstallationId, i64);

/// A pass over stored decisions.
pub struct Replay<'a> {
    store: &'a dyn Store,
    host: &'a Host,
    merchant: Option<&'a MerchantId>,
    after: Option<EntryId>,
    plugins: HashMap<Digest, Loaded>,
    settings: HashMap<Revision, Option<String>>,
    /// What concerns many decisions is said once.
    said: HashSet<Once>,
}

/// What became of a component.
enum Loaded {
    Plugin(Plugin),
    /// It is there and does not load: what deciding with it comes to.
    Unfit(Fault),
    /// Why nothing can be decided with it.
    Lost(&'static str),
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Once {
    Component(Digest),
    Settings(Revision),
}

/// What does not hold, in a sentence.
struct Finding {
    once: Option<Once>,
    said: String,
}

/// One entry, read back as far as it reads back.
#[derive(Default)]
struct Entry {
    event: Option<Event>,
    purchase: Option<Purchase>,
    records: Vec<DecisionRecord>,
    findings: Vec<Finding>,
}

impl<'a> Replay<'a> {
    /// Over everything, or what is one merchant's.
    #[must_use]
    pub fn new(store: &'a dyn Store, host: &'a Host, merchant: Option<&'a MerchantId>) -> Self {
        let (plugins, settings, said) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { store, host, merchant, after: None, plugins, settings, said }
    }

    /// Makes the decisions of some more entries again, and adds what it finds to the report. Answers whether there may be more.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails. What is stored and does not read back is a finding and no error.
    pub async fn step(&mut self, report: &mut LedgerReport) -> Result<bool, StoreError> {
        let mut replayed = report.replayed.unwrap_or_default();
        if self.after.is_none() {
            for (merchant, entry, installation) in self.store.undecided(self.merchant, SHOWN).await? {
                report.found(format!(
                    "`{installation}` gave something for entry {entry} of {merchant}, and what was decided on it is missing"
                ));
            }
        }
        let rows = self.store.decided(self.after.unwrap_or(EntryId(i64::MIN)), self.merchant, PAGE).await?;
        report.replayed = Some(replayed);
        let Some(last) = rows.last() else { return Ok(false) };
        self.after = Some(last.entry);
        let entries: Vec<Entry> = rows.par_iter().map(read).collect();
        self.provide(&rows, &entries).await?;
        let this = &*self;
        let (plugins, settings) = (&this.plugins, &this.settings);
        let work = rows.par_iter().zip(entries);
        let done: Vec<_> = work.map(|(row, entry)| prove(row, entry, plugins, settings)).collect();
        for (count, findings) in done {
            replayed.entries += count.entries;
            replayed.decisions += count.decisions;
            replayed.passed_over += count.passed_over;
            for finding in findings {
                if finding.once.is_none_or(|once| self.said.insert(once)) {
                    report.found(finding.said);
                }
            }
        }
        report.replayed = Some(replayed);
        Ok(true)
    }

    /// Sees to it that every component and setting that these entries name is here, and not too many others.
    async fn provide(&mut self, rows: &[DecidedRow], entries: &[Entry]) -> Result<(), StoreError> {
        let records =
            || rows.iter().zip(entries).flat_map(|(row, entry)| entry.records.iter().map(move |made| (row, made)));
        let needed: HashSet<Digest> = records().map(|(_, made)| made.digest).collect();
        if self.plugins.len() > KEPT.0 {
            self.plugins.retain(|digest, _| needed.contains(digest));
        }
        for digest in needed {
            if !self.plugins.contains_key(&digest) {
                let loaded = self.load(digest).await?;
                self.plugins.insert(digest, loaded);
            }
        }
        let needed: HashSet<Revision> = records().map(|(row, made)| revision(row, made)).collect();
        if self.settings.len() > KEPT.1 {
            self.settings.retain(|revision, _| needed.contains(revision));
        }
        for wanted in needed {
            if !self.settings.contains_key(&wanted) {
                let kept = self.store.settings(&wanted.0, wanted.1.as_str(), wanted.2).await?;
                self.settings.insert(wanted, kept);
            }
        }
        Ok(())
    }

    async fn load(&self, digest: Digest) -> Result<Loaded, StoreError> {
        Ok(match self.store.component(digest).await? {
            None => Loaded::Lost("is missing"),
            Some(component) if Digest::of(&component) != digest => {
                Loaded::Lost("was changed: its bytes have another digest")
            }
            Some(component) => match self.host.load(&component) {
                Ok(plugin) => Loaded::Plugin(plugin),
                Err(error) => Loaded::Unfit(error.fault()),
            },
        })
    }
}

fn revision(row: &DecidedRow, made: &DecisionRecord) -> Revision {
    (row.merchant.clone(), made.installation.clone(), made.settings_revision)
}

fn finding(said: String) -> Finding {
    Finding { once: None, said }
}

/// Reads an entry and what was decided on it, and holds both against their digests.
fn read(row: &DecidedRow) -> Entry {
    let whose = format!("entry {} of {}", row.entry, row.merchant);
    let mut entry = Entry::default();
    let mut say = |said: String| entry.findings.push(finding(said));
    if DecisionRecord::digest_of(&row.merchant, row.entry, &row.document).as_bytes() != row.digest.as_slice() {
        say(format!("what was decided on {whose} was changed: it has another digest"));
    }
    match serde_json::from_str(&row.document) {
        Ok(records) => entry.records = records,
        Err(error) => say(format!("what was decided on {whose} cannot be read: {error}")),
    }
    let Some(told) = &row.told else {
        say(format!("{whose} is missing, and there are decisions on it"));
        return entry;
    };
    if Digest::of(told.document.as_bytes()).as_bytes() != told.digest.as_slice() {
        say(format!("{whose} was changed: it has another digest"));
    }
    match serde_json::from_str(&told.document) {
        Ok(event) => entry.event = Some(event),
        Err(error) => say(format!("{whose} cannot be read: {error}")),
    }
    entry.purchase = match row.purchase.as_deref().and_then(|document| serde_json::from_str(document).ok()) {
        Some(Event::Purchase(purchase)) => Some(purchase),
        Some(Event::Edit(edit)) => Some(edit.purchase),
        _ => None,
    };
    entry
}

/// Makes every decision on one entry again.
fn prove(
    row: &DecidedRow,
    entry: Entry,
    plugins: &HashMap<Digest, Loaded>,
    settings: &HashMap<Revision, Option<String>>,
) -> (Replayed, Vec<Finding>) {
    let Entry { event, purchase, records, mut findings } = entry;
    let mut count = Replayed { entries: 1, ..Replayed::default() };
    for made in &records {
        let who = format!("`{}` on entry {} of {}", made.installation, row.entry, row.merchant);
        findings.extend(unlike_settings(row, made, settings));
        if row.emptied || is_unrepeatable(&made.outcome) {
            count.passed_over += 1;
            continue;
        }
        let (Some(event), Some(told_row)) = (&event, &row.told) else { continue };
        count.decisions += 1;
        let decide = |plugin: &Plugin| {
            let call = told(event, told_row.source.as_str(), purchase.as_ref(), made.about.as_ref())?;
            Some(patiently(|| plugin.decide(call, &made.facts)))
        };
        let verdict = match plugins.get(&made.digest) {
            Some(Loaded::Plugin(plugin)) => decide(plugin),
            Some(Loaded::Unfit(fault)) => Some(failed(fault)),
            Some(Loaded::Lost(why)) => {
                let said = format!("the component {} of {who} {why}", made.digest);
                findings.push(Finding { once: Some(Once::Component(made.digest)), said });
                continue;
            }
            None => None,
        };
        let said = match verdict {
            None => Some(format!("{who} cannot be decided again: {} is missing", subject(event, made))),
            Some(verdict) => unlike(made, &verdict).map(|what| format!("{who} comes to something else: {what}")),
        };
        findings.extend(said.map(finding));
    }
    (count, findings)
}

/// What is not there of what the decision was about.
fn subject(event: &Event, made: &DecisionRecord) -> String {
    match (event, &made.about) {
        (_, Some(About::Purchase(told_by))) => format!("the purchase, which entry {told_by} tells,"),
        (Event::Refund(_), _) => "which entry tells the purchase".to_owned(),
        (Event::Redemption(_) | Event::Undo(_), _) => "which reward it was".to_owned(),
        (event, _) => format!("a way to tell a plugin of a {}", event.kind().as_str()),
    }
}

/// Nothing that is stored brings these about: they are ours, or the clock's on the wall.
fn is_unrepeatable(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Fault(fault) if fault.blame == Blame::Host || fault.kind == FaultKind::Deadline)
}

/// Decides until it is not our fault, but not for ever.
fn patiently(decide: impl Fn() -> Verdict) -> Verdict {
    let again = || Some(decide()).filter(|verdict| !is_unrepeatable(&verdict.outcome));
    (1..TRIES).find_map(|_| again()).unwrap_or_else(&decide)
}

fn failed(fault: &Fault) -> Verdict {
    Verdict { outcome: Outcome::Fault(fault.clone()), fuel: 0, memory_bytes: 0, log: Vec::new() }
}

/// The settings of a decision are those that are kept for its revision.
fn unlike_settings(
    row: &DecidedRow,
    made: &DecisionRecord,
    settings: &HashMap<Revision, Option<String>>,
) -> Option<Finding> {
    let wanted = revision(row, made);
    let said = match settings.get(&wanted)?.as_deref() {
        Some(kept) if kept == made.facts.settings => return None,
        Some(kept) => {
            let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            let what = difference("settings", &value(kept), &value(&made.facts.settings))
                .unwrap_or_else(|| "they are written differently".to_owned());
            format!("are not what it was told on entry {}: {what}", row.entry)
        }
        None => format!("are missing, and it decided by them on entry {}", row.entry),
    };
    let said = format!("settings {} of `{}` of {} {said}", wanted.2, wanted.1, wanted.0);
    Some(Finding { once: Some(Once::Settings(wanted)), said })
}

/// The first thing in which a decision made again differs from the one that is stored.
fn unlike(made: &DecisionRecord, verdict: &Verdict) -> Option<String> {
    unlike_part("outcome", &made.outcome, &verdict.outcome)
        .or_else(|| unlike_part("fuel", &made.fuel, &verdict.fuel))
        .or_else(|| unlike_part("log", &made.log, &verdict.log))
}

/// Held against each other byte for byte, as they are stored.
fn unlike_part<T: Serialize>(name: &str, stored: &T, made: &T) -> Option<String> {
    let bytes = (serde_json::to_string(stored), serde_json::to_string(made));
    let (Ok(stored), Ok(made)) = bytes else { return Some(format!("{name} cannot be written down")) };
    if stored == made {
        return None;
    }
    let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let what = difference(name, &value(&stored), &value(&made));
    Some(what.unwrap_or_else(|| format!("{name} is written differently")))
}

/// Where two documents first differ, with what is there; none if they do not.
fn difference(path: &str, stored: &Value, made: &Value) -> Option<String> {
    if stored == made {
        return None;
    }
    let inner = match (stored, made) {
        (Value::Object(one), Value::Object(other)) => one
            .keys()
            .chain(other.keys())
            .find_map(|key| difference(&format!("{path}.{key}"), part(one.get(key)), part(other.get(key)))),
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len()))
            .find_map(|place| difference(&format!("{path}[{place}]"), part(one.get(place)), part(other.get(place)))),
        _ => None,
    };
    inner.or_else(|| Some(format!("{path} is stored as {} and is {}", shortened(stored), shortened(made))))
}

/// What is not there shows as `null`.
fn part(value: Option<&Value>) -> &Value {
    value.unwrap_or(&Value::Null)
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Outcome, difference, is_unrepeatable};
    use perkgate_domain::decision::{Blame, FaultKind};
    use serde_json::json;

    #[test]
    fn the_first_difference_is_named_with_both_values() {
        let one = json!({"decided": [{"type": "earn", "amount": 7}, {"type": "tag"}]});
        assert_eq!(difference("outcome", &one, &one), None);
        for (other, said) in [
            (
                json!({"decided": [{"type": "earn", "amount": 6}, {"type": "tag"}]}),
                "outcome.decided[0].amount is stored as 7 and is 6",
            ),
            (
                json!({"decided": [{"type": "earn", "amount": 7}]}),
                r#"outcome.decided[1] is stored as {"type":"tag"} and is null"#,
            ),
            (json!({"fault": 1}), "outcome.decided is stored as ["),
            (json!(3), "outcome is stored as {"),
        ] {
            let named = difference("outcome", &one, &other).expect("they differ");
            assert!(named.starts_with(said), "{named}");
        }
        // What is there as nothing is still not the same as what is not there.
        assert!(difference("log", &json!({"text": null}), &json!({})).is_some());
    }

    #[test]
    fn long_values_are_shortened() {
        let named = difference("log", &json!("ž".repeat(500)), &json!("")).expect("they differ");
        assert!(named.contains('…') && named.chars().count() < 140, "{named}");
    }

    #[test]
    fn only_what_is_ours_or_the_clock_s_is_passed_over() {
        let fault = |blame, kind| Outcome::Fault(Fault { blame, kind, detail: String::new() });
        assert!(is_unrepeatable(&fault(Blame::Host, FaultKind::Host)));
        assert!(is_unrepeatable(&fault(Blame::Plugin, FaultKind::Deadline)));
        assert!(!is_unrepeatable(&fault(Blame::Plugin, FaultKind::Fuel)));
        assert!(!is_unrepeatable(&Outcome::Decided(Vec::new())));
    }
}
