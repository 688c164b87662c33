//! Where the password is not: on a command line, in a file, in a message.

use std::fs;

use serde_json::json;
use suite::{IpmiSim, eventually};

use super::children::ipmitools;
use super::{PATIENCE, builder, node, with};

#[test]
fn no_command_line_and_no_file_of_an_ipmitool_has_a_secret() {
    let bmc = IpmiSim::with_key();
    let host = builder()
        .set("drivers.ipmi.config.answer_timeout_s", 3_600)
        .start();
    let key: String = IpmiSim::KG_KEY
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let node = node(
        &host,
        "n1",
        with(bmc.driver_info(), "ipmi_hex_kg_key", key.as_str()),
    );
    bmc.hold();
    let call = host
        .request("POST", &format!("{node}/vendor_passthru/raw"))
        .json(&json!({"raw_bytes": "0x00 0x01"}))
        .start();
    bmc.wait_until_asked("get power");
    let pid = eventually("ipmitool runs", PATIENCE, || ipmitools(&host).first().copied());
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let command_line = String::from_utf8_lossy(&command_line).replace('\0', " ");
    assert!(command_line.contains("raw 0x00 0x01"), "{command_line}");
    for secret in [IpmiSim::PASSWORD, IpmiSim::KG_KEY, &key] {
        assert!(!command_line.contains(secret), "{command_line}");
    }
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains(IpmiSim::PASSWORD));
    for file in fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
        let Ok(target) = fs::read_link(file.path()) else {
            continue;
        };
        let target = target.to_string_lossy().into_owned();
        assert!(
            target.starts_with("pipe:") || target.starts_with("socket:") || target == "/dev/null",
            "an open file: {target}"
        );
    }
    bmc.release();
    call.wait().expect(200);
}

#[test]
fn no_reply_and_no_line_of_the_log_has_a_secret() {
    let bmc = IpmiSim::start();
    let host = builder()
        .set("drivers.ipmi.config.answer_timeout_s", 2)
        .argument("--log-level=trace")
        .start();
    // Shorter than what the host masks by itself.
    for (name, key, value) in [
        ("good", "ipmi_username", IpmiSim::ADMIN),
        ("bad-password", "ipmi_password", "q7!x"),
        ("bad-user", "ipmi_username", "nobody"),
        ("long-password", "ipmi_password", "q7!x-is-longer-than-20-bytes"),
        ("bad-key", "ipmi_hex_kg_key", "71372178"),
    ] {
        let node = node(&host, name, with(bmc.driver_info(), key, value));
        let reply = host.post(
            &format!("{node}/vendor_passthru/raw"),
            json!({"raw_bytes": "6 1"}),
        );
        let shown = host.get(&node).expect(200);
        for text in [reply.text(), shown.text()] {
            for secret in [IpmiSim::PASSWORD, "q7!x", "71372178"] {
                assert!(!text.contains(secret), "{name}: {text}");
            }
        }
    }
    let log = host.log.text();
    for secret in [IpmiSim::PASSWORD, "q7!x", "71372178"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
