//! A BMC of the OpenIPMI project: `ipmi_sim` of Debian's package `openipmi`, with a machine behind it that is a shell script.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::udp::start_on_free_port;
use crate::{eventually, run_to_end};

/// What the simulator asks of its machine. The log is what has really happened, whatever a driver says.
const CHASSIS: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
shift
echo "$*" >>chassis.log
while [ -e hold ]; do sleep 0.05; done
verb=$1
shift
case "$verb" in
get)
    for name in "$@"; do
        case "$name" in
        power) echo "power:$(cat power)" ;;
        boot) echo "boot:$(cat boot)" ;;
        esac
    done ;;
set)
    while [ $# -gt 1 ]; do
        case "$1" in
        power | boot) echo "$2" >"$1" ;;
        shutdown) [ -e deaf ] || echo 0 >power ;;
        esac
        shift 2
    done ;;
esac
"#;

/// How long the simulator may take for an effect. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running BMC and its machine, which is off at first. Both end when this is dropped.
#[derive(Debug)]
pub struct IpmiSim {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl IpmiSim {
    /// The user that may do everything, and the one that may only look.
    pub const ADMIN: &'static str = "admin";
    /// The user with privilege level USER.
    pub const GUEST: &'static str = "guest";
    /// The password of both.
    pub const PASSWORD: &'static str = "secret-of-bmc-12";
    /// The BMC's key, for [`with_key`](Self::with_key).
    pub const KG_KEY: &'static str = "key-of-16-bytes!";

    /// A BMC without a key.
    pub fn start() -> Self {
        IpmiSim::new("")
    }

    /// A BMC with a key (Kg).
    pub fn with_key() -> Self {
        IpmiSim::new(&format!("bmc_key \"{}\"\n", IpmiSim::KG_KEY))
    }

    fn new(more: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("ipmi-sim-")
            .tempdir()
            .expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let text = |path: PathBuf| path.to_str().expect("a path in UTF-8").to_owned();
        for (name, content) in [
            ("power", "0\n"),
            ("boot", "none\n"),
            ("chassis.log", ""),
            ("chassis.sh", CHASSIS),
        ] {
            fs::write(at(name), content).expect("a file in the simulator's folder");
        }
        fs::set_permissions(at("chassis.sh"), fs::Permissions::from_mode(0o755)).expect("a script");
        fs::create_dir(at("state")).expect("a folder for its state");
        fs::write(
            at("sim.emu"),
            "mc_setbmc 0x20\n\
             mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n\
             sel_enable 0x20 1000 0x0a\n\
             mc_enable 0x20\n",
        )
        .expect("sim.emu");
        let (process, port) = start_on_free_port("ipmi_sim", |port| {
            let lan = format!(
                "name \"bmc\"\n\
                 set_working_mc 0x20\n\
                 startlan 1\n\
                 addr 127.0.0.1 {port}\n\
                 priv_limit admin\n\
                 allowed_auths_callback none md2 md5 straight\n\
                 allowed_auths_user none md2 md5 straight\n\
                 allowed_auths_operator none md2 md5 straight\n\
                 allowed_auths_admin none md2 md5 straight\n\
                 guid a123456789abcdefa123456789abcdef\n\
                 {more}\
                 endlan\n\
                 chassis_control \"{script} 0x20\"\n\
                 user 2 true \"{admin}\" \"{password}\" admin 10 none md2 md5 straight\n\
                 user 3 true \"{guest}\" \"{password}\" user 10 none md2 md5 straight\n",
                script = text(at("chassis.sh")),
                admin = IpmiSim::ADMIN,
                guest = IpmiSim::GUEST,
                password = IpmiSim::PASSWORD,
            );
            fs::write(at("lan.conf"), lan).expect("lan.conf");
            let mut command = Command::new("ipmi_sim");
            command
                .args(["-c", &text(at("lan.conf"))])
                .args(["-f", &text(at("sim.emu"))])
                .args(["-s", &text(at("state"))])
                .arg("-n")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        });
        IpmiSim {
            process,
            folder,
            port,
        }
    }

    /// The UDP port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a node of the driver `ipmi` says to reach it.
    pub fn driver_info(&self) -> Value {
        json!({
            "ipmi_address": "127.0.0.1",
            "ipmi_port": self.port,
            "ipmi_username": IpmiSim::ADMIN,
            "ipmi_password": IpmiSim::PASSWORD,
            "ipmi_cipher_suite": 3,
        })
    }

    /// What the machine was asked so far, such as `set power 1`.
    pub fn asked(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("chassis.log")).expect("the machine's log");
        log.lines().map(str::to_owned).collect()
    }

    /// What was done to the machine so far: what it was asked without what was only looked at.
    pub fn done(&self) -> Vec<String> {
        let mut asked = self.asked();
        asked.retain(|line| line.starts_with("set "));
        asked
    }

    /// Waits until the machine has been asked for something with `part` in it, which begins before an answer.
    pub fn wait_until_asked(&self, part: &str) {
        eventually(&format!("the machine is asked for {part}"), PATIENCE, || {
            self.asked().iter().any(|line| line.contains(part)).then_some(())
        });
    }

    /// Whether the machine has power.
    pub fn is_on(&self) -> bool {
        self.read("power") == "1"
    }

    /// Gives the machine power or takes it away, as a person would who stands in front of it.
    pub fn switch(&self, on: bool) {
        self.write("power", if on { "1\n" } else { "0\n" });
    }

    /// What the machine boots from next, in the simulator's words.
    pub fn boot(&self) -> String {
        self.read("boot")
    }

    /// From now on the BMC takes requests and does not answer them, because its machine does not.
    pub fn hold(&self) {
        self.write("hold", "");
    }

    /// Ends what [`hold`](Self::hold) began.
    pub fn release(&self) {
        let _not_held = fs::remove_file(self.folder.path().join("hold"));
    }

    /// From now on the machine's operating system does not shut down when it is asked to.
    pub fn make_deaf(&self) {
        self.write("deaf", "");
    }

    /// From now on the BMC neither takes requests nor answers them.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Ends what [`pause`](Self::pause) began.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks the BMC without a driver: what ipmitool prints for these words.
    pub fn ipmitool(&self, words: &[&str]) -> String {
        let password = self.folder.path().join("password");
        fs::write(&password, IpmiSim::PASSWORD).expect("a file for the password");
        let mut command = Command::new("ipmitool");
        command
            .args([
                "-I",
                "lanplus",
                "-C",
                "3",
                "-H",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
            ])
            .args(["-U", IpmiSim::ADMIN, "-f"])
            .arg(password)
            .args(words);
        run_to_end(command, PATIENCE).succeeded().stdout
    }

    /// The BMC is gone.
    pub fn kill(&mut self) {
        let _gone_already = self.process.kill();
        let _status = self.process.wait();
        self.release();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("a running simulator");
    }

    fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.folder.path().join(name)).expect("the machine's state");
        text.trim().to_owned()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).expect("the machine's state");
    }
}

impl Drop for IpmiSim {
    fn drop(&mut self) {
        self.kill();
    }
}
