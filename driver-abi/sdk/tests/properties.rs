//! What a node's `driver_info` may say, and what a driver answers when it says something else.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use driver_sdk::prelude::*;
use driver_sdk::{FaultKind, TestBench};

#[derive(Properties, Serialize)]
struct Device {
    /// Name of the device,
    /// in two lines.
    name: String,
    /// Its address.
    address: IpAddr,
    /// Its port.
    #[property(default = 623)]
    port: u16,
    /// Its user.
    #[property(default = "admin")]
    user: String,
    /// An offset.
    #[property(default = -1)]
    offset: i64,
    /// A factor.
    #[property(default = 0.5)]
    factor: f64,
    /// Whether TLS is spoken.
    #[property(default = true)]
    tls: bool,
    /// Its PIN.
    #[property(secret)]
    pin: Option<u32>,
    /// Its password.
    #[property(secret)]
    password: Option<String>,
    /// Its sensors.
    sensors: Option<Vec<u8>>,
    /// Its labels.
    labels: Option<BTreeMap<String, String>>,
    /// Anything.
    anything: Option<Value>,
    /// Its mode.
    #[property(type = "string")]
    mode: Option<Mode>,
    /// What it speaks.
    #[property(choices = ["1.5", "2.0"], default = "2.0")]
    protocol: String,
    /// Its channel.
    #[property(range = 1..=15)]
    channel: Option<u8>,
    /// How far it is.
    #[property(range = 0.5..)]
    distance: Option<f64>,
    /// Its speed.
    #[property(choices = ["fast", "safe"], default = "safe")]
    speed: Mode,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Safe,
}

struct Reader;

/// Reads properties.
#[driver(name = "reader", properties = Device)]
impl Reader {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Reader)
    }

    /// Answers what was read.
    #[node_method(async = false)]
    fn read(&self, node: &Node) -> Result<Device, Fault> {
        node.driver_info()
    }
}

fn read(driver_info: Value) -> Result<Value, Fault> {
    TestBench::new::<Reader>(json!({}))
        .unwrap()
        .node_method("read", driver_info)
        .run()
}

/// The answer to a node that has what is required, and `key` with `value`.
fn with(key: &str, value: Value) -> Result<Value, Fault> {
    let mut driver_info = json!({"name": "n", "address": "192.0.2.7"});
    driver_info[key] = value;
    read(driver_info).map(|device| device[key].clone())
}

#[track_caller]
fn refused(key: &str, value: Value, expected: &str) {
    let fault = with(key, value).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidParameter);
    assert_eq!(
        fault.message(),
        format!("driver_info property '{key}' {expected}")
    );
}

#[test]
fn defaults_stand_in_for_what_is_absent_or_null() {
    let device =
        read(json!({"name": "n", "address": "192.0.2.7", "port": null, "pin": null, "unknown": 1})).unwrap();
    assert_eq!(device["port"], 623);
    assert_eq!(device["user"], "admin");
    assert_eq!(device["offset"], -1);
    assert_eq!(device["factor"], 0.5);
    assert_eq!(device["tls"], true);
    assert_eq!(device["pin"], Value::Null);
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let fault = read(json!({"address": null})).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::MissingParameter);
    assert_eq!(
        fault.message(),
        "Missing the following driver_info properties: name, address"
    );
}

#[test]
fn what_a_command_line_wrote_in_another_json_type_is_understood() {
    assert_eq!(with("port", json!("8000")).unwrap(), json!(8000));
    assert_eq!(with("tls", json!("False")).unwrap(), json!(false));
    assert_eq!(with("factor", json!("1.5")).unwrap(), json!(1.5));
    assert_eq!(with("password", json!(1234)).unwrap(), json!("1234"));
    assert_eq!(with("user", json!(true)).unwrap(), json!("true"));
}

#[test]
fn a_value_of_another_type_is_refused_with_what_was_expected_and_found() {
    refused(
        "port",
        json!("x"),
        "must be an integer from 0 to 65535, found the string \"x\"",
    );
    refused(
        "port",
        json!(70000),
        "must be an integer from 0 to 65535, found 70000",
    );
    refused(
        "port",
        json!([1]),
        "must be an integer from 0 to 65535, found an array",
    );
    refused("tls", json!(1), "must be true or false, found 1");
    refused("user", json!({"a": 1}), "must be a string, found an object");
    refused("factor", json!(false), "must be a number, found false");
    refused("labels", json!("x"), "must be an object, found the string \"x\"");
}

