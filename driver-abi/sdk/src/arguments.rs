//! JSON from outside becomes the author's types, or one line that says what was wrong.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::Deserialize;

use crate::keyed::{from_json, Keyed};
use crate::{Fault, RawJson};

/// The longest piece of a foreign text in a message, in characters.
const LONGEST: usize = 300;

/// The type of the arguments of a method that takes none, and of the configuration of a driver that has none.
#[doc(hidden)]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What a method may take as its arguments: anything that deserialises, or [`RawJson`].
pub trait Arguments<'a>: Sized {
    /// Reads the body of a call of `method`.
    #[doc(hidden)]
    fn of_call(method: &str, body: &'a [u8]) -> Result<Self, Fault>;
}

impl<'a, T: Deserialize<'a>> Arguments<'a> for T {
    fn of_call(method: &str, body: &'a [u8]) -> Result<Self, Fault> {
        // As one text: in a slice serde_json looks for UTF-8 in every string of it anew.
        let text = std::str::from_utf8(body).ok();
        text.and_then(|text| from_json(text).ok())
            .ok_or_else(|| arguments_fault::<T>(method, body))
    }
}

impl Arguments<'_> for RawJson {
    fn of_call(_method: &str, body: &[u8]) -> Result<Self, Fault> {
        Ok(RawJson::from(body.to_vec()))
    }
}

/// The arguments of a call of `method`.
#[doc(hidden)]
pub fn arguments<'a, T: Arguments<'a>>(method: &str, body: &'a [u8]) -> Result<T, Fault> {
    T::of_call(method, body)
}

/// Reads again, now with an eye on where: only a call that is refused pays for it.
#[cold]
fn arguments_fault<'a, T: Deserialize<'a>>(method: &str, body: &'a [u8]) -> Fault {
    let trouble = Trouble::of::<T>(body);
    match (trouble.path.as_deref(), trouble.missing(), trouble.unknown()) {
        // The words of Ironic's vendor interfaces for a missing argument.
        (None, Some(name), _) => {
            Fault::missing_parameter(format!("Parameter '{name}' not passed to method '{method}'."))
        }
        (_, _, Some((name, known))) => {
            Fault::invalid_parameter(format!("method '{method}' takes no argument '{name}'; {known}"))
        }
        (Some(path), _, _) => Fault::invalid_parameter(format!(
            "argument '{path}' of method '{method}': {}",
            trouble.text
        )),
        (None, _, _) => Fault::invalid_parameter(format!("arguments of method '{method}': {}", trouble.text)),
    }
}

/// The driver's configuration: the operator's table `[drivers.NAME.config]`.
#[doc(hidden)]
pub fn configuration<T: DeserializeOwned>(driver: &str, config: &[u8]) -> Result<T, Fault> {
    let text = std::str::from_utf8(config).unwrap_or_default();
    from_json(text).map_err(|_| {
        let trouble = Trouble::of::<T>(config);
        let table = format!("drivers.{driver}.config");
        match (trouble.path.as_deref(), trouble.missing(), trouble.unknown()) {
            (None, Some(name), _) => Fault::missing_parameter(format!("{table}: key '{name}' is missing")),
            (_, _, Some((name, known))) => {
                Fault::invalid_parameter(format!("{table}: unknown key '{name}'; {known}"))
            }
            (Some(path), _, _) => Fault::invalid_parameter(format!("{table}.{path}: {}", trouble.text)),
            (None, _, _) => Fault::invalid_parameter(format!("{table}: {}", trouble.text)),
        }
    })
}

/// What serde said, and where.
pub(crate) struct Trouble {
    /// Nothing at the top level.
    pub(crate) path: Option<String>,
    /// One line.
    pub(crate) text: String,
}

impl Trouble {
    pub(crate) fn of<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Self {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        match serde_path_to_error::deserialize::<_, T>(Keyed(&mut deserializer)) {
            Ok(_) => Trouble {
                path: None,
                text: "more than one JSON value".to_owned(),
            },
            Err(error) => {
                let path = error.path().to_string();
                Trouble {
                    path: (path != ".").then(|| shortened(&path)),
                    text: plain(&error.inner().to_string()),
                }
            }
        }
    }

    /// The name of the field that is missing.
    fn missing(&self) -> Option<&str> {
        self.text.strip_prefix("missing field `")?.strip_suffix('`')
    }

    /// The name of the field that is not known at the top level, and what is known there.
    fn unknown(&self) -> Option<(&str, String)> {
        let (name, rest) = self.text.strip_prefix("unknown field `")?.split_once("`, ")?;
        if self.path.as_deref().is_some_and(|path| path != name) {
            return None;
        }
        let known = match rest.strip_prefix("expected ") {
            Some(names) => format!(
                "known: {}",
                names
                    .trim_start_matches("one of ")
                    .replace("` or `", "`, `")
                    .replace('`', "'")
            ),
            None => "it takes none".to_owned(),
        };
        Some((name, known))
    }
}

