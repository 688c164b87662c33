//! A BMC of the pyghmi project, which resets itself, wants no password long and knows no event log.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::simulator;
use super::udp::start_on_free_port;
use crate::{eventually, repository_root};

/// How long the simulator may take for an effect. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running BMC, whose machine is off at first. It ends when this is dropped.
#[derive(Debug)]
pub struct Pyghmi {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl Pyghmi {
    /// A request that is answered with the completion code in the byte behind it.
    pub const ANSWERS_WITH: &'static str = "0x30 0x01";
    /// A request that is answered with "busy" as often as the byte behind it says, and then done.
    pub const BUSY_FOR: &'static str = "0x30 0x02";

    /// Starts it.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("pyghmi-")
            .tempdir()
            .expect("a folder");
        let log = folder.path().join("effects.log");
        fs::write(&log, "").expect("its log");
        let (process, port) = start_on_free_port("pyghmi's BMC", |port| {
            let output = File::create(folder.path().join("output.log")).expect("a file for its output");
            let mut command = simulator("python");
            command
                .arg(repository_root().join("tests/simulators/pyghmi_bmc.py"))
                .arg(port.to_string())
                .arg(&log)
                .stdin(Stdio::null())
                .stdout(output.try_clone().expect("a file for its output"))
                .stderr(output);
            command
        });
        Pyghmi {
            process,
            folder,
            port,
        }
    }

    /// What a node of the driver `ipmi` says to reach it.
    pub fn driver_info(&self) -> Value {
        json!({
            "ipmi_address": "127.0.0.1",
            "ipmi_port": self.port,
            "ipmi_username": "admin",
            "ipmi_password": "password",
            "ipmi_cipher_suite": 3,
        })
    }

    /// What was done to the machine and to the BMC itself so far, such as `power on`.
    pub fn done(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("effects.log")).expect("its log");
        log.lines().map(str::to_owned).collect()
    }

    /// Waits until the BMC has ended by itself, as it does when it is reset.
    pub fn wait_until_reset(&mut self) {
        let process = &mut self.process;
        eventually("the BMC resets itself", PATIENCE, || {
            process.try_wait().expect("a child of this process")
        });
    }
}

impl Drop for Pyghmi {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _status = self.process.wait();
    }
}
