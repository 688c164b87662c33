//! Nodes: create, show, list, delete, maintenance, validate.

use serde_json::{Value, json};
use suite::{FAKE, HELLO, HostProcess, Reply};

fn create(host: &HostProcess, node: Value, version: &str) -> Reply {
    host.request("POST", "/v1/nodes")
        .version(version)
        .json(&node)
        .send()
}

fn listed(reply: Reply, key: &str) -> Vec<String> {
    let list = reply.expect(200).json();
    let nodes = list["nodes"].as_array().expect("nodes");
    nodes
        .iter()
        .map(|node| node[key].as_str().unwrap_or("null").to_owned())
        .collect()
}

#[test]
fn creating_a_node_answers_201_with_its_place_and_all_of_it() {
    let host = HostProcess::with_fake();
    let wanted = json!({"driver": "fake", "name": "n1", "driver_info": {"a": 1}, "properties": {"cpus": 4},
        "extra": {"x": [1, null]}, "resource_class": "gold", "description": "rack 4"});
    let reply = create(&host, wanted.clone(), "1.77").expect(201);
    let node = reply.json();
    let uuid = node["uuid"].as_str().unwrap();
    assert_eq!(
        reply.must_have("Location"),
        format!("{}/v1/nodes/{uuid}", host.url())
    );
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&node[key], value, "{key}");
    }
    assert_eq!(node["provision_state"], "enroll");
    assert_eq!(node["maintenance"], false);
    assert_eq!(node["conductor"], "suite-host");
    for key in [
        "reservation",
        "last_error",
        "updated_at",
        "power_state",
        "instance_uuid",
        "chassis_uuid",
    ] {
        assert_eq!(node[key], Value::Null, "{key}");
    }
    let stamp = node["created_at"].as_str().unwrap();
    assert!(
        stamp.ends_with("+00:00") && stamp.len() == "2026-01-01T00:00:00.000000+00:00".len(),
        "{stamp}"
    );
    assert_eq!(host.get("/v1/nodes/n1").expect(200).json(), node);
    assert_eq!(host.get(&format!("/v1/nodes/{uuid}/")).expect(200).json(), node);
}

#[test]
fn a_uuid_may_be_chosen_and_neither_it_nor_a_name_can_be_taken_twice() {
    let host = HostProcess::with_fake();
    let uuid = "11111111-2222-3333-4444-555555555555";
    create(
        &host,
        json!({"driver": "fake", "uuid": uuid, "name": "n1"}),
        "1.77",
    )
    .expect(201);
    let text = format!("A node with UUID {uuid} already exists.");
    create(&host, json!({"driver": "fake", "uuid": uuid}), "1.77").refused(409, &text);
    create(&host, json!({"driver": "fake", "name": "n1"}), "1.77")
        .refused(409, "A node with name n1 already exists.");
    assert_eq!(listed(host.get("/v1/nodes"), "name"), ["n1"]);
}

