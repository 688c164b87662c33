//! What clients set: a JSON object of fields, checked in Ironic's words, becomes the fields of a node.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::fields::{self, Accepts, FIELDS, Field};
use super::notation::{quote, quote_misplaced};
use super::patch::Patch;
use crate::http::query::boolean;
use crate::http::{Api, ApiError, ApiVersion};
use crate::node::fields::{JsonObject, Node, NodeFields};
use crate::node::name::{self, NameFault, RESERVED};
use crate::node::secret::{MASK, SecretNames};
use crate::plugin::manifest::Interface;

/// Whether fields come with a new node or change one; the messages differ.
#[derive(Clone, Copy)]
pub(super) enum Occasion<'a> {
    /// `POST`.
    Create,
    /// `PATCH`.
    Change {
        /// What the client calls the node.
        ident: &'a str,
        /// What it asks for.
        patch: &'a Patch,
    },
}

impl Occasion<'_> {
    /// The word by which Ironic's schema errors name the request.
    fn subject(self) -> &'static str {
        match self {
            Occasion::Create => "node",
            Occasion::Change { .. } => "patch",
        }
    }

    /// Whether the client gave this field itself.
    fn gives(self, field: &str) -> bool {
        match self {
            Occasion::Create => true,
            Occasion::Change { patch, .. } => patch.sets(field),
        }
    }

    fn schema_error(self, what: &str) -> ApiError {
        ApiError::bad_request(format!("Schema error for {}: {what}", self.subject()))
    }

    fn invalid_name(self, name: &str) -> ApiError {
        let quoted = quote(&Value::from(name));
        ApiError::bad_request(match self {
            Occasion::Create => format!("Cannot create node with invalid name {quoted}"),
            Occasion::Change { ident, .. } => {
                format!("Node {ident}: Cannot change name to invalid name {quoted}")
            }
        })
    }
}

/// The field that a client wants to set.
///
/// # Errors
/// 406 if its version does not know the field. Nothing if nobody may set it.
pub(super) fn settable(
    name: &str,
    version: ApiVersion,
) -> Result<Option<(&'static Field, Accepts)>, ApiError> {
    let Some((field, accepts)) = fields::field(name).and_then(|field| Some((field, field.accepts?))) else {
        return Ok(None);
    };
    version.require(field.since)?;
    Ok(Some((field, accepts)))
}

/// What a node can be changed in, as the document that a patch works on. Interfaces are nothing unless the patch sets them.
pub(super) fn document(node: &Node) -> Map<String, Value> {
    let fields = node.fields();
    let rare = &fields.rare;
    let text = |text: &Option<Box<str>>| text.as_deref().map_or(Value::Null, Value::from);
    let uuid = |uuid: &Option<Uuid>| uuid.map_or(Value::Null, |uuid| uuid.to_string().into());
    let mut document = Map::new();
    for field in FIELDS.iter().filter(|field| field.accepts.is_some()) {
        let value = match field.name {
            "automated_clean" => fields.automated_clean.into(),
            "chassis_uuid" => uuid(&rare.chassis_uuid),
            "description" => text(&rare.description),
            "driver" => (&*fields.driver).into(),
            "driver_info" => fields.driver_info.to_map().into(),
            "extra" => fields.extra.to_map().into(),
            "instance_info" => rare.instance_info.to_map().into(),
            "instance_uuid" => uuid(&rare.instance_uuid),
            "lessee" => text(&rare.lessee),
            "maintenance" => fields.maintenance.into(),
            "name" => text(&fields.name),
            "network_data" => rare.network_data.to_map().into(),
            "owner" => text(&rare.owner),
            "properties" => fields.properties.to_map().into(),
            "protected" => fields.protected.into(),
            "protected_reason" => text(&rare.protected_reason),
            "resource_class" => text(&rare.resource_class),
            "retired" => fields.retired.into(),
            "retired_reason" => text(&rare.retired_reason),
            _ => Value::Null,
        };
        document.insert(field.name.to_owned(), value);
    }
    document
}

