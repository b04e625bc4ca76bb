//! What a JSON Schema of settings may be, so that holding settings against it takes a bounded time. Anybody may write a plugin, and a
//! schema of a few lines can name itself twice at each of forty levels.
//!
//! A schema is *weighed*: every subschema counts for as often as it is reached, by `$ref` or from its parent. Weight times the size
//! of the settings bounds the work.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Levels of subschemas, those behind `$ref` included.
const DEPTH: usize = 32;
/// Values in the whole document.
const VALUES: u64 = 5_000;
/// The most a schema may weigh.
const WEIGHT: u64 = 20_000;
/// The most a schema's weight times the size of settings may be. The largest stock plugin comes to a hundredth of it.
const WORK: u64 = 4_000_000;
/// Bytes of text that count as much as one value.
const TEXT: u64 = 32;
/// Bytes of a pattern.
const PATTERN_BYTES: usize = 1_000;
/// Patterns in one schema.
const PATTERNS: usize = 200;

/// Keywords that hold one subschema, or an array of them.
const INNER: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
];
/// Keywords that hold subschemas by name.
const NAMED: &[&str] = &["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose cost cannot be told from the schema alone, or which give `$ref` another meaning.
const REFUSED: &[&str] = &[
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that only the whole document may have.
const AT_THE_ROOT: &[&str] = &["$id", "$schema"];
/// Drafts a schema may be written in, as their names end.
const DRAFTS: &[&str] = &["draft-06/schema", "draft-07/schema", "2019-09/schema", "2020-12/schema"];

/// Whether settings can be held against it in a bounded time.
///
/// # Errors
/// A sentence that says what is too much, or what this gateway does not take.
pub fn check(schema: &Value) -> Result<(), String> {
    weigh(schema).map(drop)
}

/// Whether these settings are small enough for this schema, which has passed [`check`].
///
/// # Errors
/// A sentence that says that they are not.
pub fn check_work(schema: &Value, settings: &Value) -> Result<(), String> {
    let work = weigh(schema)?.saturating_mul(size(settings));
    if work <= WORK {
        return Ok(());
    }
    Err("they are too many for a schema of this size to be held against; write fewer, or ask its author for a simpler schema".to_owned())
}

fn weigh(schema: &Value) -> Result<u64, String> {
    let draft = schema.get("$schema").map(|name| name.as_str().unwrap_or_default().trim_end_matches('#'));
    if draft.is_some_and(|draft| !DRAFTS.iter().any(|known| draft.ends_with(known))) {
        return Err("`$schema` names another draft than 6, 7, 2019-09 or 2020-12".to_owned());
    }
    let values = size(schema);
    if values > VALUES {
        return Err(format!("it has {values} values and may have {VALUES}; make it simpler"));
    }
    let mut scale = Scale { root: schema, known: BTreeMap::new(), patterns: 0 };
    let weight = scale.weigh(schema, 1)?.weight;
    if weight > WEIGHT {
        return Err(format!(
            "followed along every `$ref` it has more than {WEIGHT} subschemas; name fewer of them more than once"
        ));
    }
    Ok(weight)
}

/// How many values a document has, long text counted by its length.
fn size(document: &Value) -> u64 {
    let mut count = 0_u64;
    // Not by recursion: nobody has said yet how deep it is.
    let mut left = vec![document];
    while let Some(value) = left.pop() {
        count += 1;
        match value {
            Value::String(text) => count += text.len() as u64 / TEXT,
            Value::Array(items) => left.extend(items),
            Value::Object(map) => {
                count += map.keys().map(|key| key.len() as u64 / TEXT).sum::<u64>();
                left.extend(map.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    count
}

/// What one subschema comes to.
#[derive(Clone, Copy)]
struct Weighed {
    weight: u64,
    /// Levels from here down.
    height: usize,
}

struct Scale<'a> {
    root: &'a Value,
    /// By where it lies; none while it is being weighed.
    known: BTreeMap<*const Value, Option<Weighed>>,
    patterns: usize,
}

impl<'a> Scale<'a> {
    fn weigh(&mut self, schema: &'a Value, depth: usize) -> Result<Weighed, String> {
        let deep = || Err(format!("it has more than {DEPTH} levels of subschemas; make it flatter"));
        if depth > DEPTH {
            return deep();
        }
        let place = std::ptr::from_ref(schema);
        match self.known.get(&place) {
            Some(Some(known)) if depth + known.height - 1 > DEPTH => return deep(),
            Some(Some(known)) => return Ok(*known),
            Some(None) => {
                return Err(
                    "a `$ref` leads back to where it stands; write out as many levels as there may be".to_owned()
                );
            }
            None => {}
        }
        self.known.insert(place, None);
        let mut sum = Weighed { weight: 1, height: 1 };
        if let Value::Object(map) = schema {
            self.weigh_keywords(map, depth, &mut sum)?;
        }
        self.known.insert(place, Some(sum));
        Ok(sum)
    }

    fn weigh_keywords(&mut self, map: &'a Map<String, Value>, depth: usize, sum: &mut Weighed) -> Result<(), String> {
        for (keyword, value) in map {
            let keyword = keyword.as_str();
            if REFUSED.contains(&keyword) || (depth > 1 && AT_THE_ROOT.contains(&keyword)) {
                return Err(format!("it uses `{keyword}` in a way that this gateway does not take; leave it out"));
            }
            match (keyword, value) {
                ("$ref", _) => self.add(self.target(value)?, depth, sum)?,
                ("pattern", Value::String(pattern)) => self.pattern(pattern)?,
                (_, Value::Object(named)) if NAMED.contains(&keyword) => {
                    for (name, inner) in named {
                        if keyword == "patternProperties" {
                            self.pattern(name)?;
                        }
                        self.add(inner, depth, sum)?;
                    }
                }
                (_, Value::Array(several)) if INNER.contains(&keyword) => {
                    several.iter().try_for_each(|inner| self.add(inner, depth, sum))?;
                }
                _ if INNER.contains(&keyword) => self.add(value, depth, sum)?,
                _ => sum.weight = sum.weight.saturating_add(size(value)),
            }
        }
        Ok(())
    }

    fn add(&mut self, inner: &'a Value, depth: usize, sum: &mut Weighed) -> Result<(), String> {
        let inner = self.weigh(inner, depth + 1)?;
        sum.weight = sum.weight.saturating_add(inner.weight);
        sum.height = sum.height.max(inner.height + 1);
        Ok(())
    }

    /// What a `$ref` names. Only what lies in the same document can be weighed.
    fn target(&self, reference: &Value) -> Result<&'a Value, String> {
        let named = reference.as_str().unwrap_or_default();
        let within = named.strip_prefix('#').filter(|pointer| pointer.starts_with('/') && !pointer.contains('%'));
        within.and_then(|pointer| self.root.pointer(pointer)).ok_or_else(|| {
            let shown: String = named.chars().take(80).collect();
            format!("`$ref` names `{shown}`; it may name a place in the same schema, as in \"#/$defs/name\"")
        })
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        self.patterns += 1;
        if self.patterns > PATTERNS || pattern.len() > PATTERN_BYTES {
            return Err(format!("it has more than {PATTERNS} patterns, or one of more than {PATTERN_BYTES} bytes"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn says(schema: &Value) -> String {
        check(schema).expect_err("too much")
    }

    /// A chain of definitions, each made of the next by `step`.
    fn chain(levels: usize, step: impl Fn(Value) -> Value) -> Value {
        let mut definitions = Map::new();
        for level in 0..levels {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            definitions.insert(format!("l{level}"), step(next));
        }
        definitions.insert(format!("l{levels}"), json!({"type": "object"}));
        json!({"$defs": definitions, "$ref": "#/$defs/l0"})
    }

    #[test]
    fn what_doubles_at_every_level_is_refused_at_once() {
        let doubling = |keyword: &'static str| move |next: Value| json!({keyword: [next.clone(), next]});
        for keyword in ["allOf", "anyOf", "oneOf", "prefixItems"] {
            let said = says(&chain(14, doubling(keyword)));
            assert!(said.contains("$ref"), "{keyword}: {said}");
        }
        assert!(says(&chain(40, doubling("allOf"))).contains("levels"));
        // What is named once at each level may go on for longer.
        assert_eq!(check(&chain(12, |next| json!({"allOf": [next]}))), Ok(()));
        let both = |next: Value| json!({"properties": {"a": next.clone(), "b": next}});
        assert!(says(&chain(14, both)).contains("$ref"));
        assert_eq!(check(&chain(4, both)), Ok(()));
    }

    #[test]
    fn depth_is_counted_along_references_whatever_is_weighed_first() {
        let mut nested = json!({});
        for _ in 0..31 {
            nested = json!({"items": nested});
        }
        assert_eq!(check(&nested), Ok(()));
        assert!(says(&json!({"not": nested})).contains("levels"));
        // Weighed first where it is high up, then found again far down.
        let mut tower = json!({"$ref": "#/$defs/a"});
        for _ in 0..20 {
            tower = json!({"items": tower});
        }
        let mut short = json!({});
        for _ in 0..20 {
            short = json!({"items": short});
        }
        assert!(says(&json!({"$defs": {"a": short}, "items": tower})).contains("levels"));
    }

    #[test]
    fn a_schema_that_names_itself_is_refused() {
        for schema in [
            json!({"$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"}),
            json!({"properties": {"a": {"$ref": "#/properties/b"}, "b": {"$ref": "#/properties/a"}}}),
        ] {
            assert!(says(&schema).contains("leads back"));
        }
    }

    #[test]
    fn only_what_lies_in_the_same_document_is_named() {
        for named in
            ["https://example.com/x", "file:///etc/passwd", "other.json#/a", "#", "#a", "#/%24defs/a", "#/nothing"]
        {
            assert!(says(&json!({"$ref": named, "$defs": {"a": {}}})).contains("same schema"), "{named}");
        }
        assert_eq!(check(&json!({"$ref": "#/$defs/a~1b", "$defs": {"a/b": true}})), Ok(()));
    }

    #[test]
    fn what_cannot_be_weighed_is_refused() {
        for keyword in REFUSED {
            assert!(says(&json!({"properties": {"a": {*keyword: {}}}})).contains(keyword));
        }
        assert!(says(&json!({"items": {"$id": "x"}})).contains("$id"));
        assert!(says(&json!({"$schema": "http://json-schema.org/draft-04/schema#"})).contains("draft"));
        assert_eq!(check(&json!({"$id": "x", "$schema": "https://json-schema.org/draft/2020-12/schema"})), Ok(()));
        // A property may have any name.
        assert_eq!(check(&json!({"properties": {"$anchor": {"type": "string"}, "unevaluatedItems": true}})), Ok(()));
        assert_eq!(check(&json!(true)), Ok(()));
    }

    #[test]
    fn size_and_patterns_are_bounded() {
        let many: Vec<u32> = (0..6_000).collect();
        assert!(says(&json!({"enum": many})).contains("values"));
        assert!(says(&json!({"pattern": "a".repeat(1_001)})).contains("patterns"));
        let patterns: Vec<Value> = (0..201).map(|_| json!({"pattern": "^a$"})).collect();
        assert!(says(&json!({"anyOf": patterns})).contains("patterns"));
        assert!(says(&json!({"patternProperties": {"a".repeat(1_001): {}}})).contains("patterns"));
    }

    #[test]
    fn large_settings_want_a_simple_schema() {
        let schema = json!({"items": {"enum": (0..2_000).collect::<Vec<u32>>()}});
        let settings = |count| json!(vec![1; count]);
        assert_eq!(check_work(&schema, &settings(1_000)), Ok(()));
        assert!(check_work(&schema, &settings(3_000)).expect_err("too many").contains("fewer"));
        assert_eq!(check_work(&json!({"items": true}), &settings(20_000)), Ok(()));
    }
}
