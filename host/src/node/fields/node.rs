//! One node as it is shared in memory, and what a driver sees of it.
//!
//! There may be a million nodes, so a [`Node`] is small: the bytes that a driver sees are serialised once per change, and the name, the driver's name and the
//! three objects in them are ranges of those bytes rather than copies. What most nodes do not have is boxed apart.

use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::node::power::PowerState;

use super::{FieldFault, JsonObject, NodeFields, RareFields};

/// A node as it is after one change; immutable, shared by everybody who reads it.
#[derive(Debug)]
pub struct Node {
    uuid: Uuid,
    sequence: i64,
    revision: i64,
    /// Microseconds since 1970, which is what Ironic shows.
    created_at: i64,
    updated_at: Option<i64>,
    view: Bytes,
    name: Span,
    driver: Span,
    driver_info: Span,
    properties: Span,
    extra: Span,
    maintenance: bool,
    protected: bool,
    retired: bool,
    automated_clean: Option<bool>,
    power_state: Option<PowerState>,
    target_power_state: Option<PowerState>,
    rare: Option<Box<RareFields>>,
}

/// What a node is besides its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::node) struct Identity {
    pub(in crate::node) uuid: Uuid,
    /// The node's place in the order of creation.
    pub(in crate::node) sequence: i64,
    /// Counts the changes.
    pub(in crate::node) revision: i64,
    pub(in crate::node) created_at: i64,
    pub(in crate::node) updated_at: Option<i64>,
}

/// A part of a node's view.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        // A view is far smaller than either limit: `Builder` refuses others.
        usize::try_from(span.start).unwrap_or_default()..usize::try_from(span.end).unwrap_or_default()
    }
}

/// The bytes of a view, and where its parts begin.
struct ViewBuilder(Vec<u8>);

impl ViewBuilder {
    /// Appends `key` as it is and then `value`, whose place it returns.
    fn push(&mut self, key: &str, value: &str) -> Span {
        self.0.extend_from_slice(key.as_bytes());
        let start = self.place();
        self.0.extend_from_slice(value.as_bytes());
        Span {
            start,
            end: self.place(),
        }
    }