/// Makes fields of a document; `before` is the node that it changes.
///
/// # Errors
/// The first value that cannot be, in Ironic's words.
pub(super) fn read(
    api: &Api,
    occasion: Occasion<'_>,
    mut document: Map<String, Value>,
    before: Option<&Node>,
) -> Result<NodeFields, ApiError> {
    let secrets = api.nodes.secrets();
    let mut fields = before.map(Node::fields).unwrap_or_default();
    let driver = match document.get("driver") {
        Some(Value::String(driver)) => driver.clone(),
        None | Some(Value::Null) => return Err(occasion.schema_error("'driver' is a required property")),
        Some(other) => return Err(wrong_type(occasion, other, "'string'")),
    };
    for (name, value) in &mut document {
        let accepts = fields::field(name).and_then(|field| field.accepts);
        let value = match accepts {
            Some(Accepts::Text(most)) => Given::Text(text(occasion, value, most)?),
            Some(Accepts::Bool) => Given::Bool(truth(occasion, name, value)?),
            Some(Accepts::Uuid) => Given::Uuid(uuid(occasion, name, value)?),
            Some(Accepts::Object) => Given::Object(object(occasion, &secrets, name, value, before)?),
            Some(Accepts::Interface) => {
                check_interface(api, occasion, name, value, &driver)?;
                continue;
            }
            None => continue,
        };
        assign(&mut fields, name, value);
    }
    if before.is_some_and(|node| node.driver() != driver) {
        // What another driver has read says nothing of the device that this one reaches.
        fields.power_state = None;
    }
    check_driver(api, &document, &driver, before)?;
    check_name(occasion, &fields, before)?;
    check_reasons(occasion, &mut fields)?;
    Ok(fields)
}

/// A checked value.
enum Given {
    Text(Option<Box<str>>),
    Bool(Option<bool>),
    Uuid(Option<Uuid>),
    Object(JsonObject),
}

fn assign(fields: &mut NodeFields, name: &str, value: Given) {
    let rare = &mut fields.rare;
    match (name, value) {
        ("description", Given::Text(text)) => rare.description = text,
        ("driver", Given::Text(text)) => fields.driver = text.unwrap_or_default(),
        ("lessee", Given::Text(text)) => rare.lessee = text,
        ("name", Given::Text(text)) => fields.name = text,
        ("owner", Given::Text(text)) => rare.owner = text,
        ("protected_reason", Given::Text(text)) => rare.protected_reason = text,
        ("resource_class", Given::Text(text)) => rare.resource_class = text,
        ("retired_reason", Given::Text(text)) => rare.retired_reason = text,
        ("automated_clean", Given::Bool(truth)) => fields.automated_clean = truth,
        ("maintenance", Given::Bool(truth)) => fields.maintenance = truth.unwrap_or_default(),
        ("protected", Given::Bool(truth)) => fields.protected = truth.unwrap_or_default(),
        ("retired", Given::Bool(truth)) => fields.retired = truth.unwrap_or_default(),
        ("chassis_uuid", Given::Uuid(uuid)) => rare.chassis_uuid = uuid,
        ("instance_uuid", Given::Uuid(uuid)) => rare.instance_uuid = uuid,
        ("driver_info", Given::Object(object)) => fields.driver_info = object,
        ("extra", Given::Object(object)) => fields.extra = object,
        ("instance_info", Given::Object(object)) => rare.instance_info = object,
        ("network_data", Given::Object(object)) => rare.network_data = object,
        ("properties", Given::Object(object)) => fields.properties = object,
        // `conductor_group` is checked and has one value only.
        _ => {}
    }
}

fn wrong_type(occasion: Occasion<'_>, value: &Value, expected: &str) -> ApiError {
    occasion.schema_error(&format!("{} is not of type {expected}", quote_misplaced(value)))
}

fn text(occasion: Occasion<'_>, value: &Value, most: usize) -> Result<Option<Box<str>>, ApiError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.chars().count() > most => Err(occasion.schema_error(&format!(
            "{} is too long, at most {most} characters are taken",
            quote(value)
        ))),
        Value::String(text) => Ok(Some(text.as_str().into())),
        other => Err(wrong_type(occasion, other, "'string', 'null'")),
    }
}

fn truth(occasion: Occasion<'_>, name: &str, value: &Value) -> Result<Option<bool>, ApiError> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(truth) => Ok(Some(*truth)),
        // The command line sends words.
        Value::String(word) => boolean(name, word).map(Some),
        other => Err(wrong_type(occasion, other, "'string', 'boolean', 'null'")),
    }
}

fn uuid(occasion: Occasion<'_>, name: &str, value: &Value) -> Result<Option<Uuid>, ApiError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => expect_uuid(name, text).map(Some),
        other => Err(wrong_type(occasion, other, "'string', 'null'")),
    }
}

