//! openstacksdk's baremetal proxy, unmodified.

use serde_json::json;
use suite::{HostProcess, python};

#[test]
fn the_proxy_drives_drivers_nodes_and_passthru() {
    let host = HostProcess::with_fake();
    let seen = python(&host, "openstacksdk_proxy.py");

    assert_eq!(seen["drivers"][0]["name"], "fake");
    assert!(
        seen["drivers in full"][0]["default_vendor_interface"].is_string(),
        "{}",
        seen["drivers in full"]
    );
    assert_eq!(seen["driver"]["hosts"], json!(["suite-host"]));
    assert_eq!(seen["driver methods"]["echo"]["attach"], false);
    // the SDK uses the form with the method in the query, and sends bodies with every verb
    for verb in ["GET", "POST", "PUT", "DELETE"] {
        for echo in [&seen["driver echo"][verb], &seen["node echo"][verb]] {
            assert_eq!(echo["status"], 200, "{verb}: {echo}");
            assert_eq!(echo["type"], "application/json", "{verb}: {echo}");
            let text: serde_json::Value = serde_json::from_str(echo["text"].as_str().unwrap()).unwrap();
            assert_eq!(
                (&text["http_method"], &text["args"]),
                (&json!(verb), &json!({"a": 1})),
                "{echo}"
            );
        }
    }

    assert_eq!(seen["created"]["driver"], "fake");
    assert_eq!(seen["created"]["provision_state"], "enroll");
    assert_eq!(seen["nodes"][0]["name"], "n1");
    assert_eq!(seen["nodes in full"][0]["extra"], json!({"k": "v"}));
    assert_eq!(seen["found"]["id"], seen["created"]["id"]);
    assert_eq!(seen["updated"]["resource_class"], "gold");
    assert_eq!(seen["updated"]["extra"], json!({"k": "w"}));
    assert_eq!(seen["patched"]["extra"], json!({"k": "w", "x": [1]}));
    assert_eq!(seen["validated"]["vendor"], true);
    assert_eq!(seen["in maintenance"], json!([true, "fan"]));
    assert_eq!(seen["out of maintenance"], json!([false, null]));
    assert_eq!(seen["node methods"]["third_method_sync"]["async"], false);

    assert_eq!(seen["true"]["text"], "true");
    assert_eq!(seen["bytes"]["status"], 200);
    assert_ne!(seen["bytes"]["type"], "application/json");
    assert_eq!(seen["async"], json!({"status": 202, "type": null, "text": ""}));
    for (fault, kind, status, text) in [
        (
            "unknown method",
            "BadRequestException",
            400,
            "No handler for method nope",
        ),
        (
            "missing argument",
            "BadRequestException",
            400,
            "Parameter 'bar' not passed to method 'second_method'.",
        ),
        ("not found", "NotFoundException", 404, "no such fan"),
        (
            "unknown node",
            "NotFoundException",
            404,
            "Node n2 could not be found.",
        ),
        ("unknown driver", "NotFoundException", 404, "nope"),
        ("bad node", "BadRequestException", 400, "No valid host was found."),
    ] {
        let got = &seen["faults"][fault];
        assert_eq!(
            (&got["type"], &got["status"]),
            (&json!(kind), &json!(status)),
            "{fault}: {got}"
        );
        assert!(got["text"].as_str().unwrap().contains(text), "{fault}: {got}");
    }
    assert_eq!(seen["after delete"], json!([]));
}
