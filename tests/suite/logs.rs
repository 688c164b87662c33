//! What an operator reads.

use serde_json::{Value, json};
use suite::{FAKE, HostProcess};

#[test]
fn with_log_format_json_every_line_is_one_json_object() {
    let mut host = HostProcess::with_fake();
    host.create_node("n1");
    host.post("/v1/nodes/n1/vendor_passthru/echo_sync", json!({}))
        .expect(200);
    host.get("/v1/nope").expect(404);
    host.terminate();
    host.wait();
    let lines = host.log.lines();
    assert!(!lines.is_empty());
    for line in lines {
        let value: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(value.is_object(), "{line}");
        assert!(
            value.get("timestamp").is_some() && value.get("level").is_some(),
            "{line}"
        );
    }
}

#[test]
fn a_drivers_line_has_its_drivers_name_and_the_requests_id() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let reply = host
        .post(
            "/v1/nodes/n1/vendor_passthru/log_passthrough",
            json!({"bar": 1, "word": "canary-log"}),
        )
        .expect(202);
    let id = reply.must_have("openstack-request-id").to_owned();
    let line = host.logged(&["canary-log"]);
    assert!(line.contains(&id), "{line} lacks {id}");
    let value: Value = serde_json::from_str(&line).unwrap();
    assert!(line.contains("\"driver\":\"fake\""), "{value}");
}

#[test]
fn with_log_level_debug_every_request_can_be_found_by_its_id() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .argument("--log-level")
        .argument("debug")
        .start();
    for target in ["/v1/drivers", "/v1/drivers/nope"] {
        let id = host.get(target).must_have("openstack-request-id").to_owned();
        host.logged(&[&id, target]);
    }
}

#[test]
fn readable_lines_have_no_colour_codes_when_nobody_looks_at_a_terminal() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .argument("--log-format=text")
        .start();
    host.create_node("n1");
    let reply = host
        .post(
            "/v1/nodes/n1/vendor_passthru/log_passthrough",
            json!({"bar": 1, "word": "canary-log"}),
        )
        .expect(202);
    let id = reply.must_have("openstack-request-id").to_owned();
    let line = host.logged(&["canary-log"]);
    assert!(line.contains(&id) && line.contains("fake"), "{line}");
    assert!(!host.log.text().contains('\x1b'), "{}", host.log.text());
}

#[test]
fn a_host_whose_log_nobody_reads_any_more_serves_on_and_ends_when_asked() {
    let mut host = HostProcess::with_fake();
    host.log.close();
    for _ in 0..3 {
        host.create_node("n1");
        host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    }
    host.terminate();
    assert_eq!(host.wait().code(), Some(0));
}

#[test]
fn a_clients_text_cannot_forge_a_line() {
    let host = HostProcess::with_fake();
    let forged = "x%0a%7b%22level%22%3a%22FORGED%22%7d";
    host.get(&format!("/v1/nodes/{forged}"));
    host.post(
        "/v1/drivers/fake/vendor_passthru/echo",
        json!({"a": "\n{\"level\":\"FORGED\"}"}),
    )
    .expect(200);
    host.create_node("n1");
    let body = json!({"bar": 1, "a": "b\n{\"level\":\"FORGED\"}"});
    host.post("/v1/nodes/n1/vendor_passthru/log_passthrough", body)
        .expect(202);
    host.logged(&["FORGED"]);
    for line in host.log.lines() {
        let value: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_ne!(value["level"], "FORGED", "{line}");
    }
}
