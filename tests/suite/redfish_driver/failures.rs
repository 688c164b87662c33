//! Devices that are gone, silent, failing or not what they say.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};
use suite::{HostProcess, ImageServer, Sushy, eventually};

use super::{SOON, builder, call, create, ended, host_of, info, read, request};

fn nmi(sushy: &Sushy) -> Value {
    let reset = format!("{}/Actions/ComputerSystem.Reset", sushy.system_path());
    json!({"path": reset, "body": {"ResetType": "Nmi"}})
}

fn is_free(host: &HostProcess) {
    eventually("the node is free", SOON, || {
        (host.node_field("n1", "reservation") == Value::Null).then_some(())
    });
}

#[test]
fn a_device_that_is_not_there_is_asked_as_often_as_configured() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let host = builder()
        .set("drivers.redfish.config.connection_attempts", 3)
        .start();
    create(&host, "n1", json!({"redfish_address": address}));
    let text = read(&host, "/redfish/v1/").refused(502, "cannot connect: Connection refused");
    assert!(
        text.ends_with("(3 attempts)") && text.starts_with(&format!("https://{address}: ")),
        "{text}"
    );
}

#[test]
fn a_device_that_is_gone_in_mid_call_fails_the_call_and_a_change_is_not_repeated() {
    let mut sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    read(&host, sushy.system_path()).expect(200);
    sushy.rule(json!({"method": "POST", "path": "Reset$", "do": "hang"}));
    let pending = request(&host, "POST", "request", &nmi(&sushy)).start();
    eventually("the device has the request", SOON, || {
        (sushy.count("POST", "Reset") == 1).then_some(())
    });
    sushy.kill();
    let text = pending
        .wait()
        .refused(502, "it closed the connection before it had answered");
    assert!(
        text.contains("took effect is not known") && !text.contains("attempts"),
        "{text}"
    );
    read(&host, sushy.system_path()).refused(502, "cannot connect: Connection refused");
}

#[test]
fn what_is_safe_to_repeat_is_repeated_and_nothing_else() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    read(&host, sushy.system_path()).expect(200);
    let before = sushy.count("GET", "/Chassis");
    for fault in [
        json!({"do": "close"}),
        json!({"do": "status", "status": 500}),
        json!({"do": "status", "status": 503}),
    ] {
        let mut rule = json!({"path": "/Chassis$", "times": 2});
        rule.as_object_mut()
            .unwrap()
            .extend(fault.as_object().unwrap().clone());
        sushy.rule(rule);
        read(&host, "/redfish/v1/Chassis").expect(200);
    }
    assert_eq!(sushy.count("GET", "/Chassis") - before, 9);
    for (fault, text) in [
        (
            json!({"do": "close"}),
            "it closed the connection before it had answered",
        ),
        (
            json!({"do": "status", "status": 500}),
            "failed with 500 Internal Server Error",
        ),
        (
            json!({"do": "status", "status": 503}),
            "failed with 503 Service Unavailable",
        ),
    ] {
        let before = sushy.count("POST", "Reset");
        let mut rule = json!({"method": "POST", "path": "Reset$"});
        rule.as_object_mut()
            .unwrap()
            .extend(fault.as_object().unwrap().clone());
        sushy.rule(rule);
        call(&host, "POST", "request", nmi(&sushy)).refused(502, text);
        assert_eq!(sushy.count("POST", "Reset") - before, 1, "{fault}");
    }
    assert_eq!(sushy.seen()["nmis"], 0);
}

#[test]
fn a_device_that_fails_for_good_is_quoted_with_its_own_words() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let error = json!({"error": {"code": "x", "message": "general", "@Message.ExtendedInfo": [
        {"MessageId": "Base.1.8.InternalError", "Message": "The fan is on fire.", "Resolution": "Call somebody."}]}});
    sushy.rule(json!({"path": "/Chassis$", "times": 100, "do": "status", "status": 500, "json": error}));
    let text = read(&host, "/redfish/v1/Chassis").refused(502, "GET /redfish/v1/Chassis failed with 500");
    assert!(text.ends_with("The fan is on fire. Call somebody."), "{text}");
    // The emulator's own errors.
    read(&host, "/redfish/v1/Systems/nothing").refused(404, "Fake system nothing was not found");
    read(&host, "/redfish/v1/Nothing").refused(404, "failed with 404 Not Found");
    let reset = json!({"path": nmi(&sushy)["path"], "body": {"ResetType": "Tickle"}});
    call(&host, "POST", "request", reset)
        .refused(500, "501 Not Implemented: Power state Tickle is not supported");
    call(&host, "DELETE", "request", json!({"path": sushy.system_path()}))
        .refused(500, "405 Method Not Allowed");
}

