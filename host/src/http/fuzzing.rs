//! What must hold of what clients send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

pub(crate) use super::connection::fuzzing::{chunked_body, request_head, request_stream};
pub(crate) use super::nodes::fuzzing::patch;
use super::query::{Arguments, limit};
use super::server::normal;
use super::vendor_passthru::fuzzing::address;
use super::versions::ApiVersion;

const OWN: HeaderName = HeaderName::from_static("x-openstack-ironic-api-version");
const SHARED: HeaderName = HeaderName::from_static("openstack-api-version");

/// Lines that are headers: the shared one behind `+`, else Ironic's own.
pub(crate) fn version(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let (name, value) = match line.strip_prefix(b"+") {
            Some(value) => (SHARED, value),
            None => (OWN, line),
        };
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return;
        };
        headers.append(name, value);
    }
    match ApiVersion::of(&headers) {
        Ok(version) => {
            assert!((ApiVersion::MIN..=ApiVersion::MAX).contains(&version));
            // What is announced can be asked for, under both names.
            let mut reply = HeaderMap::new();
            ApiVersion::announce(Some(version), &mut reply);
            assert_eq!(ApiVersion::of(&reply).unwrap(), version);
            let shared = HeaderValue::try_from(format!("compute 2.1, baremetal {version}")).unwrap();
            let shared = HeaderMap::from_iter([(SHARED, shared)]);
            assert_eq!(ApiVersion::of(&shared).unwrap(), version);
        }
        Err(error) => {
            assert!(
                error
                    .text()
                    .ends_with("The supported version range is: [1.1, 1.77].")
            );
            assert!(!error.text().contains(char::is_control), "{:?}", error.text());
        }
    }
}

/// Any bytes as the target of a request.
pub(crate) fn call_path(bytes: &[u8]) {
    let Ok(uri) = Uri::try_from(bytes) else { return };
    let path = uri.path();
    if percent_decode_str(path).decode_utf8().is_err() {
        return;
    }
    let named = normal(&uri);
    if let Some(named) = &named {
        assert_eq!(normal(named), None, "a name has one form");
        assert_eq!(named.query(), uri.query());
        let (path, shorter) = (path.trim_end_matches('/'), named.path().strip_prefix("/v1"));
        assert!(
            named.path() == "/" || named.path() == path || shorter == Some(path),
            "{uri} is {named}"
        );
    }
    address(named.as_ref().unwrap_or(&uri).path());
}

/// Any bytes as the arguments of a URL.
pub(crate) fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let pairs: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
    let mut arguments = Arguments::parse(Some(text));
    for (name, _) in &pairs {
        let last = pairs
            .iter()
            .rfind(|(other, _)| other == name)
            .map(|(_, value)| value);
        if let Some(taken) = arguments.take(name) {
            assert_eq!(Some(&taken), last, "the last one counts");
        }
        assert_eq!(arguments.take(name), None, "an argument is taken once");
    }
    assert!(arguments.finish().is_ok(), "all are taken");
    assert_eq!(Arguments::parse(Some(text)).finish().is_ok(), pairs.is_empty());
    for (name, value) in pairs {
        if let Ok(limit) = limit(Some(value.clone())) {
            assert!((1..=1000).contains(&limit), "{value:?} is {limit}");
        }
        let mut arguments = Arguments::parse(Some(text));
        if let Err(error) = arguments.take_bool(&name) {
            assert!(error.text().starts_with(&format!("Invalid {name}: ")));
        }
    }
}
