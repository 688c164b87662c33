//! Heads that somebody else may read in another way, that are no HTTP, or that are too much. Each gets exactly one reply, in
//! the one shape that every error has, and nothing behind it is read as a request.

use serde_json::{Value, json};
use suite::{Connection, HostProcess, KEEPS_BODIES, Reply};

const NOTE: &str = "/v1/drivers/keeps-bodies/vendor_passthru/note";
/// What a second request behind the first would leave with the driver.
const SMUGGLED: &str = "\"smuggled\"";

fn host() -> HostProcess {
    HostProcess::builder().driver(KEEPS_BODIES).start()
}

fn second() -> String {
    format!(
        "POST {NOTE} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{SMUGGLED}",
        SMUGGLED.len()
    )
}

fn seen(host: &HostProcess) -> Value {
    host.get("/v1/drivers/keeps-bodies/vendor_passthru/seen_so_far")
        .expect(200)
        .json()
}

/// Sends everything at once, and then byte by byte: both must be read the same way.
fn exchange(host: &HostProcess, bytes: &[u8]) -> Vec<Vec<Reply>> {
    let mut at_once = Connection::open(&host.address);
    at_once.try_send(bytes);
    let mut in_pieces = Connection::open(&host.address);
    let size = bytes.len().div_ceil(200);
    for piece in bytes.chunks(size) {
        if !in_pieces.try_send(piece) {
            break;
        }
    }
    vec![at_once.replies(), in_pieces.replies()]
}

fn refused_and_nothing_else(host: &HostProcess, what: &str, bytes: &[u8], status: u16, text: &str) {
    for replies in exchange(host, bytes) {
        assert_eq!(replies.len(), 1, "{what}: {replies:?}");
        replies[0].refused(status, text);
        let id = replies[0].must_have("x-openstack-request-id");
        assert!(id.starts_with("req-") && id.len() == 40, "{what}: {id}");
        assert_eq!(replies[0].must_have("Connection"), "close", "{what}");
    }
}

