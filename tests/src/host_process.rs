//! A running host, in a folder of its own, on a port of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tempfile::TempDir;
use toml::{Table, Value as Toml};

use crate::command::{CommandOutput, run_to_end};
use crate::{Built, Library, Log, Reply, Request, drivers, eventually};

/// How long a host may take to serve, or to end. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a host is started with.
#[derive(Debug)]
pub struct HostBuilder {
    config: Table,
    text: Option<String>,
    enabled: Vec<String>,
    libraries: Vec<Library>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    folder: TempDir,
    panics_expected: bool,
}

impl HostBuilder {
    fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("host-")
            .tempdir()
            .expect("a folder");
        std::fs::create_dir(folder.path().join("drivers")).expect("a folder for drivers");
        let builder = HostBuilder {
            config: Table::new(),
            text: None,
            enabled: Vec::new(),
            libraries: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder,
            panics_expected: false,
        };
        builder
            .set("listen", "127.0.0.1:0")
            .set("plugin_dir", "drivers")
            .set("host_name", "suite-host")
            .set("limits.shutdown_grace_ms", 2000)
    }

    /// Puts a driver into the folder and enables it.
    pub fn driver(mut self, library: Library) -> Self {
        self.enabled.push(library.name.to_owned());
        self.available(library)
    }

    /// Puts a driver into the folder without enabling it.
    pub fn available(mut self, library: Library) -> Self {
        self.libraries.push(library);
        self
    }

    /// Names a driver in `enabled_drivers`, whatever the folder has.
    pub fn enable(mut self, name: &str) -> Self {
        self.enabled.push(name.to_owned());
        self
    }

    /// Sets a key of `plugins.toml`: `calls.max` is the key `max` of the table `calls`.
    pub fn set(mut self, key: &str, value: impl Into<Toml>) -> Self {
        let (tables, key) = match key.rsplit_once('.') {
            Some((tables, key)) => (tables.split('.').collect(), key),
            None => (Vec::new(), key),
        };
        let mut table = &mut self.config;
        for name in tables {
            let inner = table.entry(name).or_insert_with(|| Toml::Table(Table::new()));
            table = inner.as_table_mut().expect("a table");
        }
        table.insert(key.to_owned(), value.into());
        self
    }

    /// The whole text of `plugins.toml`, instead of what the other functions say.
    pub fn config_text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// Adds an argument to the command line.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The log may tell of a driver's panic. One of the host itself is never expected.
    pub fn driver_panics_expected(mut self) -> Self {
        self.panics_expected = true;
        self
    }

    /// The folder that everything of this host lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn write(&mut self) -> PathBuf {
        if !self.config.contains_key("enabled_drivers") {
            let enabled: Vec<Toml> = self
                .enabled
                .iter()
                .map(|name| Toml::from(name.as_str()))
                .collect();
            self.config.insert("enabled_drivers".into(), enabled.into());
        }
        for library in &self.libraries {
            let path = library.path();
            let name = path.file_name().expect("a file's name");
            std::fs::copy(&path, self.folder.path().join("drivers").join(name))
                .expect("a copy of the driver");
        }
        let text = match &self.text {
            Some(text) => text.clone(),
            None => toml::to_string(&self.config).expect("a config that can be written"),
        };
        let path = self.folder.path().join("plugins.toml");
        std::fs::write(&path, text).expect("plugins.toml");
        path
    }

    fn command(&mut self, words: &[&str]) -> Command {
        let config = self.write();
        let mut command = Command::new(Built::host());
        command
            .args(words)
            .arg("--config")
            .arg(config)
            .args(&self.arguments);
        command
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LOG")
            .env_remove("NO_COLOR");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).current_dir(self.folder.path());
        command
    }

    /// Runs another command of the host, `check-config` say, with this config.
    pub fn run(mut self, words: &[&str]) -> CommandOutput {
        run_to_end(self.command(words), PATIENCE)
    }

    /// Runs `serve`, which must end by itself.
    pub fn serve_to_end(self) -> CommandOutput {
        self.run(&["serve"])
    }

    /// Runs `serve` and waits until it is ready.
    pub fn start(mut self) -> HostProcess {
        if !self
            .arguments
            .iter()
            .any(|argument| argument.starts_with("--log-format"))
        {
            self.arguments
                .extend(["--log-format".to_owned(), "json".to_owned()]);
        }
        let mut command = self.command(&["serve"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the host's program starts");
        let log = Log::default();
        log.collect(child.stdout.take().expect("its standard output"));
        log.collect(child.stderr.take().expect("its standard error"));
        let mut host = HostProcess {
            child,
            address: String::new(),
            log,
            builder: self,
            stopped: false,
        };
        host.wait_until_ready();
        host
    }
}

/// A host that serves. Dropping it asks it to end with SIGTERM, and checks that it did and that nothing panicked.
#[derive(Debug)]
pub struct HostProcess {
    child: Child,
    /// Where it listens, `127.0.0.1:PORT`.
    pub address: String,
    /// What it has written so far.
    pub log: Log,
    builder: HostBuilder,
    stopped: bool,
}

impl HostProcess {
    /// A host with nothing in it yet.
    pub fn builder() -> HostBuilder {
        HostBuilder::new()
    }

    /// A host with the fake driver and every limit at its default.
    pub fn with_fake() -> HostProcess {
        HostBuilder::new().driver(drivers::FAKE).start()
    }

    fn wait_until_ready(&mut self) {
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

    /// Asks it to end.
    pub fn terminate(&self) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, Signal::TERM).expect("a running process");
    }

    /// Kills it as a crash would, waits for it, and starts another one with the same folder.
    pub fn crash_and_restart(mut self) -> HostProcess {
        self.child.kill().expect("a running process");
        self.child.wait().expect("its status");
        self.stopped = true;
        let fresh = HostBuilder::new();
        std::mem::replace(&mut self.builder, fresh).start()
    }

    /// Asks it to end, waits, and starts another one with the same folder and what `change` makes of its config.
    pub fn restart(mut self, change: impl FnOnce(HostBuilder) -> HostBuilder) -> HostProcess {
        self.terminate();
        self.wait();
        let fresh = HostBuilder::new();
        change(std::mem::replace(&mut self.builder, fresh)).start()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let status = eventually("the host ends", PATIENCE, || {
            child.try_wait().expect("a child of this process")
        });
        self.stopped = true;
        status
    }
}

impl HostBuilder {
    /// Forgets which drivers are enabled.
    pub fn nothing_enabled(mut self) -> Self {
        self.enabled.clear();
        self.config.remove("enabled_drivers");
        self
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ended_meanwhile = self.child.kill();
            let _status = self.child.wait();
            eprintln!("--- the host's log:\n{}", self.log.text());
            return;
        }
        if !self.stopped {
            self.terminate();
            let child = &mut self.child;
            let mut ended = || child.try_wait().expect("a child of this process");
            let status = eventually("the host ends after SIGTERM", PATIENCE, &mut ended);
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