/// A uuid, wherever a client gives one.
pub(super) fn expect_uuid(name: &str, text: &str) -> Result<Uuid, ApiError> {
    Uuid::parse_str(text).map_err(|_| ApiError::bad_request(format!("Expected UUID for {name}: {text}")))
}

/// A JSON object; a mask that the client was shown in place of a secret stands for that secret.
fn object(
    occasion: Occasion<'_>,
    secrets: &SecretNames,
    name: &str,
    value: &mut Value,
    before: Option<&Node>,
) -> Result<JsonObject, ApiError> {
    let object = match value {
        Value::Null => return Ok(JsonObject::default()),
        Value::Object(object) => object,
        other => return Err(wrong_type(occasion, other, "'object', 'null'")),
    };
    let kept = before.map_or_else(Map::new, |node| match name {
        "driver_info" => node.fields().driver_info.to_map(),
        "extra" => node.fields().extra.to_map(),
        "instance_info" => node.rare().instance_info.to_map(),
        "network_data" => node.rare().network_data.to_map(),
        _ => node.fields().properties.to_map(),
    });
    secrets.restore(&kept, object).map_err(|path| {
        ApiError::bad_request(format!(
            "/{name}/{path} is \"{MASK}\", which is shown in place of a secret; there is none to keep, send the secret itself"
        ))
    })?;
    Ok(JsonObject::new(object))
}

fn check_interface(
    api: &Api,
    occasion: Occasion<'_>,
    field: &str,
    value: &Value,
    driver: &str,
) -> Result<(), ApiError> {
    let wanted = match text(occasion, value, 255)? {
        None => return Ok(()),
        Some(wanted) => wanted,
    };
    let kind = field.strip_suffix("_interface").unwrap_or(field);
    // A driver is the vendor interface of its own name, and each standard interface that it has.
    let has = match Interface::named(kind) {
        Some(interface) => api
            .registry
            .get(driver)
            .is_some_and(|driver| driver.has(interface)),
        None => kind == "vendor",
    };
    if has && *wanted == *driver {
        return Ok(());
    }
    let valid = if has { format!("'{driver}'") } else { String::new() };
    Err(ApiError::bad_request(format!(
        "Could not find the following interface in the 'ironic.hardware.interfaces.{kind}' entrypoint: {wanted}. \
         Valid interfaces are [{valid}]."
    )))
}

/// A node may keep a driver that is not enabled any more, but not get one.
fn check_driver(
    api: &Api,
    document: &Map<String, Value>,
    driver: &str,
    before: Option<&Node>,
) -> Result<(), ApiError> {
    let group = document
        .get("conductor_group")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let kept = before.is_some_and(|node| node.driver() == driver);
    if group.is_empty() && (kept || api.registry.get(driver).is_some()) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "No valid host was found. Reason: No conductor service registered which supports driver {driver} \
         for conductor group \"{}\". Ensure the driver is valid and enabled.",
        group.to_lowercase()
    )))
}

fn check_name(occasion: Occasion<'_>, fields: &NodeFields, before: Option<&Node>) -> Result<(), ApiError> {
    let Some(name) = fields.name.as_deref() else {
        return Ok(());
    };
    if before.is_some_and(|node| node.name() == Some(name)) {
        return Ok(());
    }
    name::check(name).map_err(|fault| match fault {
        NameFault::Invalid => occasion.invalid_name(name),
        NameFault::Reserved => ApiError::bad_request(format!(
            "The word \"{name}\" is reserved and can not be used as a node name. Reserved words are: {}.",
            RESERVED.join(", ")
        )),
    })
}

/// A reason lives as long as what it explains.
fn check_reasons(occasion: Occasion<'_>, fields: &mut NodeFields) -> Result<(), ApiError> {
    let rare = &mut fields.rare;
    if !fields.maintenance {
        rare.maintenance_reason = None;
    }
    for (field, holds, reason) in [
        ("protected", fields.protected, &mut rare.protected_reason),
        ("retired", fields.retired, &mut rare.retired_reason),
    ] {
        if holds || reason.is_none() {
            continue;
        }
        if occasion.gives(&format!("{field}_reason")) {
            return Err(ApiError::bad_request(format!(
                "The {field}_reason field can only be set when {field} is True"
            )));
        }
        *reason = None;
    }
    Ok(())
}
