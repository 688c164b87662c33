//! Lists of nodes: pages, filters, order, fields.

use serde_json::{Value, json};
use suite::{FAKE, HELLO, HostProcess};

use super::{create, listed};

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
