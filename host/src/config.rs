//! `plugins.toml` and the environment become one checked [`Config`]; nothing else reads either.

mod environment;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod ranges;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use environment::Overrides;
pub use environment::PREFIX as OVERRIDE;
pub use error::ConfigError;

/// Everything an operator can set. Each field names its key; the sample at the repository's top level shows them all.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen. Any address but loopback needs [`allow_unauthenticated`](Self::allow_unauthenticated).
    pub listen: SocketAddr,
    /// Allows a `listen` that others can reach, although nobody is asked who they are.
    pub allow_unauthenticated: bool,
    /// What links start with, behind a proxy. Without it they start with the request's own `Host`.
    pub public_url: Option<String>,
    /// The folder of drivers.
    pub plugin_dir: PathBuf,
    /// The drivers to load, by name.
    pub enabled_drivers: Vec<String>,
    /// Shown as a driver's `hosts` and a locked node's `reservation`. Without it the machine's name.
    pub host_name: Option<String>,
    /// `[database]`
    pub database: Database,
    /// `[calls]`
    pub calls: Calls,
    /// `[workers]`
    pub workers: Workers,
    /// `[locks]`
    pub locks: Locks,
    /// `[records]`
    pub records: Records,
    /// `[limits]`
    pub limits: Limits,
    /// `[isolation]`
    pub isolation: IsolationSettings,
    /// `[drivers.NAME]`
    pub drivers: BTreeMap<String, DriverSettings>,
    /// Where the values came from.
    #[serde(skip)]
    source: Source,
}

/// The file and the variables that a configuration was made of, for messages about its values.
#[derive(Debug, Clone, Default)]
struct Source {
    file: PathBuf,
    overrides: Overrides,
}

/// Where nodes are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// The SQLite file; created if it is missing.
    pub path: PathBuf,
}

/// Calls in flight.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calls {
    /// How many calls may be in flight at once; more are refused.
    pub max: u32,
    /// How long a call may take unless its driver or method says otherwise, in milliseconds.
    pub timeout_ms: u64,
}

/// Threads inside drivers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Workers {
    /// How many threads may be inside drivers at once; calls that need one more are refused.
    pub max: u32,
}

/// Locks of nodes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Locks {
    /// How long a call waits for a locked node, in milliseconds.
    pub wait_ms: u64,
    /// How many calls may wait for one node.
    pub max_waiters: u32,
}

/// Records of calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Records {
    /// How long the record of an ended call is kept, in hours.
    pub keep_hours: u32,
    /// How many records of ended calls are kept at most.
    pub max: u32,
}

/// Limits of the HTTP side.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub max_body_bytes: u64,
    /// The largest reply of a driver, in bytes.
    pub max_reply_bytes: u64,
    /// How deep the JSON of a body may nest.
    pub max_json_depth: u32,
    /// How long a client may take to send the head of a request, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long a body or a reply may pause, and a connection stay open between two requests, in milliseconds.
    pub idle_timeout_ms: u64,
    /// How fast a body must come and a reply be read, after a first [`idle_timeout_ms`](Self::idle_timeout_ms), in bytes
    /// per second.
    pub min_bytes_per_s: u32,
    /// How long running calls get to finish when the host is asked to stop, in milliseconds.
    pub shutdown_grace_ms: u64,
    /// How many connections may be open at once; more are closed with a 503.
    pub max_connections: u32,
}

/// Where drivers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In the host's own process: nothing is faster, and nothing protects the host from the driver.
    #[default]
    InProcess,
    /// In processes of the driver's own: what it does there costs its own calls.
    Process,
}

/// Processes of drivers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IsolationSettings {
    /// Where a driver runs that does not say otherwise.
    pub default: Place,
    /// How long a driver may take to be created in its process, in milliseconds.
    pub create_timeout_ms: u64,
    /// How long after its deadline a call may keep its process before that is killed, in milliseconds.
    pub kill_grace_ms: u64,
    /// How many deaths of a driver's processes within [`window_s`](Self::window_s) are too many.
    pub max_deaths: u32,
    /// See [`max_deaths`](Self::max_deaths); in seconds.
    pub window_s: u64,
}

