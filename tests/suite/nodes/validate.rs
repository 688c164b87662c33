//! What `validate` reports.

use serde_json::json;
use suite::{FAKE, HELLO, HostProcess};

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
