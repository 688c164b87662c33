//! Clients that are slow, do nothing, do not read, come by the thousand, or leave.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suite::{Connection, FAKE, Gate, HostBuilder, HostProcess, KEEPS_BODIES, SLOW, eventually};

const SOON: Duration = Duration::from_secs(30);
const GET: &str = "GET /v1/drivers HTTP/1.1\r\nHost: h\r\n\r\n";

fn impatient() -> HostBuilder {
    HostProcess::builder()
        .driver(FAKE)
        .driver(KEEPS_BODIES)
        .set("limits.header_timeout_ms", 700)
        .set("limits.idle_timeout_ms", 700)
}

/// Open connections of a host, as the system counts them.
fn sockets(host: &HostProcess) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", host.pid())).expect("a running process");
    let is_socket = |file: std::io::Result<std::fs::DirEntry>| {
        let target = file.ok().and_then(|file| std::fs::read_link(file.path()).ok());
        target.is_some_and(|target| target.to_string_lossy().starts_with("socket:"))
    };
    files.map(is_socket).filter(|is| *is).count()
}

#[test]
fn a_head_that_does_not_come_in_time_is_408_also_when_it_never_pauses() {
    let host = impatient().start();
    let mut half = Connection::open(&host.address);
    half.send("GET /v1 HTTP/1.1\r\nHost");
    let mut trickle = Connection::open(&host.address);
    trickle.send("GET /v1 HTTP/1.1\r\nX: ");
    while trickle.is_quiet() && trickle.try_send("x") {
        std::thread::sleep(Duration::from_millis(10));
    }
    for connection in [&mut half, &mut trickle] {
        connection
            .reply()
            .refused(408, "The request's head did not come within 700 ms");
        connection.closes();
    }
    // the second request of a connection as well
    let mut second = Connection::open(&host.address);
    second.send(GET).reply().expect(200);
    second.send("GET /v1");
    second.reply().refused(408, "did not come within 700 ms");
    second.closes();
}

#[test]
fn a_connection_on_which_nothing_comes_is_closed_without_a_word() {
    let host = impatient().start();
    Connection::open(&host.address).closes();
    let mut kept = Connection::open(&host.address);
    kept.send(GET).reply().expect(200);
    kept.closes();
    // blank lines are not a request, and do not keep a connection open
    let mut blank = Connection::open(&host.address);
    while blank.is_quiet() && blank.try_send("\r\n") {
        std::thread::sleep(Duration::from_millis(10));
    }
    blank.reply().refused(408, "did not come within 700 ms");
    blank.closes();
}

#[test]
fn an_idle_connection_has_its_own_time_and_not_that_of_a_head() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("limits.header_timeout_ms", 300)
        .set("limits.idle_timeout_ms", 600_000)
        .start();
    let mut kept = Connection::open(&host.address);
    kept.send(GET).reply().expect(200);
    let mut fresh = Connection::open(&host.address);
    let mut other = Connection::open(&host.address);
    // the time of a head has passed for these two, five times over, when they are closed one after the other
    for _ in 0..5 {
        fresh.closes();
        fresh = std::mem::replace(&mut other, Connection::open(&host.address));
    }
    assert!(kept.is_quiet(), "closed with the time of a head");
    kept.send(GET).reply().expect(200);
}

#[test]
fn a_call_may_take_longer_than_a_connection_may_idle() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("limits.header_timeout_ms", 300)
        .set("limits.idle_timeout_ms", 300)
        .start();
    let gate = Gate::closed();
    let body = gate.arguments().to_string();
    let mut slow = Connection::open(&host.address);
    slow.send(call("/v1/drivers/slow/vendor_passthru/defer", &body));
    for _ in 0..4 {
        // each of them takes 300 ms to be closed
        Connection::open(&host.address).closes();
    }
    assert!(slow.is_quiet());
    gate.open();
    slow.reply().expect(200);
    slow.closes();
}

