//! Methods of a driver itself.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{Gate, HostProcess, SLOW, raw_exchange};

const PATH: &str = "/v1/drivers/fake/vendor_passthru";

#[test]
fn both_forms_with_and_without_a_slash_are_the_same_call() {
    let host = HostProcess::with_fake();
    for target in ["/echo", "/echo/", "?method=echo", "/?method=echo"] {
        let reply = host.post(&format!("{PATH}{target}"), json!({"a": 1})).expect(200);
        assert_eq!(
            reply.json(),
            json!({"http_method": "POST", "args": {"a": 1}}),
            "{target}"
        );
        assert_eq!(reply.must_have("Content-Type"), "application/json", "{target}");
    }
}

#[test]
fn every_verb_that_the_method_has_is_passed_with_its_body() {
    let host = HostProcess::with_fake();
    for verb in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let reply = host
            .request(verb, &format!("{PATH}/echo"))
            .json(&json!({"v": verb}))
            .send()
            .expect(200);
        assert_eq!(reply.json(), json!({"http_method": verb, "args": {"v": verb}}));
    }
}

#[test]
fn an_empty_body_and_null_are_an_empty_object_and_other_values_are_passed_as_they_are() {
    let host = HostProcess::with_fake();
    let echo = |body: &str| {
        let reply = host
            .request("POST", &format!("{PATH}/echo"))
            .body(body.to_owned())
            .send();
        reply.expect(200).json()["args"].clone()
    };
    for body in ["", "null", "{}", " \n\t"] {
        assert_eq!(echo(body), json!({}), "{body:?}");
    }
    for value in [
        json!([1, 2]),
        json!("x"),
        json!(5),
        json!(true),
        json!({"": 1}),
        json!({"method": 1, "task": 2}),
    ] {
        assert_eq!(echo(&value.to_string()), value);
    }
    let numbers = "{\"big\":123456789012345678901234567890,\"small\":1e-7,\"esc\":\"\\u00e9\"}";
    let reply = host
        .request("POST", &format!("{PATH}/echo"))
        .body(numbers)
        .send()
        .expect(200);
    assert!(
        reply.text().contains("é") || reply.text().contains("\\u00e9"),
        "{}",
        reply.text()
    );
}

#[test]
fn the_content_type_of_a_request_does_not_matter() {
    let host = HostProcess::with_fake();
    for kind in [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "nonsense",
    ] {
        let request = host
            .request("POST", &format!("{PATH}/echo"))
            .header("Content-Type", kind)
            .body("{\"a\":1}");
        assert_eq!(
            request.send().expect(200).json()["args"],
            json!({"a": 1}),
            "{kind}"
        );
        let request = host
            .request("POST", &format!("{PATH}/echo"))
            .header("Content-Type", kind)
            .body("{bad");
        request.send().refused(400, "line 1 column 2");
    }
}

#[test]
fn mistakes_in_a_call_are_named() {
    let host = HostProcess::with_fake();
    for (verb, target, text) in [
        ("GET", "", "Missing mandatory parameter: method"),
        ("POST", "", "Missing mandatory parameter: method"),
        ("POST", "/", "Missing mandatory parameter: method"),
        ("POST", "?method=", "Method not specified"),
        ("POST", "/nope", "No handler for method nope"),
        ("POST", "/ECHO", "No handler for method ECHO"),
        ("POST", "/methods", "No handler for method methods"),
        ("POST", "?method=methods", "No handler for method methods"),
        ("GET", "/sleep", "The method sleep does not support HTTP GET"),
        (
            "DELETE",
            "?method=sleep",
            "The method sleep does not support HTTP DELETE",
        ),
        ("POST", "/echo?b=2", "Unexpected arguments: b"),
        ("GET", "/echo?a=1&b=2", "Unexpected arguments: a, b"),
        ("POST", "?method=echo&zz=1", "Unexpected arguments: zz"),
        ("POST", "/first_method", "No handler for method first_method"),
    ] {
        let reply = host
            .request(verb, &format!("{PATH}{target}"))
            .json(&json!({}))
            .send();
        reply.refused(400, text);
    }
    host.post("/v1/drivers/nope/vendor_passthru/echo", json!({}))
        .refused(404, "The driver 'nope' is unknown.");
    host.post(&format!("{PATH}/echo/more"), json!({}))
        .refused(404, "");
}