/// serde's text without the position, which counts bytes of a body that the host may have rewritten, without the words of Rust, and without a
/// string that was found where another type belongs, which may be a secret in the wrong place.
fn plain(text: &str) -> String {
    let text = text.rfind(" at line ").map_or(text, |end| &text[..end]);
    let Some((found, expected)) = text
        .strip_prefix("invalid ")
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return shortened(text);
    };
    let found = match found.split_once(": ") {
        Some(("type", found)) if found.starts_with("string \"") => "type: string".to_owned(),
        Some(("type", "map")) => "type: object".to_owned(),
        Some(("type", "sequence")) => "type: array".to_owned(),
        Some((kind, found)) => format!("{kind}: {}", found.replace("floating point", "number")),
        None => found.to_owned(),
    };
    shortened(&format!("invalid {found}, expected {}", in_json(expected)))
}

/// What serde expects, as JSON calls it.
fn in_json(expected: &str) -> Cow<'_, str> {
    let first = expected.split(' ').next().unwrap_or_default();
    Cow::Borrowed(match (first, expected) {
        ("struct", _) | (_, "a map") => "an object",
        ("tuple", _) | (_, "a sequence") => "an array",
        ("unit", _) => "null",
        ("enum", _) | (_, "variant identifier") => "one of its words",
        (_, "a boolean") => "true or false",
        (_, "u8") => "an integer from 0 to 255",
        (_, "u16") => "an integer from 0 to 65535",
        (_, "u32") => "an integer from 0 to 4294967295",
        (_, "u64" | "usize") => "an integer that is not negative",
        (_, "i8") => "an integer from -128 to 127",
        (_, "i16") => "an integer from -32768 to 32767",
        (_, "i32") => "an integer from -2147483648 to 2147483647",
        (_, "i64" | "isize") => "an integer",
        (_, "f32" | "f64") => "a number",
        _ => {
            return Cow::Owned(
                expected
                    .replace("a tuple of size", "an array of")
                    .replace("tuple struct", "array"),
            )
        }
    })
}

/// One line of bounded length.
pub(crate) fn shortened(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultKind;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // only written by serde
    struct Update {
        bar: String,
        #[serde(default)]
        zone: Option<Zone>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // only written by serde
    struct Zone {
        port: u16,
    }

    fn refused(body: &str) -> (FaultKind, String) {
        let fault = arguments::<Update>("update", body.as_bytes()).unwrap_err();
        (fault.kind(), fault.message().to_owned())
    }

    #[test]
    fn a_missing_argument_is_told_in_the_words_of_ironic() {
        let expected = "Parameter 'bar' not passed to method 'update'.".to_owned();
        assert_eq!(refused("{}"), (FaultKind::MissingParameter, expected));
    }

    #[test]
    fn an_argument_of_another_type_is_named_with_its_path_and_without_its_value() {
        let (kind, text) = refused(r#"{"bar": "x", "zone": {"port": "hunter2"}}"#);
        assert_eq!(kind, FaultKind::InvalidParameter);
        assert_eq!(
            text,
            "argument 'zone.port' of method 'update': invalid type: string, expected an integer from 0 to 65535"
        );
        let (_, text) = refused(r#"{"bar": 7}"#);
        assert_eq!(
            text,
            "argument 'bar' of method 'update': invalid type: integer `7`, expected a string"
        );
    }

    #[test]
    fn a_missing_field_deeper_down_is_named_with_its_path() {
        let (kind, text) = refused(r#"{"bar": "x", "zone": {}}"#);
        assert_eq!(kind, FaultKind::InvalidParameter);
        assert_eq!(text, "argument 'zone' of method 'update': missing field `port`");
    }

    #[test]
    fn an_unknown_argument_is_named_together_with_the_known_ones() {
        let (kind, text) = refused(r#"{"bar": "x", "zz": 1}"#);
        assert_eq!(kind, FaultKind::InvalidParameter);
        assert_eq!(
            text,
            "method 'update' takes no argument 'zz'; known: 'bar', 'zone'"
        );
        let fault = arguments::<Nothing>("reset", br#"{"force": true}"#).unwrap_err();
        assert_eq!(
            fault.message(),
            "method 'reset' takes no argument 'force'; it takes none"
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let (kind, text) = refused("7");
        assert_eq!(kind, FaultKind::InvalidParameter);
        assert_eq!(
            text,
            "arguments of method 'update': invalid type: integer `7`, expected an object"
        );
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        let (kind, text) = refused(r#"["x"]"#);
        assert_eq!(kind, FaultKind::InvalidParameter);
        assert_eq!(
            text,
            "arguments of method 'update': invalid type: array, expected an object"
        );
        let (_, text) = refused(r#"{"bar": "x", "zone": [80]}"#);
        assert_eq!(
            text,
            "argument 'zone' of method 'update': invalid type: array, expected an object"
        );
    }

    #[test]
    fn a_message_stays_one_line_of_bounded_length() {
        let (_, text) = refused(&format!("{{\"bar\": \"x\", \"{}\\n\": 1}}", "z".repeat(5_000)));
        assert!(text.chars().count() < 700 && !text.contains('\n'), "{text}");
    }

    #[test]
    fn the_configuration_names_table_and_key() {
        let text = |config: &str| {
            configuration::<Update>("fake", config.as_bytes())
                .unwrap_err()
                .message()
                .to_owned()
        };
        assert_eq!(text("{}"), "drivers.fake.config: key 'bar' is missing");
        assert_eq!(
            text(r#"{"baz": 1}"#),
            "drivers.fake.config: unknown key 'baz'; known: 'bar', 'zone'"
        );
        assert_eq!(
            text(r#"{"bar": 1}"#),
            "drivers.fake.config.bar: invalid type: integer `1`, expected a string"
        );
    }
}