#[test]
fn a_node_that_cannot_be_is_refused_with_the_reason() {
    let host = HostProcess::with_fake();
    let long = "n".repeat(256);
    for (node, text) in [
        (json!({}), "driver"),
        (json!({"driver": 1}), "is not of type 'string'"),
        (
            json!({"driver": "nope"}),
            "No valid host was found. Reason: No conductor service registered which supports driver nope",
        ),
        (
            json!({"driver": "fake", "uuid": "zzz"}),
            "Expected UUID for uuid: zzz",
        ),
        (json!({"driver": "fake", "bogus": 1}), "bogus"),
        (json!({"driver": "fake", "last_error": "x"}), "last_error"),
        (json!({"driver": "fake", "reservation": "x"}), "reservation"),
        (
            json!({"driver": "fake", "driver_info": "str"}),
            "'str' is not of type 'object'",
        ),
        (
            json!({"driver": "fake", "properties": [1]}),
            "is not of type 'object'",
        ),
        (json!({"driver": "fake", "extra": 1}), "1 is not of type 'object'"),
        (json!({"driver": "fake", "maintenance": "maybe"}), "maybe"),
        (
            json!({"driver": "fake", "name": "bad name"}),
            "Cannot create node with invalid name 'bad name'",
        ),
        (
            json!({"driver": "fake", "name": "a/b"}),
            "Cannot create node with invalid name 'a/b'",
        ),
        (
            json!({"driver": "fake", "name": uuid_like()}),
            "Cannot create node with invalid name",
        ),
        (json!({"driver": "fake", "name": long}), "255"),
        (json!([1]), ""),
        (json!("x"), ""),
    ] {
        create(&host, node, "1.77").refused(400, text);
    }
    let words = [
        "maintenance",
        "management",
        "states",
        "vendor_passthru",
        "detail",
        "validate",
        "nodes",
        "drivers",
        "calls",
    ];
    for word in words {
        let text = format!("The word \"{word}\" is reserved and can not be used as a node name.");
        create(&host, json!({"driver": "fake", "name": word}), "1.77").refused(400, &text);
    }
    assert!(listed(host.get("/v1/nodes"), "uuid").is_empty());
}

fn uuid_like() -> &'static str {
    "11111111-2222-3333-4444-555555555556"
}

#[test]
fn fields_appear_with_the_version_that_introduced_them() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let uuid = host.node_field("n1", "uuid");
    let target = format!("/v1/nodes/{}", uuid.as_str().unwrap());
    let has = |version: &str, field: &str| {
        let node = host
            .request("GET", &target)
            .version(version)
            .send()
            .expect(200)
            .json();
        node.as_object().unwrap().contains_key(field)
    };
    let introduced = [
        (3, "driver_internal_info"),
        (5, "name"),
        (6, "inspection_started_at"),
        (6, "inspection_finished_at"),
        (7, "clean_step"),
        (12, "raid_config"),
        (12, "target_raid_config"),
        (20, "network_interface"),
        (21, "resource_class"),
        (31, "boot_interface"),
        (31, "console_interface"),
        (31, "deploy_interface"),
        (31, "inspect_interface"),
        (31, "management_interface"),
        (31, "power_interface"),
        (31, "raid_interface"),
        (31, "vendor_interface"),
        (33, "storage_interface"),
        (37, "traits"),
        (38, "rescue_interface"),
        (40, "bios_interface"),
        (42, "fault"),
        (44, "deploy_step"),
        (46, "conductor_group"),
        (47, "automated_clean"),
        (48, "protected"),
        (48, "protected_reason"),
        (49, "conductor"),
        (50, "owner"),
        (51, "description"),
        (52, "allocation_uuid"),
        (61, "retired"),
        (61, "retired_reason"),
        (65, "lessee"),
        (66, "network_data"),
        (75, "boot_mode"),
        (75, "secure_boot"),
    ];
    for (minor, field) in introduced {
        assert!(
            !has(&format!("1.{}", minor - 1), field),
            "{field} before 1.{minor}"
        );
        assert!(has(&format!("1.{minor}"), field), "{field} from 1.{minor}");
    }
    let base = [
        "uuid",
        "created_at",
        "updated_at",
        "chassis_uuid",
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
        "links",
    ];
    let oldest = host
        .request("GET", &target)
        .version("1.1")
        .send()
        .expect(200)
        .json();
    let mut keys: Vec<&str> = oldest.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let mut expected = base.to_vec();
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn a_field_above_the_version_asked_for_is_406_and_names_are_for_1_5() {
    let host = HostProcess::with_fake();
    create(&host, json!({"driver": "fake", "name": "x1"}), "1.4").refused(406, "Request not acceptable.");
    create(&host, json!({"driver": "fake", "description": "d"}), "1.50")
        .refused(406, "Request not acceptable.");
    create(&host, json!({"driver": "fake", "name": "x1"}), "1.5").expect(201);
    let show = |version: &str| host.request("GET", "/v1/nodes/x1").version(version).send();
    show("1.4").refused(404, "Node x1 could not be found.");
    show("1.5").expect(200);
}

