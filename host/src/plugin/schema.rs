//! The JSON Schemas of a manifest: checked and compiled where the manifest is read, so that a broken one is that file's verdict; bodies are
//! checked against them before a driver sees the call.
//!
//! The dialect is JSON Schema 2020-12 without recursion and without anything that would have to be fetched; `format` is a note for people.

mod distinct;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod misfit;
mod shape;

use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use distinct::Distinct;
pub use misfit::Misfit;

/// The most memory that one regular expression of a schema may take when it is compiled. It is matched in linear time.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// A schema that was checked and compiled.
#[derive(Clone)]
pub struct Schema {
    json: Value,
    validator: Arc<Validator>,
}

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// A JSON pointer into the schema.
    pub at: String,
    /// What belongs there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// How much of what costs memory the schemas of one manifest may still bring.
#[derive(Debug)]
pub struct Budget {
    patterns: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            patterns: shape::MAX_PATTERNS,
        }
    }
}

impl SchemaFault {
    fn new(at: String, expected: &str, found: String) -> Self {
        SchemaFault {
            at,
            expected: expected.to_owned(),
            found,
        }
    }
}

impl Schema {
    /// Checks and compiles a schema.
    ///
    /// # Errors
    /// The first thing that is wrong with it, and where.
    pub fn new(json: Value, budget: &mut Budget) -> Result<Self, SchemaFault> {
        shape::check(&json, &mut budget.patterns)?;
        let patterns = PatternOptions::regex()
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES);
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(patterns)
            .should_validate_formats(false)
            .offline();
        let validator = options.build(&json).map_err(|error| SchemaFault {
            at: error.instance_path().as_str().to_owned(),
            expected: "what JSON Schema 2020-12 allows there".to_owned(),
            found: error.to_string(),
        })?;
        Ok(Schema {
            json,
            validator: Arc::new(validator),
        })
    }

    /// The schema as its author wrote it.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The schema as a part of a larger document: without what only the whole of a schema has, and with its references beginning at `place`,
    /// such as `#/components/schemas/name`.
    pub fn placed_at(&self, place: &str) -> Value {
        let mut json = self.json.clone();
        shape::each_mut(&mut json, &mut |schema| {
            let Value::Object(members) = schema else { return };
            members.shift_remove("$schema");
            members.shift_remove("$id");
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(pointer) = reference.strip_prefix('#')
            {
                *reference = format!("{place}{pointer}");
            }
        });
        json
    }

    /// Checks a body, which is known to be JSON. `is_secret` says whether the value of a key must not be shown.
    ///
    /// # Errors
    /// Where it does not fit, the rule, and what was found.
    pub fn check(&self, body: &[u8], is_secret: &dyn Fn(&str) -> bool) -> Result<(), Misfit> {
        let Distinct(body) = serde_json::from_slice(body).map_err(|error| Misfit::unread(&error))?;
        let mut errors = self.validator.iter_errors(&body);
        match errors.next() {
            None => Ok(()),
            Some(first) => Err(Misfit::new(&self.json, first, errors, is_secret)),
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.json)
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

#[cfg(test)]
mod tests;
