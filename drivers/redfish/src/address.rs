//! Where a device is: the property `redfish_address`, read.

use std::fmt;
use std::net::Ipv6Addr;

use thiserror::Error;

use crate::path::{PathError, ServicePath, ServiceRoot};

/// A device's address. All that is sent goes there, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    tls: bool,
    /// Without the brackets of an IPv6 address; in lower case.
    host: String,
    port: u16,
    root: ServiceRoot,
}

/// What is wrong with an address.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum AddressError {
    #[error("expected https:// or http://, found '{0}://'")]
    Scheme(String),
    #[error("a user or a password belongs in redfish_username and redfish_password, not in the address")]
    Credentials,
    #[error("expected a host's name or address, found '{0}'")]
    Host(String),
    #[error("expected a port from 1 to 65535, found '{0}'")]
    Port(String),
    #[error("the path of the address is the service root: {0}")]
    Root(#[from] PathError),
}

impl Endpoint {
    /// Reads an address: `https` is assumed, and a path becomes the service root.
    pub(crate) fn read(address: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(AddressError::Scheme(crate::text::excerpt(scheme, 40))),
        };
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(AddressError::Credentials);
        }
        let (host, port) = host_and_port(authority)?;
        Ok(Endpoint {
            port: port.unwrap_or(if tls { 443 } else { 80 }),
            tls,
            host,
            root: ServiceRoot::of_address(path)?,
        })
    }

    /// Whether TLS is spoken there.
    pub(crate) fn tls(&self) -> bool {
        self.tls
    }

    /// Its name or address, as a resolver and a certificate have it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its service root.
    pub(crate) fn root(&self) -> &ServiceRoot {
        &self.root
    }

    /// Host and port, as in a URL and in the header `Host`.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The path that a device names in an `@odata.id`, a `target` or a `Location`: a path, or a URL of this very device.
    pub(crate) fn path(&self, text: &str) -> Result<ServicePath, PathError> {
        let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| !scheme.contains('/')) else {
            return self.root.path(text);
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let named = Endpoint::read(&format!("{scheme}://{authority}"));
        if named.is_ok_and(|named| (named.tls, &named.host, named.port) == (self.tls, &self.host, self.port))
        {
            return self.root.path(&rest[authority.len()..]);
        }
        Err(PathError::Foreign {
            url: crate::text::excerpt(text, 200),
            endpoint: self.to_string(),
        })
    }
}

/// As an operator would write it, without the service root.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), AddressError> {
    let bad_host = || AddressError::Host(crate::text::excerpt(authority, 100));
    if let Ok(address) = authority.parse::<Ipv6Addr>() {
        return Ok((address.to_string(), None));
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or_else(bad_host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| bad_host())?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(read_port(port)?),
            None if rest.is_empty() => None,
            None => return Err(bad_host()),
        };
        return Ok((address.to_string(), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(read_port(port)?)),
        None => (authority, None),
    };
    let fine = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if host.is_empty() || !fine || host.len() > 253 {
        return Err(bad_host());
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn read_port(text: &str) -> Result<u16, AddressError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(AddressError::Port(crate::text::excerpt(text, 40))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> String {
        let endpoint = Endpoint::read(address).unwrap();
        format!("{endpoint}{}", endpoint.root().top())
    }

    #[test]
    fn an_address_is_read_as_ironic_reads_it() {
        assert_eq!(read("bmc.example.org"), "https://bmc.example.org/redfish/v1/");
        assert_eq!(
            read("HTTPS://BMC.example.org:443/"),
            "https://bmc.example.org/redfish/v1/"
        );
        assert_eq!(read("http://192.0.2.7:8000"), "http://192.0.2.7:8000/redfish/v1/");
        assert_eq!(read("2001:DB8::1"), "https://[2001:db8::1]/redfish/v1/");
        assert_eq!(
            read("https://[2001:db8::1]:8443"),
            "https://[2001:db8::1]:8443/redfish/v1/"
        );
        assert_eq!(
            read("https://bmc/test/redfish/v0/"),
            "https://bmc/test/redfish/v0/"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_was_expected_and_found() {
        let refused = |address: &str| Endpoint::read(address).unwrap_err().to_string();
        assert_eq!(
            refused("ftp://bmc"),
            "expected https:// or http://, found 'ftp://'"
        );
        assert_eq!(refused("https://"), "expected a host's name or address, found ''");
        assert_eq!(
            refused("b m c"),
            "expected a host's name or address, found 'b m c'"
        );
        assert_eq!(refused("bmc:0"), "expected a port from 1 to 65535, found '0'");
        assert_eq!(refused("bmc:+1"), "expected a port from 1 to 65535, found '+1'");
        assert_eq!(refused("[::1"), "expected a host's name or address, found '[::1'");
        assert!(refused("https://bmc/a?b").contains("service root"));
        let text = refused("https://admin:hunter2@bmc");
        assert!(
            text.contains("redfish_password") && !text.contains("hunter2"),
            "{text}"
        );
    }

    #[test]
    fn a_device_names_its_own_paths_only() {
        let endpoint = Endpoint::read("https://bmc.example.org").unwrap();
        for own in [
            "/redfish/v1/Systems",
            "https://bmc.example.org/redfish/v1/Systems",
            "HTTPS://BMC.example.org:443/redfish/v1/Systems",
        ] {
            assert_eq!(
                endpoint.path(own).unwrap().as_str(),
                "/redfish/v1/Systems",
                "{own}"
            );
        }
        for foreign in [
            "http://bmc.example.org/redfish/v1/Systems",
            "https://bmc.example.org:444/redfish/v1/Systems",
            "https://evil.example.org/redfish/v1/Systems",
            "https://bmc.example.org@evil.example.org/redfish/v1/Systems",
            "https://bmc.example.org.evil.example.org/redfish/v1/",
            "file:///redfish/v1/Systems",
        ] {
            assert!(
                matches!(endpoint.path(foreign), Err(PathError::Foreign { .. })),
                "{foreign}"
            );
        }
        assert!(endpoint.path("//evil.example.org/redfish/v1/").is_err());
        assert!(endpoint.path("https://bmc.example.org/admin").is_err());
    }
}
