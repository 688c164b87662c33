//! Lists of nodes, page by page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;

use super::fields::{self, Field, PROVISION_STATE, Shown};
use super::input::expect_uuid;
use crate::http::links::Links;
use crate::http::query::{Arguments, limit};
use crate::http::request::RequestInfo;
use crate::http::{Api, ApiError, ApiVersion};
use crate::node::listing::{NodeFilter, NodeQuery, SortDirection, SortKey};

/// Room for one node of a list.
const NODE_BYTES: usize = 512;
/// What Ironic calls the order of creation.
const BY_CREATION: &str = "id";

/// All of Ironic's words for a node's provision state.
const PROVISION_STATES: [&str; 30] = [
    "active",
    "adopt failed",
    "adopting",
    "available",
    "clean failed",
    "clean hold",
    "clean wait",
    "cleaning",
    "deleted",
    "deleting",
    "deploy failed",
    "deploy hold",
    "deploying",
    "enroll",
    "error",
    "inspect failed",
    "inspect wait",
    "inspecting",
    "manageable",
    "rebuild",
    "rescue",
    "rescue failed",
    "rescue wait",
    "rescuing",
    "undeploying",
    "unrescue failed",
    "unrescuing",
    "verifying",
    "wait call-back",
    "wait",
];

/// `GET /v1/nodes`
pub(super) async fn summary(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let detail = arguments.take_bool("detail")?;
    let names = arguments.take_list("fields");
    if let Some(detail) = detail.filter(|_| info.version.0 < 43) {
        let word = if detail { "True" } else { "False" };
        return Err(ApiError::bad_request(format!(
            "Invalid query parameter ?detail={word} received."
        )));
    }
    let detail = detail == Some(true);
    let mut again = Query::default();
    let fields = match names {
        Some(_) if detail => {
            return Err(ApiError::bad_request(
                "Can not specify ?detail=True and fields in the same request.",
            ));
        }
        Some(names) => {
            again.add("fields", &names.join(","));
            fields::chosen(&names, info.version)?
        }
        None if detail => {
            again.add("detail", "True");
            fields::all(info.version)
        }
        None => fields::summary(info.version),
    };
    list(&api, &info, &links, arguments, &fields, again, "/v1/nodes")
}

/// `GET /v1/nodes/detail`
pub(super) async fn detail(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let arguments = Arguments::parse(request.uri().query());
    list(
        &api,
        &info,
        &links,
        arguments,
        &fields::all(info.version),
        Query::default(),
        "/v1/nodes/detail",
    )
}

fn list(
    api: &Api,
    info: &RequestInfo,
    links: &Links,
    mut arguments: Arguments,
    fields: &[&Field],
    mut again: Query,
    path: &str,
) -> Result<Response<Body>, ApiError> {
    let limit = limit(arguments.take("limit"))?;
    let marker = arguments
        .take("marker")
        .map(|marker| expect_uuid("marker", &marker))
        .transpose()?;
    let (sort_key, direction) = order(&mut arguments, info.version, &mut again)?;
    let filter = filter(api, &mut arguments, info.version, &mut again)?;
    arguments.finish()?;
    let marker = match marker {
        None => None,
        Some(uuid) => Some(
            api.nodes
                .get(&uuid)
                .ok_or_else(|| ApiError::node_not_found(&uuid.to_string()))?,
        ),
    };
    let page = NodeQuery {
        filter,
        sort_key,
        direction,
        marker,
        limit,
    }
    .page(&api.nodes);
    let shown = Shown::new(api, links);
    let mut out = Vec::with_capacity(NODE_BYTES * page.nodes.len() + NODE_BYTES);
    out.extend_from_slice(b"{\"nodes\":[");
    for (n, node) in page.nodes.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        shown.write(node, fields, &mut out);
    }
    out.push(b']');
    if let Some(last) = page.nodes.last().filter(|_| page.more) {
        again.add("limit", &limit.to_string());
        again.add("marker", &last.uuid().to_string());
        out.extend_from_slice(b",\"next\":\"");
        // Encoded for a URL, so there is nothing in it that JSON would escape but what the client's `Host` brings.
        let next = serde_json::Value::from(links.url(&format!("{path}?{}", again.text()))).to_string();
        out.extend_from_slice(next.trim_matches('"').as_bytes());
        out.push(b'"');
    }
    out.push(b'}');
    Ok(super::written(out))
}

