//! Power on the test bench, against an agent of a few lines that remembers what was written, in its order.

use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver_sdk::prelude::*;
use driver_sdk::{FaultKind, TestBench};
use snmp2::{MessageType, Pdu};

use crate::usm::{integer, tlv};
use crate::Snmp;

/// An APC outlet that does what is written into it, except for one value that it does not take.
struct Agent {
    port: u16,
    written: Arc<Mutex<Vec<i64>>>,
}

impl Agent {
    fn start(at_first: i64, refused: i64) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let written = Arc::new(Mutex::new(Vec::new()));
        let history = Arc::clone(&written);
        let serve = move || {
            let mut value = at_first;
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                let request = Pdu::from_bytes(&buffer[..length]).unwrap();
                let (oid, wanted) = request.varbinds.clone().next().unwrap();
                let mut status = 0;
                if let (MessageType::SetRequest, snmp2::Value::Integer(wanted)) =
                    (request.message_type, wanted)
                {
                    history.lock().unwrap().push(wanted);
                    if wanted == refused {
                        status = 5;
                    } else {
                        value = wanted;
                    }
                }
                let binding = tlv(0x30, &[tlv(0x06, &[oid.as_bytes().to_vec()]), integer(value)]);
                let head = [integer(request.req_id.into()), integer(status), integer(0)].concat();
                let response = tlv(0xa2, &[head, tlv(0x30, &[binding])]);
                let community = tlv(0x04, &[request.community.to_vec()]);
                let message = tlv(0x30, &[integer(1), community, response]);
                socket.send_to(&message, from).unwrap();
            }
        };
        std::thread::Builder::new()
            .name("agent".into())
            .spawn(serve)
            .unwrap();
        Agent { port, written }
    }

    fn info(&self) -> Value {
        json!({
            "snmp_driver": "apc", "snmp_address": "127.0.0.1", "snmp_port": self.port, "snmp_outlet": 1,
            "snmp_version": "2c", "snmp_community": "private",
        })
    }

    fn written(&self) -> Vec<i64> {
        self.written.lock().unwrap().clone()
    }
}

fn bench() -> TestBench {
    TestBench::new::<Snmp>(json!({"timeout_ms": 5000, "retries": 0, "poll_interval_ms": 5})).unwrap()
}

fn to(target: PowerTarget) -> PowerChange {
    PowerChange {
        target,
        timeout: None,
    }
}

#[test]
fn the_power_state_is_that_of_the_outlet() {
    for (value, state) in [
        (1, PowerState::On),
        (2, PowerState::Off),
        (3, PowerState::Unknown),
        (4, PowerState::Error),
    ] {
        let agent = Agent::start(value, 0);
        assert_eq!(bench().power_state(agent.info()).unwrap(), state);
    }
}

#[test]
fn power_is_switched_and_a_reboot_is_off_and_then_on() {
    let agent = Agent::start(1, 0);
    for (target, written) in [
        (PowerTarget::Off, vec![2]),
        (PowerTarget::On, vec![2, 1]),
        (PowerTarget::Reboot, vec![2, 1, 2, 1]),
    ] {
        bench().set_power(agent.info(), to(target)).unwrap();
        assert_eq!(agent.written(), written);
    }
}

#[test]
fn a_reboot_that_stops_half_way_says_that_the_outlet_is_off() {
    let agent = Agent::start(1, 1);
    let fault = bench()
        .set_power(agent.info(), to(PowerTarget::Reboot))
        .unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    let said = format!(
        "outlet 1 was switched off, and the PDU at 127.0.0.1:{} refuses ",
        agent.port
    );
    assert!(
        fault.message().starts_with(&said) && fault.message().contains("genErr (5)"),
        "{fault}"
    );
    assert_eq!(agent.written(), [2, 1]);
}

#[test]
fn the_client_s_time_for_a_change_is_kept() {
    // It takes the value 9, which is no state, instead of on.
    let agent = Agent::start(9, 0);
    let mut info = agent.info();
    info["snmp_driver"] = json!("raritan_pdu2");
    let change = PowerChange {
        target: PowerTarget::On,
        timeout: Some(Duration::from_secs(1)),
    };
    let fault = bench().set_power(info, change).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Timeout);
    let said = "has accepted 'on' for outlet 1, but 1 s later its state is still 1";
    assert!(fault.message().contains(said), "{fault}");
}
