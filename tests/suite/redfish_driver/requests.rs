//! Any request, under the service root and nowhere else.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use suite::Sushy;

use super::{builder, call, create, host_of, info, read};

#[test]
fn requests_of_every_verb_reach_the_device_and_answer_what_it_says() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let path = sushy.system_path();
    let answer = read(&host, path).expect(200).json();
    assert_eq!(
        (&answer["status"], &answer["headers"]["etag"]),
        (&json!(200), &json!("\"0\""))
    );
    assert_eq!(answer["body"]["@odata.id"], path);

    let blink = json!({"path": path, "body": {"IndicatorLED": "Blinking"}});
    let answer = call(&host, "PATCH", "request", blink).expect(200).json();
    assert_eq!((&answer["status"], &answer["body"]), (&json!(204), &Value::Null));
    assert_eq!(sushy.system()["IndicatorLED"], "Blinking");

    let subscribe = json!({"path": "/redfish/v1/EventService/Subscriptions", "body": {"Destination": "https://192.0.2.9/"}});
    let answer = call(&host, "POST", "request", subscribe).expect(200).json();
    assert_eq!(
        answer["headers"]["location"],
        "/redfish/v1/EventService/Subscriptions/1"
    );
    let answer = call(
        &host,
        "DELETE",
        "request",
        json!({"path": answer["headers"]["location"]}),
    )
    .expect(200)
    .json();
    assert_eq!(answer["status"], 204);
    assert_eq!(sushy.count("DELETE", "/Subscriptions/1"), 1);

    // For clients that send arguments with POST only, such as the openstack command.
    let named = json!({"path": format!("{path}?$select=Id"), "method": "GET"});
    assert_eq!(
        call(&host, "POST", "request", named).expect(200).json()["body"]["@odata.id"],
        path
    );
}

#[test]
fn an_etag_of_the_callers_own_protects_a_change() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let change = |etag: &str, state: &str| {
        let body = json!({"path": sushy.system_path(), "body": {"IndicatorLED": state}, "etag": etag});
        call(&host, "PATCH", "request", body)
    };
    change("\"0\"", "Off").expect(200);
    assert_eq!(sushy.system()["IndicatorLED"], "Off");
    change("\"0\"", "Lit").refused(400, "412 Precondition Failed: the resource has changed");
    assert_eq!(sushy.system()["IndicatorLED"], "Off");
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let sushy = Sushy::start();
    let host = host_of(&sushy);
    let refused = |verb: &str, arguments: Value, text: &str| {
        call(&host, verb, "request", arguments).refused(400, text);
    };
    let path = sushy.system_path();
    refused(
        "GET",
        json!({}),
        "Parameter 'path' not passed to method 'request'.",
    );
    refused(
        "GET",
        json!({"path": path, "body": {}}),
        "argument 'body' of method 'request': a GET takes none",
    );
    refused(
        "PATCH",
        json!({ "path": path }),
        "argument 'body' of method 'request': a PATCH needs one",
    );
    refused(
        "GET",
        json!({"path": path, "method": "DELETE"}),
        "argument 'method' of method 'request': it differs",
    );
    refused(
        "POST",
        json!({"path": path, "method": "PUT"}),
        "unknown variant `PUT`",
    );
    refused(
        "DELETE",
        json!({"path": path, "etag": "a\nb"}),
        "argument 'etag' of method 'request'",
    );
}

#[test]
fn no_path_leads_outside_the_service_root() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    for path in [
        "/",
        "/control",
        "/redfish/v2/Systems",
        "/redfish/v1/../../control",
        "/redfish/v1/%2e%2e/%2e%2e/control",
        "/redfish/v1/%252e%252e/control",
        "/redfish/v1/..%2f..%2fcontrol",
        "/redfish/v1/..;/..;/control",
        "/redfish/v1\\..\\..\\control",
        "//127.0.0.1/redfish/v1/Systems",
        "https://127.0.0.1/redfish/v1/Systems",
        "redfish/v1/Systems",
        "/redfish/v1/Systems HTTP/1.1\r\nX-Injected: yes\r\n\r\n",
    ] {
        for (verb, body) in [
            ("GET", Value::Null),
            ("POST", json!({})),
            ("PATCH", json!({})),
            ("DELETE", Value::Null),
        ] {
            let arguments = match body {
                Value::Null => json!({ "path": path }),
                body => json!({"path": path, "body": body}),
            };
            call(&host, verb, "request", arguments).refused(400, "argument 'path' of method 'request'");
        }
    }
    assert_eq!(sushy.journal(), [""; 0], "the device has heard of none of them");
}

