//! What a host is started with: its config, its drivers, its environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use toml::{Table, Value as Toml};

use crate::command::{CommandOutput, run_to_end};
use crate::{Built, HostProcess, Library};

/// How long a command of the host may take. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a host is started with.
#[derive(Debug)]
pub struct HostBuilder {
    config: Table,
    text: Option<String>,
    enabled: Vec<String>,
    libraries: Vec<Library>,
    arguments: Vec<String>,
    environment: Vec<(OsString, OsString)>,
    folder: TempDir,
    /// Commands of a shell that limit the host.
    shell_limit: Option<String>,
    pub(crate) panics_expected: bool,
}

impl HostBuilder {
    pub(crate) fn new() -> Self {
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
            shell_limit: None,
            panics_expected: false,
        };
        builder
            .set("listen", "127.0.0.1:0")
            .set("plugin_dir", "drivers")
            .set("host_name", "suite-host")
            .set("limits.shutdown_grace_ms", 2000)
            // Longer than a busy machine may keep a thread waiting: a test of one of these sets its own.
            .set("calls.timeout_ms", 300_000)
            .set("locks.wait_ms", 60_000)
            .set("limits.header_timeout_ms", 60_000)
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
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts it with so many open files allowed, which it may raise.
    pub fn limit_open_files(mut self, files: u32) -> Self {
        self.shell_limit = Some(format!("ulimit -Sn {files}"));
        self
    }

    /// Starts it with so many open files allowed, and never more.
    pub fn limit_open_files_for_good(mut self, files: u32) -> Self {
        self.shell_limit = Some(format!("ulimit -n {files}"));
        self
    }

    /// Starts it with so much memory of its own allowed, and never more.
    pub fn limit_memory_kib(mut self, kib: u64) -> Self {
        self.shell_limit = Some(format!("ulimit -d {kib}"));
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
        let mut command = match &self.shell_limit {
            // The shell becomes the host: its limits and its process id are the host's.
            Some(limit) => {
                let mut shell = Command::new("/bin/sh");
                shell
                    .args(["-c", &format!("{limit} && exec \"$0\" \"$@\"")])
                    .arg(Built::host());
                shell
            }
            None => Command::new(Built::host()),
        };
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
    pub fn start(self) -> HostProcess {
        let mut host = self.launch();
        host.wait_until_ready();
        host
    }

    /// Runs `serve`, which may never be ready.
    pub fn launch(mut self) -> HostProcess {
        if !self
            .arguments
            .iter()
            .any(|argument| argument.starts_with("--log-format"))
        {
            self.arguments
                .extend(["--log-format".to_owned(), "json".to_owned()]);
        }
        let command = self.command(&["serve"]);
        HostProcess::new(command, self)
    }

    /// Forgets which drivers are enabled.
    pub fn nothing_enabled(mut self) -> Self {
        self.enabled.clear();
        self.config.remove("enabled_drivers");
        self
    }
}
