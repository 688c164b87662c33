//! Why a body does not fit its schema, as one line: where, the rule, and what was found there.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ErrorIterator, ValidationError};
use serde_json::Value;

use super::shape::escaped;
use crate::plugin::printable;

/// How many faults of a body are told at once.
const TOLD: usize = 3;
/// The longest piece of a value, a rule or a name that is shown, in characters.
const LONGEST: usize = 60;
/// How many names or words are shown of a list.
const LISTED: usize = 8;

/// A body that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Misfit {
    text: String,
}

impl Misfit {
    /// A body that cannot be looked at: a number that no computer keeps, or a key that is there twice.
    pub(super) fn unread(error: &serde_json::Error) -> Self {
        Misfit {
            text: printable(&error.to_string()),
        }
    }

    pub(super) fn new(
        schema: &Value,
        first: ValidationError<'_>,
        mut others: ErrorIterator<'_>,
        is_secret: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut faults = vec![fault(schema, &first, is_secret)];
        faults.extend(
            others
                .by_ref()
                .take(TOLD - 1)
                .map(|error| fault(schema, &error, is_secret)),
        );
        if others.next().is_some() {
            faults.push("and more".to_owned());
        }
        Misfit {
            text: faults.join("; "),
        }
    }
}

fn fault(schema: &Value, error: &ValidationError<'_>, is_secret: &dyn Fn(&str) -> bool) -> String {
    let rule = error.schema_path().as_str();
    let found = error.instance();
    let secret = is_hidden(schema, rule)
        || error
            .instance_path()
            .as_str()
            .split('/')
            .any(|key| is_secret(&plain(key)));
    let expected = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            return format!(
                "{}: expected it (required), found nothing",
                place(error, Some(name))
            );
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let known = known(schema, rule);
            return format!(
                "{}: expected {} ({}), found {}",
                place(error, None),
                if known.is_empty() {
                    "no keys".to_owned()
                } else {
                    format!("only the keys {}", list(known))
                },
                keyword(rule),
                list(unexpected.iter().map(String::as_str))
            );
        }
        ValidationErrorKind::FalseSchema => "nothing".to_owned(),
        _ => expected(schema, rule),
    };
    format!(
        "{}: expected {expected}, found {}",
        place(error, None),
        shown(found, secret)
    )
}

fn place(error: &ValidationError<'_>, key: Option<&str>) -> String {
    let mut pointer = error.instance_path().as_str().to_owned();
    if let Some(key) = key {
        pointer.push('/');
        pointer.push_str(&escaped(key));
    }
    if pointer.is_empty() {
        "at its top level".to_owned()
    } else {
        format!("at {}", cut(&printable(&pointer), 4 * LONGEST))
    }
}

/// A part of a JSON pointer as the key that it stands for.
fn plain(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The last part of the way to a rule.
fn keyword(rule: &str) -> &str {
    rule.rsplit('/').next().unwrap_or(rule)
}

/// Whether the schema, on the way to a rule, says that a value is not for reading.
fn is_hidden(schema: &Value, rule: &str) -> bool {
    let ends = rule.match_indices('/').map(|(end, _)| end).chain([rule.len()]);
    ends.filter_map(|end| schema.pointer(&rule[..end])).any(|schema| {
        schema.get("writeOnly") == Some(&Value::Bool(true))
            || schema.get("format") == Some(&"password".into())
    })
}

/// The keys that stand beside the rule against others.
fn known<'a>(schema: &'a Value, rule: &str) -> Vec<&'a str> {
    let owner = rule.rsplit_once('/').map_or("", |(owner, _)| owner);
    let properties = schema.pointer(owner).and_then(|owner| owner.get("properties"));
    let properties = properties.and_then(Value::as_object);
    properties
        .into_iter()
        .flat_map(|members| members.keys().map(String::as_str))
        .collect()
}

/// What the rule wants, and its keyword.
fn expected(schema: &Value, rule: &str) -> String {
    let keyword = keyword(rule);
    let wanted = schema.pointer(rule).unwrap_or(&Value::Null);
    let value = || cut(&printable(&wanted.to_string()), LONGEST);
    let words = match keyword {
        "type" => kinds(wanted),
        "minimum" => format!("at least {}", value()),
        "maximum" => format!("at most {}", value()),
        "exclusiveMinimum" => format!("more than {}", value()),
        "exclusiveMaximum" => format!("less than {}", value()),
        "multipleOf" => format!("a multiple of {}", value()),
        "minLength" => format!("at least {} characters", value()),
        "maxLength" => format!("at most {} characters", value()),
        "minItems" => format!("at least {} items", value()),
        "maxItems" => format!("at most {} items", value()),
        "minProperties" => format!("at least {} keys", value()),
        "maxProperties" => format!("at most {} keys", value()),
        "pattern" => format!("a text that matches {}", value()),
        "uniqueItems" => "no item twice".to_owned(),
        "const" => value(),
        "enum" => {
            let choices: Vec<String> = wanted
                .as_array()
                .into_iter()
                .flatten()
                .map(Value::to_string)
                .collect();
            format!("one of {}", list(choices.iter().map(String::as_str)))
        }
        "anyOf" => "a value that fits one of the schemas there".to_owned(),
        "oneOf" => "a value that fits exactly one of the schemas there".to_owned(),
        "not" => "a value that does not fit the schema there".to_owned(),
        "contains" | "minContains" | "maxContains" => "other items".to_owned(),
        "propertyNames" => "other keys".to_owned(),
        _ => "another value".to_owned(),
    };
    format!("{words} ({})", cut(&printable(keyword), LONGEST))
}

fn kinds(wanted: &Value) -> String {
    let one = |kind: &Value| match kind.as_str() {
        Some("integer") => "an integer",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        Some("array") => "an array",
        Some("object") => "an object",
        Some("string") => "a string",
        _ => "null",
    };
    match wanted {
        Value::Array(kinds) => kinds.iter().map(one).collect::<Vec<_>>().join(" or "),
        kind => one(kind).to_owned(),
    }
}

/// A value, if it may be shown and is short; else what kind of value it is.
fn shown(found: &Value, secret: bool) -> String {
    match found {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
        Value::Null => "null".to_owned(),
        Value::String(_) if secret => "a string".to_owned(),
        Value::Number(_) if secret => "a number".to_owned(),
        Value::Bool(_) if secret => "a boolean".to_owned(),
        Value::String(text) => format!(
            "the string {}",
            cut(&printable(&Value::from(text.as_str()).to_string()), LONGEST)
        ),
        other => cut(&other.to_string(), LONGEST),
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names
        .by_ref()
        .take(LISTED)
        .map(|name| cut(&printable(name), LONGEST))
        .collect();
    match names.count() {
        0 => {}
        more => shown.push(format!("{more} more")),
    }
    shown.join(", ")
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
