//! How a node's BMC is reached, checked: nothing in it can be taken for anything else on a command line.

use std::fmt;

use driver_sdk::{Fault, Node};

use crate::number::byte;
use crate::properties::Device;

/// The most that the protocol carries of a user's name, in bytes (IPMI 2.0, 22.28).
const USER_BYTES: usize = 16;
/// The most that the protocol carries of a password or a key, in bytes: IPMI 2.0, and 1.5.
const SECRET_BYTES: usize = 20;
const SECRET_BYTES_1_5: usize = 16;
const PRIVILEGES: [&str; 4] = ["ADMINISTRATOR", "OPERATOR", "USER", "CALLBACK"];

/// Checked properties. Holds secrets, and so has no `Debug`.
pub(crate) struct Access {
    pub(crate) place: Place,
    /// Empty for the user without a name.
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) privilege: &'static str,
    pub(crate) protocol: Protocol,
    /// The BMC's key; no byte of it is zero.
    pub(crate) kg_key: Option<Vec<u8>>,
    /// ipmitool's options and their values, for commands that are bridged.
    pub(crate) bridge: Vec<(&'static str, u8)>,
    pub(crate) forgets_persistent_boot: bool,
    pub(crate) disable_boot_timeout: bool,
}

/// Where a BMC listens. Two nodes with one place share its queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) address: String,
    pub(crate) port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    V1_5,
    V2_0 { cipher_suite: Option<u8> },
}

impl Access {
    /// What `node` says of its BMC.
    ///
    /// # Errors
    /// A property is missing, or cannot be meant, or does not fit another one.
    pub(crate) fn of(node: &Node) -> Result<Self, Fault> {
        Access::check(node.driver_info()?)
    }

    fn check(device: Device) -> Result<Self, Fault> {
        let protocol = protocol(&device)?;
        check_address(&device.ipmi_address)?;
        if device.ipmi_port == 0 {
            return invalid("driver_info property 'ipmi_port' must be 1 to 65535, found 0");
        }
        let user = device.ipmi_username.unwrap_or_default();
        if user.len() > USER_BYTES || user.chars().any(char::is_control) {
            return invalid(
                "driver_info property 'ipmi_username' must be at most 16 bytes without control characters",
            );
        }
        check_password(&device.ipmi_password, protocol)?;
        let Some(privilege) = PRIVILEGES
            .into_iter()
            .find(|known| *known == device.ipmi_priv_level)
        else {
            return Err(Fault::invalid_parameter(format!(
                "driver_info property 'ipmi_priv_level' must be one of {}, found {:?}",
                PRIVILEGES.join(", "),
                device.ipmi_priv_level
            )));
        };
        let bridge = Bridge {
            kind: &device.ipmi_bridging,
            target_channel: device.ipmi_target_channel.as_deref(),
            target_address: device.ipmi_target_address.as_deref(),
            transit_channel: device.ipmi_transit_channel.as_deref(),
            transit_address: device.ipmi_transit_address.as_deref(),
            local_address: device.ipmi_local_address.as_deref(),
        };
        Ok(Access {
            bridge: bridge.options()?,
            place: Place {
                address: one_spelling(&device.ipmi_address),
                port: device.ipmi_port,
            },
            user,
            password: device.ipmi_password,
            privilege,
            protocol,
            kg_key: device.ipmi_hex_kg_key.as_deref().map(kg_key).transpose()?,
            forgets_persistent_boot: device.ipmi_force_boot_device,
            disable_boot_timeout: device.ipmi_disable_boot_timeout,
        })
    }

    /// Whether a secret of the node stands in `text`.
    pub(crate) fn has_secret_in(&self, text: &str) -> bool {
        let key = self
            .kg_key
            .as_deref()
            .and_then(|key| std::str::from_utf8(key).ok());
        [Some(self.password.as_str()), key]
            .into_iter()
            .flatten()
            .any(|secret| !secret.is_empty() && text.contains(secret))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address.contains(':') {
            true => write!(f, "[{}]:{}", self.address, self.port),
            false => write!(f, "{}:{}", self.address, self.port),
        }
    }
}

fn invalid<T>(text: &str) -> Result<T, Fault> {
    Err(Fault::invalid_parameter(text))
}

fn protocol(device: &Device) -> Result<Protocol, Fault> {
    match (device.ipmi_protocol_version.as_str(), device.ipmi_cipher_suite) {
        ("2.0", cipher_suite) => Ok(Protocol::V2_0 { cipher_suite }),
        ("1.5", None) => Ok(Protocol::V1_5),
        ("1.5", Some(_)) => invalid(
            "driver_info property 'ipmi_cipher_suite' needs ipmi_protocol_version 2.0: version 1.5 has no cipher suites",
        ),
        (found, _) => Err(Fault::invalid_parameter(format!(
            "driver_info property 'ipmi_protocol_version' must be 2.0 or 1.5, found {found:?}"
        ))),
    }
}

