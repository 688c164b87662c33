//! The drivers that are enabled, as Ironic shows hardware types.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Response;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::links::Links;
use super::query::Arguments;
use super::request::RequestInfo;
use super::{Api, ApiVersion};
use crate::plugin::loaded::LoadedDriver;
use crate::plugin::manifest::{Interface, Property};

/// The interfaces of Ironic's hardware types, and the version that introduced each.
const INTERFACES: [(&str, u16); 12] = [
    ("boot", 30),
    ("console", 30),
    ("deploy", 30),
    ("inspect", 30),
    ("management", 30),
    ("network", 30),
    ("power", 30),
    ("raid", 30),
    ("vendor", 30),
    ("storage", 33),
    ("rescue", 38),
    ("bios", 40),
];

/// From here on a driver links to its properties.
const PROPERTIES: ApiVersion = ApiVersion(14);
/// From here on a driver has a type and, in detail, interfaces.
const TYPE: ApiVersion = ApiVersion(30);
/// From here on a client may choose the fields.
const FIELDS: u16 = 77;
/// Every driver here is what Ironic calls dynamic: a name and a set of interfaces.
const DYNAMIC: &str = "dynamic";
/// How the processes of a driver stand that has some. Ours, not Ironic's.
const ISOLATION: &str = "isolation";

/// `GET /v1/drivers`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let kind = arguments.take("type");
    let detail = arguments.take_bool("detail")?;
    let fields = fields(&mut arguments, info.version)?;
    arguments.finish()?;
    if kind.is_some() || detail.is_some() {
        info.version.require(TYPE.0)?;
    }
    if detail == Some(true) && fields.is_some() {
        return Err(ApiError::bad_request(
            "Can not specify ?detail=True and fields in the same request.",
        ));
    }
    let shown = match kind.as_deref() {
        None | Some(DYNAMIC) => true,
        Some("classic") => false,
        Some(_) => {
            let text = "\"type\" filter must be one of \"classic\" or \"dynamic\", if specified.";
            return Err(ApiError::bad_request(text));
        }
    };
    let detail = detail == Some(true) || fields.is_some();
    let drivers = api.registry.snapshot();
    let shown: Vec<Value> = drivers
        .values()
        .filter(|_| shown)
        .map(|driver| {
            only(
                show(&api, driver, info.version, &links, detail),
                fields.as_deref(),
            )
        })
        .collect();
    Ok(super::json(&json!({ "drivers": shown })))
}

/// `GET /v1/drivers/{driver}`
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let fields = fields(&mut arguments, info.version)?;
    arguments.finish()?;
    let driver = api
        .registry
        .get(&name)
        .ok_or_else(|| ApiError::driver_not_found(&name))?;
    Ok(super::json(&only(
        show(&api, &driver, info.version, &links, true),
        fields.as_deref(),
    )))
}

/// `GET /v1/drivers/{driver}/properties`
pub(super) async fn properties(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let driver = api
        .registry
        .get(&name)
        .ok_or_else(|| ApiError::driver_unknown(&name))?;
    let properties: Map<String, Value> = driver
        .manifest()
        .properties
        .iter()
        .map(|(name, property)| (name.clone(), Value::String(describe(property))))
        .collect();
    Ok(super::json(&properties))
}

/// `GET /v1/drivers/{driver}/manifest`: what the driver says of itself, whole.
pub(super) async fn manifest(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let driver = api
        .registry
        .get(&name)
        .ok_or_else(|| ApiError::driver_unknown(&name))?;
    Ok(super::json_text(driver.manifest().raw.to_string().into()))
}

/// Ironic's habit: the description, then whether it is required.
fn describe(property: &Property) -> String {
    let mut text = property.description.trim().to_owned();
    if !text.is_empty() && !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(if property.required {
        "Required."
    } else {
        "Optional."
    });
    let quoted: Vec<String> = property.choices.iter().map(Value::to_string).collect();
    if !quoted.is_empty() {
        text.push_str(&format!(" One of {}.", quoted.join(", ")));
    }
    match (&property.minimum, &property.maximum) {
        (Some(least), Some(most)) => text.push_str(&format!(" From {least} to {most}.")),
        (Some(least), None) => text.push_str(&format!(" At least {least}.")),
        (None, Some(most)) => text.push_str(&format!(" At most {most}.")),
        (None, None) => {}
    }
    if let Some(default) = &property.default
        && !default.is_null()
        && !property.secret
    {
        text.push_str(&format!(" Default: {default}."));
    }
    text
}

