//! Typed keys out of TOML tables that know their lines. What is wrong is written down and reading goes on, so that one
//! run tells everything.

use super::checks::{nearest, shown};
use super::{Problem, Surroundings};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use toml::de::{DeTable, DeValue};

/// One reading of one file: where its lines begin and what was found wrong so far.
pub(super) struct Reading<'a> {
    pub(super) surroundings: &'a dyn Surroundings,
    /// Whose file this is, as soon as that is read: what secrets it may take depends on it.
    pub(super) merchant: RefCell<Option<String>>,
    /// Where lines end, bytes.
    ends: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(text: &str, surroundings: &'a dyn Surroundings) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { surroundings, merchant: RefCell::default(), ends, problems: RefCell::default() }
    }
    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < at)
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
}

/// Something and the line it stands on.
#[derive(Clone, Copy)]
pub(super) struct At<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

/// What is said in a word, or in a table where a word is not enough.
pub(super) enum Said<'a> {
    Word(At<&'a str>),
    Table(Section<'a>),
}

/// One table of the file, its keys checked against those that mean something.
pub(super) struct Section<'a> {
    /// As messages call it: `[[sources]]`.
    pub(super) name: Cow<'static, str>,
    /// Where it begins.
    pub(super) line: usize,
    pub(super) reading: &'a Reading<'a>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// Complains about keys that are not `known`.
    pub(super) fn new(
        name: impl Into<Cow<'static, str>>,
        line: usize,
        table: &'a DeTable<'a>,
        known: &[&str],
        reading: &'a Reading<'a>,
    ) -> Self {
        let name = name.into();
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
    /// The keys that are there.
    pub(super) fn keys(&self) -> impl Iterator<Item = At<&'a str>> {
        self.table.keys().map(|key| At { line: self.reading.line(key.span().start), value: key.get_ref().as_ref() })
    }
    /// Where the key stands, or where the section begins if it is missing.
    pub(super) fn line_of(&self, key: &str) -> usize {
        self.value(key).map_or(self.line, |found| found.line)
    }
    /// Writes a problem of this section down.
    pub(super) fn say(&self, line: usize, text: impl Into<String>) {
        self.reading.say(line, text);
    }
    /// Writes down what is wrong with a key's value: the rest of a sentence that begins with the key.
    pub(super) fn say_of(&self, line: usize, key: &str, complaint: impl fmt::Display) {
        self.say(line, format!("`{key}` of {} {complaint}", self.name));
    }
    /// What a check made of a value, its complaint written down with the key.
    pub(super) fn checked<T>(&self, key: &str, line: usize, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|complaint| self.say_of(line, key, complaint)).ok()
    }
    /// One of the known words, or a complaint that says which one was probably meant.
    pub(super) fn known(&self, key: &str, found: At<&str>, words: &[&str], noun: &str) -> Option<String> {
        if words.contains(&found.value) {
            return Some(found.value.to_owned());
        }
        let cure = nearest(found.value, words)
            .map_or_else(|| format!("there is {}", words.join(", ")), |near| format!("did you mean \"{near}\"?"));
        self.say_of(found.line, key, format!("names the unknown {noun} \"{}\"; {cure}", shown(found.value)));
        None
    }
    /// Complains if `seen`, which has the line of every value there was so far, has this one.
    pub(super) fn first(&self, key: &str, found: At<&str>, seen: &mut BTreeMap<String, usize>) -> Option<()> {
        let (name, value) = (&self.name, shown(found.value));
        if let Some(first) = seen.get(found.value) {
            let text = format!("`{key}` of {name} is \"{value}\", as in line {first}; {key}s differ: rename one");
            self.say(found.line, text);
            return None;
        }
        seen.insert(found.value.to_owned(), found.line);
        Some(())
    }
    /// Complains if there is more of something than there may be.
    pub(super) fn at_most(&self, line: usize, key: &str, count: usize, most: usize) {
        if count > most {
            self.say_of(line, key, format!("has {count} entries and may have {most}; leave some out"));
        }
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
    /// A text that may come from elsewhere (`env:NAME`, `file:NAME`) and is not empty.
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
        let (line, number) = self.whole(key, "a whole number")?;
        match number {
            Some(count) if count >= 0 => Some(count),
            Some(_) => {
                self.say_of(line, key, "is negative; write 0 or more");
                None
            }
            None => {
                self.say_of(line, key, "is too large a number; leave it out for no cap");
                None
            }
        }
    }
    /// A whole number within `range`, if the key is there.
    pub(super) fn number<T: TryFrom<i64>>(&self, key: &str, range: RangeInclusive<i64>) -> Option<T> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let (line, number) = self.whole(key, &wanted)?;
        if let Some(Ok(number)) = number.filter(|number| range.contains(number)).map(T::try_from) {
            return Some(number);
        }
        let found = number.map_or_else(|| "beyond 64 bits".to_owned(), |number| number.to_string());
        self.say_of(line, key, format!("is {found}; write {wanted}"));
        None
    }
    /// The key's line and number, the latter only if it fits into 64 bits.
    fn whole(&self, key: &str, wanted: &str) -> Option<(usize, Option<i64>)> {
        let found = self.value(key)?;
        if let DeValue::Integer(number) = found.value {
            return Some((found.line, i64::from_str_radix(number.as_str(), number.radix()).ok()));
        }
        self.wrong(found.line, key, wanted, found.value);
        None
    }
    /// Decimal text, or a whole number, as text; no float.
    pub(super) fn decimal(&self, key: &str) -> Option<At<String>> {
        let found = self.value(key)?;
        let value = match found.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => {
                let fits = i64::from_str_radix(number.as_str(), number.radix());
                fits.map_or_else(|_| number.to_string(), |number| number.to_string())
            }
            DeValue::Float(number) => {
                let text = shown(number.as_str());
                let cure = format!("is the float {text}, and floats are not exact; write it as text: \"{text}\"");
                self.say_of(found.line, key, cure);
                return None;
            }
            other => {
                self.wrong(found.line, key, "a decimal number in quotes, as in \"12.50\"", other);
                return None;
            }
        };
        Some(At { line: found.line, value })
    }
    /// A day as TOML writes it or in quotes, as text.
    pub(super) fn day(&self, key: &str) -> Option<At<String>> {
        let found = self.value(key)?;
        let value = match found.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(day) => day.to_string(),
            other => {
                self.wrong(found.line, key, "a day, as in 2026-12-24", other);
                return None;
            }
        };
        Some(At { line: found.line, value })
    }
    /// A word or a table, if the key is there. `wanted` says what else it must be.
    pub(super) fn said(&self, key: &str, known: &[&str], wanted: &str) -> Option<Said<'a>> {
        let found = self.value(key)?;
        match found.value {
            DeValue::String(text) => Some(Said::Word(At { line: found.line, value: text.as_ref() })),
            DeValue::Table(_) => self.inner(key, known).map(Said::Table),
            other => {
                self.wrong(found.line, key, wanted, other);
                None
            }
        }
    }
    /// A table whose keys are known, with a name of its own.
    pub(super) fn table(&self, key: &str, name: impl Into<Cow<'static, str>>, known: &[&str]) -> Option<Section<'a>> {
        let found = self.raw_table(key)?;
        Some(Section::new(name, found.line, found.value, known, self.reading))
    }
    /// A table whose keys are known, named after its key.
    pub(super) fn inner(&self, key: &str, known: &[&str]) -> Option<Section<'a>> {
        self.table(key, format!("`{key}` of {}", self.name), known)
    }
    /// A table whose keys are the merchant's words, named after its key.
    pub(super) fn words(&self, key: &str) -> Option<Section<'a>> {
        let found = self.raw_table(key)?;
        let name = format!("`{key}` of {}", self.name).into();
        Some(Section { name, line: found.line, reading: self.reading, table: found.value })
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
        let wanted = format!("a list of tables, each under a {name} line of its own");
        self.tables_or(key, name, known, &wanted)
    }
    /// As [`Section::tables`], named after its key, where the list is more often written in one piece.
    pub(super) fn inner_tables(&self, key: &str, known: &[&str]) -> Vec<Section<'a>> {
        let wanted = "a list of tables, as in [{ … }, { … }]";
        self.tables_or(key, format!("`{key}` of {}", self.name), known, wanted)
    }
    fn tables_or(
        &self,
        key: &str,
        name: impl Into<Cow<'static, str>>,
        known: &[&str],
        wanted: &str,
    ) -> Vec<Section<'a>> {
        let name = name.into();
        let Some(found) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = found.value else {
            self.wrong(found.line, key, wanted, found.value);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items {
            let line = self.reading.line(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section::new(name.clone(), line, table, known, self.reading)),
                other => self.wrong(line, key, wanted, other),
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
