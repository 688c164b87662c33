//! What is kept of a node: the fields that can change, and the limits of what is kept.

mod node;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::power::PowerState;
use super::text;

pub(super) use node::Identity;
pub use node::Node;

/// The deepest nesting of a node's JSON objects. A request allows less; patches could otherwise go deeper than JSON is read.
pub const MAX_DEPTH: usize = 64;

/// The largest of a node's JSON objects, in bytes of compact text. Patches could otherwise grow one without end.
pub const MAX_OBJECT_BYTES: usize = 1 << 20;

/// A JSON object as compact text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonObject(Box<str>);

impl JsonObject {
    /// The text of `object`.
    pub fn new(object: &Map<String, Value>) -> Self {
        // A map of JSON values always has a text: its keys are strings and its numbers finite.
        JsonObject(
            serde_json::to_string(object)
                .unwrap_or_else(|_| "{}".to_owned())
                .into(),
        )
    }

    /// Reads `text`, which must be one JSON object.
    ///
    /// # Errors
    /// Where the text breaks, in serde_json's words.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(|object| JsonObject::new(&object))
    }

    /// Reads `text` as [`parse`](Self::parse) does, but keeps it if it is as this host writes objects.
    pub(super) fn stored(text: &str) -> Result<Self, serde_json::Error> {
        match text::depth_of_compact(text.as_bytes()) {
            Some(depth) if depth <= MAX_DEPTH && text.starts_with('{') => {
                serde_json::from_str::<IgnoredAny>(text).map(|_| JsonObject(text.into()))
            }
            _ => JsonObject::parse(text),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `{}`.
    pub fn is_empty(&self) -> bool {
        self.as_str() == "{}"
    }

    /// The object. Its own copy.
    pub fn to_map(&self) -> Map<String, Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl Default for JsonObject {
    fn default() -> Self {
        JsonObject("{}".into())
    }
}

/// Everything of a node that can change. The words are Ironic's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the field of that name in Ironic's API")]
pub struct NodeFields {
    pub name: Option<Box<str>>,
    pub driver: Box<str>,
    pub driver_info: JsonObject,
    pub properties: JsonObject,
    pub extra: JsonObject,
    pub maintenance: bool,
    pub protected: bool,
    pub retired: bool,
    pub automated_clean: Option<bool>,
    pub power_state: Option<PowerState>,
    pub target_power_state: Option<PowerState>,
    pub rare: RareFields,
}

/// What most nodes do not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the field of that name in Ironic's API")]
pub struct RareFields {
    pub instance_info: JsonObject,
    pub network_data: JsonObject,
    pub instance_uuid: Option<Uuid>,
    pub chassis_uuid: Option<Uuid>,
    pub resource_class: Option<Box<str>>,
    pub owner: Option<Box<str>>,
    pub lessee: Option<Box<str>>,
    pub description: Option<Box<str>>,
    pub maintenance_reason: Option<Box<str>>,
    pub protected_reason: Option<Box<str>>,
    pub retired_reason: Option<Box<str>>,
    pub last_error: Option<Box<str>>,
}

/// A node that cannot be kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// An object is larger than [`MAX_OBJECT_BYTES`].
    #[error("{field} has {found} bytes of JSON, at most {MAX_OBJECT_BYTES} are kept")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// Its size.
        found: usize,
    },
    /// An object is nested deeper than [`MAX_DEPTH`].
    #[error("{field} is nested {found} levels deep, at most {MAX_DEPTH} are kept")]
    TooDeep {
        /// The field.
        field: &'static str,
        /// Its depth.
        found: usize,
    },
    /// A name that JSON would have to escape; names of nodes and drivers are plain.
    #[error("{field} {value:?} has characters that a name cannot have")]
    NotPlain {
        /// The field.
        field: &'static str,
        /// Its value.
        value: Box<str>,
    },
}

impl NodeFields {
    fn check(&self) -> Result<(), FieldFault> {
        for (field, object) in [
            ("driver_info", &self.driver_info),
            ("properties", &self.properties),
            ("extra", &self.extra),
            ("instance_info", &self.rare.instance_info),
            ("network_data", &self.rare.network_data),
        ] {
            let found = object.as_str().len();
            if found > MAX_OBJECT_BYTES {
                return Err(FieldFault::TooLarge { field, found });
            }
            let found = text::depth(object.as_str().as_bytes());
            if found > MAX_DEPTH {
                return Err(FieldFault::TooDeep { field, found });
            }
        }
        for (field, value) in [("name", self.name.as_ref()), ("driver", Some(&self.driver))] {
            let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            if let Some(value) = value.filter(|value| value.len() > 255 || !value.bytes().all(plain)) {
                return Err(FieldFault::NotPlain {
                    field,
                    value: value.clone(),
                });
            }
        }
        Ok(())
    }
}
