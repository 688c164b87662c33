//! A PDU that speaks SNMP: snmpsim's responder, with writable objects, and Debian's snmpget to see what it holds.

use std::io::Write;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::simulator;
use crate::command::{CommandOutput, run_to_end};
use crate::eventually;

/// How long the responder may take to answer, or a command to end. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A simulated PDU on a port of 127.0.0.1. Its community is `pdu`, and so is its context of version 3, where it has a user of each security
/// level. Killed when it is dropped.
#[derive(Debug)]
pub struct Snmpsim {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Snmpsim {
    /// The community for reading and writing; the context of version 3.
    pub const COMMUNITY: &'static str = "pdu";
    /// The user of version 3, authenticated with SHA-256, encrypted with AES-128.
    pub const USER: &'static str = "simulator";
    /// The user of version 3 that is authenticated in the same way, and not encrypted.
    pub const AUTHENTICATED_USER: &'static str = "authenticated";
    /// The user of version 3 without keys.
    pub const OPEN_USER: &'static str = "open";
    /// Their key for authentication.
    pub const AUTH_KEY: &'static str = "auctoritas";
    /// Its key for encryption.
    pub const PRIV_KEY: &'static str = "privatus";
    /// Its engine ID, in hexadecimal.
    pub const ENGINE_ID: &'static str = "8000000001020304";
    /// What every simulated PDU says in sysDescr.
    pub const DESCRIPTION: &'static str = "APC AP7900 sim";

    /// A PDU with these objects: lines of snmpsim's format, such as [`Snmpsim::writable`] makes.
    pub fn start(objects: &[String]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("snmpsim-")
            .tempdir()
            .expect("a folder");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder for data");
        std::fs::create_dir(folder.path().join("cache")).expect("a folder for indexes");
        let mut lines = vec![format!("1.3.6.1.2.1.1.1.0|4|{}", Self::DESCRIPTION)];
        lines.extend_from_slice(objects);
        // The file must be in the order of the objects.
        lines.sort_by_key(|line| numbers(line.split('|').next().unwrap_or_default()));
        let lines = lines.join("\n") + "\n";
        // The file's name is the community, and the context's name.
        std::fs::write(data.join(format!("{}.snmprec", Self::COMMUNITY)), &lines).expect("a file of objects");
        let (child, port) = serve(folder.path());
        Snmpsim { child, port, folder }
    }

    /// The line of an INTEGER that can be written.
    pub fn writable(oid: &str, value: i64) -> String {
        format!("{oid}|2:writecache|value={value}")
    }

    /// The line of an INTEGER that answers every write with an error, such as `notwritable`.
    pub fn refusing(oid: &str, value: i64, error: &str) -> String {
        format!("{oid}|2:writecache|value={value},op=set,status={error}")
    }

    /// The line of an INTEGER that can be written, but for one value: writing that is answered with an error.
    pub fn writable_but(oid: &str, value: i64, refused: i64, error: &str) -> String {
        format!("{oid}|2:writecache|value={value},vlist=eq:{refused}:{error}")
    }

    /// The line of an INTEGER that stays as it is.
    pub fn fixed(oid: &str, value: i64) -> String {
        format!("{oid}|2|{value}")
    }

    /// The line of an OCTET STRING.
    pub fn text(oid: &str, value: &str) -> String {
        format!("{oid}|4|{value}")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What an INTEGER holds, asked with Debian's snmpget.
    pub fn integer(&self, oid: &str) -> i64 {
        let output = self.snmpget(oid).succeeded().stdout;
        let value = output.trim();
        value.parse().unwrap_or_else(|e| panic!("{oid}: {e}: {value:?}"))
    }

    /// Kills it; the port stays silent, or refuses.
    pub fn stop(&mut self) {
        let _ended_meanwhile = self.child.kill();
        let _status = self.child.wait();
    }

    fn snmpget(&self, oid: &str) -> CommandOutput {
        snmpget(self.port, oid, 10)
    }
}

impl Drop for Snmpsim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let end = log.len().saturating_sub(5000);
            let end = log.get(end..).unwrap_or(&log);
            let text = format!("--- the end of snmpsim's log:\n{end}\n");
            let _nobody_reads_it = std::io::stderr().write_all(text.as_bytes());
        }
        self.stop();
    }
}

/// Starts the responder on a free port: one that another test takes in between is tried again.
fn serve(folder: &Path) -> (Child, u16) {
    eventually("snmpsim has a port of its own", PATIENCE * 3, || {
        let port = free_port();
        let mut child = responder(folder, port).spawn().expect("snmpsim starts");
        let answers = eventually("snmpsim answers or ends", PATIENCE, || {
            if child.try_wait().expect("a child of this process").is_some() {
                return Some(false);
            }
            (snmpget(port, "1.3.6.1.2.1.1.1.0", 1).code == 0).then_some(true)
        });
        answers.then_some((child, port))
    })
}

fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address").port()
}

fn responder(folder: &Path, port: u16) -> Command {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a file for the log");
    let mut command = simulator("snmpsim-command-responder");
    // What follows an engine ID is that engine's, so it comes first.
    command
        .arg(format!("--v3-engine-id={}", Snmpsim::ENGINE_ID))
        .arg(format!("--data-dir={}", folder.join("data").display()))
        .arg(format!("--cache-dir={}", folder.join("cache").display()))
        .arg(format!("--agent-udpv4-endpoint=127.0.0.1:{port}"))
        .arg(format!("--v3-user={}", Snmpsim::USER))
        .arg(format!("--v3-auth-key={}", Snmpsim::AUTH_KEY))
        .arg("--v3-auth-proto=SHA256")
        .arg(format!("--v3-priv-key={}", Snmpsim::PRIV_KEY))
        .arg("--v3-priv-proto=AES")
        .arg(format!("--v3-user={}", Snmpsim::AUTHENTICATED_USER))
        .arg(format!("--v3-auth-key={}", Snmpsim::AUTH_KEY))
        .arg("--v3-auth-proto=SHA256")
        .arg(format!("--v3-user={}", Snmpsim::OPEN_USER));
    command
        .env("SNMPSIM_ALLOW_ROOT", "true")
        .env("HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command
}

/// The value alone, as a number where it is one.
fn snmpget(port: u16, oid: &str, seconds: u32) -> CommandOutput {
    let mut command = Command::new("snmpget");
    command
        .args(["-v2c", "-c", Snmpsim::COMMUNITY, "-Oqve", "-r", "0", "-t"])
        .arg(seconds.to_string())
        .arg(format!("127.0.0.1:{port}"))
        .arg(oid);
    run_to_end(command, PATIENCE)
}

fn numbers(oid: &str) -> Vec<u32> {
    oid.split('.').map(|part| part.parse().expect("an OID")).collect()
}
