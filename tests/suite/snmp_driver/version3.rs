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

/// What takes the keys away that a lower security level has not.
fn without(keys: &[&str]) -> Value {
    keys.iter()
        .flat_map(|key| [format!("snmp_{key}_protocol"), format!("snmp_{key}_key")])
        .map(|property| (property, Value::Null))
        .collect()
}

#[test]
fn a_user_of_each_security_level_reads_and_switches() {
    let pdu = apc();
    for (name, lacks) in [
        (Snmpsim::USER, &[][..]),
        (Snmpsim::AUTHENTICATED_USER, &["priv"]),
        (Snmpsim::OPEN_USER, &["priv", "auth"]),
    ] {
        let host = patient().start();
        let mut info = without(lacks);
        info["snmp_user"] = json!(name);
        user(&host, &pdu, info);
        assert_eq!(outlet_state(&host).expect(200).json()["state"], "on", "{name}");
        succeeds(&host, "set_outlet_state", json!({"state": "off"}));
        assert_eq!(pdu.integer(APC_1), 2, "{name}");
        succeeds(&host, "set_outlet_state", json!({"state": "on"}));
    }
}

#[test]
fn a_level_that_is_not_the_user_s_is_refused() {
    let pdu = apc();
    let host = patient().start();
    for (name, lacks) in [(Snmpsim::USER, &["priv"][..]), (Snmpsim::USER, &["priv", "auth"])] {
        let mut info = without(lacks);
        info["snmp_user"] = json!(name);
        user(&host, &pdu, info);
        outlet_state(&host).refused(502, "refuses the security level of user 'simulator'");
        host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    }
}

#[test]
fn a_context_that_the_pdu_lacks_is_told_as_what_may_be_wrong() {
    let pdu = apc();
    let host = impatient().start();
    user(&host, &pdu, json!({"snmp_context_name": "nowhere"}));
    outlet_state(&host).refused(504, "are snmp_priv_key and snmp_context_name right?");
}

#[test]
fn the_engine_may_be_named_and_another_one_is_refused() {
    let pdu = apc();
    let host = patient().start();
    user(&host, &pdu, json!({"snmp_context_engine_id": Snmpsim::ENGINE_ID}));
    assert_eq!(outlet_state(&host).expect(200).json()["state"], "on");
    succeeds(&host, "set_outlet_state", json!({"state": "off"}));
    assert_eq!(pdu.integer(APC_1), 2);
    host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    user(&host, &pdu, json!({"snmp_context_engine_id": "80:00:00:00:ff"}));
    outlet_state(&host).refused(502, "is not the SNMP engine 80000000ff (snmp_context_engine_id)");
}

#[test]
fn each_thing_that_is_wrong_about_a_user_is_told_by_its_name() {
    let pdu = apc();
    let host = impatient().set("drivers.snmp.config.timeout_ms", 2000).start();
    for (wrong, text) in [
        (
            json!({"snmp_user": "nobody"}),
            "knows no user 'nobody' (snmp_user)",
        ),
        (
            json!({"snmp_user": "nobody", "snmp_auth_protocol": null, "snmp_auth_key": null,
                "snmp_priv_protocol": null, "snmp_priv_key": null}),
            "knows no user 'nobody' (snmp_user)",
        ),
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
        assert!(
            read.starts_with(&format!("the PDU at 127.0.0.1:{} ", pdu.port())),
            "{read}"
        );
        fails(
            &host,
            "set_outlet_state",
            json!({"state": "off"}),
            "unavailable",
            text,
        );
        call(&host, "GET", "walk", json!({"oid": "1.3.6.1"})).refused(502, text);
        for secret in [Snmpsim::AUTH_KEY, Snmpsim::PRIV_KEY, "not-the-key"] {
            assert!(!read.contains(secret), "{read}");
        }
        host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    }
    assert_eq!(pdu.integer(APC_1), 1, "nothing was switched");
}
