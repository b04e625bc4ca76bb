//! What came of running a plugin, and how near its limits it was.

use crate::bench::Bench;
use crate::case::{Case, CaseError};
use crate::compare;
use perkgate_domain::decision::{Outcome, Verdict};
use perkgate_domain::event::Kind;
use std::fmt;
use std::path::{Path, PathBuf};

/// One call of a plugin. Displays as `perkgate plugin run` prints it.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it was asked about.
    pub kind: Kind,
    /// What came of it; none if the plugin has no rule about such entries.
    pub verdict: Option<Verdict>,
    /// Fuel it might have used, with that for its lines.
    pub fuel_limit: u64,
    /// Linear memory it might have held, bytes.
    pub memory_limit: usize,
}

/// One case that was run.
#[derive(Clone, Debug)]
pub struct Result {
    /// The file's name without `.json`.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// The call.
    pub run: Run,
    /// How it differs from what is expected; empty if it passes.
    pub differences: Vec<String>,
}

/// All cases of a plugin. Displays as `perkgate plugin test` prints it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Id and version of the plugin, and its digest.
    pub plugin: String,
    /// In the order of their names.
    pub results: Vec<Result>,
}

impl Report {
    /// Whether every case came out as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.results.iter().all(|result| result.differences.is_empty())
    }
}

/// Runs every `*.json` in `dir`, in the order of their names.
pub fn run_cases(dir: &Path, bench: &Bench) -> std::result::Result<Report, CaseError> {
    let manifest = bench.plugin().manifest();
    let mut results = Vec::new();
    for path in files(dir)? {
        let case = Case::read(&path)?;
        let Some(expect) = &case.expect else {
            let message = "it has no `expect`: say what the plugin should decide".to_owned();
            return Err(CaseError::File { path, message });
        };
        let run = bench.run(&case);
        let differences = compare::differences(expect, run.kind, run.verdict.as_ref(), manifest);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        results.push(Result { name, about: case.about, run, differences });
    }
    let plugin = format!("{} {}, {}", manifest.id, manifest.version, bench.plugin().digest());
    Ok(Report { plugin, results })
}

fn files(dir: &Path) -> std::result::Result<Vec<PathBuf>, CaseError> {
    let unreadable = |error| CaseError::Read { path: dir.to_owned(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(CaseError::None(dir.to_owned())) } else { Ok(files) }
}

impl Run {
    /// `fuel 21,334 of 20,100,000 (0.1 %), memory 192 of 65,536 KiB`.
    fn used(&self) -> String {
        let Some(verdict) = &self.verdict else { return String::new() };
        format!(
            "fuel {} of {} ({}), memory {} of {} KiB",
            grouped(verdict.fuel),
            grouped(self.fuel_limit),
            percent(verdict.fuel, self.fuel_limit),
            grouped(verdict.memory_bytes.div_ceil(1024)),
            grouped(u64::try_from(self.memory_limit).unwrap_or(u64::MAX) / 1024),
        )
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(verdict) = &self.verdict else {
            return writeln!(f, "the plugin has no rule about {}s", self.kind.as_str());
        };
        match &verdict.outcome {
            Outcome::Decided(decisions) if decisions.is_empty() => writeln!(f, "no decisions")?,
            Outcome::Decided(decisions) => {
                for decision in decisions {
                    writeln!(f, "{}", compare::json(decision))?;
                }
            }
            outcome => writeln!(f, "{}", compare::in_words(outcome))?,
        }
        for line in &verdict.log {
            let level = serde_json::to_value(line.level).unwrap_or_default();
            writeln!(f, "log {}: {}", level.as_str().unwrap_or_default(), line.text)?;
        }
        writeln!(f, "{}", self.used())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.plugin)?;
        let width = self.results.iter().map(|result| result.name.chars().count()).max().unwrap_or(0);
        for result in &self.results {
            let Result { name, about, run, differences } = result;
            let mark = if differences.is_empty() { "ok    " } else { "FAILED" };
            writeln!(f, "  {mark} {name:width$}  {}", run.used())?;
            if !differences.is_empty() {
                writeln!(f, "         {about}")?;
            }
            for difference in differences {
                writeln!(f, "         - {difference}")?;
            }
        }
        let failed = self.results.iter().filter(|result| !result.differences.is_empty()).count();
        let cases = if self.results.len() == 1 { "case" } else { "cases" };
        write!(f, "{} {cases}, ", self.results.len())?;
        if failed == 0 { write!(f, "all as expected") } else { write!(f, "{failed} not as expected") }
    }
}

/// 20000000 as `20,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A part of a whole, rounded up to a tenth of a percent: what little there is shows.
fn percent(part: u64, whole: u64) -> String {
    let tenths = (u128::from(part) * 1000).div_ceil(u128::from(whole.max(1)));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate_domain::decision::{LogLevel, LogLine, Refusal};

    fn run(outcome: Outcome) -> Run {
        let log = vec![LogLine { level: LogLevel::Info, text: "nothing earned".into() }];
        let verdict = Some(Verdict { outcome, fuel: 21_334, memory_bytes: 196_608, log });
        Run { kind: Kind::Purchase, verdict, fuel_limit: 20_100_000, memory_limit: 64 * 1024 * 1024 }
    }

    #[test]
    fn a_run_shows_its_answer_its_log_and_its_cost() {
        let text = run(Outcome::Refused(Refusal::Unsupported("in CZK".into()))).to_string();
        assert_eq!(
            text,
            "the refusal \"unsupported\": in CZK\nlog info: nothing earned\n\
             fuel 21,334 of 20,100,000 (0.2 %), memory 192 of 65,536 KiB\n"
        );
        assert!(run(Outcome::Decided(vec![])).to_string().starts_with("no decisions\n"));
    }

    #[test]
    fn a_report_names_what_failed_and_how() {
        let result = |name: &str, differences: Vec<String>| Result {
            name: name.into(),
            about: "what it shows".into(),
            run: run(Outcome::Decided(vec![])),
            differences,
        };
        let mut report = Report { plugin: "my-rule 0.1.0".into(), results: vec![result("first", vec![])] };
        assert!(report.passed() && report.to_string().ends_with("1 case, all as expected"));
        report.results.push(result("second", vec!["decisions[0].amount: expected 5, got 6".into()]));
        let text = report.to_string();
        assert!(!report.passed() && text.contains("FAILED second") && text.contains("expected 5, got 6"), "{text}");
        assert!(text.ends_with("2 cases, 1 not as expected"), "{text}");
    }
}
