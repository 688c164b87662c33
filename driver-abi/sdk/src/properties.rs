//! What a driver needs to know of a node, read from its `driver_info`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::Value;

use crate::arguments::{shortened, Trouble};
use crate::keyed::from_json;
use crate::Fault;

/// What a driver needs to know of a node. Derived for a struct; each field is one property of `driver_info`.
///
/// - The doc comment of a field is the property's description.
/// - A field is required, unless it is an `Option` or has `#[property(default = 623)]`. JSON `null` counts as absent.
/// - `#[property(secret)]` keeps a value out of every message, and masks it wherever a node is shown.
/// - The JSON type follows from the field's type; for other types say it: `#[property(type = "string")]`.
/// - `#[property(choices = ["1.5", "2.0"])]` lists all that a value can be, `#[property(range = 1..=65535)]` bounds a number. Both stand in
///   the manifest, as do the bounds that follow from the field's type.
///
/// Numbers and booleans that arrive as strings are accepted, and so are numbers and booleans for a string: the
/// `openstack` command reads `--driver-info port=623` as a number and `password=1234` too. Other keys of
/// `driver_info` are left alone: they may belong to another driver.
pub trait Properties: Sized {
    /// The properties as the manifest has them: one JSON object.
    #[doc(hidden)]
    const MANIFEST: &'static str;

    /// Reads all properties; all that are missing are named at once.
    #[doc(hidden)]
    fn parse(given: &DriverInfo<'_>) -> Result<Self, Fault>;
}

/// One property, as its errors speak of it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Property {
    pub name: &'static str,
    pub json_type: &'static str,
    /// For people: `an integer from 0 to 65535`.
    pub expected: &'static str,
    pub secret: bool,
    /// Where a number must lie, if its author says so.
    pub bounds: Option<(f64, f64)>,
    /// All that it can be, as JSON; empty if that is not told.
    pub choices: &'static [&'static str],
}

/// A node's `driver_info`, split into its keys.
#[doc(hidden)]
pub struct DriverInfo<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> DriverInfo<'a> {
    pub(crate) fn read(json: &'a str) -> Result<Self, Fault> {
        serde_json::from_str(json).map_err(|error| {
            Fault::internal(format!(
                "the host sent a driver_info that cannot be read: {error}"
            ))
        })
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        (value.get() != "null").then_some(*value)
    }

    /// Refuses a node that lacks some of `names`.
    pub fn require(&self, names: &[&str]) -> Result<(), Fault> {
        let missing: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| self.get(name).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Fault::missing_parameter(format!(
            "Missing the following driver_info properties: {}",
            missing.join(", ")
        )))
    }

    /// The value of a property that [`require`](Self::require) has seen.
    pub fn required<T: DeserializeOwned>(&self, property: &Property) -> Result<T, Fault> {
        match self.optional(property)? {
            Some(value) => Ok(value),
            None => Err(Fault::missing_parameter(format!(
                "Missing the following driver_info properties: {}",
                property.name
            ))),
        }
    }

    /// The value of a property, if the node has it.
    pub fn optional<T: DeserializeOwned>(&self, property: &Property) -> Result<Option<T>, Fault> {
        let Some(given) = self.get(property.name) else {
            return Ok(None);
        };
        property
            .read(given.get())
            .or_else(|| property.read(&rewritten(property, given)?))
            .map(Some)
            .ok_or_else(|| property.refuse::<T>(given))
    }
}

/// The value in the JSON type that the property has, where it arrived in the other spelling.
fn rewritten(property: &Property, given: &RawValue) -> Option<String> {
    let text = given.get();
    match (property.json_type, text.as_bytes().first()?) {
        ("string", b'0'..=b'9' | b'-' | b't' | b'f') => Some(format!("\"{text}\"")),
        ("integer" | "number", b'"') => serde_json::from_str::<String>(text).ok(),
        ("boolean", b'"') => serde_json::from_str::<String>(text)
            .ok()
            .map(|text| text.to_ascii_lowercase()),
        _ => None,
    }
}

impl Property {
    /// The value that JSON text stands for, if it is one of this property.
    fn read<T: DeserializeOwned>(&self, text: &str) -> Option<T> {
        let value = from_json(text).ok()?;
        self.allows(text).then_some(value)
    }

    fn allows(&self, text: &str) -> bool {
        let in_bounds = self.bounds.map_or(true, |(minimum, maximum)| {
            text.parse::<f64>()
                .map_or(true, |number| number >= minimum && number <= maximum)
        });
        // The same text may be written with other escapes.
        let same = |choice: &&str| {
            *choice == text || serde_json::from_str::<Value>(choice).ok() == serde_json::from_str(text).ok()
        };
        in_bounds && (self.choices.is_empty() || self.choices.iter().any(same))
    }

    #[cold]
    fn refuse<T: DeserializeOwned>(&self, given: &RawValue) -> Fault {
        let Property { name, expected, .. } = *self;
        let text = given.get();
        let (found, json_type) = match text.as_bytes().first() {
            Some(b'"') if self.secret => ("a string".to_owned(), "string"),
            Some(b'"') => (format!("the string {}", shortened(text)), "string"),
            Some(b'{') => ("an object".to_owned(), "object"),
            Some(b'[') => ("an array".to_owned(), "array"),
            Some(b't' | b'f') if self.secret => ("a boolean".to_owned(), "boolean"),
            Some(b't' | b'f') => (text.to_owned(), "boolean"),
            _ if self.secret => ("a number".to_owned(), "number"),
            _ => (shortened(text), "number"),
        };
        let mut message = format!("driver_info property '{name}' must be {expected}, found {found}");
        // The right JSON type, refused by the author's own type: only that type knows why.
        if json_type == self.json_type
            && !self.secret
            && self.choices.is_empty()
            && !matches!(json_type, "number" | "boolean")
        {
            let trouble = Trouble::of::<T>(text.as_bytes());
            message.push_str(": ");
            message.push_str(&trouble.text);
        }
        Fault::invalid_parameter(message)
    }
}

impl<'de> Deserialize<'de> for DriverInfo<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        #[derive(Deserialize)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

        impl<'de> Visitor<'de> for Keys {
            type Value = DriverInfo<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::with_capacity(8);
                while let Some((Key(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(DriverInfo(entries))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}
