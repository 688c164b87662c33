//! Any object of a PDU: one, or all that are below one.

use serde_json::{Value, json};
use suite::Snmpsim;

use super::{APC_1, apc, call, node, patient, version_3};

const COLUMN: &str = "1.3.6.1.4.1.318.1.1.4.4.2.1.4";

/// A PDU with a column of so many names.
fn with_names(names: u32) -> Snmpsim {
    let mut objects: Vec<String> = (1..=names)
        .map(|outlet| Snmpsim::text(&format!("{COLUMN}.{outlet}"), &format!("Outlet {outlet}")))
        .collect();
    objects.push(Snmpsim::text("1.3.6.1.4.1.318.1.1.4.5.1.0", "behind the column"));
    Snmpsim::start(&objects)
}

fn found(walked: &Value) -> Vec<&str> {
    let objects = walked["objects"].as_array().expect("objects");
    objects
        .iter()
        .map(|object| object["oid"].as_str().expect("an oid"))
        .collect()
}

#[test]
fn an_object_is_read_with_its_type_in_each_version() {
    let pdu = apc();
    for version in [json!({"snmp_version": "1"}), json!({}), version_3()] {
        let host = patient().start();
        node(&host, pdu.port(), version);
        for verb in ["GET", "POST"] {
            let object = call(&host, verb, "get", json!({"oid": "1.3.6.1.2.1.1.1.0"}));
            let expected =
                json!({"oid": "1.3.6.1.2.1.1.1.0", "type": "octet string", "value": Snmpsim::DESCRIPTION});
            assert_eq!(object.expect(200).json(), expected);
        }
        let object = call(&host, "GET", "get", json!({"oid": format!(".{APC_1}")}))
            .expect(200)
            .json();
        assert_eq!(object, json!({"oid": APC_1, "type": "integer", "value": 1}));
    }
}

#[test]
fn an_object_that_the_pdu_lacks_is_not_found_in_each_version() {
    let pdu = apc();
    for (version, said) in [
        (json!({"snmp_version": "1"}), "noSuchName"),
        (json!({}), "no such instance"),
        (version_3(), "no such instance"),
    ] {
        let host = patient().start();
        node(&host, pdu.port(), version);
        let text = format!(
            "the PDU at 127.0.0.1:{} has no object 1.3.6.1.2.1.1.9.0: {said}",
            pdu.port()
        );
        call(&host, "GET", "get", json!({"oid": "1.3.6.1.2.1.1.9.0"})).refused(404, &text);
    }
}

#[test]
fn a_walk_finds_all_that_is_below_and_nothing_behind_it_in_each_version() {
    let pdu = with_names(45);
    for version in [json!({"snmp_version": "1"}), json!({}), version_3()] {
        let host = patient().start();
        node(&host, pdu.port(), version);
        let walked = call(&host, "GET", "walk", json!({"oid": COLUMN}))
            .expect(200)
            .json();
        let expected: Vec<String> = (1..=45).map(|outlet| format!("{COLUMN}.{outlet}")).collect();
        assert_eq!(found(&walked), expected);
        assert_eq!(walked["complete"], true);
        assert_eq!(walked["objects"][44]["value"], "Outlet 45");
    }
}

#[test]
fn a_walk_stops_at_its_limit_and_says_whether_there_was_more() {
    let pdu = with_names(30);
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    for (limit, expected, complete) in [(1, 1, false), (29, 29, false), (30, 30, true), (1000, 30, true)] {
        let walked = call(&host, "POST", "walk", json!({"oid": COLUMN, "limit": limit}));
        let walked = walked.expect(200).json();
        assert_eq!(
            (found(&walked).len(), &walked["complete"]),
            (expected, &json!(complete)),
            "{limit}"
        );
    }
    for limit in [0, 1001] {
        call(&host, "POST", "walk", json!({"oid": COLUMN, "limit": limit}))
            .refused(400, &format!("expected 1 to 1000, found {limit}"));
    }
}

#[test]
fn a_walk_of_one_object_is_that_object_and_of_none_is_empty() {
    let pdu = apc();
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    let walk = |oid: &str| {
        call(&host, "POST", "walk", json!({"oid": oid}))
            .expect(200)
            .json()
    };
    assert_eq!(found(&walk(APC_1)), [APC_1]);
    let nothing = json!({"objects": [], "complete": true});
    assert_eq!(walk("1.3.6.1.2.1.99"), nothing);
    assert_eq!(walk("2.1"), nothing, "behind everything");
}

#[test]
fn what_is_no_oid_is_refused_with_the_reason() {
    let host = patient().start();
    node(&host, 9, json!({}));
    for method in ["get", "walk"] {
        for (oid, reason) in [
            (
                "sysDescr.0",
                "'sysDescr.0' is no OID: expected numbers with dots between them",
            ),
            ("3.1", "'3.1' is no OID: its first number is above 2"),
        ] {
            call(&host, "POST", method, json!({"oid": oid})).refused(400, reason);
        }
        call(&host, "POST", method, json!({}))
            .refused(400, &format!("Parameter 'oid' not passed to method '{method}'."));
    }
}
