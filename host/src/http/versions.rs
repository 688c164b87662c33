//! Step one of a request: which version of Ironic's API the client speaks.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::error::ApiError;

/// A version 1.N of Ironic's API, as its N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(pub u16);

/// Ironic's request and reply header.
const VERSION: HeaderName = HeaderName::from_static("x-openstack-ironic-api-version");
const MINIMUM: HeaderName = HeaderName::from_static("x-openstack-ironic-api-minimum-version");
const MAXIMUM: HeaderName = HeaderName::from_static("x-openstack-ironic-api-maximum-version");
/// The header that all of OpenStack shares: `baremetal 1.N`. It wins over Ironic's own.
const SHARED: HeaderName = HeaderName::from_static("openstack-api-version");
const SERVICE: &str = "baremetal";

impl ApiVersion {
    /// What a client that names no version gets.
    pub const MIN: ApiVersion = ApiVersion(1);
    /// The lowest maximum that has everything that this host serves; later versions add what it does not.
    pub const MAX: ApiVersion = ApiVersion(77);

    /// Reads the version from the request's headers.
    ///
    /// # Errors
    /// Ironic's sentences for a version that is out of range or unreadable.
    pub fn of(headers: &HeaderMap) -> Result<ApiVersion, ApiError> {
        let asked = match shared(headers) {
            Some(version) => version,
            None => match headers.get(VERSION) {
                Some(value) => value.to_str().unwrap_or("?").trim(),
                None => return Ok(ApiVersion::MIN),
            },
        };
        if asked.eq_ignore_ascii_case("latest") {
            return Ok(ApiVersion::MAX);
        }
        let (major, minor) = asked
            .split_once('.')
            .and_then(|(major, minor)| Some((number(major)?, number(minor)?)))
            .ok_or_else(|| ApiError::unreadable_version(asked))?;
        if major != 1 {
            return Err(ApiError::other_major_version(asked));
        }
        match u16::try_from(minor) {
            Ok(minor) if (Self::MIN.0..=Self::MAX.0).contains(&minor) => Ok(ApiVersion(minor)),
            _ => Err(ApiError::version_out_of_range(asked)),
        }
    }

    /// Refuses a request that needs a later version.
    ///
    /// # Errors
    /// Ironic's `Request not acceptable.` with the version that it takes.
    pub fn require(self, needed: u16) -> Result<(), ApiError> {
        if self.0 >= needed {
            Ok(())
        } else {
            Err(ApiError::needs_version(needed))
        }
    }

    /// Writes the three version headers of a reply; `spoken` is nothing when no version could be agreed on.
    pub(super) fn announce(spoken: Option<ApiVersion>, headers: &mut HeaderMap) {
        headers.insert(MINIMUM, HeaderValue::from_static("1.1"));
        headers.insert(MAXIMUM, HeaderValue::from_static("1.77"));
        match spoken {
            Some(ApiVersion::MIN) => headers.insert(VERSION, HeaderValue::from_static("1.1")),
            Some(ApiVersion::MAX) => headers.insert(VERSION, HeaderValue::from_static("1.77")),
            Some(version) => match HeaderValue::from_str(&version.to_string()) {
                Ok(value) => headers.insert(VERSION, value),
                Err(_) => None,
            },
            None => None,
        };
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The version for this service in the shared header, which may name several services.
fn shared(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(SHARED)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|entry| {
            let (service, version) = entry.trim().split_once(char::is_whitespace)?;
            service.eq_ignore_ascii_case(SERVICE).then(|| version.trim())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        ApiVersion::of(&headers)
            .map(|version| version.to_string())
            .map_err(|error| error.text().to_owned())
    }

    #[test]
    fn no_header_means_the_minimum_and_latest_the_maximum() {
        assert_eq!(of(&[]).unwrap(), "1.1");
        assert_eq!(
            of(&[("x-openstack-ironic-api-version", "latest")]).unwrap(),
            "1.77"
        );
    }

    #[test]
    fn the_shared_header_wins_when_it_speaks_of_this_service() {
        let both = [
            ("openstack-api-version", "baremetal 1.30"),
            ("x-openstack-ironic-api-version", "1.20"),
        ];
        assert_eq!(of(&both).unwrap(), "1.30");
        let other = [
            ("openstack-api-version", "compute 2.30"),
            ("x-openstack-ironic-api-version", "1.20"),
        ];
        assert_eq!(of(&other).unwrap(), "1.20");
    }

    #[test]
    fn what_is_out_of_range_is_refused_in_ironic_s_words() {
        let range = "The supported version range is: [1.1, 1.77].";
        for (asked, words) in [
            (
                "1.999",
                "Version 1.999 was requested but the minor version is not supported by this service.",
            ),
            (
                "1.0",
                "Version 1.0 was requested but the minor version is not supported by this service.",
            ),
            (
                "1.78",
                "Version 1.78 was requested but the minor version is not supported by this service.",
            ),
            (
                "2.1",
                "Mutually exclusive versions requested. Version 2.1 requested but not supported by this service.",
            ),
        ] {
            assert_eq!(
                of(&[("x-openstack-ironic-api-version", asked)]).unwrap_err(),
                format!("{words} {range}")
            );
        }
    }

    #[test]
    fn garbage_is_refused_and_quoted() {
        for asked in [
            "abc",
            "1",
            "1.",
            ".5",
            "1.-3",
            "1.+3",
            "-1.3",
            "",
            "1.2.3",
            "99999999999.1",
        ] {
            let error = of(&[("x-openstack-ironic-api-version", asked)]).unwrap_err();
            assert!(
                error.starts_with("Invalid value for X-OpenStack-Ironic-API-Version header"),
                "{asked}: {error}"
            );
        }
    }
}
