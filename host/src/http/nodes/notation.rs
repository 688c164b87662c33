//! Values as Ironic's messages quote them: in Python's notation.

use serde_json::Value;

use crate::node::secret::MASK;

/// Longer quotes are cut: a message is for reading.
const MAX_CHARS: usize = 300;

/// `value` as Python prints it: `{'op': 'add', 'value': None}`.
pub(super) fn quote(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    if let Some((end, _)) = text.char_indices().nth(MAX_CHARS) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// The same of a value that stands where another type belongs. It may be a secret, or hold one, that no name gives away any more, so that only
/// its form is shown: texts and numbers of 6 characters or more are masked.
pub(super) fn quote_misplaced(value: &Value) -> String {
    quote(&form(value))
}

fn form(value: &Value) -> Value {
    let masked = |length: usize| if length < 6 { value.clone() } else { MASK.into() };
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) => masked(number.to_string().len()),
        Value::String(text) => masked(text.len()),
        Value::Array(items) => items.iter().map(form).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, member)| (key.clone(), form(member)));
            Value::Object(members.collect())
        }
    }
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (n, (key, item)) in entries.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                write_text(key, out);
                out.push_str(": ");
                write(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_value_in_the_wrong_place_only_the_form_is_shown() {
        let value = json!({"op": "add", "path": "/driver_info/password", "value": ["hunter2", 12_345_678, 5, null, true]});
        assert_eq!(
            quote_misplaced(&value),
            "{'op': 'add', 'path': '******', 'value': ['******', '******', 5, None, True]}"
        );
    }

    #[test]
    fn values_look_as_in_python() {
        let value = json!({"op": "add", "value": [null, true, false, 1, 1.5, "it's", "\\w\n", {}]});
        assert_eq!(
            quote(&value),
            r#"{'op': 'add', 'value': [None, True, False, 1, 1.5, "it's", '\\w\n', {}]}"#
        );
    }

    #[test]
    fn long_values_are_cut() {
        let text = quote(&json!("ä".repeat(1000)));
        assert!(text.ends_with("ä...") && text.chars().count() == 303, "{text}");
    }
}
