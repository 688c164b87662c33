//! The node API over the router, without a connection and without drivers.

mod changes;
mod lists;
mod reads;

use std::time::{Duration, SystemTime};

use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower_service::Service;

use super::*;
use crate::call::Passthru;
use crate::call::limits::Limits;
use crate::call::record::RecordStore;
use crate::config::Config;
use crate::database::Database;
use crate::http::Traffic;
use crate::node::fields::{JsonObject, NodeFields};
use crate::node::lock::NodeLocks;
use crate::node::store::NodeStore;
use crate::plugin::registry::DriverRegistry;
use crate::request_id::RequestId;
use crate::threads::Watch;

struct Host {
    _folder: TempDir,
    api: Arc<Api>,
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Value,
}

impl Answer {
    fn fault(&self) -> (u16, String) {
        let fault: Value = serde_json::from_str(self.body["error_message"].as_str().unwrap_or("{}")).unwrap();
        (
            self.status.as_u16(),
            fault["faultstring"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

impl Host {
    async fn new() -> Self {
        Host::waiting(Duration::ZERO).await
    }

    /// Changes wait as long as this for a node's lock.
    async fn waiting(wait: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Arc::new(Config::default());
        let database = Arc::new(Database::open(&folder.path().join("host.db"), "host-1").unwrap());
        let nodes = Arc::new(NodeStore::open(database.clone()).unwrap());
        let records = RecordStore::open(database.clone(), "host-1".into(), &config.records)
            .await
            .unwrap();
        let registry = Arc::new(DriverRegistry::default());
        let locks = NodeLocks::new("host-1", wait, 16);
        let limits = Limits::new(&config, std::iter::empty());
        let passthru = Arc::new(Passthru::new(
            registry.clone(),
            nodes.clone(),
            locks.clone(),
            limits,
            records.clone(),
            Watch::start(tokio::runtime::Handle::current()).unwrap(),
            config.clone(),
        ));
        let api = Api {
            address: config.listen,
            config,
            host_name: "host-1".into(),
            registry,
            database,
            nodes,
            locks,
            records,
            passthru,
            traffic: Traffic::new(1),
            started: SystemTime::now(),
        };
        Host {
            _folder: folder,
            api: Arc::new(api),
        }
    }

    async fn node(&self, name: &str) -> Arc<Node> {
        self.node_with(NodeFields {
            name: Some(name.into()),
            ..NodeFields::default()
        })
        .await
    }

    async fn node_with(&self, fields: NodeFields) -> Arc<Node> {
        let fields = NodeFields {
            driver: "gone".into(),
            ..fields
        };
        self.api.nodes.create(Uuid::new_v4(), fields).await.unwrap()
    }

    async fn send(&self, method: Method, minor: u16, path: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "bm:1")
            .extension(RequestInfo {
                id: RequestId::random(),
                version: ApiVersion(minor),
            })
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = routes().with_state(self.api.clone()).call(request).await.unwrap();
        let location = response
            .headers()
            .get(header::LOCATION)
            .map(|value| value.to_str().unwrap().to_owned());
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        Answer {
            status,
            location,
            body,
        }
    }

    async fn get(&self, minor: u16, path: &str) -> Answer {
        self.send(Method::GET, minor, path, "").await
    }

    async fn post(&self, minor: u16, body: &Value) -> Answer {
        self.send(Method::POST, minor, "/v1/nodes", &body.to_string())
            .await
    }

    async fn patch(&self, ident: &str, body: &Value) -> Answer {
        self.send(
            Method::PATCH,
            77,
            &format!("/v1/nodes/{ident}"),
            &body.to_string(),
        )
        .await
    }
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}
