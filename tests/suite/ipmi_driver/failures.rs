//! What goes wrong between a driver and a BMC, each with a text of its own.

use std::net::UdpSocket;
use std::thread::Builder;

use serde_json::{Value, json};
use suite::{HostProcess, IpmiSim, Pyghmi, Reply, eventually};

use super::{PATIENCE, builder, call, ended, failure, node, patient, raw, with};

/// A host that says at the first attempt what is wrong.
fn host() -> HostProcess {
    builder().set("drivers.ipmi.config.answer_timeout_s", 2).start()
}

fn refused(host: &HostProcess, driver_info: Value, status: u16, text: &str) -> String {
    let node = node(host, "n1", driver_info);
    raw(host, &node, "0x00 0x01").refused(status, text)
}

/// `driver_info` of whatever listens on this socket.
fn of(socket: &UdpSocket) -> Value {
    let port = socket.local_addr().expect("its address").port();
    json!({"ipmi_address": "127.0.0.1", "ipmi_port": port, "ipmi_username": "admin", "ipmi_password": "secret12", "ipmi_cipher_suite": 3})
}

#[test]
fn a_wrong_password_is_said_to_be_one_and_tried_once() {
    let bmc = IpmiSim::start();
    let host = builder()
        .set("drivers.ipmi.config.retry_window_ms", 60_000)
        .argument("--log-level=debug")
        .start();
    let info = with(bmc.driver_info(), "ipmi_password", "wrong-password");
    let text = refused(
        &host,
        info,
        502,
        "refuses the password of user 'admin' (ipmi_password)",
    );
    assert!(text.contains(&format!("127.0.0.1:{}", bmc.port())), "{text}");
    assert!(!text.contains("wrong-password"), "{text}");
    let mut old = with(bmc.driver_info(), "ipmi_password", "wrong-password");
    old["ipmi_cipher_suite"] = Value::Null;
    old["ipmi_protocol_version"] = json!("1.5");
    let old = node(&host, "old", old);
    raw(&host, &old, "6 1").refused(
        502,
        "refuses the session of user 'admin', or stopped answering (ipmi_password)",
    );
    assert!(host.log.lines_with(&["trying again"]).is_empty());
}

#[test]
fn a_wrong_user_is_said_to_be_one() {
    let (bmc, host) = (IpmiSim::start(), host());
    let info = with(bmc.driver_info(), "ipmi_username", "nobody");
    refused(
        &host,
        info,
        502,
        "knows no user 'nobody' with privilege level ADMINISTRATOR",
    );
}

#[test]
fn a_user_with_too_little_privilege_is_said_to_have_too_little() {
    let (bmc, host) = (IpmiSim::start(), host());
    let guest = with(bmc.driver_info(), "ipmi_username", IpmiSim::GUEST);
    let mut old = with(guest.clone(), "ipmi_protocol_version", "1.5");
    old["ipmi_cipher_suite"] = Value::Null;
    refused(
        &host,
        old,
        502,
        "does not give user 'guest' the privilege level ADMINISTRATOR (ipmi_priv_level)",
    );
    // As a guest one may look, and no more.
    let node = node(&host, "guest", with(guest, "ipmi_priv_level", "USER"));
    raw(&host, &node, "0x06 0x01").expect(200);
    let record = ended(
        &host,
        call(
            &host,
            "POST",
            &node,
            "send_raw",
            json!({"raw_bytes": "0x00 0x02 0x01"}),
        ),
    );
    assert!(
        failure(&record).contains("the privilege level is too low (completion code 0xd4)"),
        "{record}"
    );
    assert!(!bmc.is_on());
}

#[test]
fn a_port_where_nobody_listens_is_said_not_to_answer() {
    let host = host();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let info = of(&socket);
    drop(socket);
    refused(&host, info, 502, "does not answer (ipmi_address, ipmi_port)");
}

