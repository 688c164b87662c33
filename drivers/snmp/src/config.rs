//! The operator's table `[drivers.snmp.config]`, with the defaults of Ironic's `[snmp]`.

use std::time::Duration;

use driver_sdk::prelude::*;

/// How patient the driver is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// How long a PDU may take to answer one message (Ironic's `udp_transport_timeout`).
    timeout_ms: u64,
    /// How often a message is sent again (Ironic's `udp_transport_retries`). A reboot never is.
    retries: u32,
    /// How long an outlet may take to be on or off after it was told to (Ironic's `power_timeout`).
    power_timeout_ms: u64,
    /// How often an outlet is asked meanwhile.
    poll_interval_ms: u64,
    /// How long an outlet stays off in a reboot by off and on (Ironic's `reboot_delay`).
    reboot_delay_ms: u64,
}

/// How patient the driver is, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For one answer.
    pub(crate) timeout: Duration,
    /// How often what may be repeated is sent.
    pub(crate) attempts: u32,
    pub(crate) power_timeout: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) reboot_delay: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            timeout_ms: 1000,
            retries: 5,
            power_timeout_ms: 10_000,
            poll_interval_ms: 1000,
            reboot_delay_ms: 0,
        }
    }
}

impl Config {
    /// Checks every key.
    ///
    /// # Errors
    /// The first that is out of its range, with the range.
    pub(crate) fn checked(&self) -> Result<Patience, Fault> {
        const DAY_MS: u64 = 86_400_000;
        Ok(Patience {
            timeout: within("timeout_ms", self.timeout_ms, 1, DAY_MS)?,
            attempts: match self.retries {
                retries @ 0..=100 => retries + 1,
                found => return Err(out_of_range("retries", found.into(), 0, 100)),
            },
            power_timeout: within("power_timeout_ms", self.power_timeout_ms, 1, DAY_MS)?,
            poll_interval: within("poll_interval_ms", self.poll_interval_ms, 1, DAY_MS)?,
            reboot_delay: within("reboot_delay_ms", self.reboot_delay_ms, 0, DAY_MS)?,
        })
    }
}

fn within(key: &str, found: u64, least: u64, most: u64) -> Result<Duration, Fault> {
    if (least..=most).contains(&found) {
        return Ok(Duration::from_millis(found));
    }
    Err(out_of_range(key, found, least, most))
}

fn out_of_range(key: &str, found: u64, least: u64, most: u64) -> Fault {
    Fault::invalid_parameter(format!(
        "drivers.snmp.config.{key}: expected {least} to {most}, found {found}"
    ))
}
