//! The fields of a node: since which version of the API, how each is written, whether it can be set and sorted by.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::http::links::Links;
use crate::http::{Api, ApiError, ApiVersion};
use crate::node::fields::Node;
use crate::node::listing::SortKey;
use crate::node::secret::SecretNames;
use crate::plugin::manifest::Interface;
use crate::plugin::registry::Drivers;

/// What a client may give for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Accepts {
    /// A text of at most so many characters, or nothing.
    Text(usize),
    /// A boolean, or a word for one, or nothing.
    Bool,
    /// A uuid as text, or nothing.
    Uuid,
    /// A JSON object, or nothing.
    Object,
    /// The name of one of Ironic's interfaces, or nothing.
    Interface,
}

/// One field.
pub(in crate::http) struct Field {
    pub(in crate::http) name: &'static str,
    /// The version that introduced it, as its N.
    pub(in crate::http) since: u16,
    /// How it is set; nothing for what only the host writes.
    pub(in crate::http) accepts: Option<Accepts>,
    /// How a list is sorted by it, if it can be.
    pub(super) sort: Option<SortKey>,
    write: fn(&Shown<'_>, &Node, &mut Vec<u8>),
}

/// What every node of a reply is written with.
pub(super) struct Shown<'a> {
    api: &'a Api,
    links: &'a Links,
    secrets: Arc<SecretNames>,
    drivers: Arc<Drivers>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(api: &'a Api, links: &'a Links) -> Self {
        Shown {
            api,
            links,
            secrets: api.nodes.secrets(),
            drivers: api.registry.snapshot(),
        }
    }

    /// Appends `node` with these fields and its links, as JSON.
    pub(super) fn write(&self, node: &Node, fields: &[&Field], out: &mut Vec<u8>) {
        out.push(b'{');
        for field in fields {
            out.push(b'"');
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b"\":");
            (field.write)(self, node, out);
            out.push(b',');
        }
        out.extend_from_slice(b"\"links\":");
        write_links(self, &format!("nodes/{}", node.uuid()), out);
        out.push(b'}');
    }
}

const NULL: Option<SortKey> = Some(SortKey::Constant);

