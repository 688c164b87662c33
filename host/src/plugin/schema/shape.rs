//! What a schema of a manifest may be: self-contained, without recursion, and of bounded size, so that no manifest can make the host fetch
//! anything, run for ever or run out of memory.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::SchemaFault;

/// The dialect. A schema may name it, and no other.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// How many schemas may be evaluated one inside the other.
const MAX_DEPTH: usize = 64;
/// How many schemas one value may be checked against, when each is counted as often as it is reached.
const MAX_EVALUATIONS: usize = 10_000;
/// How many regular expressions one manifest may bring. Each is compiled, and may take [`super::MAX_PATTERN_BYTES`].
pub(super) const MAX_PATTERNS: usize = 200;

/// What a keyword holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// A schema.
    One,
    /// An array of schemas.
    List,
    /// An object of schemas.
    Members,
    /// An object of schemas that are not evaluated where they stand.
    Definitions,
}

/// The keywords of draft 2020-12 that hold schemas.
const HOLDERS: [(&str, Holds); 20] = [
    ("additionalProperties", Holds::One),
    ("contains", Holds::One),
    ("contentSchema", Holds::One),
    ("else", Holds::One),
    ("if", Holds::One),
    ("items", Holds::One),
    ("not", Holds::One),
    ("propertyNames", Holds::One),
    ("then", Holds::One),
    ("unevaluatedItems", Holds::One),
    ("unevaluatedProperties", Holds::One),
    ("allOf", Holds::List),
    ("anyOf", Holds::List),
    ("oneOf", Holds::List),
    ("prefixItems", Holds::List),
    ("dependentSchemas", Holds::Members),
    ("patternProperties", Holds::Members),
    ("properties", Holds::Members),
    ("$defs", Holds::Definitions),
    ("definitions", Holds::Definitions),
];

/// Keywords that give a schema an address of its own, or refer to one by other means than its place.
const ADDRESSES: [&str; 6] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
];

/// The schemas directly inside a schema: their place in it as a JSON pointer, and whether they are evaluated there.
fn inside(schema: &Value) -> Vec<(String, &Value, bool)> {
    let mut found = Vec::new();
    for (keyword, holds) in HOLDERS {
        match (holds, schema.get(keyword)) {
            (Holds::One, Some(one)) => found.push((format!("/{keyword}"), one, true)),
            (Holds::List, Some(Value::Array(items))) => {
                let items = items.iter().enumerate();
                found.extend(items.map(|(i, item)| (format!("/{keyword}/{i}"), item, true)));
            }
            (Holds::Members | Holds::Definitions, Some(Value::Object(members))) => {
                let evaluated = holds == Holds::Members;
                let members = members.iter();
                found.extend(
                    members.map(|(key, member)| (format!("/{keyword}/{}", escaped(key)), member, evaluated)),
                );
            }
            // What is there is none of it; the dialect's own schema says so.
            _ => {}
        }
    }
    found
}

/// Calls `visit` on a schema and on all that are in it.
pub(super) fn each_mut(schema: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    visit(schema);
    for (keyword, holds) in HOLDERS {
        match (holds, schema.get_mut(keyword)) {
            (Holds::One, Some(one)) => each_mut(one, visit),
            (Holds::List, Some(Value::Array(items))) => {
                items.iter_mut().for_each(|item| each_mut(item, visit))
            }
            (Holds::Members | Holds::Definitions, Some(Value::Object(members))) => {
                members.values_mut().for_each(|member| each_mut(member, visit));
            }
            _ => {}
        }
    }
}

/// A key as a part of a JSON pointer.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Refuses what cannot be used, with its place. `patterns` is how many regular expressions the manifest may still bring.
pub(super) fn check(schema: &Value, patterns: &mut usize) -> Result<(), SchemaFault> {
    let mut places = Places::default();
    places.walk(String::new(), schema, patterns)?;
    places.resolve()?;
    let mut costs = vec![Cost::Unknown; places.all.len()];
    for node in 0..places.all.len() {
        places.cost(node, 0, &mut costs)?;
    }
    Ok(())
}

/// All schemas of a schema, by their places.
#[derive(Default)]
struct Places {
    all: Vec<Place>,
    by_pointer: HashMap<String, usize>,
}

