//! The node API over the router, without a connection and without drivers.

use std::time::Duration;

use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower_service::Service;

use super::*;
use crate::call::Passthru;
use crate::call::limits::Limits;
use crate::config::Config;
use crate::node::fields::{JsonObject, NodeFields};
use crate::node::lock::NodeLocks;
use crate::node::store::NodeStore;
use crate::plugin::registry::DriverRegistry;

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
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Arc::new(Config::default());
        let nodes = Arc::new(NodeStore::open(&folder.path().join("host.db"), "host-1").unwrap());
        let registry = Arc::new(DriverRegistry::default());
        let locks = NodeLocks::new("host-1", Duration::ZERO, 0);
        let limits = Limits::new(&config, std::iter::empty());
        let passthru = Arc::new(Passthru::new(
            registry.clone(),
            nodes.clone(),
            locks.clone(),
            limits,
            config.clone(),
        ));
        let api = Api {
            config,
            host_name: "host-1".into(),
            registry,
            nodes,
            locks,
            passthru,
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
                id: "req-1".into(),
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

#[tokio::test]
async fn a_node_shows_the_fields_of_the_version_in_ironics_order() {
    let host = Host::new();
    let node = host.node("n1").await;
    let path = format!("/v1/nodes/{}", node.uuid());
    let old = host.get(1, &path).await;
    assert_eq!(
        keys(&old.body),
        [
            "uuid",
            "created_at",
            "updated_at",
            "console_enabled",
            "driver",
            "driver_info",
            "extra",
            "instance_info",
            "instance_uuid",
            "last_error",
            "maintenance",
            "maintenance_reason",
            "power_state",
            "properties",
            "provision_state",
            "provision_updated_at",
            "reservation",
            "target_power_state",
            "target_provision_state",
            "chassis_uuid",
            "links",
        ]
    );
    let new = host.get(77, &path).await;
    for (field, value) in [
        ("uuid", json!(node.uuid())),
        ("name", json!("n1")),
        ("driver", json!("gone")),
        ("vendor_interface", json!("gone")),
        ("boot_interface", Value::Null),
        ("provision_state", json!("enroll")),
        ("conductor", Value::Null),
        ("conductor_group", json!("")),
        ("traits", json!([])),
        ("clean_step", json!({})),
        ("updated_at", Value::Null),
        ("secure_boot", Value::Null),
        (
            "links",
            json!([
                {"href": format!("http://bm:1/v1/nodes/{}", node.uuid()), "rel": "self"},
                {"href": format!("http://bm:1/nodes/{}", node.uuid()), "rel": "bookmark"},
            ]),
        ),
    ] {
        assert_eq!(new.body[field], value, "{field}");
    }
    let time = new.body["created_at"].as_str().unwrap();
    assert!(
        time.len() == 32 && time.ends_with("+00:00") && time.as_bytes()[19] == b'.',
        "{time}"
    );
}

#[tokio::test]
async fn a_name_addresses_a_node_from_1_5_on() {
    let host = Host::new();
    host.node("n1").await;
    let fault = host.get(4, "/v1/nodes/n1").await.fault();
    assert_eq!(fault, (404, "Node n1 could not be found.".to_owned()));
    assert_eq!(host.get(5, "/v1/nodes/n1").await.body["name"], "n1");
}

#[tokio::test]
async fn chosen_fields_come_in_the_order_asked_for() {
    let host = Host::new();
    host.node("n1").await;
    let answer = host.get(77, "/v1/nodes/n1?fields=driver,uuid,driver").await;
    assert_eq!(keys(&answer.body), ["driver", "uuid", "links"]);
    let fault = host.get(77, "/v1/nodes/n1?fields=uuid,bogus,x").await.fault();
    assert_eq!(fault, (400, "Field(s) \"bogus, x\" are not valid.".to_owned()));
    assert_eq!(host.get(7, "/v1/nodes?fields=uuid").await.status.as_u16(), 406);
    assert_eq!(
        host.get(30, "/v1/nodes?fields=vendor_interface")
            .await
            .status
            .as_u16(),
        406
    );
    assert_eq!(
        host.get(77, "/v1/nodes/n1?foo=1").await.fault(),
        (400, "Unexpected arguments: foo".to_owned())
    );
}

#[tokio::test]
async fn secrets_are_masked_wherever_a_node_is_shown() {
    let host = Host::new();
    let info =
        json!({"ipmi_password": "geheim", "deep": [{"token": "geheim"}], "oem_door": "geheim", "a": 1});
    let driver_info = JsonObject::new(info.as_object().unwrap());
    let fields = NodeFields {
        name: Some("n1".into()),
        extra: driver_info.clone(),
        driver_info,
        ..NodeFields::default()
    };
    host.node_with(fields).await;
    host.api
        .nodes
        .remember_secrets("gone", &["oem_door"])
        .await
        .unwrap();
    let masked =
        json!({"ipmi_password": "******", "deep": [{"token": "******"}], "oem_door": "******", "a": 1});
    for path in [
        "/v1/nodes/n1",
        "/v1/nodes/detail",
        "/v1/nodes?detail=true",
        "/v1/nodes?fields=extra,driver_info",
    ] {
        let answer = host.get(77, path).await;
        assert!(!answer.body.to_string().contains("geheim"), "{path}");
        let node = answer.body.get("nodes").map_or(&answer.body, |nodes| &nodes[0]);
        assert_eq!(
            (&node["driver_info"], &node["extra"]),
            (&masked, &masked),
            "{path}"
        );
    }
    let answer = host
        .patch(
            "n1",
            &json!([{"op": "add", "path": "/driver_info", "value": masked}]),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.body.to_string().contains("geheim"));
    let kept: Value = serde_json::from_str(host.api.nodes.find("n1").unwrap().driver_info()).unwrap();
    assert_eq!(kept, info, "what was shown and sent back changes nothing");
    let answer = host
        .patch(
            "n1",
            &json!([{"op": "add", "path": "/extra/new_password", "value": "******"}]),
        )
        .await;
    let (status, text) = answer.fault();
    assert!(
        status == 400 && text.starts_with("/extra/new_password is \"******\""),
        "{text}"
    );
    let answer = host
        .patch(
            "n1",
            &json!([{"op": "replace", "path": "/driver_info/my_password", "value": "geheim2"}]),
        )
        .await;
    let (status, text) = answer.fault();
    assert!(
        status == 400 && text.contains("'value': '******'") && !text.contains("geheim2"),
        "{text}"
    );
}

#[tokio::test]
async fn bad_new_nodes_are_refused_in_ironics_words() {
    let host = Host::new();
    let uuid = "11111111-2222-3333-4444-555555555556";
    for (minor, body, status, text) in [
        (
            77,
            json!({"name": "x"}),
            400,
            "Schema error for node: 'driver' is a required property",
        ),
        (
            77,
            json!([]),
            400,
            "Schema error for node: [] is not of type 'object'",
        ),
        (
            77,
            json!({"driver": "nope"}),
            400,
            "No valid host was found. Reason: No conductor service registered which supports driver nope \
             for conductor group \"\". Ensure the driver is valid and enabled.",
        ),
        (
            77,
            json!({"driver": "f", "uuid": "zzz"}),
            400,
            "Expected UUID for uuid: zzz",
        ),
        (
            77,
            json!({"driver": "f", "bogus": 1}),
            400,
            "Schema error for node: Additional properties are not allowed ('bogus' was unexpected)",
        ),
        (
            77,
            json!({"driver": "f", "last_error": 1, "links": 1}),
            400,
            "Schema error for node: Additional properties are not allowed ('last_error', 'links' were unexpected)",
        ),
        (
            77,
            json!({"driver": "f", "driver_info": "str"}),
            400,
            "Schema error for node: 'str' is not of type 'object', 'null'",
        ),
        (
            77,
            json!({"driver": 5}),
            400,
            "Schema error for node: 5 is not of type 'string'",
        ),
        (
            77,
            json!({"driver": "f", "vendor_interface": "nope"}),
            400,
            "Could not find the following interface in the 'ironic.hardware.interfaces.vendor' entrypoint: nope. \
             Valid interfaces are ['f'].",
        ),
        (
            77,
            json!({"driver": "f", "boot_interface": "pxe"}),
            400,
            "Could not find the following interface in the 'ironic.hardware.interfaces.boot' entrypoint: pxe. \
             Valid interfaces are [].",
        ),
        (
            1,
            json!({"driver": "f", "name": "x"}),
            406,
            "Request not acceptable.",
        ),
        (
            50,
            json!({"driver": "f", "description": "x"}),
            406,
            "Request not acceptable.",
        ),
        (
            77,
            json!({"driver": "gone", "name": "a b"}),
            400,
            "No valid host was found.",
        ),
        (
            77,
            json!({"driver": "f", "instance_uuid": uuid, "chassis_uuid": "c"}),
            400,
            "Expected UUID for chassis_uuid: c",
        ),
    ] {
        let (found, words) = host.post(minor, &body).await.fault();
        assert_eq!(found, status, "{body}: {words}");
        assert!(words.starts_with(text), "{body}: {words}");
    }
    let answer = host.send(Method::POST, 77, "/v1/nodes", "").await;
    assert_eq!(
        answer.fault().1,
        "Schema error for node: 'driver' is a required property"
    );
    let (status, text) = host.send(Method::POST, 77, "/v1/nodes", "{bad").await.fault();
    assert!(status == 400 && text.contains("line 1 column 2"), "{text}");
    assert!(host.api.nodes.is_empty() && answer.location.is_none());
}

#[tokio::test]
async fn a_patch_adds_replaces_and_removes() {
    let host = Host::new();
    let node = host.node("n1").await;
    for (patch, field, value) in [
        (
            json!([{"op": "add", "path": "/extra/a", "value": {"b": 1}}]),
            "extra",
            json!({"a": {"b": 1}}),
        ),
        (
            json!([{"op": "replace", "path": "/extra/a/b", "value": 2}]),
            "extra",
            json!({"a": {"b": 2}}),
        ),
        (
            json!([{"op": "remove", "path": "/extra/a/b"}]),
            "extra",
            json!({"a": {}}),
        ),
        (
            json!([{"op": "add", "path": "/extra/l", "value": [1]}, {"op": "add", "path": "/extra/l/-", "value": 2}]),
            "extra",
            json!({"a": {}, "l": [1, 2]}),
        ),
        (json!([{"op": "remove", "path": "/extra"}]), "extra", json!({})),
        (
            json!([{"op": "replace", "path": "/extra", "value": {"z": 1}}]),
            "extra",
            json!({"z": 1}),
        ),
        (
            json!([{"op": "add", "path": "/owner", "value": "me"}]),
            "owner",
            json!("me"),
        ),
        (json!([{"op": "remove", "path": "/owner"}]), "owner", Value::Null),
        (
            json!([{"op": "add", "path": "/maintenance", "value": "True"}]),
            "maintenance",
            json!(true),
        ),
        (
            json!([{"op": "remove", "path": "/maintenance"}]),
            "maintenance",
            json!(false),
        ),
        (
            json!([{"op": "add", "path": "/automated_clean", "value": false}]),
            "automated_clean",
            json!(false),
        ),
        (json!([{"op": "remove", "path": "/name"}]), "name", Value::Null),
        (
            json!([{"op": "add", "path": "/vendor_interface", "value": "gone"}]),
            "vendor_interface",
            json!("gone"),
        ),
        (json!([]), "name", Value::Null),
    ] {
        let answer = host.patch(&node.uuid().to_string(), &patch).await;
        assert_eq!(answer.status, StatusCode::OK, "{patch}: {}", answer.body);
        assert_eq!(answer.body[field], value, "{patch}");
        assert_eq!(
            host.get(77, &format!("/v1/nodes/{}", node.uuid())).await.body,
            answer.body,
            "{patch}"
        );
    }
    assert!(host.api.locks.is_empty());
}

#[tokio::test]
async fn a_bad_patch_is_refused_in_ironics_words_and_changes_nothing() {
    let host = Host::new();
    host.node("other").await;
    let before = host.node("n1").await;
    for (patch, status, text) in [
        (
            json!({"op": "add"}),
            400,
            "Schema error for patch: {'op': 'add'} is not of type 'array'",
        ),
        (
            json!([{"op": "test", "path": "/name", "value": "n1"}]),
            400,
            "Schema error for patch: 'test' is not one of ['add', 'replace', 'remove']",
        ),
        (
            json!([{"op": "move", "from": "/extra/a", "path": "/extra/b"}]),
            400,
            "Schema error for patch: Additional properties are not allowed ('from' was unexpected)",
        ),
        (
            json!([{"op": "add", "path": "/extra/q"}]),
            400,
            "Couldn't apply patch '{'op': 'add', 'path': '/extra/q'}'. Reason: The operation does not contain a 'value' member",
        ),
        (
            json!([{"op": "add", "path": "extra/q", "value": 1}]),
            400,
            "Schema error for patch: 'extra/q' does not match '^(/[\\\\w-]+)+$'",
        ),
        (
            json!([{"op": "add", "path": "/extra/a~1b", "value": 1}]),
            400,
            "Schema error for patch: '/extra/a~1b' does not match '^(/[\\\\w-]+)+$'",
        ),
        (
            json!([{"op": "replace", "path": "/extra/nokey", "value": 1}]),
            400,
            "Couldn't apply patch '{'op': 'replace', 'path': '/extra/nokey', 'value': 1}'. \
             Reason: can't replace a non-existent object 'nokey'",
        ),
        (
            json!([{"op": "remove", "path": "/extra/nokey"}]),
            400,
            "Couldn't apply patch '{'op': 'remove', 'path': '/extra/nokey'}'. Reason: can't remove a non-existent object 'nokey'",
        ),
        (
            json!([{"op": "remove", "path": "/driver"}]),
            400,
            "Schema error for patch: 'driver' is a required property",
        ),
        (
            json!([{"op": "replace", "path": "/driver", "value": "nope"}]),
            400,
            "No valid host was found. Reason: No conductor service registered which supports driver nope ",
        ),
        (
            json!([{"op": "replace", "path": "/driver_info", "value": "str"}]),
            400,
            "Schema error for patch: 'str' is not of type 'object', 'null'",
        ),
        (
            json!([{"op": "add", "path": "/name", "value": "other"}]),
            409,
            "A node with name other already exists.",
        ),
        (
            json!([{"op": "add", "path": "/name", "value": "a b"}]),
            400,
            "Node n1: Cannot change name to invalid name 'a b'",
        ),
        (
            json!([{"op": "add", "path": "/name", "value": "validate"}]),
            400,
            "The word \"validate\" is reserved and can not be used as a node name. Reserved words are: \
             maintenance, management, states, vendor_passthru, detail, validate, nodes, drivers, calls.",
        ),
        (
            json!([{"op": "add", "path": "/protected_reason", "value": "x"}]),
            400,
            "The protected_reason field can only be set when protected is True",
        ),
        (
            json!([{"op": "add", "path": "/maintenance", "value": "maybe"}]),
            400,
            "Invalid maintenance: Unrecognized value 'maybe', acceptable values are: '0', '1',",
        ),
        (
            json!([{"op": "add", "path": "/conductor_group", "value": "A"}]),
            400,
            "No valid host was found. Reason: No conductor",
        ),
        (
            json!([{"op": "add", "path": "/name/x", "value": "A"}]),
            400,
            "Couldn't apply patch '",
        ),
    ] {
        let (found, words) = host.patch("n1", &patch).await.fault();
        assert_eq!(found, status, "{patch}: {words}");
        assert!(words.starts_with(text), "{patch}: {words}");
    }
    for path in [
        "/uuid",
        "/reservation",
        "/last_error",
        "/bogus",
        "/links/0",
        "/maintenance_reason",
    ] {
        let (status, words) = host
            .patch("n1", &json!([{"op": "add", "path": path, "value": 1}]))
            .await
            .fault();
        let start = format!(
            "Cannot patch {path}. Only the following can be updated: automated_clean, bios_interface,"
        );
        assert!(status == 400 && words.starts_with(&start), "{words}");
    }
    let fault = host
        .send(
            Method::PATCH,
            49,
            "/v1/nodes/n1",
            r#"[{"op":"add","path":"/owner","value":"x"}]"#,
        )
        .await;
    assert_eq!(fault.status.as_u16(), 406);
    assert_eq!(host.api.nodes.find("n1").unwrap().revision(), before.revision());
}

#[tokio::test]
async fn reset_interfaces_needs_1_45_and_another_driver() {
    let host = Host::new();
    host.node("n1").await;
    let patch = r#"[{"op":"add","path":"/driver","value":"gone"}]"#;
    let path = "/v1/nodes/n1?reset_interfaces=True";
    assert_eq!(
        host.send(Method::PATCH, 45, path, patch).await.status,
        StatusCode::OK
    );
    assert_eq!(
        host.send(Method::PATCH, 44, path, patch).await.status.as_u16(),
        406
    );
    let (status, text) = host.send(Method::PATCH, 45, path, "[]").await.fault();
    assert!(
        status == 400 && text.contains("reset_interfaces parameter can only be used"),
        "{text}"
    );
}

#[tokio::test]
async fn maintenance_comes_and_goes_with_its_reason() {
    let host = Host::new();
    host.node("n1").await;
    let path = "/v1/nodes/n1/maintenance";
    for (body, reason) in [
        ("", Value::Null),
        (r#"{"reason": null}"#, Value::Null),
        (r#"{"reason": "because"}"#, json!("because")),
    ] {
        assert_eq!(
            host.send(Method::PUT, 5, path, body).await.status,
            StatusCode::ACCEPTED
        );
        let node = host.get(5, "/v1/nodes/n1").await.body;
        assert_eq!(
            (&node["maintenance"], &node["maintenance_reason"]),
            (&json!(true), &reason)
        );
    }
    assert_eq!(
        host.send(Method::PUT, 5, path, r#"{"reason": 5}"#)
            .await
            .fault()
            .1,
        "Expected string for reason: 5"
    );
    assert_eq!(
        host.send(Method::PUT, 5, path, r#"{"x": 5}"#).await.fault().1,
        "Unexpected arguments: x"
    );
    assert_eq!(
        host.send(Method::DELETE, 5, path, "").await.status,
        StatusCode::ACCEPTED
    );
    let node = host.get(5, "/v1/nodes/n1").await.body;
    assert_eq!(
        (&node["maintenance"], &node["maintenance_reason"]),
        (&json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn a_locked_node_is_shown_as_reserved_and_refuses_changes() {
    let host = Host::new();
    let node = host.node("n1").await;
    let holder = Holder {
        what: "sleep_async".into(),
        request_id: "req-7".into(),
    };
    let guard = host.api.locks.acquire(node.uuid(), holder).await.unwrap();
    for (method, path, body) in [
        (
            Method::PATCH,
            "/v1/nodes/n1",
            r#"[{"op":"add","path":"/extra/x","value":1}]"#,
        ),
        (Method::DELETE, "/v1/nodes/n1", ""),
        (Method::PUT, "/v1/nodes/n1/maintenance", "{}"),
        (Method::DELETE, "/v1/nodes/n1/maintenance", ""),
    ] {
        let (status, text) = host.send(method.clone(), 77, path, body).await.fault();
        let words = format!(
            "Node {} is locked by host host-1, please retry after the current operation is completed. \
             It is held for sleep_async since ",
            node.uuid()
        );
        assert!(
            status == 409 && text.starts_with(&words),
            "{method} {path}: {text}"
        );
    }
    let (status, _) = host
        .patch("n1", &json!([{"op": "add", "path": "/bogus", "value": 1}]))
        .await
        .fault();
    assert_eq!(status, 400, "what cannot be is refused without the lock");
    assert_eq!(host.get(77, "/v1/nodes/n1").await.body["reservation"], "host-1");
    drop(guard);
    assert_eq!(
        host.get(77, "/v1/nodes/n1").await.body["reservation"],
        Value::Null
    );
    assert_eq!(
        host.send(Method::DELETE, 77, "/v1/nodes/n1", "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        host.send(Method::DELETE, 77, "/v1/nodes/n1", "")
            .await
            .status
            .as_u16(),
        404
    );
}

#[tokio::test]
async fn protected_nodes_and_nodes_with_an_instance_are_not_deleted() {
    let host = Host::new();
    let node = host
        .node_with(NodeFields {
            name: Some("n1".into()),
            protected: true,
            ..NodeFields::default()
        })
        .await;
    let (status, text) = host.send(Method::DELETE, 77, "/v1/nodes/n1", "").await.fault();
    assert!(
        status == 403 && text.contains("is protected and cannot be"),
        "{text}"
    );
    let mut fields = node.fields();
    fields.protected = false;
    fields.rare.instance_uuid = Some(Uuid::nil());
    host.api.nodes.update(&node, fields).await.unwrap();
    let (status, text) = host.send(Method::DELETE, 77, "/v1/nodes/n1", "").await.fault();
    assert!(
        status == 409 && text.contains("is associated with instance"),
        "{text}"
    );
    host.send(Method::PUT, 77, "/v1/nodes/n1/maintenance", "").await;
    assert_eq!(
        host.send(Method::DELETE, 77, "/v1/nodes/n1", "").await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn lists_are_paged_with_absolute_links() {
    let host = Host::new();
    for name in ["a", "b", "c"] {
        host.node(name).await;
    }
    let mut path = "/v1/nodes?limit=1&maintenance=no&sort_key=name&sort_dir=desc&fields=name".to_owned();
    let mut names = Vec::new();
    loop {
        let answer = host.get(77, &path).await;
        let page = answer.body["nodes"].as_array().unwrap().clone();
        assert_eq!(page.len(), 1);
        assert_eq!(keys(&page[0]), ["name", "links"]);
        names.push(page[0]["name"].as_str().unwrap().to_owned());
        let Some(next) = answer.body.get("next") else {
            break;
        };
        path = next
            .as_str()
            .unwrap()
            .strip_prefix("http://bm:1")
            .unwrap()
            .to_owned();
    }
    assert_eq!(names, ["c", "b", "a"]);
    let first = host.get(1, "/v1/nodes/detail?limit=1").await.body;
    let marker = first["nodes"][0]["uuid"].as_str().unwrap();
    let next = format!("http://bm:1/v1/nodes/detail?sort_key=id&sort_dir=asc&limit=1&marker={marker}");
    assert_eq!(first["next"], next);
    assert_eq!(
        keys(&host.get(77, "/v1/nodes").await.body),
        ["nodes"],
        "no next link on the last page"
    );
}

#[tokio::test]
async fn short_lists_have_ironics_fields() {
    let host = Host::new();
    host.node("a").await;
    let short = [
        "uuid",
        "instance_uuid",
        "maintenance",
        "power_state",
        "provision_state",
        "links",
    ];
    assert_eq!(keys(&host.get(1, "/v1/nodes").await.body["nodes"][0]), short);
    let named = [
        "uuid",
        "instance_uuid",
        "maintenance",
        "power_state",
        "provision_state",
        "name",
        "links",
    ];
    assert_eq!(
        keys(&host.get(77, "/v1/nodes?detail=False").await.body["nodes"][0]),
        named
    );
}

#[tokio::test]
async fn bad_arguments_of_a_list_are_refused_in_ironics_words() {
    let host = Host::new();
    let unknown = Uuid::new_v4();
    for (minor, query, status, text) in [
        (77, "limit=0", 400, "Limit must be positive"),
        (77, "limit=-1", 400, "Limit must be positive"),
        (77, "limit=x", 400, "Expected an integer for limit: x"),
        (77, "marker=x", 400, "Expected UUID for marker: x"),
        (
            77,
            &format!("marker={unknown}"),
            404,
            &format!("Node {unknown} could not be found."),
        ),
        (
            77,
            "sort_key=zzz",
            400,
            "The sort_key value \"zzz\" is an invalid field for sorting",
        ),
        (
            77,
            "sort_key=driver_info",
            400,
            "The sort_key value driver_info is an invalid field for sorting",
        ),
        (
            77,
            "sort_dir=up",
            400,
            "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'",
        ),
        (77, "fields=bogus", 400, "Field(s) \"bogus\" are not valid."),
        (
            77,
            "detail=true&fields=uuid",
            400,
            "Can not specify ?detail=True and fields in the same request.",
        ),
        (
            42,
            "detail=true",
            400,
            "Invalid query parameter ?detail=True received.",
        ),
        (
            77,
            "provision_state=happy",
            400,
            "Provision state \"happy\" is not valid",
        ),
        (
            77,
            "maintenance=maybe",
            400,
            "Invalid maintenance: Unrecognized value 'maybe'",
        ),
        (77, "foo=1&bar=2", 400, "Unexpected arguments: foo, bar"),
        (15, "driver=x", 406, "Request not acceptable."),
        (20, "resource_class=x", 406, "Request not acceptable."),
    ] {
        let (found, words) = host.get(minor, &format!("/v1/nodes?{query}")).await.fault();
        assert_eq!(found, status, "{query}: {words}");
        assert!(words.starts_with(text), "{query}: {words}");
    }
    let fault = host.get(77, "/v1/nodes/detail?fields=uuid").await.fault();
    assert_eq!(fault, (400, "Unexpected arguments: fields".to_owned()));
    for good in [
        "limit=99999999999999999999",
        "provision_state=active",
        "fault=x",
        "conductor=h",
        "associated=1",
    ] {
        assert_eq!(
            host.get(77, &format!("/v1/nodes?{good}")).await.body,
            json!({"nodes": []}),
            "{good}"
        );
    }
}

#[tokio::test]
async fn a_node_without_its_driver_is_visible_and_its_validation_says_so() {
    let host = Host::new();
    let node = host.node("n1").await;
    for path in [
        "/v1/nodes/n1/validate".to_owned(),
        format!("/v1/nodes/validate?node_uuid={}", node.uuid()),
    ] {
        let report = host.get(77, &path).await.body;
        assert_eq!(report["vendor"]["result"], false, "{report}");
        assert!(
            report["vendor"]["reason"].as_str().unwrap().contains("gone"),
            "{report}"
        );
        assert_eq!(report["boot"], json!({"result": null, "reason": "not supported"}));
    }
    assert_eq!(
        host.get(77, "/v1/nodes/nope/validate").await.fault().1,
        "Node nope could not be found."
    );
    assert_eq!(
        host.get(77, "/v1/nodes/validate").await.fault().1,
        "Missing mandatory parameter: node_uuid"
    );
}

#[tokio::test]
async fn states_are_those_of_a_node_that_nobody_has_made_ready() {
    let host = Host::new();
    host.node("n1").await;
    let states = host.get(77, "/v1/nodes/n1/states").await.body;
    assert_eq!(
        states,
        json!({
            "console_enabled": false, "last_error": null, "power_state": null, "provision_state": "enroll",
            "target_power_state": null, "target_provision_state": null, "provision_updated_at": null,
            "raid_config": {}, "target_raid_config": {}, "boot_mode": null, "secure_boot": null
        })
    );
    assert_eq!(keys(&host.get(5, "/v1/nodes/n1/states").await.body).len(), 7);
}