/// All fields, in Ironic's order; `links` follow them always.
pub(in crate::http) static FIELDS: [Field; 58] = [
    own("uuid", 1, SortKey::Uuid, |_, node, out| {
        uuid(Some(node.uuid()), out)
    }),
    own("created_at", 1, SortKey::CreatedAt, |_, node, out| {
        time(Some(node.created_at()), out)
    }),
    own("updated_at", 1, SortKey::UpdatedAt, |_, node, out| {
        time(node.updated_at(), out)
    }),
    set(
        "automated_clean",
        47,
        Accepts::Bool,
        Some(SortKey::AutomatedClean),
        |_, node, out| {
            json(&node.automated_clean(), out);
        },
    ),
    interface("bios_interface", 40),
    interface("boot_interface", 31),
    always("boot_mode", 75, NULL, |_, _, out| json(&(), out)),
    always("clean_step", 7, None, empty_object),
    set("conductor_group", 46, Accepts::Text(255), NULL, |_, _, out| {
        json(&"", out)
    }),
    always("console_enabled", 1, NULL, |_, _, out| json(&false, out)),
    interface("console_interface", 31),
    interface("deploy_interface", 31),
    always("deploy_step", 44, None, empty_object),
    set(
        "description",
        51,
        Accepts::Text(4096),
        Some(SortKey::Description),
        |_, node, out| {
            json(&node.rare().description, out);
        },
    ),
    set(
        "driver",
        1,
        Accepts::Text(255),
        Some(SortKey::Driver),
        |_, node, out| json(&node.driver(), out),
    ),
    set("driver_info", 1, Accepts::Object, None, |shown, node, out| {
        shown.mask(node.driver_info(), out)
    }),
    always("driver_internal_info", 3, None, empty_object),
    set("extra", 1, Accepts::Object, None, |shown, node, out| {
        shown.mask(node.extra(), out)
    }),
    always("fault", 42, NULL, |_, _, out| json(&(), out)),
    always("inspection_finished_at", 6, NULL, |_, _, out| json(&(), out)),
    always("inspection_started_at", 6, NULL, |_, _, out| json(&(), out)),
    interface("inspect_interface", 31),
    set("instance_info", 1, Accepts::Object, None, |shown, node, out| {
        shown.mask(node.rare().instance_info.as_str(), out);
    }),
    set(
        "instance_uuid",
        1,
        Accepts::Uuid,
        Some(SortKey::InstanceUuid),
        |_, node, out| {
            uuid(node.rare().instance_uuid, out);
        },
    ),
    own("last_error", 1, SortKey::LastError, |_, node, out| {
        json(&node.rare().last_error, out)
    }),
    set(
        "lessee",
        65,
        Accepts::Text(255),
        Some(SortKey::Lessee),
        |_, node, out| json(&node.rare().lessee, out),
    ),
    set(
        "maintenance",
        1,
        Accepts::Bool,
        Some(SortKey::Maintenance),
        |_, node, out| {
            json(&node.maintenance(), out);
        },
    ),
    own(
        "maintenance_reason",
        1,
        SortKey::MaintenanceReason,
        |_, node, out| {
            json(&node.rare().maintenance_reason, out);
        },
    ),
    standard_interface("management_interface", |shown, node, out| {
        shown.interface(Interface::Management, node, out);
    }),
    set(
        "name",
        5,
        Accepts::Text(255),
        Some(SortKey::Name),
        |_, node, out| json(&node.name(), out),
    ),
    set("network_data", 66, Accepts::Object, None, |shown, node, out| {
        shown.mask(node.rare().network_data.as_str(), out);
    }),
    interface("network_interface", 20),
    set(
        "owner",
        50,
        Accepts::Text(255),
        Some(SortKey::Owner),
        |_, node, out| json(&node.rare().owner, out),
    ),
    standard_interface("power_interface", |shown, node, out| {
        shown.interface(Interface::Power, node, out);
    }),
    own("power_state", 1, SortKey::PowerState, |_, node, out| {
        json(&node.power_state(), out)
    }),
    set("properties", 1, Accepts::Object, None, |shown, node, out| {
        shown.mask(node.properties(), out)
    }),
    set(
        "protected",
        48,
        Accepts::Bool,
        Some(SortKey::Protected),
        |_, node, out| json(&node.protected(), out),
    ),
    set(
        "protected_reason",
        48,
        Accepts::Text(4096),
        Some(SortKey::ProtectedReason),
        |_, node, out| {
            json(&node.rare().protected_reason, out);
        },
    ),
    always("provision_state", 1, NULL, |_, _, out| {
        json(&PROVISION_STATE, out)
    }),
    always("provision_updated_at", 1, NULL, |_, _, out| json(&(), out)),
    always("raid_config", 12, None, empty_object),
    interface("raid_interface", 31),
    interface("rescue_interface", 38),
    always("reservation", 1, None, |shown, node, out| {
        json(
            &shown
                .api
                .locks
                .holder(&node.uuid())
                .map(|_| &*shown.api.host_name),
            out,
        );
    }),
    set(
        "resource_class",
        21,
        Accepts::Text(80),
        Some(SortKey::ResourceClass),
        |_, node, out| {
            json(&node.rare().resource_class, out);
        },
    ),
    set(
        "retired",
        61,
        Accepts::Bool,
        Some(SortKey::Retired),
        |_, node, out| json(&node.retired(), out),
    ),
    set(
        "retired_reason",
        61,
        Accepts::Text(4096),
        Some(SortKey::RetiredReason),
        |_, node, out| {
            json(&node.rare().retired_reason, out);
        },
    ),
    always("secure_boot", 75, NULL, |_, _, out| json(&(), out)),
    interface("storage_interface", 33),
    own(
        "target_power_state",
        1,
        SortKey::TargetPowerState,
        |_, node, out| json(&node.target_power_state(), out),
    ),
    always("target_provision_state", 1, NULL, |_, _, out| json(&(), out)),
    always("target_raid_config", 12, None, empty_object),
    always("traits", 37, None, |_, _, out| out.extend_from_slice(b"[]")),
    // A driver is the vendor interface of its own name.
    set(
        "vendor_interface",
        31,
        Accepts::Interface,
        Some(SortKey::Driver),
        |_, node, out| json(&node.driver(), out),
    ),
    always("conductor", 49, None, |shown, node, out| {
        json(
            &shown
                .drivers
                .contains_key(node.driver())
                .then_some(&*shown.api.host_name),
            out,
        );
    }),
    always("allocation_uuid", 52, None, |_, _, out| json(&(), out)),
    set("chassis_uuid", 1, Accepts::Uuid, None, |_, node, out| {
        uuid(node.rare().chassis_uuid, out)
    }),
    always("states", 14, None, |shown, node, out| {
        write_links(shown, &format!("nodes/{}/states", node.uuid()), out);
    }),
];

