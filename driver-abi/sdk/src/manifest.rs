//! The manifest is put together by the compiler: parts that the attribute wrote, and parts that types bring along.

use crate::schema::{is, Form};

/// One part of the manifest.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Part {
    /// As it stands.
    Text(&'static str),
    /// Several, in their order.
    Parts(&'static [Part]),
    /// The schema of a type.
    Form {
        /// What is known of it.
        form: &'static Form,
    },
    /// A key with the schema of a type, with a comma before it; nothing, if the type has none.
    Keyed {
        /// With quotes and colon.
        key: &'static str,
        /// What is known of the type.
        form: Option<&'static Form>,
    },
    /// The fields that cannot be left out, as a keyword with a comma before it; nothing, if all can.
    Required {
        /// Names as JSON, and what is known of their types.
        fields: &'static [(&'static str, &'static Form)],
    },
}

/// The keys of every manifest that do not depend on the driver.
#[doc(hidden)]
pub const MANIFEST_HEAD: &[Part] = &[
    Part::Text("{\"manifest\":1,\"abi\":\""),
    Part::Text(driver_abi::ABI_VERSION),
    Part::Text("\",\"sdk\":\""),
    Part::Text(env!("CARGO_PKG_VERSION")),
    Part::Text("\",\"target\":\""),
    Part::Text(env!("DRIVER_TARGET")),
    Part::Text("\","),
];

/// Bytes that are written one behind the other; what does not fit is only counted.
struct Writer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Writer<N> {
    const EMPTY: Self = Writer { bytes: [0; N], at: 0 };

    // By value throughout: constant functions of Rust 1.75 take nothing by `&mut`.
    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut byte = 0;
        while byte < text.len() {
            if self.at < N {
                self.bytes[self.at] = text[byte];
            }
            self.at += 1;
            byte += 1;
        }
        self
    }

    const fn parts(mut self, parts: &[Part]) -> Self {
        let mut at = 0;
        while at < parts.len() {
            self = self.part(&parts[at]);
            at += 1;
        }
        self
    }

    const fn part(self, part: &Part) -> Self {
        match part {
            Part::Text(text) => self.text(text),
            Part::Parts(parts) => self.parts(parts),
            Part::Form { form } => self.form(form),
            Part::Keyed { form: None, .. } => self,
            Part::Keyed {
                key,
                form: Some(form),
            } => self.text(",").text(key).form(form),
            Part::Required { fields } => self.required(fields),
        }
    }

    const fn form(mut self, form: &Form) -> Self {
        self = self.text("{");
        let start = self.at;
        if !form.json_type.is_empty() {
            self = self.text(if form.nullable {
                "\"type\":[\""
            } else {
                "\"type\":\""
            });
            self = self.text(form.json_type);
            self = self.text(if form.nullable { "\",\"null\"]" } else { "\"" });
        }
        if !form.description.is_empty() {
            self = self.key("\"description\":", start).text(form.description);
        }
        if !form.words.is_empty() {
            self = self.key("\"enum\":", start);
            let mut word = 0;
            while word < form.words.len() {
                self = self
                    .text(if word == 0 { "[" } else { "," })
                    .text(form.words[word]);
                word += 1;
            }
            self = self.text(if form.nullable { ",null]" } else { "]" });
        }
        let (minimum, maximum) = if is(form.json_type, "string") {
            ("\"minLength\":", "\"maxLength\":")
        } else if is(form.json_type, "array") {
            ("\"minItems\":", "\"maxItems\":")
        } else {
            ("\"minimum\":", "\"maximum\":")
        };
        if !form.minimum.is_empty() {
            self = self.key(minimum, start).text(form.minimum);
        }
        if !form.maximum.is_empty() {
            self = self.key(maximum, start).text(form.maximum);
        }
        self.parts(form.keywords).text(form.added).text("}")
    }

    const fn key(self, key: &str, start: usize) -> Self {
        if self.at == start {
            self.text(key)
        } else {
            self.text(",").text(key)
        }
    }

    const fn required(mut self, fields: &[(&str, &Form)]) -> Self {
        let (mut field, mut found) = (0, false);
        while field < fields.len() {
            let (name, form) = fields[field];
            if !form.nullable {
                self = self.text(if found { "," } else { ",\"required\":[" }).text(name);
                found = true;
            }
            field += 1;
        }
        if found {
            self.text("]")
        } else {
            self
        }
    }
}

/// The length of `parts`, one behind the other.
#[doc(hidden)]
pub const fn length(parts: &[Part]) -> usize {
    Writer::<0>::EMPTY.parts(parts).at
}

/// `parts`, one behind the other. `N` is their [`length`].
#[doc(hidden)]
pub const fn join<const N: usize>(parts: &[Part]) -> [u8; N] {
    Writer::<N>::EMPTY.parts(parts).bytes
}

/// The text of joined parts.
///
/// # Panics
/// At compile time, never: parts are text.
#[doc(hidden)]
pub const fn text(joined: &[u8]) -> &str {
    match std::str::from_utf8(joined) {
        Ok(text) => text,
        Err(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_in_their_order() {
        const PARTS: &[Part] = &[
            Part::Parts(&[Part::Text("a"), Part::Text("ß")]),
            Part::Parts(&[]),
            Part::Text(""),
            Part::Text("c"),
        ];
        const JOINED: [u8; length(PARTS)] = join(PARTS);
        assert_eq!(text(&JOINED), "aßc");
    }

    #[test]
    fn the_head_states_the_format_of_the_boundary() {
        const JOINED: [u8; length(MANIFEST_HEAD)] = join(MANIFEST_HEAD);
        let head = format!("{}\"name\":\"x\"}}", text(&JOINED));
        let head: serde_json::Value = serde_json::from_str(&head).unwrap();
        assert_eq!(head["manifest"], driver_abi::MANIFEST_FORMAT);
        assert_eq!(head["abi"], driver_abi::ABI_VERSION);
        assert_eq!(head["sdk"], env!("CARGO_PKG_VERSION"));
        assert!(head["target"].as_str().unwrap().contains('-'));
    }
}
