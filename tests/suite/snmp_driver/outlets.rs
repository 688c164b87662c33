//! Outlets, read and switched, in each version of the protocol.

use serde_json::{Value, json};
use suite::Snmpsim;

use super::{APC_1, APC_2, apc, call, fails, node, outlet_state, patient, succeeds, version_3};

fn each_version() -> [Value; 3] {
    [json!({"snmp_version": "1"}), json!({}), version_3()]
}

#[test]
fn the_state_of_an_outlet_is_what_the_pdu_says_in_each_version() {
    let pdu = apc();
    for version in each_version() {
        let host = patient().start();
        node(&host, pdu.port(), version);
        let state = outlet_state(&host).expect(200).json();
        assert_eq!(state, json!({"outlet": "1", "state": "on", "value": 1}));
    }
}

#[test]
fn an_outlet_is_switched_off_and_on_again_in_each_version() {
    let pdu = apc();
    for version in each_version() {
        let host = patient().start();
        node(&host, pdu.port(), version);
        let off = succeeds(&host, "set_outlet_state", json!({"state": "off"}));
        assert_eq!(off, json!({"outlet": "1", "state": "off", "value": 2}));
        assert_eq!(pdu.integer(APC_1), 2, "the PDU's own word");
        succeeds(&host, "set_outlet_state", json!({"state": "on"}));
        assert_eq!(pdu.integer(APC_1), 1);
        assert_eq!(pdu.integer(APC_2), 2, "no other outlet was touched");
    }
}

#[test]
fn the_pdu_s_own_reboot_is_sent_and_shows_as_changing() {
    let pdu = apc();
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    succeeds(&host, "reboot_outlet", json!({}));
    assert_eq!(pdu.integer(APC_1), 3);
    let state = outlet_state(&host).expect(200).json();
    assert_eq!(state["state"], "changing");
}

#[test]
fn a_family_without_a_reboot_says_so_and_sends_nothing() {
    const OUTLET: &str = "1.3.6.1.4.1.23620.1.2.2.1.4.1";
    let pdu = Snmpsim::start(&[Snmpsim::writable(OUTLET, 2)]);
    let host = patient().start();
    node(&host, pdu.port(), json!({"snmp_driver": "teltronix"}));
    fails(
        &host,
        "reboot_outlet",
        json!({}),
        "conflict",
        "a PDU of the family teltronix has no command to reboot an outlet: switch it off and on",
    );
    assert_eq!(pdu.integer(OUTLET), 2);
}

#[test]
fn reading_and_writing_may_have_communities_of_their_own() {
    let pdu = apc();
    let host = patient()
        .set("drivers.snmp.config.timeout_ms", 500)
        .set("drivers.snmp.config.retries", 1)
        .start();
    let communities = json!({
        "snmp_community": null,
        "snmp_community_read": Snmpsim::COMMUNITY,
        "snmp_community_write": "for-writing-only",
    });
    node(&host, pdu.port(), communities);
    outlet_state(&host).expect(200);
    let text = fails(
        &host,
        "set_outlet_state",
        json!({"state": "off"}),
        "timeout",
        "is snmp_community_write right?",
    );
    assert!(!text.contains("for-writing-only"), "{text}");
    assert_eq!(pdu.integer(APC_1), 1);
}

#[test]
fn arguments_that_are_wrong_are_refused_before_anything_is_sent() {
    let host = patient().start();
    // Nothing listens there, and nothing is asked.
    node(&host, 9, json!({}));
    for (body, text) in [
        (
            json!({}),
            "Parameter 'state' not passed to method 'set_outlet_state'.",
        ),
        (
            json!({"state": "reboot"}),
            "unknown variant `reboot`, expected `on` or `off`",
        ),
        (json!({"state": "on", "outlet": 2}), "takes no argument 'outlet'"),
    ] {
        call(&host, "POST", "set_outlet_state", body).refused(400, text);
    }
    call(&host, "POST", "reboot_outlet", json!({"delay": 1})).refused(400, "delay");
}
