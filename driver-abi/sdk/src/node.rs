//! The node that a call is about, read when a method asks for it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::properties::DriverInfo;
use crate::{Fault, Properties};

/// A node, as the host knows it at the start of the call. Methods take it as `&Node`; the lifetime need not be written.
///
/// Drivers read nodes; they do not write them.
pub struct Node<'a> {
    json: Cow<'a, [u8]>,
    /// Where things stand in `json`. Most methods need none of it beyond their properties.
    fields: OnceLock<Result<Fields, Fault>>,
}

#[derive(Clone)]
struct Fields {
    uuid: Box<str>,
    name: Option<Box<str>>,
    driver: Box<str>,
    driver_info: Range<usize>,
    properties: Range<usize>,
    extra: Range<usize>,
}

/// The node as the boundary has it.
#[derive(Deserialize)]
struct Raw<'a> {
    uuid: Box<str>,
    name: Option<Box<str>>,
    driver: Box<str>,
    #[serde(borrow)]
    driver_info: &'a RawValue,
    #[serde(borrow)]
    properties: &'a RawValue,
    #[serde(borrow)]
    extra: &'a RawValue,
}

impl<'a> Node<'a> {
    pub(crate) fn borrowed(json: &'a [u8]) -> Self {
        Node {
            json: Cow::Borrowed(json),
            fields: OnceLock::new(),
        }
    }

    pub(crate) fn owned(json: &[u8]) -> Node<'static> {
        Node {
            json: Cow::Owned(json.to_vec()),
            fields: OnceLock::new(),
        }
    }

    /// The node's UUID.
    pub fn uuid(&self) -> &str {
        self.fields().map_or("", |fields| &fields.uuid)
    }

    /// The node's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.fields().ok().and_then(|fields| fields.name.as_deref())
    }

    /// The name of the node's driver: this one.
    pub fn driver(&self) -> &str {
        self.fields().map_or("", |fields| &fields.driver)
    }

    /// What the node's `driver_info` says of this driver's properties.
    ///
    /// # Errors
    /// As the validation of the node: a property is missing, or has a value that cannot be used. Inside a method this
    /// is rare, since the host has the node validated before it calls.
    pub fn driver_info<T: Properties>(&self) -> Result<T, Fault> {
        T::parse(&DriverInfo::read(self.text(&self.checked()?.driver_info))?)
    }

    /// `driver_info` as JSON text. It may hold secrets.
    pub fn driver_info_json(&self) -> &str {
        self.fields()
            .map_or("{}", |fields| self.text(&fields.driver_info))
    }

    /// `properties` as JSON text: what is known of the machine, such as `cpus` or `memory_mb`.
    pub fn properties_json(&self) -> &str {
        self.fields().map_or("{}", |fields| self.text(&fields.properties))
    }

    /// `extra` as JSON text: the operator's own notes.
    pub fn extra_json(&self) -> &str {
        self.fields().map_or("{}", |fields| self.text(&fields.extra))
    }

    /// Proves that the host sent a node; the guard around a node's validation does it, so that no method meets another.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.checked().map(drop)
    }

    fn checked(&self) -> Result<&Fields, Fault> {
        self.fields().map_err(Clone::clone)
    }

    fn fields(&self) -> Result<&Fields, &Fault> {
        self.fields.get_or_init(|| Fields::read(&self.json)).as_ref()
    }

    fn text(&self, range: &Range<usize>) -> &str {
        self.json
            .get(range.clone())
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or("{}")
    }
}

impl Fields {
    fn read(json: &[u8]) -> Result<Self, Fault> {
        let raw: Raw<'_> = serde_json::from_slice(json)
            .map_err(|error| Fault::internal(format!("the host sent a node that cannot be read: {error}")))?;
        let place = |value: &RawValue| {
            let start = value.get().as_ptr() as usize - json.as_ptr() as usize;
            start..start + value.get().len()
        };
        Ok(Fields {
            driver_info: place(raw.driver_info),
            properties: place(raw.properties),
            extra: place(raw.extra),
            uuid: raw.uuid,
            name: raw.name,
            driver: raw.driver,
        })
    }
}

/// Without `driver_info`, which may hold secrets.
impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("uuid", &self.uuid())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = r#"{"uuid": "u-1", "name": null, "driver": "hello", "driver_info": {"a": [1, 2]},
        "properties": {"cpus": 2}, "extra": {}, "later": 1}"#;

    #[test]
    fn a_node_gives_its_names_and_its_parts_as_they_were_written() {
        for node in [Node::borrowed(NODE.as_bytes()), Node::owned(NODE.as_bytes())] {
            assert_eq!((node.uuid(), node.name(), node.driver()), ("u-1", None, "hello"));
            assert_eq!(node.driver_info_json(), r#"{"a": [1, 2]}"#);
            assert_eq!(node.properties_json(), r#"{"cpus": 2}"#);
            assert_eq!(node.extra_json(), "{}");
        }
    }

    #[test]
    fn a_node_that_is_no_node_is_refused_with_the_reason() {
        let fault = Node::borrowed(b"{\"uuid\": 1}").check().unwrap_err();
        assert!(
            fault
                .message()
                .starts_with("the host sent a node that cannot be read: "),
            "{fault}"
        );
    }

    #[test]
    fn a_printed_node_shows_no_driver_info() {
        let node = NODE.replace("[1, 2]", "\"hunter2\"");
        assert!(!format!("{:?}", Node::borrowed(node.as_bytes())).contains("hunter2"));
    }
}