/// Settings of one driver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriverSettings {
    /// The driver's share of `calls.max`. Without it half.
    pub max_calls: Option<u32>,
    /// The driver's share of `workers.max`. Without it half.
    pub max_workers: Option<u32>,
    /// How long a call of this driver may take, in milliseconds. Without it what the method says, else `calls.timeout_ms`.
    pub call_timeout_ms: Option<u64>,
    /// Where the driver runs. Without it `isolation.default`.
    pub isolation: Option<Place>,
    /// How many processes it has, if it runs in processes. Without it one.
    pub workers: Option<u32>,
    /// How much memory each of its processes may have, in bytes.
    pub memory_max_bytes: Option<u64>,
    /// How many files each of its processes may have open.
    pub open_files_max: Option<u64>,
    /// Whom its processes run as, by name; for a host that runs as root.
    pub user: Option<String>,
    /// Handed to the driver as it is.
    pub config: toml::Table,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 6385),
            allow_unauthenticated: false,
            public_url: None,
            plugin_dir: PathBuf::from("/usr/lib/host/drivers"),
            enabled_drivers: Vec::new(),
            host_name: None,
            database: Database::default(),
            calls: Calls::default(),
            workers: Workers::default(),
            locks: Locks::default(),
            records: Records::default(),
            limits: Limits::default(),
            isolation: IsolationSettings::default(),
            drivers: BTreeMap::new(),
            source: Source::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Database {
            path: PathBuf::from("host.db"),
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Calls {
            max: 10_000,
            timeout_ms: 60_000,
        }
    }
}

impl Default for Workers {
    fn default() -> Self {
        Workers { max: 300 }
    }
}

impl Default for Locks {
    fn default() -> Self {
        Locks {
            wait_ms: 2_000,
            max_waiters: 100,
        }
    }
}

impl Default for Records {
    fn default() -> Self {
        Records {
            keep_hours: 24,
            max: 100_000,
        }
    }
}

impl Default for IsolationSettings {
    fn default() -> Self {
        IsolationSettings {
            default: Place::default(),
            create_timeout_ms: 10_000,
            kill_grace_ms: 5_000,
            max_deaths: 5,
            window_s: 60,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_body_bytes: 1024 * 1024,
            max_reply_bytes: 16 * 1024 * 1024,
            max_json_depth: 25,
            header_timeout_ms: 10_000,
            idle_timeout_ms: 60_000,
            min_bytes_per_s: 1_000,
            shutdown_grace_ms: 30_000,
            max_connections: 10_000,
        }
    }
}

impl Config {
    /// Reads `file`, lets `variables` (the process's environment) override its keys, and checks everything.
    ///
    /// Relative paths are resolved against the file's folder.
    ///
    /// # Errors
    /// Every error is one line that names the key, the value, what was expected and where it stands.
    pub fn load(
        file: &Path,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
            file: file.to_owned(),
            source,
        })?;
        let base = file.parent().unwrap_or(Path::new(""));
        Config::parse(&text, file, base, variables)
    }

    /// The work of [`load`](Self::load) on a text.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn parse(
        text: &str,
        file: &Path,
        base: &Path,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let mut table: toml::Table =
            toml::from_str(text).map_err(|error| ConfigError::syntax(file, text, &error))?;
        let overrides = environment::apply(&mut table, variables)?;
        let mut config: Config = serde_path_to_error::deserialize(table.clone())
            .map_err(|error| ConfigError::value(file, &table, &overrides, &error))?;
        ranges::check(&config, file, &overrides)?;
        config.plugin_dir = base.join(&config.plugin_dir);
        config.database.path = base.join(&config.database.path);
        config.source = Source {
            file: file.to_owned(),
            overrides,
        };
        Ok(config)
    }

    /// Listens on `address` instead, under the same rule.
    ///
    /// # Errors
    /// Others can reach the address and `allow_unauthenticated` is not set.
    pub fn set_listen(&mut self, address: SocketAddr, origin: &str) -> Result<(), ConfigError> {
        self.listen = address;
        match ranges::unreachable(self) {
            Ok(()) => Ok(()),
            Err(reason) => Err(ConfigError::Value {
                origin: origin.to_owned(),
                key: "listen".to_owned(),
                value: Some(format!("\"{address}\"")),
                reason,
            }),
        }
    }

    /// A value that cannot be used on this machine, with where it came from.
    pub fn refuse(&self, key: &str, value: String, reason: String) -> ConfigError {
        ConfigError::Value {
            origin: error::origin(&self.source.file, &self.source.overrides, key),
            key: key.to_owned(),
            value: Some(value),
            reason,
        }
    }

    /// What the host calls itself: `host_name`, else the machine's name.
    pub fn host_name(&self) -> String {
        self.host_name
            .clone()
            .unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests;
