//! Every family of PDUs: its own objects, in the simulator's memory.

use serde_json::json;
use suite::Snmpsim;

use super::{node, outlet_state, patient, succeeds};

/// A family as its MIB says, written down a second time: `N` is the outlet, `state` what is read, the rest what is written.
struct Family {
    name: &'static str,
    state: &'static str,
    on_state: i64,
    off_state: i64,
    on: (&'static str, i64),
    off: (&'static str, i64),
    reboot: Option<(&'static str, i64)>,
}

const FAMILIES: [Family; 12] = [
    Family {
        name: "apc_masterswitch",
        state: "1.3.6.1.4.1.318.1.1.4.4.2.1.3.N",
        on_state: 1,
        off_state: 2,
        on: ("1.3.6.1.4.1.318.1.1.4.4.2.1.3.N", 1),
        off: ("1.3.6.1.4.1.318.1.1.4.4.2.1.3.N", 2),
        reboot: Some(("1.3.6.1.4.1.318.1.1.4.4.2.1.3.N", 3)),
    },
    Family {
        name: "apc_masterswitchplus",
        state: "1.3.6.1.4.1.318.1.1.6.5.1.1.5.1.1.N",
        on_state: 1,
        off_state: 3,
        on: ("1.3.6.1.4.1.318.1.1.6.5.1.1.5.1.1.N", 1),
        off: ("1.3.6.1.4.1.318.1.1.6.5.1.1.5.1.1.N", 3),
        reboot: Some(("1.3.6.1.4.1.318.1.1.6.5.1.1.5.1.1.N", 5)),
    },
    Family {
        name: "apc_rackpdu",
        state: "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.N",
        on_state: 1,
        off_state: 2,
        on: ("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.N", 1),
        off: ("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.N", 2),
        reboot: Some(("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.N", 3)),
    },
    Family {
        name: "aten",
        state: "1.3.6.1.4.1.21317.1.3.2.2.2.2.N.0",
        on_state: 2,
        off_state: 1,
        on: ("1.3.6.1.4.1.21317.1.3.2.2.2.2.N.0", 2),
        off: ("1.3.6.1.4.1.21317.1.3.2.2.2.2.N.0", 1),
        reboot: Some(("1.3.6.1.4.1.21317.1.3.2.2.2.2.N.0", 4)),
    },
    Family {
        name: "cyberpower",
        state: "1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.N",
        on_state: 1,
        off_state: 2,
        on: ("1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.N", 1),
        off: ("1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.N", 2),
        reboot: Some(("1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.N", 3)),
    },
    Family {
        name: "eatonpower",
        state: "1.3.6.1.4.1.534.6.6.7.6.6.1.2.0.N",
        on_state: 1,
        off_state: 0,
        on: ("1.3.6.1.4.1.534.6.6.7.6.6.1.4.0.N", 0),
        off: ("1.3.6.1.4.1.534.6.6.7.6.6.1.3.0.N", 0),
        reboot: Some(("1.3.6.1.4.1.534.6.6.7.6.6.1.5.0.N", 0)),
    },
    Family {
        name: "teltronix",
        state: "1.3.6.1.4.1.23620.1.2.2.1.4.N",
        on_state: 2,
        off_state: 1,
        on: ("1.3.6.1.4.1.23620.1.2.2.1.4.N", 2),
        off: ("1.3.6.1.4.1.23620.1.2.2.1.4.N", 1),
        reboot: None,
    },
    Family {
        name: "baytech_mrp27",
        state: "1.3.6.1.4.1.4779.1.3.5.3.1.3.1.N",
        on_state: 1,
        off_state: 0,
        on: ("1.3.6.1.4.1.4779.1.3.5.3.1.3.1.N", 1),
        off: ("1.3.6.1.4.1.4779.1.3.5.3.1.3.1.N", 0),
        reboot: Some(("1.3.6.1.4.1.4779.1.3.5.3.1.3.1.N", 2)),
    },
    Family {
        name: "servertech_sentry3",
        state: "1.3.6.1.4.1.1718.3.2.3.1.5.1.1.N",
        on_state: 1,
        off_state: 0,
        on: ("1.3.6.1.4.1.1718.3.2.3.1.11.1.1.N", 1),
        off: ("1.3.6.1.4.1.1718.3.2.3.1.11.1.1.N", 2),
        reboot: Some(("1.3.6.1.4.1.1718.3.2.3.1.11.1.1.N", 3)),
    },
    Family {
        name: "servertech_sentry4",
        state: "1.3.6.1.4.1.1718.4.1.8.3.1.1.1.1.N",
        on_state: 1,
        off_state: 2,
        on: ("1.3.6.1.4.1.1718.4.1.8.5.1.2.1.1.N", 1),
        off: ("1.3.6.1.4.1.1718.4.1.8.5.1.2.1.1.N", 2),
        reboot: Some(("1.3.6.1.4.1.1718.4.1.8.5.1.2.1.1.N", 3)),
    },
    Family {
        name: "vertivgeist_pdu",
        state: "1.3.6.1.4.1.21239.5.2.3.5.1.4.N",
        on_state: 1,
        off_state: 2,
        on: ("1.3.6.1.4.1.21239.5.2.3.5.1.6.N", 2),
        off: ("1.3.6.1.4.1.21239.5.2.3.5.1.6.N", 4),
        reboot: Some(("1.3.6.1.4.1.21239.5.2.3.5.1.6.N", 6)),
    },
    Family {
        name: "raritan_pdu2",
        state: "1.3.6.1.4.1.13742.6.4.1.2.1.3.1.N",
        on_state: 7,
        off_state: 8,
        on: ("1.3.6.1.4.1.13742.6.4.1.2.1.2.1.N", 1),
        off: ("1.3.6.1.4.1.13742.6.4.1.2.1.2.1.N", 0),
        reboot: Some(("1.3.6.1.4.1.13742.6.4.1.2.1.2.1.N", 2)),
    },
];

/// What no command of any family writes.
const UNTOUCHED: i64 = 99;

impl Family {
    fn at(object: &str, outlet: u32) -> String {
        object.replace('N', &outlet.to_string())
    }

    /// Outlet 3 is on and outlet 4 is off. A simulator does not switch: where the state is an object of its own, it stays as it is.
    fn objects(&self) -> Vec<String> {
        let mut objects = Vec::new();
        for (outlet, state) in [(3, self.on_state), (4, self.off_state)] {
            objects.push(Snmpsim::writable(&Self::at(self.state, outlet), state));
            for (object, _) in [Some(self.on), Some(self.off), self.reboot].into_iter().flatten() {
                let line = Snmpsim::writable(&Self::at(object, outlet), UNTOUCHED);
                let known = objects
                    .iter()
                    .any(|known| known.split('|').next() == line.split('|').next());
                if !known {
                    objects.push(line);
                }
            }
        }
        objects
    }
}

#[test]
fn every_family_reads_and_writes_the_objects_of_its_mib() {
    let objects: Vec<String> = FAMILIES.iter().flat_map(Family::objects).collect();
    let pdu = Snmpsim::start(&objects);
    let host = patient().start();
    for family in &FAMILIES {
        let name = family.name;
        for (outlet, state, (object, value)) in [(3, "on", family.on), (4, "off", family.off)] {
            node(
                &host,
                pdu.port(),
                json!({"snmp_driver": name, "snmp_outlet": outlet}),
            );
            let seen = outlet_state(&host).expect(200).json();
            assert_eq!(
                (&seen["state"], &seen["outlet"]),
                (&json!(state), &json!(outlet.to_string())),
                "{name}"
            );
            succeeds(&host, "set_outlet_state", json!({"state": state}));
            assert_eq!(pdu.integer(&Family::at(object, outlet)), value, "{name} {state}");
            if let Some((object, value)) = family.reboot {
                succeeds(&host, "reboot_outlet", json!({}));
                assert_eq!(pdu.integer(&Family::at(object, outlet)), value, "{name} reboot");
            }
            host.request("DELETE", "/v1/nodes/n1").send().expect(204);
        }
    }
}

#[test]
fn an_outlet_may_be_named_by_the_whole_index_of_its_row() {
    let object = "1.3.6.1.4.1.1718.3.2.3.1.5.2.1.8";
    let pdu = Snmpsim::start(&[
        Snmpsim::fixed(object, 0),
        Snmpsim::writable("1.3.6.1.4.1.1718.3.2.3.1.11.2.1.8", 0),
    ]);
    let host = patient().start();
    node(
        &host,
        pdu.port(),
        json!({"snmp_driver": "servertech_sentry3", "snmp_outlet": "2.1.8"}),
    );
    let seen = outlet_state(&host).expect(200).json();
    assert_eq!(seen, json!({"outlet": "2.1.8", "state": "off", "value": 0}));
    succeeds(&host, "set_outlet_state", json!({"state": "off"}));
    assert_eq!(pdu.integer("1.3.6.1.4.1.1718.3.2.3.1.11.2.1.8"), 2);
}
