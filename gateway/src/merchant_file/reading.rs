//! Typed keys out of TOML tables that know their lines. What is wrong is written down and reading goes on, so that one
//! run tells everything.

use super::checks::nearest;
use super::{Problem, Surroundings};
use std::cell::RefCell;
use toml::de::{DeTable, DeValue};

/// One reading of one file: where its lines begin and what was found wrong so far.
pub(super) struct Reading<'a> {
    pub(super) surroundings: &'a dyn Surroundings,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(text: &'a str, surroundings: &'a dyn Surroundings) -> Self {
        Self { surroundings, text, problems: RefCell::default() }
    }
    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }
    /// Writes a problem down.
    pub(super) fn say(&self, line: usize, text: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { line, text: text.into() });
    }
    /// How many problems there are by now: to ask whether a piece of the file was without.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }
    /// All problems, by line.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
    /// The text itself, or the environment variable that `env:NAME` names. Never repeats the value.
    fn resolve(&self, found: At<&str>, what: &str) -> Option<At<String>> {
        let line = found.line;
        let Some(name) = found.value.strip_prefix("env:") else {
            if found.value.trim().is_empty() {
                self.say(line, format!("{what} is empty; write it, or \"env:NAME\" to take it from the environment"));
                return None;
            }
            return Some(At { line, value: found.value.to_owned() });
        };
        if name.trim().is_empty() {
            self.say(line, format!("{what} is \"env:\" without a name; write \"env:NAME\""));
            return None;
        }
        match self.surroundings.env(name) {
            Some(value) if !value.trim().is_empty() => Some(At { line, value }),
            other => {
                let state = if other.is_some() { "empty" } else { "not set" };
                self.say(line, format!("{what}: the environment variable {name} is {state}; set it and try again"));
                None
            }
        }
    }
}

/// Something and the line it stands on.
#[derive(Clone, Copy)]
pub(super) struct At<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

/// One table of the file, its keys checked against those that mean something.
pub(super) struct Section<'a> {
    /// As messages call it: `[[sources]]`.
    pub(super) name: &'static str,
    /// Where it begins.
    pub(super) line: usize,
    pub(super) reading: &'a Reading<'a>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// Complains about keys that are not `known`.
    pub(super) fn new(
        name: &'static str,
        line: usize,
        table: &'a DeTable<'a>,
        known: &[&str],
        reading: &'a Reading<'a>,
    ) -> Self {
        for key in table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let cure = nearest(key.get_ref(), known)
                    .map_or_else(|| format!("it has {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
                let key_line = reading.line(key.span().start);
                reading.say(key_line, format!("{name} has no key `{}`; {cure}", key.get_ref()));
            }
        }
        Self { name, line, reading, table }
    }
    /// Whether the key is there, whatever it holds.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }
    /// Writes a problem of this section down.
    pub(super) fn say(&self, line: usize, text: impl Into<String>) {
        self.reading.say(line, text);
    }
    fn value(&self, key: &str) -> Option<At<&'a DeValue<'a>>> {
        let (key, value) = self.table.get_key_value(key)?;
        // A value may begin on a later line than its key, and a dotted header has no place of its own: the key's it is.
        Some(At { line: self.reading.line(key.span().start), value: value.get_ref() })
    }
    fn wrong(&self, line: usize, key: &str, wanted: &str, found: &DeValue<'_>) {
        self.say(line, format!("`{key}` of {} must be {wanted}, and is {}", self.name, kind(found)));
    }
    /// A text, if the key is there.
    pub(super) fn text(&self, key: &str) -> Option<At<&'a str>> {
        let found = self.value(key)?;
        if let DeValue::String(text) = found.value {
            return Some(At { line: found.line, value: text.as_ref() });
        }
        self.wrong(found.line, key, "text in quotes", found.value);
        None
    }
    /// Complains unless the key is there.
    pub(super) fn need(&self, key: &str, example: &str) {
        if !self.has(key) {
            self.say(self.line, format!("{} lacks `{key}`; add `{key} = {example}`", self.name));
        }
    }
    /// A text that has to be there.
    pub(super) fn needed_text(&self, key: &str, example: &str) -> Option<At<&'a str>> {
        self.need(key, example);
        self.text(key)
    }
    /// A text that may come from the environment (`env:NAME`) and is not empty.
    pub(super) fn resolved(&self, key: &str) -> Option<At<String>> {
        self.reading.resolve(self.text(key)?, &format!("`{key}` of {}", self.name))
    }
    /// As [`Section::resolved`], of a list of texts.
    pub(super) fn resolved_list(&self, key: &str) -> Vec<String> {
        let what = format!("an entry in `{key}` of {}", self.name);
        let found = self.list(key);
        found.into_iter().filter_map(|text| Some(self.reading.resolve(text, &what)?.value)).collect()
    }
    /// A list of texts; empty if the key is missing.
    pub(super) fn list(&self, key: &str) -> Vec<At<&'a str>> {
        let Some(found) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = found.value else {
            self.wrong(found.line, key, "a list of texts, as in [\"…\"]", found.value);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            let line = self.reading.line(item.span().start);
            match item.get_ref() {
                DeValue::String(text) => texts.push(At { line, value: text.as_ref() }),
                other => self.wrong(line, key, "a list of texts, as in [\"…\"]", other),
            }
        }
        texts
    }
    /// `true` or `false`; `false` if the key is missing.
    pub(super) fn flag(&self, key: &str) -> bool {
        match self.value(key).map(|found| (found.line, found.value)) {
            None => false,
            Some((_, DeValue::Boolean(flag))) => *flag,
            Some((line, other)) => {
                self.wrong(line, key, "true or false", other);
                false
            }
        }
    }
    /// A whole number from 0, if the key is there.
    pub(super) fn count(&self, key: &str) -> Option<i64> {
        let found = self.value(key)?;
        let DeValue::Integer(number) = found.value else {
            self.wrong(found.line, key, "a whole number", found.value);
            return None;
        };
        match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(count) if count >= 0 => Some(count),
            Ok(_) => {
                self.say(found.line, format!("`{key}` of {} is negative; write 0 or more", self.name));
                None
            }
            Err(_) => {
                self.say(
                    found.line,
                    format!("`{key}` of {} is too large a number; leave it out for no cap", self.name),
                );
                None
            }
        }
    }
    /// A table whose keys are known.
    pub(super) fn table(&self, key: &str, name: &'static str, known: &[&str]) -> Option<Section<'a>> {
        let found = self.raw_table(key)?;
        Some(Section::new(name, found.line, found.value, known, self.reading))
    }
    /// A table whose keys are somebody else's.
    pub(super) fn raw_table(&self, key: &str) -> Option<At<&'a DeTable<'a>>> {
        let found = self.value(key)?;
        if let DeValue::Table(table) = found.value {
            return Some(At { line: found.line, value: table });
        }
        self.wrong(found.line, key, "a table", found.value);
        None
    }
    /// An array of tables; empty if the key is missing.
    pub(super) fn tables(&self, key: &str, name: &'static str, known: &[&str]) -> Vec<Section<'a>> {
        let Some(found) = self.value(key) else { return Vec::new() };
        let wanted = format!("a list of tables, each under a {name} line of its own");
        let DeValue::Array(items) = found.value else {
            self.wrong(found.line, key, &wanted, found.value);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items {
            let line = self.reading.line(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section::new(name, line, table, known, self.reading)),
                other => self.wrong(line, key, &wanted, other),
            }
        }
        sections
    }
}

/// What a value is, in a reader's words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