/// Ironic's word for a node that nobody has made ready; the clients read nothing as `available`.
pub(super) const PROVISION_STATE: &str = "enroll";

/// What `GET /v1/nodes` shows of a node.
const SUMMARY: [&str; 6] = [
    "uuid",
    "instance_uuid",
    "maintenance",
    "power_state",
    "provision_state",
    "name",
];

/// The field of this name.
pub(super) fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// Everything that a version knows.
pub(super) fn all(version: ApiVersion) -> Vec<&'static Field> {
    FIELDS.iter().filter(|field| version.0 >= field.since).collect()
}

/// The fields of a short list.
pub(super) fn summary(version: ApiVersion) -> Vec<&'static Field> {
    SUMMARY
        .iter()
        .filter_map(|name| field(name))
        .filter(|field| version.0 >= field.since)
        .collect()
}

/// The fields that a client asks for by name, in its order.
///
/// # Errors
/// 406 if the version does not know the argument or a field, 400 for a field that does not exist.
pub(super) fn chosen(names: &[String], version: ApiVersion) -> Result<Vec<&'static Field>, ApiError> {
    version.require(8)?;
    let mut fields: Vec<&'static Field> = Vec::new();
    let mut unknown = Vec::new();
    for name in names.iter().filter(|name| *name != "links") {
        match field(name) {
            Some(known) => {
                version.require(known.since)?;
                if !fields.iter().any(|chosen| std::ptr::eq(*chosen, known)) {
                    fields.push(known);
                }
            }
            None => unknown.push(name.as_str()),
        }
    }
    if unknown.is_empty() {
        return Ok(fields);
    }
    Err(ApiError::bad_request(format!(
        "Field(s) \"{}\" are not valid.",
        unknown.join(", ")
    )))
}

type Write = fn(&Shown<'_>, &Node, &mut Vec<u8>);

/// A field that the host writes.
const fn own(name: &'static str, since: u16, sort: SortKey, write: Write) -> Field {
    Field {
        name,
        since,
        accepts: None,
        sort: Some(sort),
        write,
    }
}

/// A field that does not depend on what is kept of the node.
const fn always(name: &'static str, since: u16, sort: Option<SortKey>, write: Write) -> Field {
    Field {
        name,
        since,
        accepts: None,
        sort,
        write,
    }
}

/// A field that clients set.
const fn set(name: &'static str, since: u16, accepts: Accepts, sort: Option<SortKey>, write: Write) -> Field {
    Field {
        name,
        since,
        accepts: Some(accepts),
        sort,
        write,
    }
}

/// An interface that no driver here has.
const fn interface(name: &'static str, since: u16) -> Field {
    set(name, since, Accepts::Interface, NULL, |_, _, out| json(&(), out))
}

/// An interface that drivers may have.
const fn standard_interface(name: &'static str, write: Write) -> Field {
    set(name, 31, Accepts::Interface, NULL, write)
}

impl Shown<'_> {
    /// The driver's name, if the driver has the interface: it is its own implementation.
    fn interface(&self, interface: Interface, node: &Node, out: &mut Vec<u8>) {
        let driver = self.drivers.get(node.driver());
        let name = driver
            .filter(|driver| driver.has(interface))
            .map(|_| node.driver());
        json(&name, out);
    }

    fn mask(&self, object: &str, out: &mut Vec<u8>) {
        self.secrets.mask_into(object.as_bytes(), out);
    }
}

fn json(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    let start = out.len();
    // Texts, booleans and nothing can always be written; a vector takes all of it.
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

fn empty_object(_: &Shown<'_>, _: &Node, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{}");
}

fn uuid(uuid: Option<Uuid>, out: &mut Vec<u8>) {
    json(&uuid, out);
}

fn time(time: Option<Timestamp>, out: &mut Vec<u8>) {
    json(&time.map(crate::http::time::written), out);
}

fn write_links(shown: &Shown<'_>, path: &str, out: &mut Vec<u8>) {
    json(&shown.links.of(path), out);
}
