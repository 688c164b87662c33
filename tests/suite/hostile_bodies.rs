//! Bodies that are too large, too deep, broken, or that do not come; and those that only look so.

use serde_json::{Value, json};
use suite::{Connection, HostProcess, KEEPS_BODIES, Reply};

const NOTE: &str = "/v1/drivers/keeps-bodies/vendor_passthru/note";

fn host() -> HostProcess {
    HostProcess::builder()
        .driver(KEEPS_BODIES)
        .set("limits.max_body_bytes", 1000)
        .start()
}

fn head(fields: &str) -> String {
    format!("POST {NOTE} HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n")
}

fn note(host: &HostProcess, body: &[u8]) -> Reply {
    host.request("POST", NOTE).body(body.to_vec()).send()
}

fn seen(host: &HostProcess) -> Value {
    host.get("/v1/drivers/keeps-bodies/vendor_passthru/seen_so_far")
        .expect(200)
        .json()
}

#[test]
fn a_length_over_the_limit_is_refused_before_the_body_is_read_and_without_100_continue() {
    let host = host();
    for fields in [
        "Content-Length: 1001",
        "Content-Length: 18446744073709551000",
        "Content-Length: 1001\r\nExpect: 100-continue",
    ] {
        let mut connection = Connection::open(&host.address);
        // nothing of the body is ever sent
        let replies = connection.send(head(fields)).replies();
        assert_eq!(replies.len(), 1, "{fields}: {replies:?}");
        replies[0].refused(413, "Request body is too large: at most 1000 bytes are taken");
        assert_eq!(replies[0].must_have("Connection"), "close");
    }
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn a_client_that_sends_its_large_body_all_the_same_still_gets_the_answer() {
    let host = host();
    for fields in ["Content-Length: 4000000", "Transfer-Encoding: chunked"] {
        let mut connection = Connection::open(&host.address);
        connection.send(head(fields));
        let chunk = format!("ffff\r\n{}\r\n", "x".repeat(0xffff));
        for _ in 0..60 {
            if !connection.try_send(&chunk) {
                break;
            }
        }
        let replies = connection.replies();
        assert_eq!(replies.len(), 1, "{fields}: {replies:?}");
        replies[0].refused(413, "at most 1000 bytes are taken");
    }
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn chunks_count_by_what_they_hold_and_a_size_that_lies_is_refused_when_the_limit_is_passed() {
    let host = host();
    let chunked = head("Transfer-Encoding: chunked");
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let in_chunks = |body: &str, size: usize| {
        let chunks = body.as_bytes().chunks(size).map(|chunk| {
            let chunk = std::str::from_utf8(chunk).expect("ASCII");
            format!("{:x}\r\n{chunk}\r\n", chunk.len())
        });
        format!("{chunked}{}0\r\n\r\n", chunks.collect::<String>())
    };
    for size in [1, 7, 1000] {
        let mut connection = Connection::open(&host.address);
        connection.send(in_chunks(&text(1000), size)).reply().expect(200);
        let mut connection = Connection::open(&host.address);
        connection.send(in_chunks(&text(1001), size));
        connection.reply().refused(413, "at most 1000 bytes are taken");
        connection.closes();
    }
    // one chunk that is announced far larger than it may be: refused at the limit, not at its end
    let mut connection = Connection::open(&host.address);
    connection.send(format!("{chunked}7fffffff\r\n{}", "x".repeat(1001)));
    connection.reply().refused(413, "at most 1000 bytes are taken");
    connection.closes();
    assert_eq!(seen(&host).as_array().map(Vec::len), Some(3));
}

#[test]
fn a_body_that_ends_before_its_length_is_refused_and_not_passed_on() {
    let host = host();
    for request in [
        format!("{}[1]", head("Content-Length: 4")),
        format!("{}4\r\n[1]", head("Transfer-Encoding: chunked")),
        format!("{}3\r\n[1]\r\n", head("Transfer-Encoding: chunked")),
    ] {
        let mut connection = Connection::open(&host.address);
        let replies = connection.send(&request).finish().replies();
        for reply in &replies {
            reply.refused(400, "Request body could not be read");
        }
        assert!(replies.len() <= 1, "{replies:?}");
    }
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn a_body_that_stops_is_408_and_one_that_trickles_has_a_bound_too() {
    let host = HostProcess::builder()
        .driver(KEEPS_BODIES)
        .set("limits.idle_timeout_ms", 500)
        .set("limits.min_bytes_per_s", 1_000_000)
        .start();
    for fields in ["Content-Length: 4000", "Transfer-Encoding: chunked"] {
        let mut connection = Connection::open(&host.address);
        connection.send(head(fields)).send("1\r\n");
        let replies = connection.replies();
        assert_eq!(replies.len(), 1, "{replies:?}");
        replies[0].refused(408, "Request body stopped: nothing came for 500 ms");
    }
    // a byte every few milliseconds never pauses, and would take minutes
    let mut connection = Connection::open(&host.address);
    connection.send(head("Content-Length: 100000"));
    while connection.is_quiet() && connection.try_send("1") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    connection.reply().refused(408, "");
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn a_body_may_come_byte_by_byte_if_it_comes() {
    let host = host();
    let mut connection = Connection::open(&host.address);
    for byte in format!("{}{{\"a\": [1, 2]}}", head("Content-Length: 13")).bytes() {
        connection.send([byte]);
    }
    assert_eq!(connection.reply().expect(200).text(), "{\"a\": [1, 2]}");
}

#[test]
fn expect_100_continue_is_answered_when_the_body_is_wanted() {
    let host = host();
    let mut connection = Connection::open(&host.address);
    connection.send(head("Content-Length: 3\r\nExpect: 100-continue"));
    assert_eq!(connection.reply().status, 100);
    connection.send("[1]");
    assert_eq!(connection.reply().expect(200).json(), json!([1]));
    // a client that does not wait for it
    connection
        .send(head("Content-Length: 3\r\nExpect: 100-continue"))
        .send("[2]");
    let first = connection.reply();
    let last = if first.status == 100 {
        connection.reply()
    } else {
        first
    };
    assert_eq!(last.expect(200).json(), json!([2]));
    // refused before it: no 100
    let unknown =
        format!("POST {NOTE}x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    connection
        .send(unknown)
        .reply()
        .refused(400, "No handler for method notex");
}

#[test]
fn a_body_that_is_no_json_is_refused_with_its_place_whatever_its_type() {
    let host = host();
    for (body, text) in [
        (&b"{\"a\": 1,}"[..], "line 1 column 9"),
        (b"{\n  \"a\": 1\n  \"b\": 2\n}", "line 3 column 3"),
        (b"[1, 2", "EOF while parsing a list at line 1 column 5"),
        (b"{\"a\": NaN}", "line 1 column 7"),
        (b"[Infinity]", "line 1 column 2"),
        (b"[-Infinity]", "line 1 column 3"),
        (b"[01]", "line 1 column 3"),
        (b"[.5]", "line 1 column 2"),
        (b"[1.]", "line 1 column 4"),
        (b"[+1]", "line 1 column 2"),
        (b"[0x1]", "line 1 column 3"),
        (b"['a']", "line 1 column 2"),
        (b"// a\n1", "line 1 column 1"),
        (b"{a: 1}", "line 1 column 2"),
        (b"1 2", "trailing characters at line 1 column 3"),
        (b"{} garbage", "trailing characters at line 1 column 4"),
        (b"null null", "trailing characters at line 1 column 6"),
        (b"\0", "line 1 column 1"),
        (b"\"\x01\"", "line 1 column"),
        (b"\"\\x\"", "line 1 column"),
        (b"\"\xff\"", "not UTF-8: byte 1 cannot be read"),
        (b"\"\xed\xa0\x80\"", "not UTF-8: byte 1 cannot be read"),
        (b"\"\xc0\xaf\"", "not UTF-8: byte 1 cannot be read"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        (b"\xff\xfe{\0}\0", "not UTF-8: byte 0 cannot be read"),
    ] {
        for kind in ["application/json", "text/plain", "application/octet-stream"] {
            let request = host.request("POST", NOTE).header("Content-Type", kind);
            request.body(body).send().refused(400, text);
        }
    }
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn nesting_is_limited_whatever_the_type_and_however_much_there_is_of_it() {
    let host = HostProcess::builder()
        .driver(KEEPS_BODIES)
        .set("limits.max_json_depth", 5)
        .start();
    let nested = |open: &str, depth: usize, close: &str| {
        format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    for kind in ["application/json", "text/plain", ""] {
        let call = |body: Vec<u8>| {
            host.request("POST", NOTE)
                .header("Content-Type", kind)
                .body(body)
                .send()
        };
        let text = "Request body JSON is nested too deeply: at most 5 levels are taken";
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            call(nested(open, 5, close)).expect(200);
            call(nested(open, 6, close)).refused(400, text);
            call(nested(open, 100_000, close)).refused(400, text);
            // broken as well, but what is too deep is not read to its end
            call(nested(open, 100_000, "")).refused(400, text);
        }
        call("[[[[[],[[]]]]]]".into()).refused(400, text);
        // brackets in a text are not nesting
        call(format!("\"{}\"", "[".repeat(1000)).into()).expect(200);
    }
}

#[test]
fn what_is_json_reaches_the_driver_byte_for_byte() {
    let host = host();
    for body in [
        "{\"a\":1,\"a\":2,\"a\":{\"a\":[]}}",
        "{\"method\":1,\"self\":2,\"\":3}",
        "[1e400,-1e400,1E+999999999999,123456789012345678901234567890.5,-0.0,1e-999]",
        " [ 1 ,\t2\r\n] ",
        "\"\\ud800\"",
        "\"\\u0000\\ud83d\\ude00\\/\"",
        "\"\u{feff}\u{2028}é\"",
        "{\"__proto__\":{},\"constructor\":null}",
    ] {
        let reply = note(&host, body.as_bytes()).expect(200);
        assert_eq!(reply.text(), body);
    }
    // nothing and null are what a client without arguments sends
    for body in ["", " \r\n", "null", " null "] {
        assert_eq!(note(&host, body.as_bytes()).expect(200).text(), "{}", "{body:?}");
    }
}

#[test]
fn bodies_of_other_resources_have_the_same_limits() {
    let host = host();
    for (verb, target) in [
        ("POST", "/v1/nodes"),
        ("PATCH", "/v1/nodes/n1"),
        ("PUT", "/v1/nodes/n1/maintenance"),
    ] {
        let _there_from_the_second_on =
            host.post("/v1/nodes", json!({"driver": "keeps-bodies", "name": "n1"}));
        let call = |body: Vec<u8>| host.request(verb, target).body(body).send();
        call(format!("\"{}\"", "x".repeat(1000)).into()).refused(413, "at most 1000 bytes are taken");
        call("[".repeat(500).into()).refused(400, "nested too deeply");
        call("{\"a\" 1}".into()).refused(400, "line 1 column 6");
        call(b"\"\xff\"".to_vec()).refused(400, "not UTF-8");
    }
}
