//! Which call a path names. Read by hand and not by the table of routes, because every call of a driver passes here.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::plugin::manifest::CalledOn;

/// What every path of a call has in it.
const VENDOR_PASSTHRU: &str = "vendor_passthru";
/// What follows `/v1` in other resources' paths, and is no node.
const STATIC: [&str; 3] = ["drivers", "nodes", "calls"];

/// `/v1/{drivers|nodes}/{ident}/vendor_passthru[/{method}]`, or the same without `/nodes`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Address<'a> {
    /// Whose method.
    pub(super) on: CalledOn,
    /// The driver's name; the node's uuid or name.
    pub(super) ident: Cow<'a, str>,
    /// The method, if the path names it.
    pub(super) method: Option<Cow<'a, str>>,
}

impl<'a> Address<'a> {
    /// Nothing, if the path is no call's. It has no slash at its end, and the version at its beginning.
    pub(in crate::http) fn of(path: &'a str) -> Option<Self> {
        let mut parts = path.strip_prefix("/v1/")?.split('/');
        let (on, ident) = match (parts.next()?, parts.next()?) {
            ("drivers", driver) => (CalledOn::Driver, driver),
            ("nodes", node) => (CalledOn::Node, node),
            (node, VENDOR_PASSTHRU) if !STATIC.contains(&node) => {
                return Address::new(CalledOn::Node, node, parts);
            }
            _ => return None,
        };
        if parts.next()? != VENDOR_PASSTHRU {
            return None;
        }
        Address::new(on, ident, parts)
    }

    fn new(on: CalledOn, ident: &'a str, mut rest: impl Iterator<Item = &'a str>) -> Option<Self> {
        let method = rest.next();
        if ident.is_empty() || method == Some("") || rest.next().is_some() {
            return None;
        }
        // Whether the escapes are UTF-8 was asked of the whole path.
        let decoded = |text: &'a str| percent_decode_str(text).decode_utf8_lossy();
        Some(Address {
            on,
            ident: decoded(ident),
            method: method.map(decoded),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_call_in_three_forms_and_nothing_else_does() {
        let of = |path| Address::of(path);
        let address = |on, ident: &'static str, method: Option<&'static str>| {
            Some(Address {
                on,
                ident: ident.into(),
                method: method.map(Cow::from),
            })
        };
        let (driver, node) = (CalledOn::Driver, CalledOn::Node);
        assert_eq!(
            of("/v1/drivers/fake/vendor_passthru/echo"),
            address(driver, "fake", Some("echo"))
        );
        assert_eq!(of("/v1/nodes/n%201/vendor_passthru"), address(node, "n 1", None));
        assert_eq!(
            of("/v1/n1/vendor_passthru/a%2Fb"),
            address(node, "n1", Some("a/b"))
        );
        assert_eq!(
            of("/v1/drivers/vendor_passthru/vendor_passthru/vendor_passthru"),
            address(driver, "vendor_passthru", Some("vendor_passthru"))
        );
        for other in [
            "/v1",
            "/v1/drivers",
            "/v1/drivers/vendor_passthru",
            "/v1/nodes/vendor_passthru",
            "/v1/calls/vendor_passthru",
            "/v1/drivers/fake/properties",
            "/v1/nodes//vendor_passthru/a",
            "/v1//vendor_passthru/a",
            "/v1/drivers/fake/vendor_passthru//",
            "/v1/drivers/fake/vendor_passthru/a/b",
            "/v2/drivers/fake/vendor_passthru/a",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