#[test]
fn a_value_outside_its_choices_or_its_range_is_refused_with_all_that_would_do() {
    refused(
        "protocol",
        json!("3.0"),
        "must be one of \"1.5\", \"2.0\", found the string \"3.0\"",
    );
    refused(
        "protocol",
        json!([]),
        "must be one of \"1.5\", \"2.0\", found an array",
    );
    refused("channel", json!(16), "must be an integer from 1 to 15, found 16");
    refused(
        "channel",
        json!("0"),
        "must be an integer from 1 to 15, found the string \"0\"",
    );
    refused(
        "distance",
        json!(0.25),
        "must be a number of at least 0.5, found 0.25",
    );
    refused(
        "speed",
        json!("slow"),
        "must be one of \"fast\", \"safe\", found the string \"slow\"",
    );
    // what the command line makes of `protocol=1.5`
    assert_eq!(with("protocol", json!(1.5)).unwrap(), json!("1.5"));
    assert_eq!(with("protocol", json!(null)).unwrap(), json!("2.0"));
    assert_eq!(with("channel", json!("15")).unwrap(), json!(15));
    assert_eq!(with("speed", json!(null)).unwrap(), json!("safe"));
    assert_eq!(with("speed", json!("fast")).unwrap(), json!("fast"));
}

#[test]
fn a_value_of_the_right_json_type_is_refused_with_the_reason_of_its_own_type() {
    let text = |key, value| with(key, value).unwrap_err().message().to_owned();
    assert_eq!(
        text("address", json!("here")),
        "driver_info property 'address' must be a string, found the string \"here\": invalid IP address syntax"
    );
    assert!(text("mode", json!("slow")).ends_with(": unknown variant `slow`, expected `fast` or `safe`"));
    assert!(text("sensors", json!([1, 300])).contains("found an array: invalid value: integer `300`"));
    assert_eq!(with("mode", json!("fast")).unwrap(), json!("fast"));
}

#[test]
fn the_value_of_a_secret_is_in_no_message() {
    refused(
        "pin",
        json!("hunter2"),
        "must be an integer from 0 to 4294967295, found a string",
    );
    refused(
        "pin",
        json!(-12345),
        "must be an integer from 0 to 4294967295, found a number",
    );
    refused("password", json!(["hunter2"]), "must be a string, found an array");
}

#[test]
fn a_found_string_is_shortened() {
    let fault = with("port", json!("x".repeat(100_000))).unwrap_err();
    assert!(fault.message().len() < 500, "{}", fault.message().len());
}

#[test]
fn the_manifest_has_the_properties_in_the_order_of_the_author() {
    let manifest = <Reader as driver_sdk::Driver>::MANIFEST;
    let start = manifest.find("\"properties\":").unwrap();
    let expected = concat!(
        r#""properties":{"name":{"description":"Name of the device, in two lines.","type":"string","required":true,"#,
        r#""secret":false,"default":null},"address":{"description":"Its address.","type":"string","required":true,"#,
        r#""secret":false,"default":null},"port":{"description":"Its port.","type":"integer","required":false,"#,
        r#""secret":false,"default":623,"minimum":0,"maximum":65535},"#,
    );
    assert!(manifest[start..].starts_with(expected), "{}", &manifest[start..]);
    let manifest: Value = serde_json::from_str(manifest).unwrap();
    let of = |name: &str| {
        let property = &manifest["properties"][name];
        (
            property["type"].clone(),
            property["secret"].clone(),
            property["default"].clone(),
        )
    };
    assert_eq!(of("pin"), (json!("integer"), json!(true), json!(null)));
    assert_eq!(of("user"), (json!("string"), json!(false), json!("admin")));
    assert_eq!(of("offset"), (json!("integer"), json!(false), json!(-1)));
    assert_eq!(of("factor"), (json!("number"), json!(false), json!(0.5)));
    assert_eq!(of("sensors"), (json!("array"), json!(false), json!(null)));
    assert_eq!(of("labels"), (json!("object"), json!(false), json!(null)));
    assert_eq!(of("anything"), (json!("any"), json!(false), json!(null)));
    assert_eq!(of("mode"), (json!("string"), json!(false), json!(null)));
    assert_eq!(of("speed"), (json!("string"), json!(false), json!("safe")));
    let properties = &manifest["properties"];
    assert_eq!(properties["protocol"]["choices"], json!(["1.5", "2.0"]));
    assert_eq!(properties["speed"]["choices"], json!(["fast", "safe"]));
    assert_eq!(
        (
            &properties["channel"]["minimum"],
            &properties["channel"]["maximum"]
        ),
        (&json!(1), &json!(15))
    );
    assert_eq!(
        (
            &properties["distance"]["minimum"],
            properties["distance"].get("maximum")
        ),
        (&json!(0.5), None)
    );
}
