//! A running host, in a folder of its own, on a port of its own.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

use crate::{HostBuilder, Library, Log, Reply, Request, drivers, eventually};

/// How long a host may take to serve, or to end. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host that serves. Dropping it asks it to end with SIGTERM, and checks that it did and that nothing panicked.
#[derive(Debug)]
pub struct HostProcess {
    child: Child,
    /// Where it listens, `127.0.0.1:PORT`.
    pub address: String,
    /// What it has written so far.
    pub log: Log,
    collectors: Vec<JoinHandle<()>>,
    builder: HostBuilder,
    stopped: bool,
}

impl HostProcess {
    pub(crate) fn new(mut command: Command, builder: HostBuilder) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the host's program starts");
        let log = Log::default();
        let collectors = vec![
            log.collect(child.stdout.take().expect("its standard output")),
            log.collect(child.stderr.take().expect("its standard error")),
        ];
        HostProcess {
            child,
            address: String::new(),
            log,
            collectors,
            builder,
            stopped: false,
        }
    }

    /// A host with nothing in it yet.
    pub fn builder() -> HostBuilder {
        HostBuilder::new()
    }

    /// A host with the fake driver and every limit at its default.
    pub fn with_fake() -> HostProcess {
        HostBuilder::new().driver(drivers::FAKE).start()
    }

    pub(crate) fn wait_until_ready(&mut self) {
        let log = self.log.clone();
        let child = &mut self.child;
        let address = eventually("the host listens", PATIENCE, || {
            if let Some(status) = child.try_wait().expect("a child of this process") {
                panic!("the host ended with {status}:\n{}", log.text());
            }
            log.address()
        });
        self.address = address;
        eventually("the host is ready", PATIENCE, || {
            (self.get("/readyz").status == 200).then_some(())
        });
    }

    /// Its base URL, for clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder that its config, drivers and database lie in.
    pub fn folder(&self) -> &Path {
        self.builder.folder()
    }

    /// A request to it.
    pub fn request(&self, verb: &str, target: &str) -> Request {
        Request::new(&self.address, verb, target)
    }

    /// GET, with API version 1.77.
    pub fn get(&self, target: &str) -> Reply {
        self.request("GET", target).send()
    }

    /// POST of a JSON value, with API version 1.77.
    pub fn post(&self, target: &str, body: Value) -> Reply {
        self.request("POST", target).json(&body).send()
    }

    /// Creates a node of the fake driver, and returns its uuid.
    pub fn create_node(&self, name: &str) -> String {
        self.create_node_of(drivers::FAKE, name)
    }

    /// Creates a node of any driver, and returns its uuid.
    pub fn create_node_of(&self, driver: Library, name: &str) -> String {
        let node = self
            .post("/v1/nodes", json!({ "driver": driver.name, "name": name }))
            .expect(201)
            .json();
        node["uuid"].as_str().expect("a uuid").to_owned()
    }

    /// A node's field, as the host shows it now.
    pub fn node_field(&self, node: &str, field: &str) -> Value {
        self.get(&format!("/v1/nodes/{node}?fields={field}"))
            .expect(200)
            .json()[field]
            .clone()
    }

    /// The threads of its process.
    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.pid()))
            .expect("a running process")
            .count()
    }

    /// The memory of its process that is in RAM.
    pub fn resident_bytes(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a running process");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("its resident memory");
        let kib: u64 = line
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number of KiB");
        kib * 1024
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.send(Signal::TERM);
    }

    /// Sends it a signal.
    pub fn send(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("a running process");
    }

    /// Sends it a signal that ends it, until it has.
    pub fn kill_with(&mut self, signal: Signal) -> ExitStatus {
        eventually(&format!("the host ends by {signal:?}"), PATIENCE, || {
            // Rust's own handler takes the first SIGSEGV for itself.
            let _ended_meanwhile = rustix::process::kill_process(Pid::from_child(&self.child), signal);
            self.child.try_wait().expect("a child of this process")
        });
        self.wait()
    }

    /// Kills it as a crash would, waits for it, and starts another one with the same folder.
    pub fn crash_and_restart(mut self) -> HostProcess {
        self.child.kill().expect("a running process");
        self.child.wait().expect("its status");
        self.stopped = true;
        self.started_again()
    }

    /// Asks it to end, waits, and starts another one with the same folder and what `change` makes of its config.
    pub fn restart(mut self, change: impl FnOnce(HostBuilder) -> HostBuilder) -> HostProcess {
        self.terminate();
        self.wait();
        self.started_with(change)
    }

    /// Another host with the same folder, after this one has ended.
    pub fn started_again(self) -> HostProcess {
        self.started_with(|builder| builder)
    }

    /// Another host with the same folder and what `change` makes of its config, after this one has ended.
    pub fn started_with(mut self, change: impl FnOnce(HostBuilder) -> HostBuilder) -> HostProcess {
        assert!(self.stopped, "it has ended");
        let mut fresh = HostBuilder::new();
        // This one's log is looked at when it is dropped.
        fresh.panics_expected = self.builder.panics_expected;
        change(std::mem::replace(&mut self.builder, fresh)).start()
    }

    /// How it has ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    /// Waits for its end, and for everything that it has written.
    pub fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let status = eventually("the host ends", PATIENCE, || {
            child.try_wait().expect("a child of this process")
        });
        self.stopped = true;
        for collector in self.collectors.drain(..) {
            collector.join().expect("everything that it wrote");
        }
        status
    }

    /// Waits until a line of its log holds all of `pieces`, and returns the latest one.
    pub fn logged(&self, pieces: &[&str]) -> String {
        eventually(&format!("a line with {pieces:?}"), PATIENCE, || {
            self.log.lines_with(pieces).pop()
        })
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ended_meanwhile = self.child.kill();
            let _status = self.child.wait();
            let text = format!("--- the host's log:\n{}\n", self.log.text());
            let _nobody_reads_it = std::io::stderr().write_all(text.as_bytes());
            return;
        }
        if !self.stopped {
            self.terminate();
            let status = self.wait();
            assert!(
                status.success(),
                "the host ended with {status}:\n{}",
                self.log.text()
            );
        }
        for line in self.log.lines_with(&["panicked"]) {
            let own = line.contains("host/src/") || !self.builder.panics_expected;
            assert!(!own, "a panic in the host's log: {line}");
        }
    }
}
