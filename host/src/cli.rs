//! The command line: its words, and the exit code of each outcome.

pub mod driver_list;
pub mod driver_reset;
pub mod inspect;
pub mod list_available;
pub mod openapi;
mod running_host;
pub mod table;

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::app::{self, StartError};
use crate::config::{Config, ConfigError, OVERRIDE};
use crate::plugin::loaded::inside;
use crate::plugin::printable;
use driver_list::driver_list;
use driver_reset::driver_reset;
use inspect::inspect;
use list_available::{ListOptions, list_available};
use openapi::openapi;

/// Something failed that the other codes do not name.
const FAILED: u8 = 1;
/// The configuration cannot be used. (Wrong usage is 2, clap's own.)
const BAD_CONFIG: u8 = 3;
/// An enabled driver cannot be loaded.
const BAD_DRIVERS: u8 = 4;

/// Serves bare-metal hardware drivers, shipped as shared libraries, over Ironic's REST API.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  host list-available                       what is in the folder of drivers
  host inspect fake                         what a driver can do
  host openapi                              the same for programs: an OpenAPI document
  host check-config && host serve           serve what plugins.toml enables
  host driver-list                          what a running host has loaded
  host driver-reset acme                    let a quarantined driver be started again

Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 configuration, 4 drivers"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load the enabled drivers and serve their methods
    #[command(after_help = "\
Examples:
  host serve
  host serve --config /etc/host/plugins.toml --log-format json
  HOST__WORKERS__MAX=50 host serve --listen 127.0.0.1:6386")]
    Serve {
        #[command(flatten)]
        source: Source,
        /// Where to listen, instead of the configuration's `listen`; port 0 takes a free one
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        #[command(flatten)]
        log: LogOptions,
    },
    /// List the drivers in the folder, without running any of their code
    #[command(after_help = "\