#[test]
fn deleting_a_node_is_204_and_then_it_is_gone() {
    let host = HostProcess::with_fake();
    let uuid = host.create_node("n1");
    let reply = host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    assert!(reply.body.is_empty());
    for target in [
        "/v1/nodes/n1",
        &format!("/v1/nodes/{uuid}"),
        "/v1/nodes/n1/validate",
    ] {
        host.get(target).refused(404, "could not be found.");
    }
    host.request("DELETE", "/v1/nodes/n1")
        .send()
        .refused(404, "Node n1 could not be found.");
    host.create_node("n1");
}

#[test]
fn nodes_survive_a_crash_of_the_host_and_locks_do_not() {
    let host = HostProcess::with_fake();
    let uuid = host.create_node("n1");
    let held = host.post("/v1/nodes/n1/vendor_passthru/sleep_async", json!({"seconds": 60}));
    held.expect(202);
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    let host = host.crash_and_restart();
    assert_eq!(host.node_field("n1", "uuid"), json!(uuid));
    assert_eq!(host.node_field("n1", "reservation"), Value::Null);
    host.post("/v1/nodes/n1/vendor_passthru/echo_sync", json!({}))
        .expect(200);
}

#[test]
fn maintenance_is_set_and_unset_with_and_without_a_reason_and_blocks_no_call() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let state = || {
        (
            host.node_field("n1", "maintenance"),
            host.node_field("n1", "maintenance_reason"),
        )
    };
    let put = |body: &str| {
        let reply = host
            .request("PUT", "/v1/nodes/n1/maintenance")
            .body(body.to_owned())
            .send()
            .expect(202);
        assert!(reply.body.is_empty());
    };
    put("{\"reason\": \"broken fan\"}");
    assert_eq!(state(), (json!(true), json!("broken fan")));
    host.post("/v1/nodes/n1/vendor_passthru/echo_sync", json!({}))
        .expect(200);
    for body in ["", "{}", "{\"reason\": null}"] {
        put(body);
        assert_eq!(state(), (json!(true), Value::Null), "{body:?}");
    }
    host.request("DELETE", "/v1/nodes/n1/maintenance")
        .send()
        .expect(202);
    assert_eq!(state(), (json!(false), Value::Null));
    host.request("PUT", "/v1/nodes/nope/maintenance")
        .send()
        .refused(404, "Node nope could not be found.");
    host.request("PUT", "/v1/nodes/n1/maintenance")
        .json(&json!({"reason": 1}))
        .send()
        .refused(400, "reason");
}

#[test]
fn validate_reports_the_vendor_interface_with_the_drivers_own_reason() {
    let host = HostProcess::builder().driver(FAKE).driver(HELLO).start();
    host.create_node("n1");
    let report = host.get("/v1/nodes/n1/validate").expect(200).json();
    assert_eq!(report["vendor"]["result"], true, "{report}");
    for (interface, verdict) in report.as_object().unwrap() {
        let result = &verdict["result"];
        assert!(result.is_boolean() || result.is_null(), "{interface}: {verdict}");
    }
    host.create_node_of(HELLO, "n2");
    let report = host.get("/v1/nodes/n2/validate").expect(200).json();
    assert_eq!(report["vendor"]["result"], false, "{report}");
    assert!(
        report["vendor"]["reason"]
            .as_str()
            .unwrap()
            .contains("hello_address"),
        "{report}"
    );
    let greet = || host.post("/v1/nodes/n2/vendor_passthru/greet", json!({"name": "you"}));
    greet().refused(400, "hello_address");
    let mend = json!([{"op": "add", "path": "/driver_info/hello_address", "value": "192.0.2.7"}]);
    host.request("PATCH", "/v1/nodes/n2")
        .json(&mend)
        .send()
        .expect(200);
    assert_eq!(greet().expect(200).json()["greeting"], "Hello, you!");
    let report = host.get("/v1/nodes/n1/validate").expect(200).json();
    let by_uuid = format!(
        "/v1/nodes/validate?node_uuid={}",
        host.node_field("n1", "uuid").as_str().unwrap()
    );
    assert_eq!(host.get(&by_uuid).expect(200).json(), report);
    host.get("/v1/nodes/nope/validate")
        .refused(404, "Node nope could not be found.");
}

