//! A node's `driver_info`: Ironic's properties of its `snmp` hardware type, and Ironic's checks of them.

use driver_sdk::prelude::*;

use crate::family::{Family, Outlet};
use crate::pdu::{Access, Authentication, Community, Pdu, Privacy, User};

/// The shortest key of SNMPv3 (RFC 3414, section 11.2).
const SHORTEST_KEY: usize = 8;

/// What the driver needs to know of a node.
#[derive(Properties)]
pub(crate) struct Device {
    /// Family of the PDU: apc_masterswitch (or apc), apc_masterswitchplus, apc_rackpdu, aten, cyberpower, eatonpower, teltronix,
    /// baytech_mrp27, servertech_sentry3, servertech_sentry4, vertivgeist_pdu or raritan_pdu2.
    snmp_driver: String,
    /// Address or name of the PDU.
    snmp_address: String,
    /// Number of the outlet, from 1 on; or the whole index of its row in the PDU's table, such as 2.1.8, where units are chained.
    snmp_outlet: String,
    /// Version of SNMP: 1, 2c or 3.
    #[property(default = "1")]
    snmp_version: String,
    /// UDP port of the PDU.
    #[property(default = 161)]
    snmp_port: u16,
    /// Community for reading and writing, in versions 1 and 2c.
    #[property(secret)]
    snmp_community: Option<String>,
    /// Community for reading; without it, snmp_community.
    #[property(secret)]
    snmp_community_read: Option<String>,
    /// Community for writing; without it, snmp_community.
    #[property(secret)]
    snmp_community_write: Option<String>,
    /// Name of the user. Required in version 3.
    snmp_user: Option<String>,
    /// How messages are authenticated in version 3: none, md5, sha, sha224, sha256, sha384 or sha512. Without it: md5 if there is a
    /// snmp_auth_key, else none.
    snmp_auth_protocol: Option<String>,
    /// Key for authentication, 8 characters or more.
    #[property(secret)]
    snmp_auth_key: Option<String>,
    /// How messages are encrypted in version 3: none, des, aes, aes192, aes256, aes192blmt or aes256blmt. Without it: des if there is a
    /// snmp_priv_key, else none.
    snmp_priv_protocol: Option<String>,
    /// Key for encryption, 8 characters or more.
    #[property(secret)]
    snmp_priv_key: Option<String>,
    /// Context name of version 3. Without it: the empty one.
    snmp_context_name: Option<String>,
    /// Engine ID of the PDU in version 3, in hexadecimal; another PDU is refused. Without it: the PDU is asked for it.
    snmp_context_engine_id: Option<String>,
}

impl Device {
    /// The PDU and the outlet that a node's `driver_info` names.
    pub(crate) fn pdu(node: &Node) -> Result<Pdu, Fault> {
        let device: Device = node.driver_info()?;
        device.checked()
    }

    fn checked(self) -> Result<Pdu, Fault> {
        let family = Family::named(&self.snmp_driver).ok_or_else(|| {
            let known: Vec<_> = Family::names().collect();
            refused(
                "snmp_driver",
                &self.snmp_driver,
                &format!("one of {}", known.join(", ")),
            )
        })?;
        let outlet = Outlet::new(&self.snmp_outlet, family)
            .map_err(|expected| refused("snmp_outlet", &self.snmp_outlet, expected))?;
        if self.snmp_address.is_empty() || self.snmp_address.contains(char::is_whitespace) {
            return Err(refused(
                "snmp_address",
                &self.snmp_address,
                "an address or a name",
            ));
        }
        if self.snmp_port == 0 {
            return Err(refused("snmp_port", "0", "a port from 1 to 65535"));
        }
        let access = match self.snmp_version.as_str() {
            "1" => self.communities(false)?,
            "2c" => self.communities(true)?,
            "3" => Access::User(Box::new(self.user()?)),
            other => return Err(refused("snmp_version", other, "1, 2c or 3")),
        };
        Ok(Pdu {
            family,
            outlet,
            address: self.snmp_address,
            port: self.snmp_port,
            access,
        })
    }

