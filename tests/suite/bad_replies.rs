//! Replies that no driver may give: each fails its own call with a clear error, and nothing else notices.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{Connection, HostBuilder, HostProcess, Reply, UNRULY, eventually};

const SOON: Duration = Duration::from_secs(30);
/// Longest text of a driver that is passed on, with what stands around it.
const MOST: usize = 5000;

fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(UNRULY)
        .set("limits.max_reply_bytes", 4000)
        .set("locks.wait_ms", 0)
}

/// One connection for all calls: each has to leave it as it was.
struct Client<'a> {
    host: &'a HostProcess,
    connection: Connection,
}

impl<'a> Client<'a> {
    fn of(host: &'a HostProcess) -> Self {
        Client {
            host,
            connection: Connection::open(&host.address),
        }
    }

    fn call(&mut self, target: &str, order: &str) -> Reply {
        let body = json!(order).to_string();
        self.connection.send(format!(
            "POST {target} HTTP/1.1\r\nHost: h\r\nX-OpenStack-Ironic-API-Version: 1.77\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let reply = self.connection.reply();
        assert_eq!(reply.header("X-Injected"), None, "{order}");
        reply
    }

    fn on_driver(&mut self, method: &str, order: &str) -> Reply {
        self.call(&format!("/v1/drivers/unruly/vendor_passthru/{method}"), order)
    }

    fn on_node(&mut self, method: &str, order: &str) -> Reply {
        self.call(&format!("/v1/nodes/n1/vendor_passthru/{method}"), order)
    }

    /// The connection, the node, the driver and the process are as they were.
    fn goes_on(&mut self, pid: u32) {
        assert_eq!(self.on_driver("answer", "fine").expect(200).json(), "fine");
        assert_eq!(self.on_node("answer_sync", "fine").expect(200).json(), "fine");
        assert_eq!(self.on_node("later_sync", "fine").expect(200).json(), "fine");
        assert_eq!(self.host.node_field("n1", "reservation"), Value::Null);
        assert_eq!(self.host.pid(), pid);
    }
}

/// What the driver is told to answer, the status of that, and a part of its text.
const BAD: [(&str, u16, &str); 11] = [
    ("broken", 500, "is not JSON: expected value at line 2 column 2"),
    (
        "two values",
        500,
        "is not JSON: trailing characters at line 1 column 3",
    ),
    ("not utf-8", 500, "is not UTF-8: byte 1 cannot be read"),
    ("html", 500, "is not JSON: expected value at line 1 column 1"),
    (
        "large",
        500,
        "has 4098 bytes, more than the 4000 that limits.max_reply_bytes allows",
    ),
    ("deep", 500, ""),
    ("long fault", 500, "mmmm"),
    (
        "lines",
        500,
        "one X-Injected: yes {\"level\":\"ERROR\"}\\u{1b}[31m\\u{0}\\u{202e}end",
    ),
    ("empty fault", 500, "the driver failed and did not say why"),
    ("unknown kind", 500, "of a kind to come"),
    ("bad details", 502, "with details"),
];

#[test]
fn a_bad_reply_fails_its_call_and_the_same_connection_and_node_go_on() {
    let host = builder().start();
    host.create_node_of(UNRULY, "n1");
    let pid = host.pid();
    let mut client = Client::of(&host);
    for (order, status, text) in BAD {
        let replies = [
            client.on_driver("answer", order),
            client.on_node("answer_sync", order),
            client.on_driver("later", order),
            client.on_node("later_sync", order),
        ];
        for reply in replies {
            let whole = reply.refused(status, text);
            assert!(whole.len() < MOST, "{order}: {} bytes", whole.len());
        }
        client.goes_on(pid);
    }
    one_line_each(&host);
}

#[test]
fn nested_too_deeply_is_said_of_a_reply_as_well() {
    let host = builder().set("limits.max_reply_bytes", 1 << 20).start();
    let reply = Client::of(&host).on_driver("answer", "deep");
    reply.refused(
        500,
        "the driver's reply to answer is nested too deeply: at most 100 levels are taken",
    );
}

#[test]
fn a_bad_reply_of_an_async_call_is_the_nodes_last_error() {
    let host = builder().start();
    host.create_node_of(UNRULY, "n1");
    let pid = host.pid();
    let mut client = Client::of(&host);
    for method in ["answer_async", "later_async"] {
        for (order, _, text) in BAD {
            client.on_node(method, order).expect(202);
            let begins = format!("Async execution of {method} failed with error: ");
            let last_error = eventually("the node has the error", SOON, || {
                host.node_field("n1", "last_error").as_str().map(str::to_owned)
            });
            assert!(last_error.starts_with(&begins), "{order}: {last_error:.200}");
            assert!(last_error.contains(text), "{order}: {last_error:.500}");
            assert!(last_error.len() < MOST, "{order}: {} bytes", last_error.len());
            assert!(!last_error.contains('\n'), "{order}: {last_error:.500}");
            // free before the error was there to be read, or just after
            eventually("the node is free", SOON, || {
                host.node_field("n1", "reservation").is_null().then_some(())
            });
            client.goes_on(pid);
            assert_eq!(
                host.node_field("n1", "last_error"),
                Value::Null,
                "cleared by the next success"
            );
        }
    }
    one_line_each(&host);
}

#[test]
fn a_content_type_that_is_none_fails_the_call_and_cannot_write_headers() {
    for place in ["in-process", "process"] {
        content_types(&builder().set("isolation.default", place).start());
    }
}

fn content_types(host: &HostProcess) {
    host.create_node_of(UNRULY, "n1");
    let pid = host.pid();
    let mut client = Client::of(host);
    for order in ["injects", "nul", "latin", "no type", "long type"] {
        let reply = client.on_driver("attach", order);
        let text = reply.refused(
            500,
            "the content type of the driver's reply cannot be sent: expected one such as text/plain, found",
        );
        assert!(text.len() < 500, "{order}: {} bytes", text.len());
        client.goes_on(pid);
    }
    let reply = client.on_driver("attach", "good type").expect(200);
    assert_eq!(reply.must_have("Content-Type"), "text/plain; charset=utf-8");
    // without one it is bytes, and without attach what the driver says of it does not count
    let reply = client.on_driver("attach", "empty type").expect(200);
    assert_eq!(reply.must_have("Content-Type"), "application/octet-stream");
    let reply = client.on_driver("answer", "typed").expect(200);
    assert_eq!(reply.must_have("Content-Type"), "application/json");
    one_line_each(host);
}

#[test]
fn an_empty_reply_is_null_and_a_refusal_keeps_its_status() {
    let host = builder().start();
    let mut client = Client::of(&host);
    assert_eq!(client.on_driver("answer", "nothing").expect(200).text(), "null");
    client
        .on_driver("answer", "no such order")
        .refused(400, "no order no such order");
}

#[test]
fn an_answer_that_is_given_twice_counts_once() {
    let host = builder().start();
    host.create_node_of(UNRULY, "n1");
    let pid = host.pid();
    let mut client = Client::of(&host);
    for _ in 0..20 {
        assert_eq!(client.on_driver("later", "twice").expect(200).json(), "first");
        assert_eq!(client.on_node("later_sync", "twice").expect(200).json(), "first");
        let reply = client
            .on_driver("later", "twice, from threads")
            .expect(200)
            .json();
        assert!(
            ["one", "other"].contains(&reply.as_str().expect("text")),
            "{reply}"
        );
        client.goes_on(pid);
    }
    eventually("all second answers are logged", SOON, || {
        let lines = host.log.lines_with(&["the driver answered a call twice"]);
        (lines.len() == 60).then_some(())
    });
}

#[test]
fn an_answer_that_never_comes_fails_its_call_at_once_if_the_driver_lets_go_of_it() {
    let host = builder().start();
    host.create_node_of(UNRULY, "n1");
    let pid = host.pid();
    let mut client = Client::of(&host);
    let text = "the driver dropped the call without an answer";
    for order in ["drop", "drop later"] {
        client.on_driver("later", order).refused(500, text);
        client.on_node("later_sync", order).refused(500, text);
        client.on_node("later_async", order).expect(202);
        eventually("the node has the error", SOON, || {
            let error = host.node_field("n1", "last_error");
            error
                .as_str()
                .is_some_and(|error| error.ends_with(text))
                .then_some(())
        });
        eventually("the node is free", SOON, || {
            host.node_field("n1", "reservation").is_null().then_some(())
        });
        client.goes_on(pid);
    }
}

#[test]
fn an_answer_that_comes_after_the_deadline_frees_the_node_and_is_dropped() {
    let host = builder().set("calls.timeout_ms", 500).start();
    let uuid = host.create_node_of(UNRULY, "n1");
    let pid = host.pid();
    let mut client = Client::of(&host);
    for _ in 0..3 {
        client
            .on_node("later_sync", "keep")
            .refused(504, "the driver did not answer later_sync within 500 ms");
        client
            .on_node("answer_sync", "fine")
            .refused(409, &format!("Node {uuid} is locked"));
        assert_eq!(
            client
                .on_driver("later", "answer the kept one")
                .expect(200)
                .json(),
            "done"
        );
        eventually("the node is free", SOON, || {
            host.node_field("n1", "reservation").is_null().then_some(())
        });
        client.goes_on(pid);
    }
    // one that is never answered nor let go of keeps its own place, and nothing else
    client
        .on_driver("later", "forget")
        .refused(504, "the driver did not answer later within 500 ms");
    client.goes_on(pid);
    let late = host.log.lines_with(&["the call succeeded after its deadline"]);
    assert_eq!(late.len(), 3, "{}", host.log.text());
}

#[test]
fn what_a_driver_logs_is_one_line_of_a_bounded_length() {
    let host = builder().start();
    Client::of(&host).on_driver("answer", "long log").expect(200);
    let line = eventually("it is there", SOON, || host.log.lines_with(&["llll"]).pop());
    assert!(line.len() < MOST, "{} bytes", line.len());
    assert!(
        line.contains("10485760 bytes"),
        "it says how much there was: {line:.200}"
    );
}

/// Every line of the log is one JSON object of a bounded length: no driver has written a line of its own.
fn one_line_each(host: &HostProcess) {
    for line in host.log.lines() {
        let object: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:.300}"));
        assert!(object["level"].is_string(), "{line:.300}");
        assert!(line.len() < 3 * MOST, "{} bytes: {line:.300}", line.len());
    }
}