/// The arguments of the next page.
#[derive(Default)]
struct Query(Vec<(&'static str, String)>);

impl Query {
    fn add(&mut self, name: &'static str, value: &str) {
        self.0.push((name, value.to_owned()));
    }

    fn text(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}

fn order(
    arguments: &mut Arguments,
    version: ApiVersion,
    again: &mut Query,
) -> Result<(SortKey, SortDirection), ApiError> {
    let name = arguments
        .take("sort_key")
        .unwrap_or_else(|| BY_CREATION.to_owned());
    let direction = arguments.take("sort_dir").unwrap_or_else(|| "asc".to_owned());
    again.add("sort_key", &name);
    again.add("sort_dir", &direction);
    let invalid = |shown: &str| {
        ApiError::bad_request(format!(
            "The sort_key value {shown} is an invalid field for sorting"
        ))
    };
    let key = match fields::field(&name) {
        None if name == BY_CREATION => SortKey::Id,
        None => return Err(invalid(&format!("\"{name}\""))),
        Some(field) => {
            version.require(field.since)?;
            field.sort.ok_or_else(|| invalid(&name))?
        }
    };
    match direction.as_str() {
        "asc" => Ok((key, SortDirection::Ascending)),
        "desc" => Ok((key, SortDirection::Descending)),
        other => {
            let text = format!("Invalid sort direction: {other}. Acceptable values are 'asc' or 'desc'");
            Err(ApiError::bad_request(text))
        }
    }
}

/// Takes the filters, each from the version on that knows it.
fn filter(
    api: &Api,
    arguments: &mut Arguments,
    version: ApiVersion,
    again: &mut Query,
) -> Result<NodeFilter, ApiError> {
    let mut filter = NodeFilter::default();
    let mut text = |name: &'static str, since: u16, again: &mut Query| -> Result<Option<String>, ApiError> {
        let Some(value) = arguments.take(name) else {
            return Ok(None);
        };
        version.require(since)?;
        again.add(name, &value);
        Ok(Some(value))
    };
    let truth = |name: &str, value: Option<String>| {
        value
            .map(|value| crate::http::query::boolean(name, &value))
            .transpose()
    };
    let uuid = |name: &str, value: Option<String>| value.map(|value| expect_uuid(name, &value)).transpose();
    filter.maintenance = truth("maintenance", text("maintenance", 1, again)?)?;
    filter.associated = truth("associated", text("associated", 1, again)?)?;
    filter.retired = truth("retired", text("retired", 61, again)?)?;
    filter.instance_uuid = uuid("instance_uuid", text("instance_uuid", 1, again)?)?;
    filter.chassis_uuid = uuid("chassis_uuid", text("chassis_uuid", 1, again)?)?;
    filter.driver = text("driver", 16, again)?;
    filter.resource_class = text("resource_class", 21, again)?;
    filter.owner = text("owner", 50, again)?;
    filter.lessee = text("lessee", 65, again)?;
    filter.project = text("project", 65, again)?;
    filter.description_contains = text("description_contains", 51, again)?;
    // What is the same on every node is asked for in vain, or not at all.
    if let Some(state) = text("provision_state", 9, again)? {
        if !PROVISION_STATES.contains(&state.as_str()) {
            return Err(ApiError::bad_request(format!(
                "Provision state \"{state}\" is not valid"
            )));
        }
        filter.nothing |= state != PROVISION_STATE;
    }
    filter.nothing |= text("fault", 42, again)?.is_some();
    filter.nothing |= text("conductor_group", 46, again)?.is_some_and(|group| !group.is_empty());
    filter.nothing |= text("conductor", 49, again)?.is_some_and(|host| *host != *api.host_name);
    Ok(filter)
}