#[test]
fn a_message_whose_end_can_be_read_in_two_ways_is_refused_and_no_second_request_reaches_a_driver() {
    let host = host();
    let chunked_end = "0\r\n\r\n";
    let second = second();
    let once = "Content-Length is there more than once";
    let both = "Content-Length and Transfer-Encoding exclude each other";
    let number = "Content-Length is not a number of bytes";
    let coding = "Transfer-Encoding is not chunked and nothing else";
    let name = "the name of a header field is broken";
    let value = "the value of a header field is broken";
    let line = "a line does not end with CR LF";
    for (fields, body, text) in [
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            chunked_end,
            both,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            chunked_end,
            both,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 99999",
            chunked_end,
            both,
        ),
        ("Content-Length: 0\r\nContent-Length: 2", "{}", once),
        ("Content-Length: 2\r\nContent-Length: 2", "{}", once),
        ("Content-Length: 2\r\ncontent-length: 0", "{}", once),
        ("Content-Length: 2, 2", "{}", number),
        ("Content-Length: +2", "{}", number),
        ("Content-Length: -2", "{}", number),
        ("Content-Length: 0x2", "{}", number),
        ("Content-Length: 2 0", "{}", number),
        ("Content-Length: ", "{}", number),
        ("Content-Length: 18446744073709551617", "{}", number),
        ("Content-Length : 2", "{}", name),
        ("Content-Length\r\n : 2", "{}", name),
        ("Transfer-Encoding : chunked", chunked_end, name),
        (" Transfer-Encoding: chunked", chunked_end, name),
        ("X: a\r\n Transfer-Encoding: chunked", chunked_end, name),
        ("Transfer-Encoding:\r\n chunked", chunked_end, ""),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            chunked_end,
            coding,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            chunked_end,
            coding,
        ),
        ("Transfer-Encoding: chunked, identity", chunked_end, coding),
        ("Transfer-Encoding: identity, chunked", chunked_end, coding),
        ("Transfer-Encoding: gzip, chunked", chunked_end, coding),
        ("Transfer-Encoding: chunked, chunked", chunked_end, coding),
        ("Transfer-Encoding: xchunked", chunked_end, coding),
        ("Transfer-Encoding: chunkedx", chunked_end, coding),
        ("Transfer-Encoding: chunked;a=b", chunked_end, coding),
        ("Transfer-Encoding: \"chunked\"", chunked_end, coding),
        ("Transfer-Encoding: identity", chunked_end, coding),
        ("Transfer-Encoding:", chunked_end, coding),
        ("Transfer-Encoding: \x0bchunked", chunked_end, value),
        ("Transfer-Encoding: chunked\0", chunked_end, value),
        ("X: a\0b", "", value),
        ("X: a\rTransfer-Encoding: chunked", chunked_end, value),
        ("X: a\nTransfer-Encoding: chunked", chunked_end, line),
        ("X: a\n", "", line),
        ("X: a\rb", "", value),
        ("X\0: a", "", name),
        ("X Y: a", "", name),
        (": a", "", name),
        ("no colon", "", name),
        ("Host: other", "", "exactly one Host"),
    ] {
        let request = format!("POST {NOTE} HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n{body}{second}");
        refused_and_nothing_else(&host, fields, request.as_bytes(), 400, text);
    }
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn what_is_no_http_is_refused_in_the_shape_of_every_error() {
    let host = host();
    let first_line = "its first line is not METHOD TARGET HTTP/1.1";
    for (what, request, status, text) in [
        ("no target", "GET\r\n\r\n", 400, first_line),
        ("HTTP/0.9", "GET /v1\r\n\r\n", 400, ""),
        (
            "HTTP/2 at once",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            505,
            "expected HTTP/1.1 or HTTP/1.0",
        ),
        (
            "HTTP/1.2",
            "GET /v1 HTTP/1.2\r\nHost: h\r\n\r\n",
            505,
            "expected HTTP/1.1 or HTTP/1.0",
        ),
        (
            "http/1.1",
            "GET /v1 http/1.1\r\nHost: h\r\n\r\n",
            505,
            "expected HTTP/1.1 or HTTP/1.0",
        ),
        ("two spaces", "GET  /v1 HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""),
        (
            "a space in the target",
            "GET /v1 /v1 HTTP/1.1\r\nHost: h\r\n\r\n",
            505,
            "",
        ),
        ("no Host", "GET /v1 HTTP/1.1\r\n\r\n", 400, "exactly one Host"),
        (
            "two Hosts",
            "GET /v1 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            400,
            "exactly one Host",
        ),
        (
            "TLS",
            "\x16\x03\x01\x02\0\x01\0\x01\u{7f}\r\n\r\n",
            400,
            first_line,
        ),
        (
            "a control character in the method",
            "G\x01T / HTTP/1.1\r\nHost: h\r\n\r\n",
            400,
            first_line,
        ),
        (
            "a control character in the target",
            "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
            400,
            first_line,
        ),
        (
            "a NUL in the target",
            "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n",
            400,
            first_line,
        ),
        (
            "no URI",
            "GET /v1/<x> HTTP/1.1\r\nHost: h\r\n\r\n",
            400,
            "the target is neither a path nor a URI",
        ),
        (
            "no path",
            "GET v1 HTTP/1.1\r\nHost: h\r\n\r\n",
            400,
            "the target is neither a path nor a URI",
        ),
        (
            "bare line feeds",
            "GET /v1 HTTP/1.1\nHost: h\n\n",
            400,
            "a line does not end with CR LF",
        ),
        (
            "chunks in HTTP/1.0",
            "POST /v1 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "HTTP/1.0 has no Transfer-Encoding",
        ),
        ("text", "hello, host\r\n\r\n", 400, ""),
    ] {
        let request = format!("{request}{}", second());
        refused_and_nothing_else(&host, what, request.as_bytes(), status, text);
    }
    let raw: &[u8] = b"GET /v1/nodes/\xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n";
    refused_and_nothing_else(
        &host,
        "bytes that are not UTF-8",
        raw,
        400,
        "could not be understood",
    );
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn a_head_that_is_too_much_is_refused_as_soon_as_that_is_seen() {
    let host = host();
    let get = |target: &str, fields: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    let long = format!("/v1/{}", "x".repeat(8 * 1024));
    let fields = |count: usize| (0..count).map(|n| format!("X-{n}: a\r\n")).collect::<String>();
    let endless_line = format!("GET /{}", "x".repeat(20_000));
    let endless_head = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}", "x".repeat(20_000));
    for (what, request, status, text) in [
        (
            "a long target",
            get(&long, ""),
            414,
            "at most 8192 bytes are taken",
        ),
        (
            "a target without an end",
            endless_line,
            414,
            "at most 8192 bytes are taken",
        ),
        (
            "a large field",
            get("/v1", &format!("X: {}\r\n", "x".repeat(17_000))),
            431,
            "at most 16384 bytes are taken",
        ),
        (
            "a field without an end",
            endless_head,
            431,
            "at most 16384 bytes are taken",
        ),
        (
            "many fields",
            get("/v1", &fields(100)),
            431,
            "at most 100 are taken",
        ),
        ("very many fields", get("/v1", &fields(10_000)), 431, ""),
        ("a megabyte of them", get("/v1", &fields(100_000)), 431, ""),
    ] {
        refused_and_nothing_else(&host, what, request.as_bytes(), status, text);
    }
    let most = get(&format!("/v1?x={}", "y".repeat(8_000)), &fields(98));
    let mut connection = Connection::open(&host.address);
    connection.send(&most).reply().expect(200);
}

#[test]
fn broken_chunks_fail_their_request_and_what_is_behind_them_is_no_request() {
    let host = host();
    let second = second();
    let size = "the size of a chunk is not a hexadecimal number";
    let line = "a line of its framing does not end with CR LF";
    for (chunks, text) in [
        ("x\r\n{}\r\n0\r\n\r\n", size),
        ("\r\n\r\n", size),
        ("-2\r\n{}\r\n0\r\n\r\n", size),
        ("0x2\r\n{}\r\n0\r\n\r\n", size),
        ("2 \r\n{}\r\n0\r\n\r\n", size),
        ("2\n{}\n0\n\n", size),
        ("1\r\n{}\r\n0\r\n\r\n", "a chunk is not as long as its size says"),
        ("2\r\n{}0\r\n\r\n", "a chunk is not as long as its size says"),
        ("2\r\n{}\r\n0\r\n\rX", line),
        ("2;a\nb\r\n{}\r\n0\r\n\r\n", "holds a control character"),
        ("2\r\n{}\r\n0\r\nX: a\nb: c\r\n\r\n", "holds a control character"),
        (
            "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            "the size of a chunk is too large",
        ),
    ] {
        let request =
            format!("POST {NOTE} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{second}");
        refused_and_nothing_else(&host, chunks, request.as_bytes(), 400, text);
    }
    let head = format!("POST {NOTE} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let long = format!("{head}2;{}\r\n{{}}\r\n0\r\n\r\n{second}", "e".repeat(100_000));
    refused_and_nothing_else(
        &host,
        "a huge extension",
        long.as_bytes(),
        400,
        "extensions and trailers are too long",
    );
    let long = format!(
        "{head}2\r\n{{}}\r\n0\r\n{}\r\n{second}",
        "T: x\r\n".repeat(10_000)
    );
    refused_and_nothing_else(&host, "huge trailers", long.as_bytes(), 400, "trailers");
    // overflows as a signed number, not as an unsigned one: larger than any body may be
    let large = format!("{head}7fffffffffffffff\r\n{{}}");
    let mut connection = Connection::open(&host.address);
    connection.send(large).finish();
    for reply in connection.replies() {
        reply.refused(400, "");
    }
    assert_eq!(seen(&host), json!([]));
}

#[test]
fn chunks_with_extensions_and_trailers_are_read_and_the_next_request_begins_behind_them() {
    let host = host();
    let bytes = format!(
        "POST {NOTE} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n\
         1;name=\"v\"\r\n[\r\n00001\r\n1\r\n1\r\n]\r\n0\r\nX-Trailer: GET / HTTP/1.1\r\n\r\n\
         POST {NOTE} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\n[2]"
    );
    for replies in exchange(&host, bytes.as_bytes()) {
        let bodies: Vec<Value> = replies
            .iter()
            .map(|reply| reply.clone().expect(200).json())
            .collect();
        assert_eq!(bodies, [json!([1]), json!([2])]);
    }
    assert_eq!(seen(&host).as_array().map(Vec::len), Some(4));
}

#[test]
fn a_length_that_is_too_small_ends_the_body_there_and_the_rest_has_to_be_a_request_of_its_own() {
    let host = host();
    let bytes = format!(
        "POST {NOTE} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n[1]GARBAGE\r\n\r\n{}",
        second()
    );
    for replies in exchange(&host, bytes.as_bytes()) {
        assert_eq!(replies.len(), 2, "{replies:?}");
        assert_eq!(replies[0].clone().expect(200).json(), json!([1]));
        replies[1].refused(400, "its first line is not");
    }
    let cut = format!("POST {NOTE} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n[1]\r\n\r\n");
    for replies in exchange(&host, cut.as_bytes()) {
        assert_eq!(replies.len(), 2, "{replies:?}");
        replies[0].refused(400, "EOF while parsing");
        replies[1].refused(400, "");
    }
    assert_eq!(
        seen(&host),
        json!([[1], [1]].map(|one: [i32; 1]| json!(one).to_string()))
    );
}

#[test]
fn unusual_but_sound_requests_are_answered() {
    let host = host();
    for (what, request, status) in [
        (
            "an absolute target",
            "GET http://elsewhere.example/v1/drivers HTTP/1.1\r\nHost: h\r\n",
            200,
        ),
        (
            "an absolute target without a path",
            "GET http://elsewhere.example HTTP/1.1\r\nHost: h\r\n",
            200,
        ),
        (
            "blank lines before it",
            "\r\n\r\nGET /v1 HTTP/1.1\r\nHost: h\r\n",
            200,
        ),
        ("an empty Host", "GET /v1 HTTP/1.1\r\nHost:\r\n", 200),
        (
            "an authority",
            "CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: h\r\n",
            405,
        ),
        ("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n", 404),
        (
            "the stand-in's own line",
            "REFUSED * HTTP/1.1\r\nHost: h\r\n",
            404,
        ),
        ("an unknown verb", "BREW /v1/drivers HTTP/1.1\r\nHost: h\r\n", 405),
        (
            "an upgrade",
            "GET /v1 HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            200,
        ),
        ("a fragment", "GET /v1/drivers#here HTTP/1.1\r\nHost: h\r\n", 200),
        (
            "escaped slashes and dots",
            "GET /v1/%2e%2e/%2fetc HTTP/1.1\r\nHost: h\r\n",
            404,
        ),
        (
            "bytes of Latin-1 in a field",
            "GET /v1 HTTP/1.1\r\nHost: h\r\nX: \u{e9}\r\n",
            200,
        ),
        (
            "escapes that are not UTF-8",
            "GET /v1/nodes/%ff HTTP/1.1\r\nHost: h\r\n",
            400,
        ),
    ] {
        let request = format!("{request}Connection: close\r\n\r\n");
        for replies in exchange(&host, request.as_bytes()) {
            assert_eq!(replies.len(), 1, "{what}: {replies:?}");
            assert_eq!(replies[0].status, status, "{what}: {}", replies[0].text());
            replies[0].must_have("x-openstack-request-id");
        }
    }
}

#[test]
fn allow_names_what_the_resource_allows() {
    let host = host();
    host.post("/v1/nodes", json!({"driver": "keeps-bodies", "name": "n1"}))
        .expect(201);
    let passthru = "GET, POST, PUT, PATCH, DELETE";
    for (verb, target, allow) in [
        ("HEAD", "/v1/drivers", "GET"),
        ("HEAD", "/healthz", "GET"),
        ("HEAD", "/v1/nodes", "GET, POST"),
        ("HEAD", "/v1/nodes/n1", "GET, PATCH, DELETE"),
        ("HEAD", "/v1/nodes/n1/maintenance", "PUT, DELETE"),
        ("HEAD", NOTE, passthru),
        ("OPTIONS", NOTE, passthru),
        ("OPTIONS", "/v1/nodes/n1/vendor_passthru?method=x", passthru),
        ("OPTIONS", "/v1/drivers", "GET"),
        ("OPTIONS", "/v1/nodes", "GET, POST"),
        ("TRACE", "/v1/nodes", "GET, POST"),
        ("BREW", "/v1/nodes/n1", "GET, PATCH, DELETE"),
    ] {
        let mut connection = Connection::open(&host.address);
        connection.send(format!(
            "{verb} {target} HTTP/1.1\r\nHost: h\r\nX-OpenStack-Ironic-API-Version: 1.77\r\n\r\n"
        ));
        let reply = if verb == "HEAD" {
            connection.reply_to_head()
        } else {
            connection.reply()
        };
        assert_eq!(reply.status, 405, "{verb} {target}");
        let mut verbs: Vec<&str> = reply.must_have("Allow").split(", ").collect();
        let mut expected: Vec<&str> = allow.split(", ").collect();
        verbs.sort_unstable();
        expected.sort_unstable();
        assert_eq!(verbs, expected, "{verb} {target}");
        // a HEAD has no body: the next reply comes right behind its head
        connection
            .send("GET /v1 HTTP/1.1\r\nHost: h\r\n\r\n")
            .reply()
            .expect(200);
    }
    let mut connection = Connection::open(&host.address);
    connection.send("HEAD /nowhere HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(connection.reply_to_head().status, 404);
    assert_eq!(seen(&host), json!([]));
}
