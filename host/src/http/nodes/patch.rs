//! JSON Patch (RFC 6902), as far as Ironic takes it: `add`, `replace` and `remove`.

use json_patch::PatchOperation;
use serde_json::{Map, Value};

use super::fields::FIELDS;
use super::input;
use super::notation::{quote, quote_misplaced};
use crate::http::{ApiError, ApiVersion};
use crate::node::fields::{FieldFault, MAX_DEPTH};
use crate::node::secret::{MASK, SecretNames};
use crate::node::store::NodeError;

/// The most operations of one patch. Each may move all items of a long array, so their number bounds the work.
const MAX_OPERATIONS: usize = 1000;

/// A checked list of operations.
pub(super) struct Patch(Vec<Operation>);

struct Operation {
    /// As the client sent it.
    sent: Value,
    verb: Verb,
    /// The names behind the slashes; at least one.
    path: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

fn schema_error(what: &str) -> ApiError {
    ApiError::bad_request(format!("Schema error for patch: {what}"))
}

impl Patch {
    /// Checks a body.
    ///
    /// # Errors
    /// Ironic's sentences; 406 for a field that the version does not know; too many operations, or one that nests too deeply.
    pub(super) fn parse(body: Value, version: ApiVersion) -> Result<Self, ApiError> {
        let Value::Array(operations) = body else {
            return Err(schema_error(&format!(
                "{} is not of type 'array'",
                quote_misplaced(&body)
            )));
        };
        let found = operations.len();
        if found > MAX_OPERATIONS {
            return Err(schema_error(&format!(
                "{found} operations are too many, at most {MAX_OPERATIONS} are taken"
            )));
        }
        operations
            .into_iter()
            .map(|sent| Operation::parse(sent, version))
            .collect::<Result<_, _>>()
            .map(Patch)
    }

    /// Whether an operation sets this field.
    pub(super) fn sets(&self, field: &str) -> bool {
        self.0.iter().any(|operation| operation.path[0] == field)
    }

    /// Applies the operations in their order. Removing a field itself resets it.
    ///
    /// # Errors
    /// The operation that does not fit, and why.
    pub(super) fn apply(
        &self,
        document: &mut Map<String, Value>,
        secrets: &SecretNames,
    ) -> Result<(), ApiError> {
        let mut whole = Value::Object(std::mem::take(document));
        for operation in &self.0 {
            operation.apply(&mut whole).map_err(|reason| {
                let shown = quote(&operation.shown(secrets));
                ApiError::bad_request(format!("Couldn't apply patch '{shown}'. Reason: {reason}"))
            })?;
        }
        if let Value::Object(fields) = whole {
            *document = fields;
        }
        Ok(())
    }
}

impl Operation {
    fn parse(sent: Value, version: ApiVersion) -> Result<Self, ApiError> {
        let Value::Object(members) = &sent else {
            return Err(schema_error(&format!(
                "{} is not of type 'object'",
                quote_misplaced(&sent)
            )));
        };
        if let Some(other) = members
            .keys()
            .find(|key| !["op", "path", "value"].contains(&key.as_str()))
        {
            let name = quote(&Value::from(other.as_str()));
            return Err(schema_error(&format!(
                "Additional properties are not allowed ({name} was unexpected)"
            )));
        }
        let member = |name: &str| match members.get(name) {
            None => Err(schema_error(&format!("'{name}' is a required property"))),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(other) => Err(schema_error(&format!(
                "{} is not of type 'string'",
                quote_misplaced(other)
            ))),
        };
        let verb = match member("op")? {
            "add" => Verb::Add,
            "replace" => Verb::Replace,
            "remove" => Verb::Remove,
            other => {
                let found = quote(&Value::from(other));
                return Err(schema_error(&format!(
                    "{found} is not one of ['add', 'replace', 'remove']"
                )));
            }
        };
        let path = split(member("path")?)?;
        let Some((field, _)) = input::settable(&path[0], version)? else {
            return Err(cannot_patch(members.get("path")));
        };
        // Operations build on each other: what each may reach bounds the document, which is walked recursively.
        if let Some(value) = members.get("value").filter(|_| verb != Verb::Remove) {
            let found = path.len() - 1 + depth(value);
            if found > MAX_DEPTH {
                let field = field.name;
                return Err(NodeError::from(FieldFault::TooDeep { field, found }).into());
            }
        }
        Ok(Operation { verb, path, sent })
    }

    fn apply(&self, document: &mut Value) -> Result<(), String> {
        if self.verb != Verb::Remove && self.sent.get("value").is_none() {
            return Err("The operation does not contain a 'value' member".to_owned());
        }
        if let [field] = self.path.as_slice() {
            // Every field is there always, so all three set it.
            document[field] = self
                .sent
                .get("value")
                .filter(|_| self.verb != Verb::Remove)
                .cloned()
                .unwrap_or_default();
            return Ok(());
        }
        let operation: PatchOperation =
            serde_json::from_value(self.sent.clone()).map_err(|error| error.to_string())?;
        json_patch::patch(document, &[operation]).map_err(|error| {
            let last = quote(&Value::from(self.path.last().map_or("", String::as_str)));
            match self.verb {
                Verb::Replace => format!("can't replace a non-existent object {last}"),
                Verb::Remove => format!("can't remove a non-existent object {last}"),
                Verb::Add => error.kind.to_string(),
            }
        })
    }

    /// The operation without its secrets.
    fn shown(&self, secrets: &SecretNames) -> Value {
        let mut shown = secrets.masked(&self.sent).unwrap_or_default();
        if shown.get("value").is_some() && self.path.iter().any(|name| secrets.covers(name)) {
            shown["value"] = MASK.into();
        }
        shown
    }
}

/// Splits `/a/b`. Ironic's rule for paths: words of letters, digits, `_` and `-`.
fn split(path: &str) -> Result<Vec<String>, ApiError> {
    let word =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let names: Option<Vec<String>> = path.strip_prefix('/').and_then(|names| {
        names
            .split('/')
            .map(|name| word(name).then(|| name.to_owned()))
            .collect()
    });
    names.ok_or_else(|| {
        schema_error(&format!(
            "{} does not match '^(/[\\\\w-]+)+$'",
            quote(&Value::from(path))
        ))
    })
}

/// How deep arrays and objects are nested: 1 for `{}`. A request is bounded in this, so recursion is, too.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn cannot_patch(path: Option<&Value>) -> ApiError {
    let path = path.and_then(Value::as_str).unwrap_or_default();
    let mut settable: Vec<_> = FIELDS
        .iter()
        .filter(|field| field.accepts.is_some())
        .map(|field| field.name)
        .collect();
    settable.sort_unstable();
    ApiError::bad_request(format!(
        "Cannot patch {path}. Only the following can be updated: {}",
        settable.join(", ")
    ))
}
