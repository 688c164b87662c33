//! Changes that somebody else overtakes, and work that goes on after the answer. The emulator has neither: ETags and tasks are the
//! project's own.

use serde_json::{Value, json};
use suite::{ImageServer, Sushy, eventually};

use super::{SOON, builder, call, create, ended, fails, host_of, succeeds};

#[test]
fn the_lamp_is_set() {
    let sushy = Sushy::start();
    let host = host_of(&sushy);
    for (state, expected) in [("on", "Lit"), ("blinking", "Blinking"), ("off", "Off")] {
        call(&host, "POST", "set_indicator_led", json!({ "state": state })).expect(200);
        assert_eq!(sushy.system()["IndicatorLED"], expected);
    }
    let chassis = sushy.system()["Links"]["Chassis"][0]["@odata.id"]
        .as_str()
        .unwrap()
        .to_owned();
    call(
        &host,
        "POST",
        "set_indicator_led",
        json!({"state": "blinking", "component": "chassis"}),
    )
    .expect(200);
    assert_eq!(sushy.get(&chassis)["IndicatorLED"], "Blinking");
    assert_eq!(sushy.system()["IndicatorLED"], "Off");
    call(&host, "POST", "set_indicator_led", json!({"state": "green"}))
        .refused(400, "unknown variant `green`");
    call(&host, "POST", "set_indicator_led", json!({})).refused(400, "Parameter 'state' not passed");
}

#[test]
fn a_change_that_somebody_overtakes_is_made_on_what_is_there_then() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    sushy.rule(json!({"method": "PATCH", "path": "/Systems/", "times": 2, "do": "overtake"}));
    call(&host, "POST", "set_indicator_led", json!({"state": "blinking"})).expect(200);
    assert_eq!(sushy.system()["IndicatorLED"], "Blinking");
    assert_eq!(sushy.count("PATCH", "/Systems/"), 3);
    sushy.rule(json!({"method": "PATCH", "path": "/Systems/", "times": 100, "do": "overtake"}));
    call(&host, "POST", "set_indicator_led", json!({"state": "off"})).refused(400, "412 Precondition Failed");
    assert_eq!(sushy.system()["IndicatorLED"], "Blinking");
}

#[test]
fn a_task_is_followed_to_its_end() {
    let (sushy, images) = (Sushy::with_extras(), ImageServer::start());
    let host = host_of(&sushy);
    let insert = json!({"image_url": images.url("boot.iso")});
    for kind in ["monitor", "task"] {
        sushy.rule(json!({"method": "POST", "path": "InsertMedia", "do": "task", "polls": 3, "kind": kind}));
        let result = succeeds(&host, "insert_vmedia", insert.clone());
        assert_eq!(
            sushy.get(result["inserted"].as_str().unwrap())["Inserted"],
            true,
            "{kind}"
        );
        succeeds(&host, "eject_vmedia", json!({}));
    }
    assert_eq!(images.served(), 2);
    for (kind, text) in [
        ("monitor", "400 Bad Request: the disc is scratched"),
        ("task", "it ended as Exception: the disc is scratched"),
    ] {
        let rule = json!({"method": "POST", "path": "InsertMedia", "do": "task", "kind": kind, "failure": "the disc is scratched"});
        sushy.rule(rule);
        let fault = if kind == "task" {
            "unavailable"
        } else {
            "invalid-parameter"
        };
        fails(&host, "insert_vmedia", insert.clone(), fault, text);
    }
    sushy.rule(json!({"method": "POST", "path": "InsertMedia", "do": "task"}));
    sushy.rule(json!({"method": "GET", "path": "TaskMonitors", "do": "status", "status": 404}));
    fails(
        &host,
        "insert_vmedia",
        insert,
        "unavailable",
        "is gone; whether it succeeded is not known",
    );
}

#[test]
fn a_task_that_outlasts_the_call_is_named() {
    let sushy = Sushy::with_extras();
    let host = builder().set("drivers.redfish.call_timeout_ms", 15_000).start();
    create(&host, "n1", sushy.driver_info());
    sushy.rule(json!({"method": "POST", "path": "InsertMedia", "do": "task", "polls": 1_000_000}));
    let insert = json!({"image_url": "http://127.0.0.1:1/boot.iso"});
    let accepted = call(&host, "POST", "insert_vmedia", insert).expect(202);
    let record = ended(&host, &accepted).to_string();
    assert!(
        record.contains("goes on as task /redfish/v1/TaskService/TaskMonitors/1"),
        "{record}"
    );
}

/// The body of the last request of this verb.
fn last_body(sushy: &Sushy, method: &str) -> Value {
    let seen = sushy.seen();
    let mut entries = seen["journal"].as_array().expect("a journal").iter().rev();
    let entry = entries.find(|entry| entry["method"] == method);
    entry.expect("a request")["body"].clone()
}

/// The emulator knows one way of each; that of other devices is seen in what they are sent.
#[test]
fn devices_that_have_another_way_are_spoken_to_in_theirs() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let shows = |path: &str, old: &str, new: &str| {
        sushy.rule(json!({"method": "GET", "path": path, "do": "replace", "old": old, "new": new}));
    };
    let system = "/Systems/[^/]*$";
    shows(system, "IndicatorLED", "LocationIndicatorActive");
    sushy.rule(json!({"method": "PATCH", "path": system, "do": "status", "status": 204}));
    let lamp = || call(&host, "POST", "set_indicator_led", json!({"state": "blinking"}));
    lamp().expect(200);
    assert_eq!(
        last_body(&sushy, "PATCH"),
        json!({"LocationIndicatorActive": true})
    );
    shows(system, "IndicatorLED", "Nothing");
    lamp().refused(500, "has no lamp");

    shows("/VirtualMedia/Cd$", "#VirtualMedia.InsertMedia", "#Nothing");
    sushy.rule(json!({"method": "PATCH", "path": "/VirtualMedia/Cd$", "do": "status", "status": 204}));
    let insert = json!({"image_url": "http://192.0.2.1/boot.iso"});
    fails(
        &host,
        "insert_vmedia",
        insert,
        "unavailable",
        "it took the image, but ",
    );
    let body = json!({"Image": "http://192.0.2.1/boot.iso", "Inserted": true});
    assert_eq!(last_body(&sushy, "PATCH"), body);

    let info = r#""@Redfish.ActionInfo": "/redfish/v1/ResetInfo", "Nothing":"#;
    let allowed = r#""ResetType@Redfish.AllowableValues":"#;
    // The host reads the power as well.
    sushy.rule(json!({"path": system, "times": 1000, "do": "replace", "old": allowed, "new": info}));
    let parameters = json!([{"Name": "ResetType", "AllowableValues": ["ForceOff", "ForceOn"]}]);
    let info = json!({"Parameters": parameters});
    sushy.rule(json!({"path": "ResetInfo$", "do": "status", "status": 200, "json": info}));
    let on = json!({"target": "power on"});
    host.request("PUT", "/v1/nodes/n1/states/power")
        .json(&on)
        .send()
        .expect(202);
    eventually("the server is on", SOON, || {
        (sushy.system()["PowerState"] == "On").then_some(())
    });
    assert_eq!(last_body(&sushy, "POST"), json!({"ResetType": "ForceOn"}));
}
