//! A BMC with a Redfish service: sushy-emulator, with TLS and a login, as it is or with what the project adds to it.

use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::simulator;
use crate::{Authority, CertificateFor, Log, eventually, repository_root};

/// How long an emulator may take to start. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// The path of its one system.
const SYSTEM: &str = "/redfish/v1/Systems/27946b59-9e44-4fa7-8e91-f3527a1ef094";
/// `admin:tuna-and-rice`, as an `Authorization` header has it.
const BASIC: &str = "Basic YWRtaW46dHVuYS1hbmQtcmljZQ==";
/// The same for the emulator: bcrypt with four rounds takes a millisecond each time.
const HASHED: &str =
    "import bcrypt; print('admin:' + bcrypt.hashpw(b'tuna-and-rice', bcrypt.gensalt(4)).decode())";

/// A running emulator, killed when it is dropped.
pub struct Sushy {
    process: Process,
    authority: Authority,
    observer: Arc<ClientConfig>,
    folder: TempDir,
}

/// Which program is started.
#[derive(Clone, Copy)]
enum Program {
    Emulator,
    WithExtras,
}

impl Sushy {
    /// sushy-emulator as it is.
    pub fn start() -> Self {
        Sushy::new(Program::Emulator, CertificateFor::Localhost)
    }

    /// sushy-emulator with what the project adds: see `tests/simulators/redfish_extras.py`.
    pub fn with_extras() -> Self {
        Sushy::new(Program::WithExtras, CertificateFor::Localhost)
    }

    /// sushy-emulator with such a certificate.
    pub fn with_certificate(whose: CertificateFor) -> Self {
        Sushy::new(Program::Emulator, whose)
    }

    fn new(program: Program, whose: CertificateFor) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("sushy-")
            .tempdir()
            .expect("a folder");
        let authority = Authority::new();
        authority.write(folder.path());
        let (certificate, key) = authority.sign(whose);
        let hashed = simulator("python").args(["-c", HASHED]).output().expect("python");
        let hashed = String::from_utf8(hashed.stdout).expect("text");
        for (name, text) in [
            ("server.crt", certificate),
            ("server.key", key),
            ("htpasswd", hashed),
        ] {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        std::fs::create_dir(folder.path().join("state")).expect("a folder");
        // There is no port 0: somebody else may be quicker to take a free one.
        let process = (0..10).find_map(|_| Process::start(program, folder.path()));
        Sushy {
            process: process.expect("a port that stays free"),
            observer: authority.client(),
            authority,
            folder,
        }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.process.port)
    }

    /// Who has signed its certificate.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The CA certificate of its certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What a node says of it.
    pub fn driver_info(&self) -> Value {
        json!({
            "redfish_address": self.url(),
            "redfish_username": "admin",
            "redfish_password": "tuna-and-rice",
            "redfish_verify_ca": self.ca_file(),
        })
    }

    /// The path of its system.
    pub fn system_path(&self) -> &'static str {
        SYSTEM
    }

    /// Its system, as it is now.
    pub fn system(&self) -> Value {
        self.get(SYSTEM)
    }

    /// A resource, as it is now: asked over a connection of the test's own.
    pub fn get(&self, path: &str) -> Value {
        self.exchange("GET", path, "").expect("the emulator answers")
    }

    /// What all calls so far have done to an emulator with extras: its journal, and how many sessions and NMIs.
    pub fn seen(&self) -> Value {
        self.get("/control")
    }

    /// The requests so far, as `METHOD path`, of an emulator with extras.
    pub fn journal(&self) -> Vec<String> {
        let seen = self.seen();
        let entries = seen["journal"].as_array().expect("a journal").iter();
        let text = |entry: &Value, key: &str| entry[key].as_str().expect("text").to_owned();
        entries
            .map(|entry| format!("{} {}", text(entry, "method"), text(entry, "path")))
            .collect()
    }

    /// How many requests so far fit a verb and a piece of a path.
    pub fn count(&self, method: &str, piece: &str) -> usize {
        let fits = |line: &&String| line.starts_with(method) && line.contains(piece);
        self.journal().iter().filter(fits).count()
    }

    /// Says what happens to next requests, to an emulator with extras.
    pub fn rule(&self, rule: Value) {
        self.control(json!({ "rule": rule }));
    }

    /// Steers an emulator with extras.
    pub fn control(&self, order: Value) {
        self.exchange("POST", "/control", &order.to_string());
    }

    /// Ends it as a power failure would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn exchange(&self, verb: &str, path: &str, body: &str) -> Option<Value> {
        let stream = TcpStream::connect(("127.0.0.1", self.process.port)).expect("the emulator accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        let tls = ClientConnection::new(Arc::clone(&self.observer), name).expect("a connection");
        let mut stream = StreamOwned::new(tls, stream);
        let request = format!(
            "{verb} {path} HTTP/1.0\r\nAuthorization: {BASIC}\r\nX-Suite: yes\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        // An emulator closes without a farewell in TLS.
        let _unclean = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        assert!(head.contains(" 20"), "{verb} {path}: {answer}");
        serde_json::from_str(body).ok()
    }
}

impl fmt::Debug for Sushy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sushy({})", self.url())
    }
}

/// The emulator's process.
struct Process {
    child: Child,
    port: u16,
    log: Log,
}

impl Process {
    /// Nothing if its port was taken meanwhile.
    fn start(program: Program, folder: &Path) -> Option<Self> {
        let port = free_port();
        let config = folder.join("emulator.conf");
        std::fs::write(&config, configuration(folder, port)).expect("a file");
        let mut command = match program {
            Program::Emulator => simulator("sushy-emulator"),
            Program::WithExtras => simulator("python"),
        };
        match program {
            Program::Emulator => command.arg("--config"),
            Program::WithExtras => command.arg(repository_root().join("tests/simulators/redfish_extras.py")),
        };
        command
            .arg(&config)
            .env("PYTHONUNBUFFERED", "1")
            .env("TMPDIR", folder);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the emulator's program starts");
        let log = Log::default();
        log.collect(child.stdout.take().expect("its standard output"));
        log.collect(child.stderr.take().expect("its standard error"));
        let mut process = Process { child, port, log };
        process.is_up().then_some(process)
    }

    /// Whether it listens, or has ended because its port was taken.
    fn is_up(&mut self) -> bool {
        eventually("the emulator listens", PATIENCE, || {
            if self.child.try_wait().expect("a child of this process").is_some() {
                let log = self.log.text();
                return log.contains("in use").then_some(false);
            }
            let says_so = self
                .log
                .text()
                .contains(&format!("Running on https://127.0.0.1:{}", self.port));
            (says_so && TcpStream::connect(("127.0.0.1", self.port)).is_ok()).then_some(true)
        })
    }

    fn kill(&mut self) {
        let _ended_meanwhile = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let text = format!("--- the emulator's log:\n{}\n", self.log.text());
            let _nobody_reads_it = std::io::stderr().write_all(text.as_bytes());
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn configuration(folder: &Path, port: u16) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    format!(
        "SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {port}\nSUSHY_EMULATOR_FAKE_DRIVER = True\n\
         SUSHY_EMULATOR_STATE_DIR = '{}'\nSUSHY_EMULATOR_AUTH_FILE = '{}'\nSUSHY_EMULATOR_SSL_CERT = '{}'\n\
         SUSHY_EMULATOR_SSL_KEY = '{}'\n",
        file("state"),
        file("htpasswd"),
        file("server.crt"),
        file("server.key"),
    )
}
