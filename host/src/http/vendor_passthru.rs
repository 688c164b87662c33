//! Vendor passthru: a client's call of a driver's own method, in Ironic's two forms.
//!
//! `…/vendor_passthru/METHOD` and `…/vendor_passthru?method=METHOD` are the same call; a GET of `…/methods` lists them.

mod address;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;

use std::error::Error;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method as HttpMethod, Response, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::error::ApiError;
use super::query::Arguments;
use super::request::RequestInfo;
use super::server::COMMON_HEADERS;
use super::{Api, body, calls, nodes};
use crate::call::Answer;
use crate::node::fields::Node;
use crate::plugin::loaded::{LoadedDriver, Reply};
use crate::plugin::manifest::{CalledOn, DriverManifest, Method};

pub(super) use address::Address;

/// The verbs that a driver's methods can have.
pub(super) const VERBS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];
/// The same, for the header that says so.
const ALLOWED: &str = "DELETE, GET, PATCH, POST, PUT";
/// Where the list of methods is; no method can have this name.
const METHODS: &str = "methods";

/// Whose method is called.
enum Subject {
    Node(Arc<Node>),
    Driver(Arc<LoadedDriver>),
}

/// Answers a request whose path is a call's.
///
/// # Errors
/// Node, driver, method or verb unknown; a body that cannot be read; and whatever the call fails with.
pub(super) async fn answer<B>(
    api: &Api,
    info: RequestInfo,
    parts: &Parts,
    address: Address<'_>,
    body: B,
) -> Result<Response<Body>, ApiError>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Error + 'static,
{
    let Some(verb) = VERBS.into_iter().find(|verb| parts.method == *verb) else {
        return Err(ApiError::method_not_allowed(allowed(api, info, &address)));
    };
    let subject = match address.on {
        CalledOn::Node => Subject::Node(nodes::find(api, &address.ident, info.version)?),
        CalledOn::Driver => Subject::Driver(loaded(api, &address.ident)?),
    };
    let method = match address.method {
        Some(method) => {
            Arguments::parse(parts.uri.query()).finish()?;
            if method == METHODS && parts.method == HttpMethod::GET {
                return subject.methods(api);
            }
            method
        }
        None => method_argument(parts.uri.query())?.into(),
    };
    let target = match subject {
        Subject::Node(node) => api.passthru.node_method(node, &method, verb)?,
        Subject::Driver(driver) => api.passthru.driver_method(driver, &method, verb)?,
    };
    let body = body::arguments(&parts.headers, body, &api.config.limits).await?;
    match api.passthru.call(target, body, info.id).await? {
        Answer::Reply(reply) => reply_with(reply),
        Answer::Accepted { record } => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::ACCEPTED;
            if let Ok(location) = HeaderValue::try_from(calls::path(record)) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            Ok(response)
        }
    }
}

/// The verbs of a method that is known, else all that a method can have.
fn allowed(api: &Api, info: RequestInfo, address: &Address<'_>) -> HeaderValue {
    let driver = match address.on {
        CalledOn::Driver => loaded(api, &address.ident).ok(),
        CalledOn::Node => nodes::find(api, &address.ident, info.version)
            .ok()
            .and_then(|node| api.passthru.driver_of(&node).ok()),
    };
    let verbs = driver
        .zip(address.method.as_deref())
        .and_then(|(driver, method)| {
            let mut verbs = driver.method(address.on, method)?.http_methods.clone();
            verbs.sort_unstable();
            HeaderValue::try_from(verbs.join(", ")).ok()
        });
    verbs.unwrap_or(HeaderValue::from_static(ALLOWED))
}

fn loaded(api: &Api, name: &str) -> Result<Arc<LoadedDriver>, ApiError> {
    api.registry
        .get(name)
        .ok_or_else(|| ApiError::driver_unknown(name))
}

/// The method that a path leaves to the arguments.
fn method_argument(query: Option<&str>) -> Result<String, ApiError> {
    let mut arguments = Arguments::parse(query);
    let method = arguments.take("method");
    arguments.finish()?;
    let method = method.ok_or_else(|| ApiError::bad_request("Missing mandatory parameter: method"))?;
    if method.is_empty() {
        return Err(ApiError::bad_request("Method not specified"));
    }
    Ok(method)
}

impl Subject {
    fn methods(&self, api: &Api) -> Result<Response<Body>, ApiError> {
        let (driver, on) = match self {
            Subject::Node(node) => (api.passthru.driver_of(node)?, CalledOn::Node),
            Subject::Driver(driver) => (driver.clone(), CalledOn::Driver),
        };
        let manifest = driver.manifest();
        Ok(super::json(&Methods { manifest, on }))
    }
}

fn reply_with(reply: Reply) -> Result<Response<Body>, ApiError> {
    let content_type = match reply.content_type {
        None => HeaderValue::from_static("application/json"),
        Some(text) => media_type(&text).ok_or_else(|| ApiError::content_type_of_driver(&text))?,
    };
    let mut response = Response::new(Body::from(reply.body));
    // Room for all at once: growing it later is the dearest part of answering.
    *response.headers_mut() = HeaderMap::with_capacity(1 + COMMON_HEADERS);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}

/// A driver's text as a header, if it is a media type: what else it could hold would be headers of the driver's own.
fn media_type(text: &str) -> Option<HeaderValue> {
    let is_plain = text.len() <= 255 && text.is_ascii();
    let (kind, subtype) = text.split_once('/')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
    let is_type = !kind.is_empty() && kind.chars().all(is_name) && subtype.starts_with(is_name);
    (is_plain && is_type)
        .then(|| HeaderValue::from_str(text).ok())
        .flatten()
}

/// The methods of a driver by name, as Ironic lists them.
struct Methods<'a> {
    manifest: &'a DriverManifest,
    on: CalledOn,
}

#[derive(Serialize)]
struct Entry<'a> {
    http_methods: &'a [String],
    r#async: bool,
    description: &'a str,
    attach: bool,
    /// Only methods of a node have a lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    require_exclusive_lock: Option<bool>,
}

impl Serialize for Methods<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut methods: Vec<&Method> = self
            .manifest
            .methods
            .iter()
            .filter(|method| method.on == self.on)
            .collect();
        methods.sort_by(|a, b| a.name.cmp(&b.name));
        let mut map = serializer.serialize_map(Some(methods.len()))?;
        for method in methods {
            let entry = Entry {
                http_methods: &method.http_methods,
                r#async: method.is_async,
                description: &method.description,
                attach: method.attach,
                require_exclusive_lock: (self.on == CalledOn::Node).then_some(method.require_exclusive_lock),
            };
            map.serialize_entry(&method.name, &entry)?;
        }
        map.end()
    }
}
