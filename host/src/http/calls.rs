//! The records of calls whose client does not wait. They are ours, so every version of Ironic's API has them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::links::{Link, Links};
use super::query::{Arguments, limit};
use super::request::RequestInfo;
use super::routes::Table;
use super::{Api, ApiError, nodes, time};
use crate::call::record::{self, CancelError, Ending, Record, RecordState, RecordStore};
use crate::request_id::RequestId;

/// The table of routes.
pub(super) fn routes() -> Table {
    Table::new()
        .route("/v1/calls", get(list))
        .route("/v1/calls/{id}", get(show).delete(cancel))
        .route("/v1/nodes/{node}/calls", get(list_of_node))
}

/// Where a record is.
pub(super) fn path(record: Uuid) -> String {
    format!("/v1/calls/{record}")
}

/// `GET /v1/calls`: newest first.
async fn list(
    State(api): State<Arc<Api>>,
    links: Links,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    page(&api, &links, None, "/v1/calls", &request)
}

/// `GET /v1/nodes/{node}/calls`: the same, of one node.
async fn list_of_node(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    Path(node): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let uuid = nodes::find(&api, &node, info.version)?.uuid();
    page(
        &api,
        &links,
        Some(uuid),
        &format!("/v1/nodes/{uuid}/calls"),
        &request,
    )
}

/// `GET /v1/calls/{id}`: with the result.
async fn show(
    State(api): State<Arc<Api>>,
    links: Links,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    whole(&api, &links, find(&api, &id)?).await
}

/// `DELETE /v1/calls/{id}`: asks a running call to stop. The driver may go on; the record says what became of it.
async fn cancel(
    State(api): State<Arc<Api>>,
    links: Links,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let record = find(&api, &id)?;
    api.records.cancel(record.id).await.map_err(|error| match error {
        CancelError::Unknown => ApiError::call_not_found(&id),
        CancelError::Over => ApiError::call_over(record.id),
    })?;
    let mut response = whole(&api, &links, find(&api, &id)?).await?;
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn find(api: &Api, id: &str) -> Result<Arc<Record>, ApiError> {
    let found = Uuid::parse_str(id).ok().and_then(|id| api.records.get(&id));
    found.ok_or_else(|| ApiError::call_not_found(id))
}

fn page(
    api: &Api,
    links: &Links,
    node: Option<Uuid>,
    path: &str,
    request: &Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let limit = limit(arguments.take("limit"))?;
    let marker = arguments.take("marker");
    let marker = marker
        .map(|id| find(api, &id))
        .transpose()?
        .map(|record| record.id);
    let state = arguments.take("state").map(|word| state(&word)).transpose()?;
    arguments.finish()?;
    let wanted = |record: &Record| state.is_none_or(|state| record.state() == state);
    let mut records = api.records.newest(node, marker, limit + 1, wanted);
    let more = records.len() > limit;
    records.truncate(limit);
    let next = records.last().filter(|_| more).map(|last| {
        let mut query = form_urlencoded::Serializer::new(format!("{path}?"));
        if let Some(state) = state {
            query.append_pair("state", state.word());
        }
        query.append_pair("limit", &limit.to_string());
        query.append_pair("marker", &last.id.to_string());
        links.url(&query.finish())
    });
    let calls = records
        .iter()
        .map(|record| Shown::of(record, &api.records, links))
        .collect();
    Ok(super::json(&Page { calls, next }))
}

fn state(word: &str) -> Result<RecordState, ApiError> {
    RecordState::of(word).ok_or_else(|| {
        let words = RecordState::ALL.map(RecordState::word).join(", ");
        ApiError::bad_request(format!("Invalid state: expected one of {words}; found '{word}'"))
    })
}

async fn whole(api: &Arc<Api>, links: &Links, record: Arc<Record>) -> Result<Response<Body>, ApiError> {
    let succeeded = |ending: &Option<Ending>| {
        ending
            .as_ref()
            .is_some_and(|ending| ending.state == RecordState::Succeeded)
    };
    let mut results = (None, None);
    if succeeded(&record.ending) || succeeded(&record.late_outcome) {
        let (records, record) = (api.records.clone(), record.clone());
        // It reads the disk, and no thread that carries requests waits for that.
        results = tokio::task::spawn_blocking(move || records.results(&record))
            .await
            .map_err(|error| ApiError::internal(&error))?
            .map_err(|error| ApiError::internal(&error))?;
    }
    let mut shown = Shown::of(&record, &api.records, links);
    shown.result = Some(raw(results.0.as_deref()));
    if let Some(late) = &mut shown.late_outcome {
        late.result = Some(raw(results.1.as_deref()));
    }
    Ok(super::json(&shown))
}

#[derive(Serialize)]
struct Page<'a> {
    calls: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A record as a client sees it. Only a single one is shown with its result.
#[derive(Serialize)]
struct Shown<'a> {
    id: Uuid,
    state: RecordState,
    driver: &'a str,
    method: &'a str,
    node_uuid: Option<Uuid>,
    host: &'a str,
    request_id: RequestId,
    started_at: String,
    stuck: bool,
    cancel_requested_at: Option<String>,
    finished_at: Option<String>,
    error: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Option<Box<RawValue>>>,
    late_outcome: Option<ShownEnding>,
    links: [Link; 1],
}

#[derive(Serialize)]
struct ShownEnding {
    state: RecordState,
    finished_at: String,
    error: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Option<Box<RawValue>>>,
}

impl<'a> Shown<'a> {
    fn of(record: &'a Record, records: &RecordStore, links: &Links) -> Self {
        let ending = record.ending.as_ref();
        Shown {
            id: record.id,
            state: record.state(),
            driver: &record.driver,
            method: &record.method,
            node_uuid: record.node,
            host: &record.host,
            request_id: record.request_id,
            started_at: written(record.started_at),
            stuck: record.settled_at().is_none() && records.is_stuck(&record.id),
            cancel_requested_at: record.cancel_requested_at.map(written),
            finished_at: ending.map(|ending| written(ending.at)),
            error: ending.and_then(|ending| raw(ending.error.as_deref())),
            result: None,
            late_outcome: record.late_outcome.as_ref().map(|late| ShownEnding {
                state: late.state,
                finished_at: written(late.at),
                error: raw(late.error.as_deref()),
                result: None,
            }),
            links: links.to_self(&path(record.id)),
        }
    }
}

fn written(micros: i64) -> String {
    time::written(record::time(micros))
}

/// Stored JSON, as it is.
fn raw(json: Option<&str>) -> Option<Box<RawValue>> {
    json.and_then(|json| RawValue::from_string(json.to_owned()).ok())
}