Examples:
  host list-available
  host list-available --plugin-dir ./drivers --all
  host list-available --json | jq -r '.[] | select(.state == \"available\") | .name'")]
    ListAvailable {
        #[command(flatten)]
        source: Source,
        /// Show drivers whose name starts with `fake` as well
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show everything that a driver says of itself, without running its code
    #[command(after_help = "\
Examples:
  host inspect fake
  host inspect ./libvendor.so --json")]
    Inspect {
        /// A driver's name, or a file
        #[arg(value_name = "NAME|FILE")]
        driver: String,
        #[command(flatten)]
        source: Source,
        /// Print the manifest as JSON
        #[arg(long)]
        json: bool,
    },
    /// Describe the API of a host with these drivers as an OpenAPI document, without running their code
    #[command(after_help = "\
Examples:
  host openapi > openapi.json
  host openapi --plugin-dir ./drivers --all | jq '.paths | keys'

A running host answers the same document to GET /openapi.json.")]
    Openapi {
        #[command(flatten)]
        source: Source,
        /// Describe all drivers of the folder that could be enabled, not only those that are
        #[arg(long)]
        all: bool,
    },
    /// List the drivers that are enabled in a running host
    #[command(after_help = "\
Examples:
  host driver-list
  host driver-list --url http://127.0.0.1:6386 --json")]
    DriverList {
        /// The running host
        #[arg(long, default_value = "http://127.0.0.1:6385")]
        url: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a driver be started again that was quarantined because its processes died too often
    #[command(after_help = "\
Examples:
  host driver-reset acme
  host driver-reset --url http://127.0.0.1:6386 acme")]
    DriverReset {
        /// The driver
        #[arg(value_name = "NAME")]
        driver: String,
        /// The running host
        #[arg(long, default_value = "http://127.0.0.1:6385")]
        url: String,
    },
    /// Run one driver for a host, which starts this by itself
    #[command(hide = true)]
    Worker {
        #[command(flatten)]
        limits: inside::Limits,
    },
    /// Say what `serve` would refuse, as far as it shows without running a driver's code
    #[command(after_help = "\
Examples:
  host check-config
  host check-config --config /etc/host/plugins.toml && systemctl restart host")]
    CheckConfig {
        #[command(flatten)]
        source: Source,
    },
}

/// Where the configuration comes from.
#[derive(Debug, Args)]
struct Source {
    /// The configuration; its keys can be overridden by HOST__SECTION__KEY
    #[arg(long, value_name = "FILE", default_value = "plugins.toml")]
    config: PathBuf,
    /// The folder of drivers, instead of the configuration's `plugin_dir`
    #[arg(long, value_name = "DIR")]
    plugin_dir: Option<PathBuf>,
}

/// How the log is written.
#[derive(Debug, Args)]
pub struct LogOptions {
    /// Lines for people, or one JSON object per line
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// What is logged: a level, or a filter such as `warn,driver=debug`
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log_level: String,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Source {
    fn load(&self) -> Result<Config, StartError> {
        let mut config = Config::load(&self.config, environment()?)?;
        if let Some(dir) = &self.plugin_dir {
            config.plugin_dir.clone_from(dir);
        }
        Ok(config)
    }

    /// For the commands that only look: with a folder named, no configuration is needed.
    fn load_for_listing(&self) -> Result<Config, StartError> {
        match (&self.plugin_dir, self.config.exists()) {
            (Some(dir), false) => {
                let mut config = Config::default();
                config.plugin_dir.clone_from(dir);
                Ok(config)
            }
            _ => self.load(),
        }
    }
}

/// The variables that may override keys. Others need not even be text.
fn environment() -> Result<impl Iterator<Item = (String, String)>, ConfigError> {
    let ours = |name: &OsString| name.as_encoded_bytes().starts_with(OVERRIDE.as_bytes());
    let text = |value: OsString, name: &str| {
        value.into_string().map_err(|_| ConfigError::Variable {
            name: name.to_owned(),
            reason: "expected text in UTF-8",
        })
    };
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os().filter(|(name, _)| ours(name)) {
        let shown = name.to_string_lossy().into_owned();
        variables.push((text(name, &shown)?, text(value, &shown)?));
    }
    Ok(variables.into_iter())
}

impl Source {
    /// A file that is named is looked at where it is, with or without a configuration.
    fn load_for_inspecting(&self, name_or_file: &str) -> Result<Config, StartError> {
        let is_file = name_or_file.contains('/') || name_or_file.ends_with(".so");
        if is_file && !self.config.exists() && self.plugin_dir.is_none() {
            return Ok(Config::default());
        }
        self.load_for_listing()
    }
}

impl Cli {
    /// Runs the command; answers go to standard output, one line per fault to standard error.
    pub fn run(self) -> ExitCode {
        match self.command.run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let mut stderr = std::io::stderr().lock();
                for line in error.to_string().lines() {
                    // Nobody is left to tell when standard error is closed.
                    let _ = writeln!(stderr, "error: {}", printable(line));
                }
                ExitCode::from(match error {
                    StartError::Config(_) => BAD_CONFIG,
                    StartError::Drivers(_) => BAD_DRIVERS,
                    StartError::Other(_) => FAILED,
                })
            }
        }
    }
}

impl Command {
    fn run(self) -> Result<(), StartError> {
        let width = table::output_width();
        match self {
            Command::Serve { source, listen, log } => {
                let mut config = source.load()?;
                if let Some(listen) = listen {
                    config.set_listen(listen, "--listen")?;
                }
                app::serve(config, &log)
            }
            Command::ListAvailable { source, all, json } => {
                let config = source.load_for_listing()?;
                let options = ListOptions { all, json, width };
                print(&list_available(
                    &config.plugin_dir,
                    &config.enabled_drivers,
                    options,
                )?)
            }
            Command::Inspect { driver, source, json } => {
                let config = source.load_for_inspecting(&driver)?;
                print(&inspect(&config.plugin_dir, &driver, json, width)?)
            }
            Command::Openapi { source, all } => {
                let config = source.load_for_listing()?;
                let url = match &config.public_url {
                    Some(url) => url.trim_end_matches('/').to_owned(),
                    None => format!("http://{}", config.listen),
                };
                print(&openapi(&config.plugin_dir, &config.enabled_drivers, all, &url)?)
            }
            Command::DriverList { url, json } => print(&driver_list(&url, json, width)?),
            Command::DriverReset { driver, url } => print(&driver_reset(&url, &driver)?),
            Command::Worker { limits } => Ok(inside::run(&limits)?),
            Command::CheckConfig { source } => {
                let config = source.load()?;
                let warnings = app::check(&config)?;
                let names = config.enabled_drivers.join(", ");
                print(&format!(
                    "{warnings}{}: fine; enabled: {names}\n",
                    source.config.display()
                ))
            }
        }
    }
}

fn print(text: &str) -> Result<(), StartError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough, as in `host list-available | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.map_err(anyhow::Error::from)?),
    }
}