/// A place that must never be asked.
fn forbidden() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn was_never_asked(listener: &TcpListener) {
    if let Ok((mut stream, _)) = listener.accept() {
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut heard = [0; 4096];
        let count = stream.read(&mut heard).unwrap_or(0);
        panic!("it was asked: {:?}", String::from_utf8_lossy(&heard[..count]));
    }
}

#[test]
fn what_a_device_names_elsewhere_is_not_followed() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let (elsewhere, url) = forbidden();
    for link in [
        &format!("{url}/redfish/v1/Systems/1"),
        "/admin/Systems/1",
        "/redfish/v1/../Systems/1",
    ] {
        let member = sushy.system_path();
        sushy.rule(json!({"path": "/Systems$", "do": "replace", "old": member, "new": link}));
        call(&host, "POST", "set_indicator_led", json!({"state": "on"}))
            .refused(502, "it names a place that is not followed");
    }
    for status in [301, 302, 307, 308] {
        let place = format!("{url}/redfish/v1/Systems");
        sushy.rule(
            json!({"path": "Chassis$", "do": "status", "status": status, "headers": {"Location": place}}),
        );
        read(&host, "/redfish/v1/Chassis").refused(502, "other hosts are never asked");
    }
    was_never_asked(&elsewhere);
}

#[test]
fn redirects_on_the_device_itself_are_followed_as_far_as_that_is_safe() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let place = format!("{}{}", sushy.url(), sushy.system_path());
    for status in [301, 302, 307, 308] {
        let rule = json!({"path": "Systems/alias", "do": "status", "status": status, "headers": {"Location": place}});
        sushy.rule(rule);
        let answer = read(&host, "/redfish/v1/Systems/alias").expect(200).json();
        assert_eq!(answer["body"]["@odata.id"], sushy.system_path());
    }
    let reset = format!("{}/Actions/ComputerSystem.Reset", sushy.system_path());
    let post = || {
        call(
            &host,
            "POST",
            "request",
            json!({"path": reset, "body": {"ResetType": "Nmi"}}),
        )
    };
    let rule = json!({"method": "POST", "path": "Reset$", "do": "status", "status": 307, "headers": {"Location": reset}});
    sushy.rule(rule);
    post().expect(200);
    assert_eq!(sushy.seen()["nmis"], 1);
    let rule = json!({"method": "POST", "path": "Reset$", "do": "status", "status": 302, "headers": {"Location": reset}});
    sushy.rule(rule);
    post().refused(502, "failed with 302 Found");
    assert_eq!(sushy.seen()["nmis"], 1);
    sushy.rule(json!({"path": "Round", "times": 100, "do": "status", "status": 302, "headers": {"Location": "/redfish/v1/Round"}}));
    read(&host, "/redfish/v1/Round").refused(502, "failed with 302 Found");
}

#[test]
fn a_path_in_the_address_is_the_service_root() {
    let sushy = Sushy::start();
    let host = builder().start();
    let address = format!("{}/redfish/v1/Systems", sushy.url());
    create(
        &host,
        "n1",
        info(
            &sushy,
            json!({"redfish_address": address, "redfish_auth_type": "basic"}),
        ),
    );
    read(&host, sushy.system_path()).expect(200);
    read(&host, "/redfish/v1/Chassis").refused(
        400,
        "'/redfish/v1/Chassis' is not under the service root '/redfish/v1/Systems/'",
    );
}