#[test]
fn a_bmc_that_is_silent_is_said_not_to_answer() {
    let host = host();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    refused(
        &host,
        of(&silent),
        502,
        "does not answer (ipmi_address, ipmi_port)",
    );
    silent.set_nonblocking(true).unwrap();
    assert!(silent.recv(&mut [0; 1024]).is_ok(), "it was asked");
}

#[test]
fn garbage_from_a_bmc_is_no_answer() {
    let host = host();
    let garbage = UdpSocket::bind("127.0.0.1:0").unwrap();
    let info = of(&garbage);
    let serve = move || {
        let mut request = [0; 1024];
        while let Ok((length, client)) = garbage.recv_from(&mut request) {
            let answer: Vec<u8> = request[..length].iter().rev().map(|byte| byte ^ 0xa5).collect();
            let _gone = garbage.send_to(&answer, client);
            let _gone = garbage.send_to(&request[..length], client);
        }
    };
    Builder::new().name("garbage".into()).spawn(serve).unwrap();
    let text = refused(&host, info, 502, "the BMC at 127.0.0.1:");
    assert!(text.contains("answer") || text.contains("no session"), "{text}");
}

#[test]
fn a_name_without_an_address_is_said_to_have_none() {
    let host = patient();
    let info = json!({"ipmi_address": "no-such-bmc.invalid"});
    refused(&host, info, 502, "its name has no address (ipmi_address)");
}

#[test]
fn a_bmc_that_takes_a_command_and_does_not_answer_leaves_it_open_what_it_did() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    bmc.hold();
    let record = ended(
        &host,
        call(
            &host,
            "POST",
            &node,
            "send_raw",
            json!({"raw_bytes": "0x00 0x02 0x01"}),
        ),
    );
    let text = failure(&record);
    assert!(
        text.contains(
            "took the command and did not answer: whether it has done what it was told is not known"
        ),
        "{text}"
    );
    bmc.release();
    bmc.wait_until_asked("set power 1");
    eventually("the machine is on after all", PATIENCE, || {
        bmc.is_on().then_some(())
    });
    assert_eq!(
        bmc.done(),
        ["set power 1"],
        "a command of which nobody knows what it does is not repeated"
    );
}

#[test]
fn a_bmc_that_goes_away_in_mid_call_is_not_waited_for() {
    let (mut bmc, host) = (IpmiSim::start(), host());
    let node = node(&host, "n1", bmc.driver_info());
    bmc.hold();
    let pending = host
        .request("POST", &format!("{node}/vendor_passthru/raw"))
        .json(&json!({"raw_bytes": "0x00 0x02 0x01"}))
        .start();
    bmc.wait_until_asked("set power 1");
    bmc.kill();
    pending.wait().refused(504, "took the command and did not answer");
    // The host is well, and says what is the matter now.
    raw(&host, &node, "0x00 0x01").refused(502, "does not answer");
}

#[test]
fn the_deadline_ends_a_call_before_the_bmc_does() {
    let bmc = IpmiSim::start();
    let host = builder()
        .set("drivers.ipmi.config.answer_timeout_s", 3_600)
        .set("drivers.ipmi.call_timeout_ms", 4_000)
        .start();
    let node = node(&host, "n1", bmc.driver_info());
    bmc.hold();
    let reply = raw(&host, &node, "0x00 0x02 0x01");
    reply.refused(504, "deadline");
    bmc.release();
}

#[test]
fn each_completion_code_has_a_text_of_its_own() {
    let (bmc, host) = (Pyghmi::start(), host());
    let node = node(&host, "n1", bmc.driver_info());
    let mut texts = Vec::new();
    for (code, part) in [
        (0x30, "which its vendor knows"),
        (0x81, "belongs to this command"),
        (0xc0, "is busy"),
        (0xc1, "does not know this command"),
        (0xc7, "another number of bytes"),
        (0xcb, "no such sensor, data or record"),
        (0xcc, "a field of the request invalid"),
        (0xd4, "privilege level is too low"),
        (0xd5, "in its present state"),
        (0xff, "gives no reason"),
    ] {
        let reply = raw(&host, &node, &format!("{} {code}", Pyghmi::ANSWERS_WITH))
            .expect(200)
            .json();
        assert_eq!(reply["completion_code"], code, "{reply}");
        let meaning = reply["meaning"].as_str().unwrap().to_owned();
        assert!(meaning.contains(part), "{meaning}");
        texts.push(meaning);
    }
    texts.sort();
    let all = texts.len();
    texts.dedup();
    assert_eq!(texts.len(), all);
}

