//! As much of `PromQL` as the alert rules need, on two scrapes: a selector, or `rate`, `absent` or `time() -` of one, compared with a number.
//! A rule that says more makes its test fail, which is where to teach this more.

use std::collections::{BTreeMap, BTreeSet};

/// How far apart two scrapes are taken to be, seconds.
const APART: f64 = 60.0;

/// A series as it is written: `name{label="value"}`.
type Series = BTreeMap<String, f64>;

/// What a gateway told at one time.
#[derive(Debug)]
pub(super) struct Scrape {
    samples: Series,
    declared: BTreeSet<String>,
    at: f64,
}

impl Scrape {
    pub(super) fn of(text: &str, at: f64) -> Self {
        let mut scrape = Self { samples: Series::new(), declared: BTreeSet::new(), at };
        for line in text.lines() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, kind) = declared.split_once(' ').expect("a name and a type");
                let suffixes: &[&str] = match kind {
                    "counter" => &["_total"],
                    "histogram" => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                scrape.declared.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').expect("a series and its value");
                scrape.samples.insert(series.to_owned(), value.parse().expect("a number"));
            }
        }
        scrape
    }

    /// The names that may be asked for.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.declared
    }

    /// The series of a name, with a label or whatever labels they have.
    fn select(&self, selector: &str) -> Series {
        let (name, label) = selector.split_once('{').unwrap_or((selector, ""));
        let label = label.trim_end_matches('}');
        let word = |name: &str| !name.is_empty() && name.chars().all(|char| char.is_ascii_lowercase() || char == '_');
        assert!(word(name) && !label.contains(','), "`{selector}` is more than this test knows");
        let fits = |series: &str| {
            let (known, labels) = series.split_once('{').unwrap_or((series, ""));
            known == name && (label.is_empty() || labels.trim_end_matches('}').split(',').any(|known| known == label))
        };
        self.samples.iter().filter(|(series, _)| fits(series)).map(|(series, value)| (series.clone(), *value)).collect()
    }
}

/// Whether the expression has a result at the second scrape.
pub(super) fn fires(expression: &str, before: &Scrape, after: &Scrape) -> bool {
    if let Some(selector) = call(expression, "absent(") {
        return after.select(selector).is_empty();
    }
    let (left, number, equal) = match (expression.split_once(" > "), expression.split_once(" == ")) {
        (Some((left, number)), None) => (left, number, false),
        (None, Some((left, number))) => (left, number, true),
        _ => panic!("`{expression}` is more than this test knows"),
    };
    let number: f64 = number.parse().expect("a number");
    let series = value(left, before, after);
    series.values().any(|value| if equal { (value - number).abs() < f64::EPSILON } else { *value > number })
}

fn value(expression: &str, before: &Scrape, after: &Scrape) -> Series {
    if let Some(selector) = expression.strip_prefix("time() - ") {
        return after.select(selector).into_iter().map(|(series, value)| (series, after.at - value)).collect();
    }
    let Some(range) = call(expression, "rate(") else { return after.select(expression) };
    let (selector, _) = range.split_once('[').expect("a range");
    let earlier = before.select(selector);
    // As in Prometheus, a series that was not there before has no rate.
    let rates = after.select(selector).into_iter().filter_map(|(series, value)| {
        let rate = (value - earlier.get(&series)?) / APART;
        Some((series, rate))
    });
    rates.collect()
}

fn call<'a>(expression: &'a str, function: &str) -> Option<&'a str> {
    expression.strip_prefix(function)?.strip_suffix(')')
}

/// The gateway's metrics that an expression asks for, whatever else is in it.
pub(super) fn names(expression: &str) -> Vec<&str> {
    let words = expression.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let found: Vec<&str> = words.filter(|word| word.starts_with("perkgate_")).collect();
    assert!(!found.is_empty(), "`{expression}` asks for nothing");
    found
}
