//! Schema files: read while the driver is compiled, checked, and carried in the manifest.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::{Error, LitStr, Result};

/// One of these makes an object a JSON Schema rather than any other JSON file.
const KEYWORDS: [&str; 22] = [
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "$comment",
    "definitions",
    "type",
    "title",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "items",
    "prefixItems",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
];

/// A schema from a file.
pub(crate) struct SchemaFile {
    /// The file's JSON without white space, in the author's order.
    pub(crate) json: String,
    path: String,
}

impl SchemaFile {
    /// Reads the file; the path is relative to the folder of the driver's `Cargo.toml`.
    pub(crate) fn read(file: &LitStr) -> Result<Self> {
        let refuse = |text: String| Error::new(file.span(), text);
        let name = file.value();
        let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        let path = Path::new(&root).join(&name);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            refuse(format!(
                "cannot read the schema file `{name}`, sought beside Cargo.toml: {}",
                reason(&error)
            ))
        })?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| refuse(format!("`{name}` is not JSON: {error}")))?;
        let Value::Object(object) = value else {
            return Err(refuse(format!(
                "`{name}` is not a JSON Schema: a schema is a JSON object"
            )));
        };
        if !object.is_empty() && !KEYWORDS.iter().any(|keyword| object.contains_key(*keyword)) {
            return Err(refuse(format!(
                "`{name}` is not a JSON Schema: it has no keyword such as `type` or `properties` at its top level"
            )));
        }
        let path = path
            .to_str()
            .ok_or_else(|| refuse(format!("the path of `{name}` is not UTF-8")))?
            .to_owned();
        Ok(SchemaFile {
            json: without_space(&text),
            path,
        })
    }

    /// Makes the compiler look at the file again when it changes.
    pub(crate) fn tracked(&self) -> TokenStream {
        let path = &self.path;
        quote!(
            const _: &str = ::core::include_str!(#path);
        )
    }
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}

/// JSON that is known to be sound, without the white space between its tokens.
fn without_space(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string || !matches!(c, ' ' | '\t' | '\r' | '\n') {
            text.push(c);
        }
        match (c, escaped) {
            ('"', false) => in_string = !in_string,
            ('\\', false) if in_string => {
                escaped = true;
                continue;
            }
            _ => {}
        }
        escaped = false;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::without_space;

    #[test]
    fn space_goes_between_tokens_and_stays_in_strings() {
        let json = "{\n  \"a b\" : [ 1, \"c \\\" d \\\\\" ] }\n";
        assert_eq!(without_space(json), "{\"a b\":[1,\"c \\\" d \\\\\"]}");
    }
}