#[test]
fn secrets_are_masked_wherever_a_node_is_shown() {
    let host = HostProcess::with_fake();
    let info = json!({"fake_password": "canary-1", "a": {"b": [{"api_token": "canary-2"}]}, "ssh_private_key": "canary-3",
        "my_secret": {"deep": "canary-4"}, "user": "admin", "snmp_passphrase": "canary-5", "credentials": ["canary-6"]});
    let reply = create(
        &host,
        json!({"driver": "fake", "name": "n1", "driver_info": info}),
        "1.77",
    )
    .expect(201);
    let patch = json!([{"op": "add", "path": "/driver_info/other_password", "value": "canary-7"}]);
    let patched = host
        .request("PATCH", "/v1/nodes/n1")
        .json(&patch)
        .send()
        .expect(200);
    let shown = [
        reply,
        patched,
        host.get("/v1/nodes/n1"),
        host.get("/v1/nodes/detail"),
        host.get("/v1/nodes?fields=driver_info"),
        host.get("/v1/nodes?detail=true"),
        host.get("/v1/nodes/n1?fields=driver_info"),
    ];
    for reply in shown {
        let text = reply.text();
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("\"fake_password\":\"******\""), "{text}");
        assert!(text.contains("\"user\":\"admin\""), "{text}");
    }
    let bad = json!([{"op": "replace", "path": "/driver_info/nokey/password", "value": "canary-8"}]);
    let refused = host
        .request("PATCH", "/v1/nodes/n1")
        .json(&bad)
        .send()
        .expect(400);
    assert!(!refused.text().contains("canary"), "{}", refused.text());
    assert!(
        host.log.lines_with(&["canary"]).is_empty(),
        "{:?}",
        host.log.lines_with(&["canary"])
    );
}

#[test]
fn the_list_pages_in_order_of_creation_with_absolute_links() {
    let host = HostProcess::with_fake();
    let uuids: Vec<String> = (0..5).map(|n| host.create_node(&format!("n{n}"))).collect();
    let mut target = "/v1/nodes?limit=2&fields=uuid,name&driver=fake".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let reply = host.get(&target).expect(200);
        let next = reply.json()["next"].as_str().map(str::to_owned);
        seen.extend(listed(reply, "uuid"));
        pages += 1;
        let Some(next) = next else { break };
        let rest = next.strip_prefix(&host.url()).unwrap_or_else(|| panic!("{next}"));
        for piece in ["limit=2", "driver=fake", "fields=uuid", "marker="] {
            assert!(rest.contains(piece), "{rest}");
        }
        target = rest.to_owned();
    }
    assert_eq!((seen, pages), (uuids.clone(), 3));
    let after = host.get(&format!("/v1/nodes?marker={}", uuids[3]));
    assert_eq!(listed(after, "uuid"), [uuids[4].clone()]);
    let detail = host.get("/v1/nodes/detail?limit=1").expect(200).json();
    assert!(
        detail["next"].as_str().unwrap().contains("/v1/nodes/detail?"),
        "{detail}"
    );
}

