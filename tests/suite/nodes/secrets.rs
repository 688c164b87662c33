//! Secrets of nodes.

use serde_json::json;
use suite::HostProcess;

use super::create;

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
