//! What a node's `driver_info` says of its device, and the check of it.

use driver_sdk::prelude::*;

use crate::address::Endpoint;
use crate::path::ServicePath;
use crate::tls::{CipherList, MinimumVersion, TlsSettings, Verify};

/// Ironic's properties of its `redfish` hardware type, as they are written.
#[derive(Properties)]
pub(crate) struct DriverInfo {
    /// Address of the Redfish service: a host, or a URL. https is assumed; a path is the service root, /redfish/v1 without one.
    redfish_address: String,
    /// Path of the ComputerSystem resource, such as /redfish/v1/Systems/1. Required if the service has several.
    redfish_system_id: Option<String>,
    /// User of the Redfish service. Nobody is logged in without one.
    redfish_username: Option<String>,
    /// Password of the user.
    #[property(secret)]
    redfish_password: Option<String>,
    /// Whether the service's certificate is verified: true (against the CAs that the machine trusts), false, or the path of a file or a folder of CA certificates in PEM.
    #[property(type = "string", default = "true")]
    redfish_verify_ca: String,
    /// How to log in: basic, session, or auto (a session, and basic where there are none).
    #[property(type = "string", default = "auto")]
    redfish_auth_type: String,
    /// The oldest version of TLS to speak: 1.1, 1.2 or 1.3. Below 1.2 nothing is spoken in any case.
    #[property(type = "string", default = "1.2")]
    redfish_tls_minimum_version: String,
    /// Cipher suites of TLS 1.2 to offer, as an OpenSSL cipher list such as ECDHE+AESGCM. All safe ones without it.
    redfish_tls_ciphers: Option<String>,
}

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AuthType {
    Auto,
    Basic,
    Session,
}

/// A device and how to speak with it. Two nodes with equal ones share connections and sessions.
///
/// It holds the password, and so is never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) auth_type: AuthType,
    pub(crate) tls: TlsSettings,
}

/// A user and their password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// What a node says, checked.
pub(crate) struct NodeInfo {
    pub(crate) target: Target,
    pub(crate) system: Option<ServicePath>,
}

impl NodeInfo {
    /// # Errors
    /// A property has a value that cannot be used; it is named.
    pub(crate) fn of(node: &Node<'_>) -> Result<Self, Fault> {
        let given: DriverInfo = node.driver_info()?;
        let endpoint =
            Endpoint::read(&given.redfish_address).map_err(|error| refused("redfish_address", error))?;
        let system = match &given.redfish_system_id {
            Some(path) => Some(
                endpoint
                    .root()
                    .path(path)
                    .map_err(|error| refused("redfish_system_id", error))?,
            ),
            None => None,
        };
        let ciphers = match &given.redfish_tls_ciphers {
            Some(list) => {
                Some(CipherList::read(list).map_err(|error| refused("redfish_tls_ciphers", error))?)
            }
            None => None,
        };
        let credentials = match (given.redfish_username, given.redfish_password) {
            (Some(username), password) if !username.is_empty() => Some(Credentials {
                username,
                password: password.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(NodeInfo {
            target: Target {
                credentials,
                auth_type: auth_type(&given.redfish_auth_type)?,
                tls: TlsSettings {
                    verify: Verify::read(&given.redfish_verify_ca)
                        .map_err(|error| refused("redfish_verify_ca", error))?,
                    minimum: minimum(&given.redfish_tls_minimum_version)?,
                    ciphers,
                },
                endpoint,
            },
            system,
        })
    }
}

fn auth_type(text: &str) -> Result<AuthType, Fault> {
    match text {
        "auto" => Ok(AuthType::Auto),
        "basic" => Ok(AuthType::Basic),
        "session" => Ok(AuthType::Session),
        _ => Err(one_of("redfish_auth_type", "auto, basic or session", text)),
    }
}

fn minimum(text: &str) -> Result<MinimumVersion, Fault> {
    match text {
        "1.1" | "1.2" => Ok(MinimumVersion::Tls12),
        "1.3" => Ok(MinimumVersion::Tls13),
        _ => Err(one_of("redfish_tls_minimum_version", "1.1, 1.2 or 1.3", text)),
    }
}

fn one_of(property: &str, known: &str, found: &str) -> Fault {
    let found = crate::text::excerpt(found, 100);
    refused(property, format_args!("expected {known}, found '{found}'"))
}

fn refused(property: &str, reason: impl std::fmt::Display) -> Fault {
    Fault::invalid_parameter(format!("driver_info property '{property}': {reason}"))
}