/// `POST /v1/drivers/{driver}/reset`: a quarantined driver is started again.
pub(super) async fn reset(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let driver = api
        .registry
        .get(&name)
        .ok_or_else(|| ApiError::driver_unknown(&name))?;
    match driver.release() {
        Some(was_quarantined) => Ok(super::json(&json!({ "was_quarantined": was_quarantined }))),
        None => Err(ApiError::bad_request(format!(
            "The driver '{name}' runs in the host's own process; there is nothing to reset."
        ))),
    }
}

fn show(
    api: &Api,
    driver: &LoadedDriver,
    version: ApiVersion,
    links: &Links,
    detail: bool,
) -> Map<String, Value> {
    let name = &**driver.name();
    let mut shown = Map::new();
    shown.insert("name".to_owned(), name.into());
    shown.insert("hosts".to_owned(), json!([&*api.host_name]));
    shown.insert("links".to_owned(), json!(links.of(&format!("drivers/{name}"))));
    if version >= PROPERTIES {
        shown.insert(
            "properties".to_owned(),
            json!(links.of(&format!("drivers/{name}/properties"))),
        );
    }
    if version >= TYPE {
        shown.insert("type".to_owned(), DYNAMIC.into());
    }
    if version >= TYPE && detail {
        for (interface, since) in INTERFACES
            .iter()
            .filter(|(_, since)| version >= ApiVersion(*since))
        {
            debug_assert!(*since >= TYPE.0);
            // A driver is the vendor interface of its own name, and each standard interface that it has.
            let has = match Interface::named(interface) {
                Some(interface) => driver.has(interface),
                None => *interface == "vendor",
            };
            let (default, enabled) = if has {
                (json!(name), json!([name]))
            } else {
                (Value::Null, Value::Null)
            };
            shown.insert(format!("default_{interface}_interface"), default);
            shown.insert(format!("enabled_{interface}_interfaces"), enabled);
        }
    }
    if let Some(standing) = driver.standing().filter(|_| detail) {
        let shown_standing = json!({
            "mode": "process",
            "processes": standing.processes,
            "wanted": standing.wanted,
            "deaths": standing.deaths,
            "quarantined": standing.quarantined,
        });
        shown.insert(ISOLATION.to_owned(), shown_standing);
    }
    shown
}

fn fields(arguments: &mut Arguments, version: ApiVersion) -> Result<Option<Vec<String>>, ApiError> {
    let Some(fields) = arguments.take_list("fields") else {
        return Ok(None);
    };
    version.require(FIELDS)?;
    let interfaces = INTERFACES.iter().flat_map(|(interface, _)| {
        [
            format!("default_{interface}_interface"),
            format!("enabled_{interface}_interfaces"),
        ]
    });
    let known: Vec<String> = ["name", "hosts", "links", "properties", "type"]
        .into_iter()
        .map(str::to_owned)
        .chain(interfaces)
        .chain([ISOLATION.to_owned()])
        .collect();
    match fields.iter().find(|field| !known.contains(field)) {
        None => Ok(Some(fields)),
        Some(unknown) => {
            let known: Vec<_> = known.iter().map(|field| format!("'{field}'")).collect();
            let text = format!("Schema error: '{unknown}' is not one of [{}]", known.join(", "));
            Err(ApiError::bad_request(text))
        }
    }
}

/// The chosen fields, and the links that Ironic always adds.
fn only(mut shown: Map<String, Value>, fields: Option<&[String]>) -> Value {
    if let Some(fields) = fields {
        shown.retain(|key, _| key == "links" || fields.contains(key));
    }
    Value::Object(shown)
}