struct Place {
    pointer: String,
    reference: Option<String>,
    /// What is evaluated with it.
    evaluates: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Cost {
    Unknown,
    /// It is being counted: who meets it again goes in a circle.
    Open,
    Known(usize),
}

impl Places {
    // As deep as the schema, and no JSON is read that nests deeper than 128.
    fn walk(&mut self, pointer: String, schema: &Value, patterns: &mut usize) -> Result<usize, SchemaFault> {
        let number = self.all.len();
        self.by_pointer.insert(pointer.clone(), number);
        self.all.push(Place {
            pointer: pointer.clone(),
            reference: None,
            evaluates: Vec::new(),
        });
        let fault = |place: String, expected: &str, found: &Value| {
            Err(SchemaFault::new(place, expected, found.to_string()))
        };
        let members = match schema {
            Value::Bool(_) => return Ok(number),
            Value::Object(members) => members,
            other => return fault(pointer, "a schema: an object, true or false", other),
        };
        for keyword in ADDRESSES {
            if let Some(found) = members.get(keyword) {
                return fault(
                    format!("{pointer}/{keyword}"),
                    "references of the form \"#/$defs/name\"",
                    found,
                );
            }
        }
        match members.get("$id") {
            Some(found) if number > 0 => {
                return fault(format!("{pointer}/$id"), "an $id at the top level or none", found);
            }
            _ => {}
        }
        match members.get("$schema") {
            None => {}
            Some(Value::String(dialect)) if dialect.trim_end_matches('#') == DIALECT => {}
            Some(found) => {
                return fault(
                    format!("{pointer}/$schema"),
                    &format!("\"{DIALECT}\" or nothing"),
                    found,
                );
            }
        }
        match members.get("$ref") {
            None => {}
            Some(Value::String(reference)) => self.all[number].reference = Some(reference.clone()),
            Some(found) => return fault(format!("{pointer}/$ref"), "a string", found),
        }
        let own = usize::from(members.contains_key("pattern"));
        let of_properties = members.get("patternProperties").and_then(Value::as_object);
        let count = own + of_properties.map_or(0, serde_json::Map::len);
        *patterns = patterns.checked_sub(count).ok_or_else(|| {
            let expected = format!("at most {MAX_PATTERNS} regular expressions in a manifest");
            SchemaFault::new(pointer.clone(), &expected, "more".to_owned())
        })?;
        for (place, inner, evaluated) in inside(schema) {
            let inner = self.walk(format!("{pointer}{place}"), inner, patterns)?;
            if evaluated {
                self.all[number].evaluates.push(inner);
            }
        }
        Ok(number)
    }

    fn resolve(&mut self) -> Result<(), SchemaFault> {
        for place in &mut self.all {
            let Some(reference) = &place.reference else {
                continue;
            };
            let fault = |expected: &str| {
                let found = Value::from(reference.as_str()).to_string();
                Err(SchemaFault::new(
                    format!("{}/$ref", place.pointer),
                    expected,
                    found,
                ))
            };
            let Some(fragment) = reference.strip_prefix('#') else {
                return fault("a reference into this schema, such as \"#/$defs/name\": nothing is fetched");
            };
            let pointer = percent_decode_str(fragment).decode_utf8_lossy();
            match self.by_pointer.get(&*pointer) {
                Some(target) => place.evaluates.push(*target),
                None => return fault("a reference to a schema that is there"),
            }
        }
        Ok(())
    }

    /// How many schemas are evaluated with this one, itself included.
    fn cost(&self, number: usize, depth: usize, costs: &mut [Cost]) -> Result<usize, SchemaFault> {
        let place = &self.all[number];
        match costs[number] {
            Cost::Known(cost) => return Ok(cost),
            Cost::Open => {
                return Err(SchemaFault::new(
                    place.pointer.clone(),
                    "a schema that does not refer to itself",
                    "one that does".to_owned(),
                ));
            }
            Cost::Unknown => costs[number] = Cost::Open,
        }
        if depth >= MAX_DEPTH {
            let expected = format!("at most {MAX_DEPTH} schemas one inside the other");
            return Err(SchemaFault::new(
                place.pointer.clone(),
                &expected,
                "more".to_owned(),
            ));
        }
        let mut cost: usize = 1;
        for inner in &place.evaluates {
            cost = cost.saturating_add(self.cost(*inner, depth + 1, costs)?);
        }
        if cost > MAX_EVALUATIONS {
            let expected =
                format!("at most {MAX_EVALUATIONS} schemas, each counted as often as it is reached");
            return Err(SchemaFault::new(
                place.pointer.clone(),
                &expected,
                "more".to_owned(),
            ));
        }
        costs[number] = Cost::Known(cost);
        Ok(cost)
    }
}
