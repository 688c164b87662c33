//! What a node may say, and what an operator may configure. No device is asked.

use serde_json::{Value, json};
use suite::{HostProcess, REDFISH};

use super::builder;

/// What `node validate` says of the vendor interface of a node with this `driver_info`.
fn validated(host: &HostProcess, driver_info: Value) -> Value {
    let node = json!({"driver": "redfish", "driver_info": driver_info});
    let node = host.post("/v1/nodes", node).expect(201).json();
    let uuid = node["uuid"].as_str().expect("a uuid");
    host.get(&format!("/v1/nodes/{uuid}/validate")).expect(200).json()["vendor"].clone()
}

#[test]
fn a_node_is_validated_with_the_name_of_what_is_wrong() {
    let host = builder().start();
    let refused = |driver_info: Value, text: &str| {
        let report = validated(&host, driver_info);
        assert_eq!(report["result"], false, "{text}");
        let reason = report["reason"].as_str().expect("a reason");
        assert!(reason.contains(text), "{reason:?} lacks {text:?}");
    };
    refused(
        json!({}),
        "Missing the following driver_info properties: redfish_address",
    );
    for (key, value, text) in [
        (
            "redfish_address",
            "ftp://bmc",
            "expected https:// or http://, found 'ftp://'",
        ),
        (
            "redfish_address",
            "bmc:99999",
            "expected a port from 1 to 65535, found '99999'",
        ),
        ("redfish_system_id", "1", "'1' is no path: it must begin with '/'"),
        ("redfish_system_id", "/redfish/v1/../1", "write the path out"),
        (
            "redfish_system_id",
            "/other/1",
            "is not under the service root '/redfish/v1/'",
        ),
        (
            "redfish_verify_ca",
            "xyz",
            "expected true, false, or the absolute path of a file or a folder, found 'xyz'",
        ),
        (
            "redfish_verify_ca",
            "/no/such/file",
            "cannot read /no/such/file: No such file or directory",
        ),
        ("redfish_verify_ca", "/dev/null", "no CA certificate in /dev/null"),
        (
            "redfish_auth_type",
            "BasiC",
            "expected auto, basic or session, found 'BasiC'",
        ),
        (
            "redfish_tls_minimum_version",
            "1.0",
            "expected 1.1, 1.2 or 1.3, found '1.0'",
        ),
        (
            "redfish_tls_ciphers",
            "RC4-SHA",
            "nothing that is spoken here fits 'RC4-SHA'",
        ),
    ] {
        let mut driver_info = json!({"redfish_address": "192.0.2.1"});
        driver_info[key] = value.into();
        refused(driver_info.clone(), text);
        refused(driver_info, &format!("driver_info property '{key}'"));
    }
    for fine in [
        json!({"redfish_address": "192.0.2.1"}),
        json!({"redfish_address": "http://bmc/rack/7/redfish/v1", "redfish_system_id": "/rack/7/redfish/v1/Systems/1"}),
        json!({"redfish_address": "2001:db8::1", "redfish_verify_ca": false, "redfish_auth_type": "session",
               "redfish_tls_minimum_version": 1.3, "redfish_tls_ciphers": "ECDHE+AESGCM", "redfish_password": 1234}),
    ] {
        assert_eq!(validated(&host, fine.clone())["result"], true, "{fine}");
    }
}

#[test]
fn the_password_is_shown_nowhere() {
    let host = builder().start();
    let node = json!({"driver": "redfish", "name": "n1",
                      "driver_info": {"redfish_address": "192.0.2.1", "redfish_password": "hunter2"}});
    host.post("/v1/nodes", node).expect(201);
    let shown = host.get("/v1/nodes/n1").expect(200).json();
    assert_eq!(shown["driver_info"]["redfish_password"], "******");
    let properties = host.get("/v1/drivers/redfish/properties").expect(200).json();
    assert_eq!(
        properties.as_object().expect("an object").len(),
        8,
        "{properties}"
    );
    assert!(
        properties["redfish_address"]
            .as_str()
            .expect("text")
            .ends_with("Required."),
        "{properties}"
    );
}

#[test]
fn a_configuration_that_makes_no_sense_stops_the_start() {
    for (key, value, text) in [
        (
            "connection_attempts",
            0,
            "drivers.redfish.config.connection_attempts: expected 1 to 100, found 0",
        ),
        (
            "read_timeout_ms",
            0,
            "drivers.redfish.config.read_timeout_ms: expected 1 to 86400000, found 0",
        ),
        (
            "retries",
            3,
            "drivers.redfish.config: unknown key 'retries'; known: 'connection_attempts'",
        ),
    ] {
        let host = HostProcess::builder().driver(REDFISH);
        let output = host
            .set(&format!("drivers.redfish.config.{key}"), value)
            .serve_to_end();
        assert_ne!(output.code, 0);
        assert!(output.everything().contains(text), "{}", output.everything());
    }
}
