//! Hosts and bare servers, started for the run.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::place::Place;
use crate::process::Process;

/// How long a host may take to listen: a million nodes have to be read.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that listens.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: String,
}

/// What a host is started with.
pub(crate) struct HostSetup {
    folder: PathBuf,
    enabled: Vec<String>,
    listen: String,
    isolated: bool,
}

impl HostSetup {
    /// A host with a folder of its own and no drivers.
    pub(crate) fn new(place: &Place, name: &str) -> Result<HostSetup> {
        let folder = place.folder(name)?;
        std::fs::create_dir_all(folder.join("drivers"))?;
        Ok(HostSetup {
            folder,
            enabled: Vec::new(),
            listen: "127.0.0.1:0".to_owned(),
            isolated: false,
        })
    }

    pub(crate) fn plugin_dir(&self) -> PathBuf {
        self.folder.join("drivers")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("host.db")
    }

    /// Puts a driver's file into its folder and enables it.
    pub(crate) fn driver(mut self, name: &str, file: &Path) -> Result<HostSetup> {
        std::fs::copy(file, self.plugin_dir().join(format!("{name}.so")))?;
        self.enabled.push(name.to_owned());
        Ok(self)
    }

    /// Enables drivers that are in its folder already.
    pub(crate) fn enable(mut self, names: impl Iterator<Item = String>) -> HostSetup {
        self.enabled.extend(names);
        self
    }

    /// Listens there instead of on a free port.
    pub(crate) fn listen(mut self, address: &str) -> HostSetup {
        self.listen = address.to_owned();
        self
    }

    /// Runs each driver in a process of its own.
    pub(crate) fn isolated(mut self) -> HostSetup {
        self.isolated = true;
        self
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.join("log"))?)
    }

    /// The host's command; its log goes to `log` in its folder.
    pub(crate) fn command(&self, place: &Place) -> Result<Command> {
        let mut config = Table::new();
        let text = |text: &str| Value::String(text.to_owned());
        config.insert("listen".into(), text(&self.listen));
        config.insert("plugin_dir".into(), text("drivers"));
        config.insert("host_name".into(), text("bench"));
        let enabled = self.enabled.iter().map(|name| text(name)).collect();
        config.insert("enabled_drivers".into(), Value::Array(enabled));
        if self.enabled.iter().any(|name| name == "bench") {
            // The whole of the host's limits, as if it were its only driver: nothing is to be refused.
            let bench = toml::toml! {
                max_calls = 10000
                max_workers = 300
            };
            config.insert(
                "drivers".into(),
                Table::from_iter([("bench".to_owned(), bench.into())]).into(),
            );
        }
        if self.isolated {
            let isolation = toml::toml! { default = "process" };
            config.insert("isolation".into(), isolation.into());
        }
        let file = self.folder.join("plugins.toml");
        std::fs::write(&file, config.to_string())?;
        let log = std::fs::File::create(self.folder.join("log"))?;
        let mut command = Command::new(place.program("host")?);
        command
            .args(["serve", "--log-format", "json", "--config"])
            .arg(file)
            .stdout(Stdio::null())
            .stderr(log);
        Ok(command)
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&self, place: &Place) -> Result<Server> {
        let mut process = Process::start(&mut self.command(place)?)?;
        let started = Instant::now();
        loop {
            let log = self.log()?;
            if let Some(address) = listening(&log) {
                return Ok(Server { process, address });
            }
            if process.0.try_wait()?.is_some() || started.elapsed() > PATIENCE {
                bail!("the host does not listen: {log}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The address in the host's line that says that it is listening.
fn listening(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("listening"))?;
    let (_, rest) = line.split_once("\"address\":\"")?;
    rest.split('"').next().map(str::to_owned)
}

/// Starts a bare server, which says where it listens.
pub(crate) fn start_bare(place: &Place, name: &str, arguments: &[String]) -> Result<Server> {
    let mut command = Command::new(place.program(name)?);
    let mut process = Process::start(command.args(arguments).stdout(Stdio::piped()))?;
    let stdout = process.0.stdout.take().context("its standard output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().to_owned();
    if address.is_empty() {
        bail!("{name} does not listen");
    }
    Ok(Server { process, address })
}
