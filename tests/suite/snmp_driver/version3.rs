//! Version 3: security levels, contexts, and everything about a user that can be wrong, each told by its name.

use serde_json::{Value, json};
use suite::{HostProcess, Snmpsim};

use super::{APC_1, apc, call, fails, impatient, node, outlet_state, patient, succeeds, version_3};

/// Creates the node with the simulator's user and what `more` says instead.
fn user(host: &HostProcess, pdu: &Snmpsim, more: Value) {
    let mut info = version_3();
    for (key, value) in more.as_object().unwrap() {
        info[key] = value.clone();
    }
    node(host, pdu.port(), info);
}

#[test]
fn an_authenticated_user_without_encryption_reads_and_switches() {
    let pdu = apc();
    let host = patient().start();
    user(&host, &pdu, json!({"snmp_priv_protocol": null, "snmp_priv_key": null}));
    assert_eq!(outlet_state(&host).expect(200).json()["state"], "on");
    succeeds(&host, "set_outlet_state", json!({"state": "off"}));
    assert_eq!(pdu.integer(APC_1), 2);
}

#[test]
fn a_context_may_be_named_and_one_that_does_not_exist_is_told() {
    let pdu = apc();
    let host = patient().start();
    user(&host, &pdu, json!({"snmp_context_name": Snmpsim::COMMUNITY}));
    assert_eq!(outlet_state(&host).expect(200).json()["state"], "on");
    host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    user(&host, &pdu, json!({"snmp_context_name": "nowhere"}));
    outlet_state(&host).refused(502, "has no context 'nowhere' (snmp_context_name)");
}

#[test]
fn each_thing_that_is_wrong_about_a_user_is_told_by_its_name() {
    let pdu = apc();
    let host = impatient().set("drivers.snmp.config.timeout_ms", 2000).start();
    for (wrong, text) in [
        (json!({"snmp_user": "nobody"}), "knows no user 'nobody' (snmp_user)"),
        (
            json!({"snmp_auth_key": "not-the-key"}),
            "finds the messages of user 'simulator' wrongly authenticated: snmp_auth_key or snmp_auth_protocol is wrong",
        ),
        (
            json!({"snmp_auth_protocol": "md5"}),
            "finds the messages of user 'simulator' wrongly authenticated: snmp_auth_key or snmp_auth_protocol is wrong",
        ),
        (
            json!({"snmp_priv_key": "not-the-key"}),
            "cannot decrypt the messages of user 'simulator': snmp_priv_key or snmp_priv_protocol is wrong",
        ),
        (
            json!({"snmp_priv_protocol": "des"}),
            "cannot decrypt the messages of user 'simulator': snmp_priv_key or snmp_priv_protocol is wrong",
        ),
    ] {
        user(&host, &pdu, wrong.clone());
        let read = outlet_state(&host).refused(502, text);
        assert!(read.starts_with(&format!("the PDU at 127.0.0.1:{} ", pdu.port())), "{read}");
        fails(&host, "set_outlet_state", json!({"state": "off"}), "unavailable", text);
        call(&host, "GET", "walk", json!({"oid": "1.3.6.1"})).refused(502, text);
        for secret in [Snmpsim::AUTH_KEY, Snmpsim::PRIV_KEY, "not-the-key"] {
            assert!(!read.contains(secret), "{read}");
        }
        host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    }
    assert_eq!(pdu.integer(APC_1), 1, "nothing was switched");
}
