//! The operator's table `[drivers.redfish.config]`: how patient the driver is with its devices.

use std::ops::RangeInclusive;
use std::time::Duration;

use driver_sdk::prelude::*;

/// The table as it is written. Defaults are those of Ironic's `[redfish]` section, where it has the setting.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// How often a request is tried that is safe to repeat.
    connection_attempts: u64,
    /// The pause between two attempts.
    connection_retry_interval_ms: u64,
    /// How long a connection with its TLS handshake may take.
    connect_timeout_ms: u64,
    /// How long a device may be silent before and within an answer.
    read_timeout_ms: u64,
    /// How often a task and a change of power are looked at.
    poll_interval_ms: u64,
    /// How long a session is kept without being used.
    session_idle_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            connection_attempts: 5,
            connection_retry_interval_ms: 4_000,
            connect_timeout_ms: 30_000,
            read_timeout_ms: 60_000,
            poll_interval_ms: 1_000,
            session_idle_ms: 300_000,
        }
    }
}

/// The table, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) attempts: u64,
    pub(crate) pause: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) session_idle: Duration,
}

/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

impl Config {
    /// # Errors
    /// A value is out of its range.
    pub(crate) fn check(self) -> Result<Settings, Fault> {
        let duration = |key, value, range| within(key, value, range).map(Duration::from_millis);
        Ok(Settings {
            attempts: within("connection_attempts", self.connection_attempts, 1..=100)?,
            pause: duration(
                "connection_retry_interval_ms",
                self.connection_retry_interval_ms,
                0..=DAY,
            )?,
            connect_timeout: duration("connect_timeout_ms", self.connect_timeout_ms, 1..=DAY)?,
            read_timeout: duration("read_timeout_ms", self.read_timeout_ms, 1..=DAY)?,
            poll_interval: duration("poll_interval_ms", self.poll_interval_ms, 1..=DAY)?,
            session_idle: duration("session_idle_ms", self.session_idle_ms, 1..=DAY)?,
        })
    }
}

fn within(key: &str, value: u64, range: RangeInclusive<u64>) -> Result<u64, Fault> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Fault::invalid_parameter(format!(
        "drivers.redfish.config.{key}: expected {} to {}, found {value}",
        range.start(),
        range.end()
    )))
}