#[test]
fn a_client_that_does_not_read_its_reply_is_cut_off_and_one_that_reads_is_not() {
    let host = HostProcess::builder()
        .driver(KEEPS_BODIES)
        .set("limits.idle_timeout_ms", 3000)
        .set("limits.max_body_bytes", 64 << 20)
        .set("limits.max_connections", 1)
        .start();
    let body = format!("\"{}\"", "x".repeat(15 << 20));
    let note = call("/v1/drivers/keeps-bodies/vendor_passthru/note", &body);
    let mut deaf = open_when_free(&host);
    deaf.send(&note);
    Connection::open(&host.address)
        .reply()
        .refused(503, "Too many connections");
    // it has the only place, and no time of a call or a body to lose it by
    let mut reader = open_when_free(&host);
    reader.send(&note);
    assert_eq!(reader.reply().expect(200).body.len(), body.len());
    drop(deaf);
}

/// A connection that the host has taken: the first reply on it was no refusal.
fn open_when_free(host: &HostProcess) -> Connection {
    eventually("there is a place for a connection", SOON, || {
        let mut connection = Connection::open(&host.address);
        connection.send(GET);
        (connection.reply().status == 200).then_some(connection)
    })
}

fn call(target: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: h\r\nX-OpenStack-Ironic-API-Version: 1.77\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn pipelined_requests_are_answered_in_order_however_long_each_takes() {
    let host = HostProcess::builder().driver(SLOW).driver(KEEPS_BODIES).start();
    let gate = Gate::closed();
    let mut connection = Connection::open(&host.address);
    let mut all = call(
        "/v1/drivers/slow/vendor_passthru/block",
        &gate.arguments().to_string(),
    );
    for n in 0..20 {
        all += &call("/v1/drivers/keeps-bodies/vendor_passthru/note", &n.to_string());
    }
    all += "GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n";
    all += "BROKEN\r\n\r\n";
    all += &call("/v1/drivers/keeps-bodies/vendor_passthru/note", "\"behind\"");
    connection.send(all);
    eventually("the slow call runs", SOON, || {
        (host.get("/v1/drivers").status == 200).then_some(())
    });
    assert!(connection.is_quiet());
    gate.open();
    assert_eq!(connection.reply().expect(200).json(), "done");
    for n in 0..20 {
        assert_eq!(connection.reply().expect(200).json(), n);
    }
    connection.reply().refused(404, "/nowhere");
    connection.reply().refused(400, "its first line is not");
    connection.closes();
    let seen = host
        .get("/v1/drivers/keeps-bodies/vendor_passthru/seen_so_far")
        .json();
    assert_eq!(seen.as_array().map(Vec::len), Some(20), "{seen}");
}

#[test]
fn http_1_0_is_closed_unless_it_asks_to_be_kept_and_1_1_is_kept_unless_it_asks_to_be_closed() {
    let host = HostProcess::with_fake();
    let get = |version: &str, fields: &str| format!("GET /v1/drivers HTTP/{version}\r\n{fields}\r\n");
    for (version, fields, kept) in [
        ("1.0", "", false),
        ("1.0", "Host: h\r\n", false),
        ("1.0", "Connection: close\r\n", false),
        ("1.0", "Connection: keep-alive\r\n", true),
        ("1.0", "Connection: Keep-Alive\r\nHost: h\r\n", true),
        ("1.1", "Host: h\r\n", true),
        ("1.1", "Host: h\r\nConnection: keep-alive\r\n", true),
        ("1.1", "Host: h\r\nConnection: close\r\n", false),
        (
            "1.1",
            "Host: h\r\nConnection: keep-alive\r\nConnection: CLOSE\r\n",
            false,
        ),
        ("1.1", "Host: h\r\nConnection: foo, close\r\n", false),
    ] {
        let mut connection = Connection::open(&host.address);
        for _ in 0..3 {
            let reply = connection.send(get(version, fields)).reply().expect(200);
            assert_eq!(reply.json()["drivers"][0]["name"], "fake");
            if !kept {
                break;
            }
        }
        if kept {
            connection.send("GET /v1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            connection.reply().expect(200);
        }
        connection.closes();
    }
}

/// A host whose one place for a call, whose one thread for it and whose node have to be free for the next call.
fn narrow() -> HostProcess {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.max", 1)
        .set("drivers.slow.max_calls", 1)
        .set("workers.max", 1)
        .set("drivers.slow.max_workers", 1)
        .set("limits.max_connections", 5)
        .set("locks.wait_ms", 60_000)
        .start();
    host.create_node_of(SLOW, "n1");
    host
}

#[test]
fn a_client_that_leaves_in_mid_call_frees_everything_when_the_driver_returns() {
    let host = narrow();
    for (target, is_async) in [
        ("/v1/nodes/n1/vendor_passthru/hold", false),
        ("/v1/nodes/n1/vendor_passthru/hold_async", true),
        ("/v1/nodes/n1/vendor_passthru/defer_async", true),
        ("/v1/drivers/slow/vendor_passthru/defer", false),
        ("/v1/drivers/slow/vendor_passthru/block", false),
    ] {
        let on_node = target.contains("/nodes/");
        let gate = Gate::closed();
        let begin = || {
            let mut client = Connection::open(&host.address);
            client.send(call(target, &gate.arguments().to_string()));
            client
        };
        let mut client = begin();
        eventually("the driver is busy", SOON, || {
            let other = host.post("/v1/drivers/slow/vendor_passthru/waiting", json!({}));
            if other.status == 503 {
                return Some(());
            }
            // that one may have had the only place just when the client came
            if !client.is_quiet() && client.reply().status == 503 {
                client = begin();
            }
            None
        });
        if is_async {
            client.reply().expect(202);
        }
        drop(client);
        // nobody waits any more, and the driver still has what it needs
        for _ in 0..5 {
            host.post("/v1/drivers/slow/vendor_passthru/waiting", json!({}))
                .refused(503, "");
            if on_node {
                assert_eq!(host.node_field("n1", "reservation"), "suite-host", "{target}");
            }
        }
        gate.open();
        eventually("everything is free", SOON, || {
            let next = host.post("/v1/nodes/n1/vendor_passthru/hold", json!({}));
            (next.status == 200).then_some(())
        });
        eventually("the node is free", SOON, || {
            host.node_field("n1", "reservation").is_null().then_some(())
        });
    }
    // and the connections: as many as the host takes at all
    eventually("every connection is free", SOON, || {
        let mut all: Vec<Connection> = (0..5).map(|_| Connection::open(&host.address)).collect();
        all.iter_mut()
            .all(|one| one.send(GET).reply().status == 200)
            .then_some(())
    });
}

#[test]
fn a_client_that_leaves_while_it_waits_for_a_lock_is_skipped() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .driver(FAKE)
        .set("locks.wait_ms", 60_000)
        .set("locks.max_waiters", 2)
        .start();
    host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let hold = "/v1/nodes/n1/vendor_passthru/hold";
    let holder = host.request("POST", hold).json(&gate.arguments()).start();
    eventually("it holds the node", SOON, || {
        (host.node_field("n1", "reservation") == "suite-host").then_some(())
    });
    let until_wait = |waiters: u32| {
        eventually(&format!("{waiters} wait"), SOON, || {
            let page = host.get("/metrics").expect(200).text();
            page.contains(&format!("\ndriver_host_lock_waiters {waiters}\n"))
                .then_some(())
        });
    };
    // would hold the node for ever, if it got it
    let never = Gate::closed();
    let mut leaves = Connection::open(&host.address);
    leaves.send(call(hold, &never.arguments().to_string()));
    until_wait(1);
    let mut stays = Connection::open(&host.address);
    stays.send(call(hold, "{}"));
    until_wait(2);
    let mut refused = Connection::open(&host.address);
    refused.send(call(hold, "{}"));
    refused.reply().refused(409, "is locked by host suite-host");
    drop(leaves);
    until_wait(1);
    let mut follows = Connection::open(&host.address);
    follows.send(call(hold, "{}"));
    until_wait(2);
    gate.open();
    holder.wait().expect(200);
    stays.reply().expect(200);
    follows.reply().expect(200);
}

#[test]
fn a_client_that_leaves_while_it_sends_has_taken_nothing() {
    let host = narrow();
    for _ in 0..20 {
        let mut client = Connection::open(&host.address);
        client.send(
            "POST /v1/nodes/n1/vendor_passthru/hold HTTP/1.1\r\nHost: h\r\nX-OpenStack-Ironic-API-Version: 1.77\r\nContent-Length: 100\r\n\r\n{\"sec",
        );
        drop(client);
    }
    eventually("the next call finds everything free", SOON, || {
        let reply = host.post("/v1/nodes/n1/vendor_passthru/hold", json!({}));
        // only connections can be short for a moment
        assert!([200, 503].contains(&reply.status), "{}", reply.text());
        (reply.status == 200).then_some(())
    });
    assert_eq!(host.node_field("n1", "reservation"), Value::Null);
}

#[test]
fn ten_thousand_connections_fit_into_200_mb_and_the_next_one_is_refused_clearly() {
    const MOST: usize = 10_000;
    suite::allow_open_files(MOST as u64 + 1000);
    let host = HostProcess::builder()
        .driver(FAKE)
        .limit_open_files(1024)
        .set("limits.max_connections", 10_000)
        .set("limits.header_timeout_ms", 600_000)
        .set("limits.idle_timeout_ms", 600_000)
        .start();
    eventually("the connections of its start are closed", SOON, || {
        (sockets(&host) <= 10).then_some(())
    });
    let before = host.resident_bytes();
    let mut clients: Vec<Connection> = Vec::with_capacity(MOST);
    for n in 0..MOST {
        let mut client = Connection::open(&host.address);
        // a third has said nothing, a third has been answered, a third is in the middle of a request
        match n % 3 {
            0 => {}
            1 => drop(client.send(GET).reply().expect(200)),
            _ => drop(client.send("POST /v1/nodes HTTP/1.1\r\nHost: h\r\n")),
        }
        clients.push(client);
    }
    let mut one_more = Connection::open(&host.address);
    one_more.send(GET);
    let refused = one_more.reply();
    refused.refused(503, "Too many connections are open, please retry later");
    assert!(refused.must_have("Retry-After").parse::<u32>().is_ok());
    refused.must_have("x-openstack-request-id");
    one_more.closes();
    let open = host.resident_bytes();
    eprintln!(
        "{MOST} connections: {} kB resident, {} kB before",
        open / 1000,
        before / 1000
    );
    assert!(open < 200_000_000, "{open} bytes");
    // every one of them still works
    for (n, client) in clients.iter_mut().enumerate().step_by(97) {
        if n % 3 != 2 {
            client.send(GET).reply().expect(200);
        }
    }
    clients.truncate(MOST - 10);
    eventually("the host serves again", SOON, || {
        let mut next = Connection::open(&host.address);
        (next.send(GET).reply().status == 200).then_some(())
    });
}

#[test]
fn a_hard_limit_of_open_files_that_is_too_low_is_said_at_the_start() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .limit_open_files_for_good(600)
        .set("limits.max_connections", 2000)
        .start();
    let lines = host
        .log
        .lines_with(&["limits.max_connections = 2000 needs 3000 open files", "only 600"]);
    assert_eq!(lines.len(), 1, "{}", host.log.text());
    host.get("/v1/drivers").expect(200);
}

#[test]
fn more_clients_than_there_are_files_do_not_stop_the_host() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .limit_open_files_for_good(200)
        .start();
    let clients: Vec<Connection> = (0..400).map(|_| Connection::open(&host.address)).collect();
    eventually("the host says so", SOON, || {
        host.log.lines_with(&["a connection could not be accepted"]).pop()
    });
    drop(clients);
    host.get("/v1/drivers").expect(200);
}

#[test]
fn a_storm_of_connections_that_leave_at_once_costs_nothing() {
    let host = HostProcess::with_fake();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (host, stop) = (&host, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut client = Connection::open(&host.address);
                    let bytes = [
                        "",
                        "GET",
                        GET,
                        "POST /v1/nodes HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{",
                    ];
                    client.try_send(bytes[n]);
                }
            });
        }
        let begun = Instant::now();
        for _ in 0..50 {
            host.get("/v1/drivers").expect(200);
        }
        stop.store(true, Ordering::Relaxed);
        eprintln!("50 requests beside a storm: {:?}", begun.elapsed());
    });
    eventually("every socket is closed", SOON, || {
        (sockets(&host) <= 10).then_some(())
    });
}