#[test]
fn filters_sorting_and_fields_of_the_list() {
    let host = HostProcess::builder().driver(FAKE).driver(HELLO).start();
    for (name, driver, class) in [
        ("b", "fake", "gold"),
        ("a", "fake", "tin"),
        ("c", "hello", "gold"),
    ] {
        let owner = format!("owner-{name}");
        let info = if driver == "hello" {
            hello_info()
        } else {
            json!({})
        };
        let node = json!({"driver": driver, "name": name, "resource_class": class, "owner": owner, "driver_info": info});
        create(&host, node, "1.77").expect(201);
    }
    host.request("PUT", "/v1/nodes/a/maintenance").send().expect(202);
    for (query, names) in [
        ("", &["b", "a", "c"][..]),
        ("sort_key=name", &["a", "b", "c"]),
        ("sort_key=name&sort_dir=desc", &["c", "b", "a"]),
        ("driver=hello", &["c"]),
        ("driver=nope", &[]),
        ("maintenance=True", &["a"]),
        ("maintenance=false", &["b", "c"]),
        ("resource_class=gold", &["b", "c"]),
        ("owner=owner-a", &["a"]),
        ("associated=true", &[]),
        ("associated=false", &["b", "a", "c"]),
        ("provision_state=enroll", &["b", "a", "c"]),
        ("provision_state=active", &[]),
        ("instance_uuid=11111111-2222-3333-4444-555555555555", &[]),
        ("driver=fake&maintenance=false", &["b"]),
    ] {
        assert_eq!(
            listed(host.get(&format!("/v1/nodes?{query}")), "name"),
            names,
            "{query}"
        );
        assert_eq!(
            listed(host.get(&format!("/v1/nodes/detail?{query}")), "name"),
            names,
            "{query}"
        );
    }
    let brief = host.get("/v1/nodes?fields=name,extra").expect(200).json();
    let keys: Vec<&String> = brief["nodes"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["name", "extra", "links"]);
    let whole = host.get("/v1/nodes?detail=true").expect(200).json();
    assert!(whole["nodes"][0]["driver_info"].is_object());
}

/// What the template driver needs to know of a node.
fn hello_info() -> Value {
    json!({"hello_address": "192.0.2.7"})
}

#[test]
fn bad_questions_about_nodes_are_told_what_is_wrong() {
    let host = HostProcess::with_fake();
    for (target, version, status, text) in [
        ("/v1/nodes?limit=0", "1.77", 400, "Limit must be positive"),
        ("/v1/nodes?limit=-1", "1.77", 400, "Limit must be positive"),
        (
            "/v1/nodes?limit=x",
            "1.77",
            400,
            "Expected an integer for limit: x",
        ),
        (
            "/v1/nodes?sort_key=zzz",
            "1.77",
            400,
            "The sort_key value \"zzz\" is an invalid field for sorting",
        ),
        (
            "/v1/nodes?sort_key=driver_info",
            "1.77",
            400,
            "is an invalid field for sorting",
        ),
        ("/v1/nodes?sort_dir=up", "1.77", 400, "up"),
        ("/v1/nodes?fields=bogus", "1.77", 400, "bogus"),
        ("/v1/nodes?fields=uuid", "1.7", 406, "Request not acceptable."),
        ("/v1/nodes?fields=owner", "1.49", 406, "Request not acceptable."),
        (
            "/v1/nodes?detail=true&fields=uuid",
            "1.77",
            400,
            "Can not specify ?detail=True and fields in the same request.",
        ),
        (
            "/v1/nodes?detail=true",
            "1.42",
            400,
            "Invalid query parameter ?detail=True received.",
        ),
        ("/v1/nodes/detail?fields=uuid", "1.77", 400, "fields"),
        ("/v1/nodes?foo=bar", "1.77", 400, "Unexpected arguments: foo"),
        ("/v1/nodes?maintenance=maybe", "1.77", 400, "maybe"),
        ("/v1/nodes?driver=fake", "1.15", 406, "Request not acceptable."),
        (
            "/v1/nodes?marker=11111111-2222-3333-4444-555555555599",
            "1.77",
            404,
            "Node 11111111-2222-3333-4444-555555555599 could not be found.",
        ),
    ] {
        host.request("GET", target)
            .version(version)
            .send()
            .refused(status, text);
    }
    for verb in ["PUT", "PATCH", "DELETE"] {
        host.request(verb, "/v1/nodes").send().refused(405, "");
    }
    host.request("PUT", "/v1/nodes/n1")
        .json(&json!({}))
        .send()
        .refused(405, "");
}
