//! The allowed range of every key, and the rules that span keys.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use super::environment::Overrides;
use super::error::origin;
use super::{Config, ConfigError, Place};
use crate::plugin::printable;

/// A day, the longest time that any key may name.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Below serde_json's own limit of 128.
const MAX_DEPTH: u32 = 100;

struct Check<'a> {
    file: &'a Path,
    overrides: &'a Overrides,
    faults: Vec<ConfigError>,
}

impl Check<'_> {
    fn refuse(&mut self, key: &str, value: String, reason: String) {
        self.faults.push(ConfigError::Value {
            origin: origin(self.file, self.overrides, key),
            key: printable(key),
            value: Some(value),
            reason,
        });
    }

    fn range<T: PartialOrd + Display>(&mut self, key: &str, value: T, allowed: RangeInclusive<T>) {
        if !allowed.contains(&value) {
            let reason = format!("out of range, expected {} to {}", allowed.start(), allowed.end());
            self.refuse(key, value.to_string(), reason);
        }
    }
}

/// Reports every key that is out of its range.
pub(super) fn check(config: &Config, file: &Path, overrides: &Overrides) -> Result<(), ConfigError> {
    let mut check = Check {
        file,
        overrides,
        faults: Vec::new(),
    };
    check.range("calls.max", config.calls.max, 1..=1_000_000);
    check.range("calls.timeout_ms", config.calls.timeout_ms, 1..=DAY_MS);
    check.range("workers.max", config.workers.max, 1..=10_000);
    check.range("locks.wait_ms", config.locks.wait_ms, 0..=DAY_MS);
    check.range("locks.max_waiters", config.locks.max_waiters, 0..=1_000_000);
    check.range("records.keep_hours", config.records.keep_hours, 1..=24 * 365);
    check.range("records.max", config.records.max, 1..=100_000_000);
    check.range(
        "limits.max_body_bytes",
        config.limits.max_body_bytes,
        2..=1024 * 1024 * 1024,
    );
    check.range(
        "limits.max_reply_bytes",
        config.limits.max_reply_bytes,
        2..=1024 * 1024 * 1024,
    );
    check.range(
        "limits.max_json_depth",
        config.limits.max_json_depth,
        1..=MAX_DEPTH,
    );
    check.range(
        "limits.header_timeout_ms",
        config.limits.header_timeout_ms,
        1..=DAY_MS,
    );
    check.range(
        "limits.idle_timeout_ms",
        config.limits.idle_timeout_ms,
        1..=DAY_MS,
    );
    check.range(
        "limits.min_bytes_per_s",
        config.limits.min_bytes_per_s,
        1..=1_000_000_000,
    );
    check.range(
        "limits.shutdown_grace_ms",
        config.limits.shutdown_grace_ms,
        0..=DAY_MS,
    );
    check.range(
        "limits.max_connections",
        config.limits.max_connections,
        1..=1_000_000,
    );
    let isolation = &config.isolation;
    check.range(
        "isolation.create_timeout_ms",
        isolation.create_timeout_ms,
        1..=DAY_MS,
    );
    check.range("isolation.kill_grace_ms", isolation.kill_grace_ms, 0..=DAY_MS);
    check.range("isolation.max_deaths", isolation.max_deaths, 1..=1_000_000);
    check.range("isolation.window_s", isolation.window_s, 1..=DAY_MS / 1000);
    for (name, driver) in &config.drivers {
        if let Some(max) = driver.max_calls {
            check.range(&format!("drivers.{name}.max_calls"), max, 1..=config.calls.max);
        }
        if let Some(max) = driver.max_workers {
            check.range(
                &format!("drivers.{name}.max_workers"),
                max,
                1..=config.workers.max,
            );
        }
        if let Some(workers) = driver.workers {
            check.range(&format!("drivers.{name}.workers"), workers, 1..=1000);
        }
        if let Some(bytes) = driver.memory_max_bytes {
            check.range(
                &format!("drivers.{name}.memory_max_bytes"),
                bytes,
                16 * 1024 * 1024..=u64::MAX / 2,
            );
        }
        if let Some(files) = driver.open_files_max {
            check.range(&format!("drivers.{name}.open_files_max"), files, 16..=1_000_000);
        }
        if let Some(timeout) = driver.call_timeout_ms {
            check.range(&format!("drivers.{name}.call_timeout_ms"), timeout, 1..=DAY_MS);
        }
    }
    rules(config, &mut check);
    match check.faults.len() {
        0 => Ok(()),
        1 => Err(check.faults.remove(0)),
        _ => Err(ConfigError::Several(check.faults)),
    }
}

fn rules(config: &Config, check: &mut Check<'_>) {
    for (name, driver) in &config.drivers {
        let place = driver.isolation.unwrap_or(config.isolation.default);
        let for_processes = [
            ("workers", driver.workers.map(|value| value.to_string())),
            (
                "memory_max_bytes",
                driver.memory_max_bytes.map(|value| value.to_string()),
            ),
            (
                "open_files_max",
                driver.open_files_max.map(|value| value.to_string()),
            ),
            ("user", driver.user.as_ref().map(|value| format!("{value:?}"))),
        ];
        for (key, value) in for_processes {
            if let (Place::InProcess, Some(value)) = (place, value) {
                let reason = "has no effect on a driver in the host's own process; set isolation = \"process\" as well";
                check.refuse(&format!("drivers.{name}.{key}"), value, reason.to_owned());
            }
        }
    }
    if let Err(reason) = unreachable(config) {
        check.refuse("listen", format!("\"{}\"", config.listen), reason);
    }
    if let Some(url) = &config.public_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        let reason = "expected a URL that starts with http:// or https://";
        check.refuse("public_url", format!("{url:?}"), reason.to_owned());
    }
    if let Some(name) = &config.host_name
        && (name.is_empty() || name.chars().any(|c| c.is_control() || c.is_whitespace()))
    {
        check.refuse(
            "host_name",
            format!("{name:?}"),
            "expected a name without spaces".to_owned(),
        );
    }
}

/// Whether only this machine reaches the host, or the operator has said that others may.
pub(super) fn unreachable(config: &Config) -> Result<(), String> {
    if config.listen.ip().is_loopback() || config.allow_unauthenticated {
        return Ok(());
    }
    Err(
        "others can reach this address and the host asks nobody who they are; \
         use 127.0.0.1, or set allow_unauthenticated = true if something in front of it does"
            .to_owned(),
    )
}
