//! Links, as Ironic writes them: absolute, one to the resource and one without the version.

use std::net::SocketAddr;

use axum::http::{HeaderMap, header};
use serde::Serialize;

/// What every link of a reply starts with: `scheme://host[:port]`.
#[derive(Debug, Clone)]
pub(super) struct Links {
    base: String,
}

/// One link.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    href: String,
    rel: &'static str,
}

impl Links {
    /// `public_url` if the operator set one, else the `Host` that the client used, else the address listened on.
    pub(super) fn new(public_url: Option<&str>, headers: &HeaderMap, listen: SocketAddr) -> Self {
        let base = match public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => match headers.get(header::HOST).and_then(|host| host.to_str().ok()) {
                Some(host) => format!("http://{host}"),
                None => format!("http://{listen}"),
            },
        };
        Links { base }
    }

    /// The absolute URL of a path that starts with `/`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// `self` and `bookmark` of a resource; `path` is below the version, as in `drivers/fake`.
    pub(super) fn of(&self, path: &str) -> [Link; 2] {
        [
            Link {
                href: format!("{}/v1/{path}", self.base),
                rel: "self",
            },
            Link {
                href: format!("{}/{path}", self.base),
                rel: "bookmark",
            },
        ]
    }

    /// A `self` link alone.
    pub(super) fn to_self(&self, path: &str) -> [Link; 1] {
        [Link {
            href: self.url(path),
            rel: "self",
        }]
    }
}