#[test]
fn a_device_that_accepts_and_never_answers_costs_its_time_out_and_frees_the_node() {
    let sushy = Sushy::with_extras();
    let host = builder()
        .set("drivers.redfish.config.read_timeout_ms", 5000)
        .start();
    create(&host, "n1", sushy.driver_info());
    sushy.rule(json!({"path": "/Chassis$", "do": "hang"}));
    read(&host, "/redfish/v1/Chassis").refused(504, "it sent nothing for 5s");
    sushy.rule(json!({"method": "POST", "path": "Reset$", "do": "hang"}));
    let text = call(&host, "POST", "request", nmi(&sushy)).refused(504, "it sent nothing for 5s");
    assert!(text.contains("took effect is not known"), "{text}");
    is_free(&host);
    read(&host, "/redfish/v1/Chassis").expect(200);

    // One that does not even begin with TLS.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = builder()
        .set("drivers.redfish.config.connect_timeout_ms", 300)
        .start();
    create(
        &host,
        "n1",
        json!({"redfish_address": silent.local_addr().unwrap().to_string()}),
    );
    read(&host, "/redfish/v1/").refused(502, "no connection within 300ms (5 attempts)");
}

#[test]
fn a_call_ends_with_its_own_time_and_says_what_it_waited_for() {
    let sushy = Sushy::with_extras();
    let host = builder().set("drivers.redfish.call_timeout_ms", 3000).start();
    create(&host, "n1", sushy.driver_info());
    sushy.rule(json!({"path": "/Chassis$", "do": "hang"}));
    read(&host, "/redfish/v1/Chassis").refused(
        504,
        "the call's time was over before GET /redfish/v1/Chassis was done",
    );
    is_free(&host);
}

#[test]
fn a_call_that_nobody_waits_for_stops() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    sushy.rule(json!({"path": "/VirtualMedia", "times": 100, "do": "hang"}));
    let accepted = call(&host, "POST", "eject_vmedia", json!({})).expect(202);
    eventually("the device has the request", SOON, || {
        (sushy.count("GET", "/VirtualMedia") > 0).then_some(())
    });
    host.request("DELETE", accepted.must_have("Location")).send();
    let record = ended(&host, &accepted).to_string();
    assert!(
        record.contains("stopped: nobody waits for the answer any more"),
        "{record}"
    );
}

#[test]
fn garbage_is_told_as_such() {
    let sushy = Sushy::with_extras();
    let host = builder().argument("--log-level=debug").start();
    create(&host, "n1", sushy.driver_info());
    let raw = |text: &str| {
        sushy.rule(json!({"path": "/Chassis$", "times": 1, "do": "raw", "raw": text}));
        read(&host, "/redfish/v1/Chassis")
    };
    raw("220 welcome to the mail server\r\n").refused(502, "it does not speak HTTP");
    raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>").refused(
        502,
        "the answer to GET /redfish/v1/Chassis makes no sense: expected JSON, found text/html that begins with '<html>'",
    );
    raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{").refused(502, "its answer is larger than");
    let deep = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}",
        "[".repeat(100_000)
    );
    raw(&deep).refused(502, "makes no sense");
    sushy.rule(json!({"path": "/Systems$", "do": "status", "status": 200, "json": [1]}));
    call(&host, "POST", "set_indicator_led", json!({"state": "on"}))
        .refused(502, "a resource is a JSON object");
    sushy.rule(json!({"path": "/Systems$", "do": "status", "status": 200, "json": {"Members": 7}}));
    call(&host, "POST", "set_indicator_led", json!({"state": "on"}))
        .refused(404, "the service has no system");
    let round = json!({"Members": [], "Members@odata.nextLink": "/redfish/v1/Systems"});
    sushy.rule(json!({"path": "/Systems$", "times": 1000, "do": "status", "status": 200, "json": round}));
    call(&host, "POST", "set_indicator_led", json!({"state": "on"}))
        .refused(502, "a collection that never ends");
}

#[test]
fn another_protocol_on_the_port_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut heard = [0; 1024];
            let _left = stream
                .read(&mut heard)
                .and_then(|_| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    };
    std::thread::Builder::new().spawn(serve).unwrap();
    let host = builder().start();
    create(&host, "n1", json!({ "redfish_address": address }));
    read(&host, "/redfish/v1/").refused(502, "TLS failed: ");
    let sushy = Sushy::start();
    let plain = sushy.url().replace("https", "http");
    let host = builder().start();
    create(&host, "n1", info(&sushy, json!({ "redfish_address": plain })));
    let reply = read(&host, "/redfish/v1/");
    assert_eq!(reply.status, 502, "{}", reply.text());

    // A device without TLS that serves anything but Redfish.
    let images = ImageServer::start();
    create(&host, "n2", json!({"redfish_address": images.url("")}));
    let target = "/v1/nodes/n2/vendor_passthru?method=request";
    let root = json!({"path": "/redfish/v1/"});
    let reply = host.request("GET", target).json(&root).send();
    reply.refused(
        502,
        "makes no sense: expected JSON, found no media type that begins with 'image'",
    );
}