    fn communities(&self, version_2c: bool) -> Result<Access, Fault> {
        let community = |property, own: &Option<String>| {
            let (property, name) = match own {
                Some(name) => (property, name),
                None => ("snmp_community", self.snmp_community.as_ref()?),
            };
            (!name.is_empty()).then(|| Community {
                property,
                name: name.clone(),
            })
        };
        match (
            community("snmp_community_read", &self.snmp_community_read),
            community("snmp_community_write", &self.snmp_community_write),
        ) {
            (Some(read), Some(write)) => Ok(Access::Community {
                version_2c,
                read,
                write,
            }),
            _ => Err(Fault::missing_parameter(format!(
                "SNMP version {} needs snmp_community, or snmp_community_read and snmp_community_write",
                self.snmp_version
            ))),
        }
    }

    fn user(&self) -> Result<User, Fault> {
        let name = match &self.snmp_user {
            Some(name) if (1..=32).contains(&name.len()) => name.clone(),
            Some(name) => return Err(refused("snmp_user", name, "1 to 32 bytes")),
            None => return Err(Fault::missing_parameter("SNMP version 3 needs snmp_user")),
        };
        let auth_key = key("snmp_auth_key", self.snmp_auth_key.as_ref())?;
        let priv_key = key("snmp_priv_key", self.snmp_priv_key.as_ref())?;
        let auth_protocol = self.snmp_auth_protocol.as_deref();
        let priv_protocol = self.snmp_priv_protocol.as_deref();
        let authentication = match auth_protocol.unwrap_or(if auth_key.is_some() { "md5" } else { "none" }) {
            "none" => None,
            named => Some((
                Authentication::named(named)
                    .ok_or_else(|| refused("snmp_auth_protocol", named, Authentication::EXPECTED))?,
                auth_key.ok_or_else(|| missing("snmp_auth_protocol", named, "snmp_auth_key"))?,
            )),
        };
        let privacy = match priv_protocol.unwrap_or(if priv_key.is_some() { "des" } else { "none" }) {
            "none" => None,
            named => Some((
                Privacy::named(named)
                    .ok_or_else(|| refused("snmp_priv_protocol", named, Privacy::EXPECTED))?,
                priv_key.ok_or_else(|| missing("snmp_priv_protocol", named, "snmp_priv_key"))?,
            )),
        };
        if authentication.is_none() && privacy.is_some() {
            return Err(Fault::missing_parameter(
                "SNMP version 3 encrypts only what it authenticates: snmp_auth_protocol and snmp_auth_key are missing",
            ));
        }
        Ok(User {
            name,
            authentication,
            privacy,
            context_name: self.snmp_context_name.clone().unwrap_or_default(),
            context_engine_id: self
                .snmp_context_engine_id
                .as_deref()
                .map(engine_id)
                .transpose()?,
        })
    }
}

fn key(property: &str, key: Option<&String>) -> Result<Option<String>, Fault> {
    match key {
        Some(key) if key.chars().count() < SHORTEST_KEY => Err(Fault::invalid_parameter(format!(
            "driver_info property '{property}' must have {SHORTEST_KEY} characters or more, found {}",
            key.chars().count()
        ))),
        key => Ok(key.cloned()),
    }
}

/// Hexadecimal digits, as net-snmp takes them: with `0x` before them, and colons or spaces between them, if one likes.
fn engine_id(text: &str) -> Result<Vec<u8>, Fault> {
    const EXPECTED: &str = "5 to 32 bytes in hexadecimal, such as 8000000001020304";
    let digits: String = text
        .trim_start_matches("0x")
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .collect();
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            pair.bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(pair, 16).ok())?
        })
        .collect();
    bytes
        .filter(|bytes| (5..=32).contains(&bytes.len()))
        .ok_or_else(|| refused("snmp_context_engine_id", text, EXPECTED))
}

fn refused(property: &str, found: &str, expected: &str) -> Fault {
    let found: String = found.chars().take(100).collect();
    Fault::invalid_parameter(format!(
        "driver_info property '{property}' must be {expected}, found {found:?}"
    ))
}

fn missing(property: &str, value: &str, needed: &str) -> Fault {
    Fault::missing_parameter(format!("{property} '{value}' needs {needed}"))
}

#[cfg(test)]
mod tests;