#[test]
fn bad_json_is_400_and_says_where_it_breaks() {
    let host = HostProcess::with_fake();
    for (body, place) in [
        (&b"{bad"[..], "line 1 column 2"),
        (b"{\n\"a\": }", "line 2 column"),
        (b"[1,]", "line 1 column 4"),
        (b"{} {}", "line 1 column 4"),
        (b"\"\xff\"", "not UTF-8: byte 1"),
        (b"nul", "line 1 column"),
        (b"{\"a\":1", "line 1 column"),
        (b"'a'", "line 1 column 1"),
    ] {
        let reply = host.request("POST", &format!("{PATH}/echo")).body(body).send();
        reply.refused(400, place);
    }
}

#[test]
fn a_body_may_be_nested_25_deep_and_no_deeper_whatever_its_type() {
    let host = HostProcess::with_fake();
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    for kind in ["application/json", "text/plain"] {
        let call = |body: String| {
            host.request("POST", &format!("{PATH}/echo"))
                .header("Content-Type", kind)
                .body(body)
                .send()
        };
        call(nested(25)).expect(200);
        call(nested(26)).refused(400, "nested too deeply");
        call(nested(100_000)).refused(400, "nested too deeply");
        call("{\"a\":".repeat(100_000)).refused(400, "");
    }
}

#[test]
fn a_body_may_have_a_mebibyte_and_no_more_with_and_without_a_length() {
    let host = HostProcess::with_fake();
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let call = |bytes: usize| {
        host.request("POST", &format!("{PATH}/echo"))
            .body(text(bytes))
            .send()
    };
    call(1 << 20).expect(200);
    call((1 << 20) + 1).refused(413, "");
    let chunk = "x".repeat(64 * 1024);
    let mut chunked = format!(
        "POST {PATH}/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-OpenStack-Ironic-API-Version: 1.77\r\n\
         Transfer-Encoding: chunked\r\n\r\n1\r\n\"\r\n"
    );
    for _ in 0..17 {
        chunked += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
    }
    chunked += "1\r\n\"\r\n0\r\n\r\n";
    let reply = raw_exchange(&host.address, chunked.as_bytes(), Duration::from_secs(60));
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply:.200}");
    assert!(reply.contains("error_message"), "{reply:.900}");
}

#[test]
fn chunked_bodies_are_read() {
    let host = HostProcess::with_fake();
    let request = format!(
        "POST {PATH}/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\n{{\"a\r\n4\r\n\":1}}\r\n0\r\n\r\n"
    );
    let reply = raw_exchange(&host.address, request.as_bytes(), Duration::from_secs(60));
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    assert!(
        reply.ends_with("{\"http_method\":\"POST\",\"args\":{\"a\":1}}"),
        "{reply}"
    );
}

#[test]
fn the_method_list_is_the_drivers_own() {
    let host = HostProcess::with_fake();
    for version in ["1.1", "1.77"] {
        let request = host.request("GET", &format!("{PATH}/methods")).version(version);
        let methods = request.send().expect(200).json();
        let echo = methods["echo"].as_object().expect("echo");
        let keys: Vec<&str> = echo.keys().map(String::as_str).collect();
        assert_eq!(keys, ["http_methods", "async", "description", "attach"]);
        assert_eq!(
            echo["http_methods"],
            json!(["GET", "POST", "PUT", "PATCH", "DELETE"])
        );
        assert_eq!((&echo["async"], &echo["attach"]), (&json!(false), &json!(false)));
        assert_ne!(echo["description"], json!(""));
        assert_eq!(methods["sleep"]["http_methods"], json!(["POST"]));
        assert_eq!(
            methods["first_method"],
            Value::Null,
            "methods of nodes are listed with nodes"
        );
    }
}

#[test]
fn a_wrong_argument_is_400_before_anything_runs() {
    let host = HostProcess::with_fake();
    host.post(&format!("{PATH}/sleep"), json!({"seconds": "x"}))
        .refused(400, "seconds");
    host.post(&format!("{PATH}/sleep"), json!({}))
        .refused(400, "seconds");
    host.post(&format!("{PATH}/sleep"), json!({"seconds": 0}))
        .expect(200);
}

#[test]
fn calls_of_a_driver_take_no_node_lock_and_need_no_node() {
    let host = HostProcess::builder().driver(SLOW).start();
    let node = host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let target = format!("/v1/nodes/{node}/vendor_passthru/hold_async");
    host.post(&target, gate.arguments()).expect(202);
    host.post("/v1/drivers/slow/vendor_passthru/echo", json!({}))
        .expect(200);
    assert_eq!(host.node_field("n1", "reservation"), "suite-host", "still held");
}