    fn place(&self) -> u32 {
        // Three objects of MAX_OBJECT_BYTES and two short names: never near the limit.
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

impl Node {
    pub(in crate::node) fn new(identity: Identity, fields: NodeFields) -> Result<Self, FieldFault> {
        fields.check()?;
        let objects = [&fields.driver_info, &fields.properties, &fields.extra];
        let size: usize = objects.iter().map(|object| object.as_str().len()).sum();
        let name_size = fields.name.as_ref().map_or(0, |name| name.len());
        let mut view = ViewBuilder(Vec::with_capacity(128 + size + name_size + fields.driver.len()));
        view.push(
            r#"{"uuid":""#,
            identity
                .uuid
                .hyphenated()
                .encode_lower(&mut Uuid::encode_buffer()),
        );
        let name = match &fields.name {
            None => view.push(r#"","name":null"#, ""),
            Some(name) => {
                let span = view.push(r#"","name":""#, name);
                view.push("\"", "");
                span
            }
        };
        let driver = view.push(r#","driver":""#, &fields.driver);
        let driver_info = view.push(r#"","driver_info":"#, fields.driver_info.as_str());
        let properties = view.push(r#","properties":"#, fields.properties.as_str());
        let extra = view.push(r#","extra":"#, fields.extra.as_str());
        view.push("}", "");
        Ok(Node {
            uuid: identity.uuid,
            sequence: identity.sequence,
            revision: identity.revision,
            created_at: identity.created_at,
            updated_at: identity.updated_at,
            view: Bytes::from(view.0.into_boxed_slice()),
            name,
            driver,
            driver_info,
            properties,
            extra,
            maintenance: fields.maintenance,
            protected: fields.protected,
            retired: fields.retired,
            automated_clean: fields.automated_clean,
            power_state: fields.power_state,
            target_power_state: fields.target_power_state,
            rare: (fields.rare != RareFields::default()).then(|| Box::new(fields.rare)),
        })
    }

    /// The node's uuid.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The node's uuid, for tables that are asked by it.
    pub(in crate::node) fn uuid_ref(&self) -> &Uuid {
        &self.uuid
    }

    /// How often the node was changed; a change is made on the revision that its author has seen.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The node's place in the order of creation.
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    /// What a driver sees: `{uuid, name, driver, driver_info, properties, extra}` as JSON in UTF-8.
    pub fn driver_view(&self) -> &Bytes {
        &self.view
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&str> {
        // A span of no bytes is what stands for `null`: names are not empty.
        Some(self.text(self.name)).filter(|name| !name.is_empty())
    }

    /// The name of its driver.
    pub fn driver(&self) -> &str {
        self.text(self.driver)
    }

    /// `driver_info` as compact JSON.
    pub fn driver_info(&self) -> &str {
        self.text(self.driver_info)
    }

    /// `properties` as compact JSON.
    pub fn properties(&self) -> &str {
        self.text(self.properties)
    }

    /// `extra` as compact JSON.
    pub fn extra(&self) -> &str {
        self.text(self.extra)
    }

    /// Whether it is in maintenance.
    pub fn maintenance(&self) -> bool {
        self.maintenance
    }

    /// Whether it is protected from deletion.
    pub fn protected(&self) -> bool {
        self.protected
    }

    /// Whether it is retired.
    pub fn retired(&self) -> bool {
        self.retired
    }

    /// Whether it is cleaned by itself, if that was said.
    pub fn automated_clean(&self) -> Option<bool> {
        self.automated_clean
    }

    /// The power state that its driver read last; nothing if it is not known.
    pub fn power_state(&self) -> Option<PowerState> {
        self.power_state
    }

    /// Where a power change leads that its driver is busy with.
    pub fn target_power_state(&self) -> Option<PowerState> {
        self.target_power_state
    }

    /// The fields that most nodes do not have.
    pub fn rare(&self) -> &RareFields {
        self.rare.as_deref().unwrap_or(&NO_RARE_FIELDS)
    }

    /// When it was created, to the microsecond.
    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.created_at).unwrap_or_default()
    }

    /// When it was changed, if it was.
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.updated_at
            .map(|micros| Timestamp::from_microsecond(micros).unwrap_or_default())
    }

    /// A copy of everything that can change.
    pub fn fields(&self) -> NodeFields {
        NodeFields {
            name: self.name().map(Into::into),
            driver: self.driver().into(),
            driver_info: JsonObject(self.driver_info().into()),
            properties: JsonObject(self.properties().into()),
            extra: JsonObject(self.extra().into()),
            maintenance: self.maintenance,
            protected: self.protected,
            retired: self.retired,
            automated_clean: self.automated_clean,
            power_state: self.power_state,
            target_power_state: self.target_power_state,
            rare: self.rare().clone(),
        }
    }

    pub(in crate::node) fn identity(&self) -> Identity {
        Identity {
            uuid: self.uuid,
            sequence: self.sequence,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// The name as bytes, for tables that are asked by name.
    pub(in crate::node) fn name_bytes(&self) -> &[u8] {
        &self.view[Range::from(self.name)]
    }

    fn text(&self, span: Span) -> &str {
        // The view is made of text, and spans begin and end between characters.
        std::str::from_utf8(&self.view[Range::from(span)]).unwrap_or_default()
    }
}

static NO_RARE_FIELDS: LazyLock<RareFields> = LazyLock::new(RareFields::default);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::MAX_OBJECT_BYTES;
    use super::*;

    fn identity() -> Identity {
        Identity {
            uuid: Uuid::nil(),
            sequence: 1,
            revision: 1,
            created_at: 1,
            updated_at: None,
        }
    }

    fn object(value: Value) -> JsonObject {
        JsonObject::new(value.as_object().unwrap())
    }

    #[test]
    fn a_driver_sees_the_six_fields_in_their_order() {
        let fields = NodeFields {
            name: Some("n-1".into()),
            driver: "ipmi".into(),
            driver_info: object(json!({"address": "ä\"", "deep": [1, {}]})),
            extra: object(json!({"k": 1})),
            ..NodeFields::default()
        };
        let node = Node::new(identity(), fields.clone()).unwrap();
        let expected = concat!(
            r#"{"uuid":"00000000-0000-0000-0000-000000000000","name":"n-1","driver":"ipmi","#,
            r#""driver_info":{"address":"ä\"","deep":[1,{}]},"properties":{},"extra":{"k":1}}"#
        );
        assert_eq!(node.driver_view(), expected);
        assert_eq!(node.fields(), fields, "nothing is lost");
    }

    #[test]
    fn a_node_without_a_name_has_null_there() {
        let node = Node::new(
            identity(),
            NodeFields {
                driver: "fake".into(),
                ..NodeFields::default()
            },
        )
        .unwrap();
        let view: Value = serde_json::from_slice(node.driver_view()).unwrap();
        assert_eq!(view["name"], Value::Null);
        assert_eq!(node.name(), None);
        assert!(node.rare.is_none(), "an ordinary node has no second box");
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let big = object(json!({ "k": "x".repeat(MAX_OBJECT_BYTES) }));
        let fault = Node::new(
            identity(),
            NodeFields {
                extra: big,
                ..NodeFields::default()
            },
        )
        .unwrap_err();
        assert!(
            fault.to_string().starts_with("extra has 1048584 bytes"),
            "{fault}"
        );
        let fields = NodeFields {
            driver: "a\"b".into(),
            ..NodeFields::default()
        };
        assert!(matches!(
            Node::new(identity(), fields),
            Err(FieldFault::NotPlain { field: "driver", .. })
        ));
    }
}
