//! PDUs that are not there, do not answer, answer nonsense, refuse, or go.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use suite::{Snmpsim, eventually};

use super::{APC_1, SOON, apc, call, fails, impatient, node, outlet_state, patient};

/// A socket that hears everything and answers nothing.
struct Silent(UdpSocket);

impl Silent {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Silent(socket)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// How many messages have come since it was asked last.
    fn heard(&self) -> usize {
        let mut buffer = [0; 2048];
        std::iter::from_fn(|| self.0.recv(&mut buffer).ok()).count()
    }
}

/// A socket that answers every message with these bytes.
struct Echo {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    fn answering(bytes: &'static [u8]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let serve = move || {
            let mut buffer = [0; 2048];
            while !until.load(Ordering::Relaxed) {
                if let Ok((_, from)) = socket.recv_from(&mut buffer) {
                    socket.send_to(bytes, from).unwrap();
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("echo".into())
            .spawn(serve)
            .unwrap();
        Echo {
            port,
            ended,
            thread: Some(thread),
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

#[test]
fn a_silent_pdu_is_asked_again_and_then_told_with_what_may_be_wrong() {
    let pdu = Silent::new();
    let host = impatient().start();
    node(&host, pdu.port(), json!({"snmp_community": "keep-me-secret"}));
    let text = outlet_state(&host).refused(504, "gave no answer to 3 messages in ");
    assert!(
        text.starts_with(&format!("the PDU at 127.0.0.1:{} gave", pdu.port())),
        "{text}"
    );
    assert!(
        text.contains("is snmp_community right? A PDU does not answer one that it does not know"),
        "{text}"
    );
    assert!(!text.contains("keep-me-secret"), "{text}");
    assert_eq!(pdu.heard(), 3, "one message and two repetitions");
}

#[test]
fn switching_on_and_off_is_repeated_and_a_reboot_never_is() {
    let pdu = Silent::new();
    let host = impatient().start();
    node(&host, pdu.port(), json!({}));
    fails(
        &host,
        "set_outlet_state",
        json!({"state": "off"}),
        "timeout",
        "gave no answer to 3 messages",
    );
    assert_eq!(pdu.heard(), 3);
    fails(
        &host,
        "reboot_outlet",
        json!({}),
        "timeout",
        "gave no answer to a command that is not sent twice: nobody knows whether it was carried out",
    );
    assert_eq!(pdu.heard(), 1);
}

#[test]
fn a_wrong_community_is_a_time_out_that_names_the_community() {
    let pdu = apc();
    let host = impatient().start();
    node(&host, pdu.port(), json!({"snmp_community": "public"}));
    for version in ["1", "2c"] {
        let patch = json!([{"op": "add", "path": "/driver_info/snmp_version", "value": version}]);
        host.request("PATCH", "/v1/nodes/n1")
            .json(&patch)
            .send()
            .expect(200);
        outlet_state(&host).refused(504, "is snmp_community right?");
    }
}

#[test]
fn a_port_where_nothing_listens_is_unreachable() {
    let port = Silent::new().port();
    let host = impatient().start();
    node(&host, port, json!({}));
    outlet_state(&host).refused(
        502,
        "cannot be reached: nothing listens on that port, or the network refuses it",
    );
}

#[test]
fn a_name_that_does_not_exist_is_told() {
    let host = impatient().start();
    node(&host, 161, json!({"snmp_address": "no-such-pdu.invalid"}));
    let text = outlet_state(&host).refused(502, "cannot be looked up (snmp_address): ");
    assert!(text.starts_with("the PDU at no-such-pdu.invalid:161 "), "{text}");
}

#[test]
fn garbage_is_no_answer_and_no_panic() {
    // Nothing at all, noise, a truncated message, lengths beyond the end, and a well-formed message of something else.
    for garbage in [
        &b""[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x26\x02\x01\x01\x04\x03pdu\xa2",
        b"\x30\x84\xff\xff\xff\xff\x02\x01\x01",
        b"\x30\x82\x00\x03\x02\x01\x01",
        b"\x30\x1b\x02\x01\x01\x04\x03pdu\xa2\x11\x02\x01\x00\x02\x01\x00\x02\x01\x00\x30\x06\x30\x04\x06\x00\x05\x00",
        &[0xff; 1500],
    ] {
        let pdu = Echo::answering(garbage);
        let host = impatient().start();
        for version in ["1", "2c", "3"] {
            let info = json!({"snmp_version": version, "snmp_user": "admin"});
            node(&host, pdu.port, info);
            let text = outlet_state(&host).refused(502, "answers with what is no answer to the request: ");
            assert!(text.len() < 300, "{text}");
            call(&host, "POST", "walk", json!({"oid": "1.3.6.1"})).refused(502, "answers with what is no answer");
            host.request("DELETE", "/v1/nodes/n1").send().expect(204);
        }
    }
}

#[test]
fn an_outlet_that_does_not_exist_is_not_found_when_read_and_when_switched() {
    let pdu = apc();
    let host = patient().start();
    for (version, read, written) in [("1", "noSuchName", "noSuchName"), ("2c", "no such instance", "")] {
        node(
            &host,
            pdu.port(),
            json!({"snmp_version": version, "snmp_outlet": 9}),
        );
        let text = format!(
            "the PDU at 127.0.0.1:{} has no outlet 9 (1.3.6.1.4.1.318.1.1.4.4.2.1.3.9: ",
            pdu.port()
        );
        outlet_state(&host).refused(404, &format!("{text}{read})"));
        let text = format!("{text}{written}");
        fails(
            &host,
            "set_outlet_state",
            json!({"state": "on"}),
            "not-found",
            &text,
        );
        host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    }
}

#[test]
fn a_pdu_that_refuses_a_write_is_told_with_its_word_for_it() {
    for (error, said) in [
        (
            "notwritable",
            "notWritable (17); is the community or the user allowed to write?",
        ),
        ("generror", "genErr (5)"),
        (
            "wrongvalue",
            "wrongValue (10); does snmp_driver name the right family?",
        ),
    ] {
        let pdu = Snmpsim::start(&[Snmpsim::refusing(APC_1, 1, error)]);
        let host = patient().start();
        node(&host, pdu.port(), json!({}));
        let text = format!("refuses {APC_1}: {said}");
        fails(
            &host,
            "set_outlet_state",
            json!({"state": "off"}),
            "unavailable",
            &text,
        );
    }
}

#[test]
fn an_object_of_another_type_points_to_the_family() {
    let pdu = Snmpsim::start(&[Snmpsim::text(APC_1, "on")]);
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    outlet_state(&host).refused(502, "holds something else than an integer in ");
}

#[test]
fn a_state_that_is_no_state_of_the_family_is_an_error_of_the_outlet() {
    let pdu = Snmpsim::start(&[Snmpsim::fixed(APC_1, 4)]);
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    let seen = outlet_state(&host).expect(200).json();
    assert_eq!(seen, json!({"outlet": "1", "state": "error", "value": 4}));
}

#[test]
fn an_outlet_that_accepts_and_does_not_switch_is_told() {
    const STATE: &str = "1.3.6.1.4.1.13742.6.4.1.2.1.3.1.1";
    const OPERATION: &str = "1.3.6.1.4.1.13742.6.4.1.2.1.2.1.1";
    let pdu = Snmpsim::start(&[Snmpsim::fixed(STATE, 7), Snmpsim::writable(OPERATION, 9)]);
    let host = patient().set("drivers.snmp.config.power_timeout_ms", 300).start();
    node(&host, pdu.port(), json!({"snmp_driver": "raritan_pdu2"}));
    let text = "has accepted 'off' for outlet 1, but 0.3 s later its state is still 7";
    fails(
        &host,
        "set_outlet_state",
        json!({"state": "off"}),
        "timeout",
        text,
    );
    assert_eq!(pdu.integer(OPERATION), 0);
}

#[test]
fn a_pdu_that_goes_in_mid_call_fails_it_with_what_had_been_done() {
    const STATE: &str = "1.3.6.1.4.1.13742.6.4.1.2.1.3.1.1";
    const OPERATION: &str = "1.3.6.1.4.1.13742.6.4.1.2.1.2.1.1";
    let mut pdu = Snmpsim::start(&[Snmpsim::fixed(STATE, 7), Snmpsim::writable(OPERATION, 9)]);
    let host = impatient()
        .set("drivers.snmp.config.timeout_ms", 1000)
        .set("drivers.snmp.config.power_timeout_ms", 600_000)
        .start();
    node(&host, pdu.port(), json!({"snmp_driver": "raritan_pdu2"}));
    let reply = call(&host, "POST", "set_outlet_state", json!({"state": "off"})).expect(202);
    eventually("the PDU has the command", SOON, || {
        (pdu.integer(OPERATION) == 0).then_some(())
    });
    pdu.stop();
    let record = eventually("the call ends", SOON * 2, || {
        let record = host.get(reply.must_have("Location")).expect(200).json();
        (record["state"] != "running").then_some(record)
    });
    assert_eq!(record["state"], "failed", "{record}");
    let message = record["error"]["message"].as_str().unwrap();
    let said = format!(
        "outlet 1 was switched off, and then the PDU at 127.0.0.1:{}",
        pdu.port()
    );
    assert!(message.starts_with(&said), "{message}");
    assert!(
        message.contains("cannot be reached") || message.contains("gave no answer"),
        "{message}"
    );
}

#[test]
fn calls_that_wait_for_silent_pdus_hold_no_threads() {
    let silent = Silent::new();
    let pdu = apc();
    let host = patient()
        .set("workers.max", 2)
        .set("drivers.snmp.max_workers", 2)
        .set("drivers.snmp.config.timeout_ms", 5000)
        .set("drivers.snmp.config.retries", 0)
        .start();
    node(&host, silent.port(), json!({}));
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            host.request("GET", "/v1/nodes/n1/vendor_passthru/outlet_state")
                .start()
        })
        .collect();
    let mut heard = 0;
    eventually("all of them have asked", SOON, || {
        heard += silent.heard();
        (heard >= 50).then_some(())
    });
    let patch = json!([{"op": "add", "path": "/driver_info/snmp_port", "value": pdu.port()}]);
    host.request("PATCH", "/v1/nodes/n1")
        .json(&patch)
        .send()
        .expect(200);
    outlet_state(&host).expect(200);
    for call in waiting {
        call.wait().refused(504, "gave no answer to one message");
    }
}