#[test]
fn a_busy_bmc_is_asked_again_until_it_is_not() {
    let (bmc, host) = (Pyghmi::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    let reply = raw(&host, &node, &format!("{} 2", Pyghmi::BUSY_FOR))
        .expect(200)
        .json();
    assert_eq!(reply["completion_code"], 0, "{reply}");
    assert_eq!(bmc.done(), ["busy", "busy", "not busy"]);
}

#[test]
fn a_bmc_that_comes_back_within_the_window_is_reached() {
    let bmc = IpmiSim::start();
    let host = builder()
        .set("drivers.ipmi.config.answer_timeout_s", 1)
        .set("drivers.ipmi.config.retry_window_ms", 120_000)
        .argument("--log-level=debug")
        .start();
    let node = node(&host, "n1", bmc.driver_info());
    bmc.pause();
    let pending = host
        .request("GET", &format!("{node}/vendor_passthru/get_device_id"))
        .start();
    host.logged(&["trying again", "does not answer"]);
    bmc.go_on();
    let reply: Reply = pending.wait().expect(200);
    assert_eq!(reply.json()["manufacturer_id"], 0x1291);
}

#[test]
fn the_older_protocol_and_keys_work() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let mut info = bmc.driver_info();
    info["ipmi_cipher_suite"] = Value::Null;
    info["ipmi_protocol_version"] = json!("1.5");
    let old = node(&host, "old", info);
    raw(&host, &old, "0x00 0x02 0x01").expect(200);
    assert!(bmc.is_on());

    let bmc = IpmiSim::with_key();
    let key: String = IpmiSim::KG_KEY
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let keyed = node(&host, "keyed", with(bmc.driver_info(), "ipmi_hex_kg_key", key));
    raw(&host, &keyed, "0x00 0x02 0x01").expect(200);
    assert!(bmc.is_on());
    let wrong = node(&host, "wrong", with(bmc.driver_info(), "ipmi_hex_kg_key", "abcd"));
    raw(&host, &wrong, "0x00 0x02 0x00").refused(502, "has another key (ipmi_hex_kg_key)");
    assert!(bmc.is_on());
}

#[test]
fn a_node_without_what_is_needed_does_not_validate() {
    let host = host();
    let made = node(&host, "n1", json!({}));
    let vendor = host.get(&format!("{made}/validate")).expect(200).json()["vendor"].clone();
    assert_eq!(vendor["result"], false, "{vendor}");
    assert!(
        vendor["reason"].as_str().unwrap().contains("ipmi_address"),
        "{vendor}"
    );
    raw(&host, &made, "6 1").refused(400, "Missing the following driver_info properties: ipmi_address");
    for (key, value) in [
        ("ipmi_port", json!(0)),
        ("ipmi_port", json!("no port")),
        ("ipmi_priv_level", json!("ROOT")),
        ("ipmi_protocol_version", json!("3.0")),
        ("ipmi_cipher_suite", json!("three")),
        ("ipmi_hex_kg_key", json!("abc")),
        ("ipmi_bridging", json!("triple")),
    ] {
        let info = with(json!({"ipmi_address": "127.0.0.1"}), key, value.clone());
        let body = json!([{"op": "replace", "path": "/driver_info", "value": info}]);
        host.request("PATCH", &made).json(&body).send().expect(200);
        raw(&host, &made, "6 1").refused(400, key);
    }
}
