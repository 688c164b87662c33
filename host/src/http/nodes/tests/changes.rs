//! New nodes, patches, maintenance and deletion.

use super::*;
use crate::database::StoreError;

#[tokio::test]
async fn bad_new_nodes_are_refused_in_ironics_words() {
    let host = Host::new().await;
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
    let host = Host::new().await;
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
    let host = Host::new().await;
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

/// Operations that each nest 22 more levels below what the ones before have made.
fn ever_deeper(operations: usize) -> Value {
    let levels = |count: usize| (0..count).fold(json!({}), |inner, _| json!({ "a": inner }));
    (1..=operations)
        .map(|n| json!({"op": "add", "path": format!("/extra{}", "/a".repeat(22 * n)), "value": levels(21)}))
        .collect()
}

#[tokio::test]
async fn a_patch_cannot_nest_deeper_than_a_node_is_kept() {
    let host = Host::new().await;
    let before = host.node("n1").await;
    let levels = |count: usize| (0..count).fold(json!(1), |inner, _| json!({ "a": inner }));
    let first = json!({"op": "add", "path": "/extra", "value": levels(22)});
    let at = |level: usize, value: Value| {
        let path = format!("/extra{}", "/a".repeat(level));
        json!({"op": "add", "path": path, "value": value})
    };
    let kept = json!([first, at(22, levels(22)), at(44, levels(20))]);
    let answer = host.patch("n1", &kept).await;
    assert_eq!(answer.status, StatusCode::OK, "64 levels: {}", answer.body);
    let revision = host.api.nodes.find("n1").unwrap().revision();
    assert_eq!(revision, before.revision() + 1);
    for (patch, found) in [
        (json!([first, at(22, levels(22)), at(44, levels(21))]), 65),
        (json!([at(65, json!(1))]), 65),
        (
            json!([{"op": "replace", "path": "/extra/l/0", "value": levels(22)}, at(43, levels(22))]),
            65,
        ),
        (ever_deeper(209), 66),
    ] {
        let (status, text) = host.patch("n1", &patch).await.fault();
        let words = format!("extra is nested {found} levels deep, at most 64 are kept");
        assert_eq!((status, text), (400, words));
    }
    assert_eq!(host.api.nodes.find("n1").unwrap().revision(), revision);
}

#[tokio::test]
async fn a_patch_has_at_most_1000_operations() {
    let host = Host::new().await;
    host.node("n1").await;
    let operations = |count: usize| vec![json!({"op": "add", "path": "/extra/a", "value": 1}); count];
    let answer = host.patch("n1", &json!(operations(1000))).await;
    assert_eq!(answer.body["extra"], json!({"a": 1}), "{}", answer.body);
    let fault = host.patch("n1", &json!(operations(1001))).await.fault();
    let text = "Schema error for patch: 1001 operations are too many, at most 1000 are taken";
    assert_eq!(fault, (400, text.to_owned()));
}

#[tokio::test]
async fn reset_interfaces_needs_1_45_and_another_driver() {
    let host = Host::new().await;
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
    let host = Host::new().await;
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
    let host = Host::new().await;
    let node = host.node("n1").await;
    let holder = Holder {
        what: "sleep_async".into(),
        request_id: RequestId::random(),
    };
    let guard = host.api.locks.acquire(node.uuid(), holder).await.unwrap();
    for (method, path, body) in EVERY_CHANGE {
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

/// Keeps the thread that writes busy until the sender is used or dropped.
async fn busy_writer(host: &Host) -> std::sync::mpsc::Sender<()> {
    let (release, released) = std::sync::mpsc::channel();
    let (begun, busy) = tokio::sync::oneshot::channel();
    let database = host.api.database.clone();
    tokio::spawn(async move {
        let statements = move |_: &rusqlite::Connection| {
            begun.send(()).unwrap();
            released.recv().unwrap_or_default();
            Ok::<(), StoreError>(())
        };
        database.run(statements, |()| {}).await
    });
    busy.await.unwrap();
    release
}

/// Sends a request, and goes away as soon as `until` is true.
async fn send_and_leave(
    host: &Host,
    method: &Method,
    path: &str,
    body: &str,
    mut until: impl FnMut() -> bool,
) {
    let gone = async {
        while !until() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        answer = host.send(method.clone(), 77, path, body) => panic!("answered too early: {}", answer.body),
        () = gone => {}
    }
}

const EVERY_CHANGE: [(Method, &str, &str); 4] = [
    (
        Method::PATCH,
        "/v1/nodes/n1",
        r#"[{"op":"add","path":"/extra/x","value":1}]"#,
    ),
    (Method::PUT, "/v1/nodes/n1/maintenance", "{}"),
    (Method::DELETE, "/v1/nodes/n1/maintenance", ""),
    (Method::DELETE, "/v1/nodes/n1", ""),
];

#[tokio::test]
async fn a_change_whose_client_has_gone_holds_the_lock_until_it_is_committed() {
    let host = Host::new().await;
    let mut node = host.node("n1").await;
    let uuid = node.uuid();
    for (method, path, body) in EVERY_CHANGE {
        let release = busy_writer(&host).await;
        send_and_leave(&host, &method, path, body, || {
            host.api.locks.holder(&uuid).is_some()
        })
        .await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(
            host.api.locks.holder(&uuid).is_some(),
            "{method} {path}: not written yet"
        );
        assert_eq!(host.api.nodes.get(&uuid).unwrap().revision(), node.revision());
        release.send(()).unwrap();
        let free = async {
            while host.api.locks.holder(&uuid).is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), free).await.unwrap();
        match host.api.nodes.get(&uuid) {
            Some(changed) => {
                assert_eq!(changed.revision(), node.revision() + 1, "{method} {path}");
                node = changed;
            }
            None => assert_eq!((&method, path), (&Method::DELETE, "/v1/nodes/n1")),
        }
    }
    assert!(host.api.nodes.is_empty());
}

#[tokio::test]
async fn a_change_that_still_waits_for_the_lock_is_not_made_once_its_client_has_gone() {
    let host = Host::waiting(Duration::from_secs(60)).await;
    let node = host.node("n1").await;
    let holder = Holder {
        what: "sleep".into(),
        request_id: RequestId::random(),
    };
    let guard = host.api.locks.acquire(node.uuid(), holder.clone()).await.unwrap();
    for (method, path, body) in EVERY_CHANGE {
        let mut turns = 0;
        send_and_leave(&host, &method, path, body, || {
            turns += 1;
            turns > 100
        })
        .await;
    }
    drop(guard);
    let guard = host.api.locks.acquire(node.uuid(), holder).await.unwrap();
    let found = host
        .api
        .nodes
        .get(&node.uuid())
        .map(|node| (node.revision(), guard.is_lost()));
    assert_eq!(found, Some((node.revision(), false)));
}

#[tokio::test]
async fn protected_nodes_and_nodes_with_an_instance_are_not_deleted() {
    let host = Host::new().await;
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
