//! python-ironicclient as a library, unmodified.

use serde_json::{Value, json};
use suite::{FAKE, HostProcess, python};

#[test]
fn the_library_drives_drivers_nodes_and_passthru() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("locks.wait_ms", 200)
        .start();
    let seen = python(&host, "ironicclient_library.py");

    assert_eq!(seen["drivers"][0]["name"], "fake");
    assert_eq!(seen["drivers"][0]["hosts"], json!(["suite-host"]));
    assert_eq!(seen["driver"]["type"], "dynamic");
    assert!(seen["properties"].is_object());
    assert_eq!(seen["driver methods"]["echo"]["async"], false);
    for verb in ["POST", "PUT", "PATCH"] {
        assert_eq!(
            seen["driver echo"][verb],
            json!({"http_method": verb, "args": {"a": 1}})
        );
        assert_eq!(seen["node echo"][verb]["args"], json!({"a": 1}), "{verb}");
    }
    // the library sends no body with GET, and drops the answer to DELETE
    assert_eq!(seen["driver echo"]["GET"]["args"], json!({}));
    assert_eq!(seen["node echo"]["DELETE"], Value::Null);

    assert_eq!(seen["created"]["provision_state"], "enroll");
    assert_eq!(seen["list"][0]["name"], "n1");
    assert_eq!(seen["list in full"][0]["extra"], json!({"k": "v"}));
    assert_eq!(seen["list of fields"][0]["driver"], "fake");
    assert_eq!(seen["shown"]["uuid"], seen["created"]["uuid"]);
    assert_eq!(seen["patched"]["extra"], json!({"x": [1]}));
    assert_eq!(seen["validated"]["vendor"]["result"], true);
    assert_eq!(seen["in maintenance"]["maintenance_reason"], "fan");
    assert_eq!(seen["out of maintenance"]["maintenance"], false);
    assert_eq!(
        seen["node methods"]["first_method"]["require_exclusive_lock"],
        true
    );
    assert_eq!(seen["async"], Value::Null);
    assert_eq!(seen["negotiated"], json!(["fake"]));

    for (fault, kind, text) in [
        ("unknown method", "BadRequest", "No handler for method nope"),
        (
            "missing argument",
            "BadRequest",
            "Parameter 'bar' not passed to method 'second_method'.",
        ),
        ("internal", "InternalServerError", "boom"),
        ("unknown node", "NotFound", "Node n2 could not be found."),
        (
            "unknown driver",
            "NotFound",
            "Could not find the following driver(s) or hardware type(s): nope.",
        ),
        ("name taken", "Conflict", "A node with name n1 already exists."),
        (
            "locked",
            "Conflict",
            "is locked by host suite-host, please retry after the current operation is completed.",
        ),
    ] {
        let got = &seen["faults"][fault];
        assert_eq!(got["type"], kind, "{fault}: {got}");
        assert!(got["text"].as_str().unwrap().contains(text), "{fault}: {got}");
    }
    let version = seen["faults"]["unknown version"]["text"].as_str().unwrap();
    assert!(version.contains("1.77"), "the newest version is named: {version}");
    assert_eq!(seen["deleted"]["type"], "NotFound");
}
