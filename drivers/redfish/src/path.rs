//! Paths under a device's service root. Nothing else can be asked of a device: every path of a request, whether an
//! operator, a client or the device itself named it, has gone through here.

use std::fmt;

use thiserror::Error;

/// Where every service begins, unless the address says otherwise (DSP0266, "Redfish-defined URIs").
const USUAL: &str = "/redfish/v1";

/// The service root of a device, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ServiceRoot(String);

/// A path under a service root, perhaps with a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ServicePath(String);

/// Why something is no path under the service root.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum PathError {
    #[error("'{0}' is no path: it must begin with '/'")]
    Relative(String),
    #[error("'{path}' is not under the service root '{root}/'")]
    Outside { path: String, root: String },
    #[error("'{0}' has an empty segment, or '.' or '..', plain or escaped: write the path out")]
    Segment(String),
    #[error("the path has a character that must be escaped: {0}")]
    Character(String),
    #[error("'{url}' is not on {endpoint}: other hosts are never asked")]
    Foreign { url: String, endpoint: String },
}

impl ServiceRoot {
    /// The root that an address names: its path, or the usual one.
    pub(crate) fn of_address(path: &str) -> Result<Self, PathError> {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Ok(ServiceRoot(USUAL.to_owned()));
        }
        if path.contains('?') {
            return Err(PathError::Character("?".to_owned()));
        }
        check(path)?;
        Ok(ServiceRoot(path.to_owned()))
    }

    /// The service root's own resource.
    pub(crate) fn top(&self) -> ServicePath {
        ServicePath(format!("{}/", self.0))
    }

    /// The path that `text` names, if it is under this root.
    pub(crate) fn path(&self, text: &str) -> Result<ServicePath, PathError> {
        check(text)?;
        let path = text.split('?').next().unwrap_or_default();
        let inside = path
            .strip_prefix(self.0.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if inside {
            return Ok(ServicePath(text.to_owned()));
        }
        Err(PathError::Outside {
            path: shown(text),
            root: self.0.clone(),
        })
    }
}

impl ServicePath {
    /// As it is sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment, as it is written.
    pub(crate) fn last_segment(&self) -> &str {
        let path = self.0.split('?').next().unwrap_or_default();
        path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for ServicePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses whatever one server or the other could read as another place: `..`, `%2e%2e`, `%252e`, `..;`, `\`, `//`.
fn check(text: &str) -> Result<(), PathError> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(PathError::Relative(shown(text)));
    };
    if let Some(bad) = text
        .chars()
        .find(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '#' | '"' | '<' | '>'))
    {
        return Err(PathError::Character(format!("{bad:?}")));
    }
    let path = rest.split('?').next().unwrap_or_default();
    let last = path.split('/').count() - 1;
    for (number, segment) in path.split('/').enumerate() {
        // A slash at the end is fine; so is the root alone.
        if segment.is_empty() && number == last {
            continue;
        }
        let name = segment.split(';').next().unwrap_or_default();
        if matches!(name, "" | "." | "..") || !escapes_are_harmless(segment) {
            return Err(PathError::Segment(shown(text)));
        }
    }
    Ok(())
}

/// Whether no escape of a segment stands for something that has a meaning of its own in a path.
fn escapes_are_harmless(segment: &str) -> bool {
    segment.split('%').skip(1).all(|rest| {
        let byte = rest.get(..2).map(|hex| u8::from_str_radix(hex, 16));
        matches!(byte, Some(Ok(byte)) if !byte.is_ascii_control() && !b"%/\\.;".contains(&byte))
    })
}

/// A foreign text in a message: of bounded length.
fn shown(text: &str) -> String {
    crate::text::excerpt(text, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> ServiceRoot {
        ServiceRoot::of_address("").unwrap()
    }

    #[test]
    fn paths_under_the_root_are_taken_as_they_are() {
        for path in [
            "/redfish/v1",
            "/redfish/v1/",
            "/redfish/v1/Systems/1",
            "/redfish/v1/Systems/a.b..c",
            "/redfish/v1/Systems/System.Embedded.1/",
            "/redfish/v1/Systems?$expand=.($levels=1)&x=/../",
            "/redfish/v1/Systems/with%20space/v1.0",
            "/redfish/v1/Systems/{1}|~'()*!$&+,;=:@",
        ] {
            assert_eq!(root().path(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn whatever_could_lead_outside_the_root_is_refused() {
        for path in [
            "",
            "redfish/v1/Systems",
            "https://192.0.2.1/redfish/v1/",
            "//192.0.2.1/redfish/v1/Systems",
            "/",
            "/etc/passwd",
            "/redfish",
            "/redfish/v10/Systems",
            "/redfish/v1.evil/",
            "/redfish/v1;x/Systems",
            "/REDFISH/V1/Systems",
            "/redfish/v1/..",
            "/redfish/v1/../../admin",
            "/redfish/v1/Systems/../../../admin",
            "/redfish/v1/./Systems",
            "/redfish/v1//admin",
            "/redfish/v1/%2e%2e/admin",
            "/redfish/v1/%2E./admin",
            "/redfish/v1/..%2fadmin",
            "/redfish/v1/a%2f..%2fb",
            "/redfish/v1/a%5c..",
            "/redfish/v1/%252e%252e/admin",
            "/redfish/v1/%",
            "/redfish/v1/%zz",
            "/redfish/v1/%2",
            "/redfish/v1/..;/admin",
            "/redfish/v1/..;a=b/admin",
            "/redfish/v1/..%3b/admin",
            "/redfish/v1/%+2e%+2e/admin",
            "/redfish/v1/%00",
            "/redfish/v1/..\\admin",
            "/redfish/v1/Systems#x",
            "/redfish/v1/Systems x",
            "/redfish/v1/Systems\r\nX-Injected: 1",
            "/redfish/v1/Systems\u{2025}",
        ] {
            assert!(root().path(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_path_and_the_root() {
        assert_eq!(
            root().path("/etc").unwrap_err().to_string(),
            "'/etc' is not under the service root '/redfish/v1/'"
        );
        let long = format!("/{}", "x".repeat(5_000));
        assert!(root().path(&long).unwrap_err().to_string().len() < 300);
    }

    #[test]
    fn an_address_may_name_another_root() {
        let root = ServiceRoot::of_address("/rack/7/redfish/v1/").unwrap();
        assert_eq!(root.top().as_str(), "/rack/7/redfish/v1/");
        assert!(root.path("/rack/7/redfish/v1/Systems").is_ok());
        assert!(root.path("/redfish/v1/Systems").is_err());
        assert!(ServiceRoot::of_address("/rack/../redfish").is_err());
        assert!(ServiceRoot::of_address("/rack?x=1").is_err());
    }

    #[test]
    fn the_last_segment_is_a_members_name() {
        let last = |path| root().path(path).unwrap().last_segment().to_owned();
        assert_eq!(last("/redfish/v1/EventService/Subscriptions/7"), "7");
        assert_eq!(last("/redfish/v1/EventService/Subscriptions/7/?a=/b"), "7");
    }
}