/// What a name or an address is made of; neither begins like an option.
fn check_address(address: &str) -> Result<(), Fault> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if address.is_empty() || address.len() > 255 || address.starts_with('-') || !address.chars().all(sound) {
        return Err(Fault::invalid_parameter(format!(
            "driver_info property 'ipmi_address' must be a host name or an IP address, found {address:?}"
        )));
    }
    Ok(())
}

/// Names and addresses are the same in capitals; the zone behind an address is not.
fn one_spelling(address: &str) -> String {
    match address.split_once('%') {
        Some((address, zone)) => format!("{}%{zone}", address.to_ascii_lowercase()),
        None => address.to_ascii_lowercase(),
    }
}

/// ipmitool reads one line of at most 20 bytes, and would cut the rest off without a word.
fn check_password(password: &str, protocol: Protocol) -> Result<(), Fault> {
    let most = match protocol {
        Protocol::V1_5 => SECRET_BYTES_1_5,
        Protocol::V2_0 { .. } => SECRET_BYTES,
    };
    if password.len() > most || password.contains(['\0', '\t', '\n', '\r']) {
        return Err(Fault::invalid_parameter(format!(
            "driver_info property 'ipmi_password' must be at most {most} bytes, without tabs, line ends and NULs"
        )));
    }
    Ok(())
}

/// The key's bytes without the zeros that fill it up: ipmitool adds them again.
fn kg_key(digits: &str) -> Result<Vec<u8>, Fault> {
    if digits.len() & 1 == 1 {
        // Ironic's own words.
        return invalid("Number of ipmi_hex_kg_key characters is not even");
    }
    if digits.len() > 2 * SECRET_BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return invalid("driver_info property 'ipmi_hex_kg_key' must be at most 40 hexadecimal digits");
    }
    let mut key: Vec<u8> = (0..digits.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect();
    while key.last() == Some(&0) {
        key.pop();
    }
    if key.contains(&0) {
        return invalid(
            "driver_info property 'ipmi_hex_kg_key' has a zero byte before its end: such a key could be handed to ipmitool \
             on its command line only, where everybody could read it",
        );
    }
    Ok(key)
}

struct Bridge<'a> {
    kind: &'a str,
    target_channel: Option<&'a str>,
    target_address: Option<&'a str>,
    transit_channel: Option<&'a str>,
    transit_address: Option<&'a str>,
    local_address: Option<&'a str>,
}

impl Bridge<'_> {
    /// ipmitool's options for it: none without bridging, whatever else the node says.
    fn options(&self) -> Result<Vec<(&'static str, u8)>, Fault> {
        let target = [
            ("ipmi_target_channel", "-b", self.target_channel),
            ("ipmi_target_address", "-t", self.target_address),
        ];
        let transit = [
            ("ipmi_transit_channel", "-B", self.transit_channel),
            ("ipmi_transit_address", "-T", self.transit_address),
        ];
        let required = match self.kind {
            "no" => return Ok(Vec::new()),
            "single" => target.to_vec(),
            "dual" => [target, transit].concat(),
            found => {
                return Err(Fault::invalid_parameter(format!(
                    "driver_info property 'ipmi_bridging' must be one of no, single, dual, found {found:?}"
                )))
            }
        };
        let missing: Vec<&str> = required
            .iter()
            .filter(|(_, _, value)| value.is_none())
            .map(|(name, _, _)| *name)
            .collect();
        if !missing.is_empty() {
            return Err(Fault::missing_parameter(format!(
                "Missing the following driver_info properties for {} bridging: {}",
                self.kind,
                missing.join(", ")
            )));
        }
        let local = [("ipmi_local_address", "-m", self.local_address)];
        local
            .into_iter()
            .chain(required)
            .filter_map(|(name, option, value)| Some((name, option, value?)))
            .map(|(name, option, value)| Ok((option, part_of_an_address(name, value)?)))
            .collect()
    }
}

fn part_of_an_address(name: &str, value: &str) -> Result<u8, Fault> {
    // A channel's number has four bits (IPMI 2.0, 6.3).
    let most = if name.ends_with("_channel") { 0x0f } else { 0xff };
    byte(value).filter(|value| *value <= most).ok_or_else(|| {
        Fault::invalid_parameter(format!(
            "driver_info property '{name}' must be a number from 0 to {most}, such as 0x20, found {value:?}"
        ))
    })
}

#[cfg(test)]
mod tests;
