//! Changes that somebody else overtakes, and work that goes on after the answer. The emulator has neither: ETags and tasks are the
//! project's own.

use serde_json::json;
use suite::{ImageServer, Sushy};

use super::{builder, call, create, ended, fails, host_of, succeeds};

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
    let host = builder().set("drivers.redfish.call_timeout_ms", 4000).start();
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
