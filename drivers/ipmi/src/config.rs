//! The operator's table `[drivers.ipmi.config]`, with its defaults and ranges.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use driver_sdk::prelude::*;

/// The table as it stands in the file. Times and defaults are those of Ironic's section `[ipmi]` where it has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The command: a name that is sought in `PATH`, or a path.
    pub(crate) ipmitool: PathBuf,
    /// The least time between two commands to one BMC (Ironic: `min_command_interval`).
    min_command_interval_ms: u64,
    /// For how long a command that has failed is tried again (Ironic: `command_retry_timeout`).
    retry_window_ms: u64,
    /// How long a BMC has for each answer.
    answer_timeout_s: u64,
    /// How many ipmitool processes may run at a time.
    max_children: u64,
    /// How long a machine has to reach a power state if the client does not say (Ironic: `power_state_change_timeout`).
    power_timeout_s: u64,
    /// What a node boots in that does not say (Ironic: `default_boot_mode`).
    pub(crate) default_boot_mode: BootMode,
}

/// How a machine's firmware boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BootMode {
    Bios,
    Uefi,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            ipmitool: PathBuf::from("ipmitool"),
            min_command_interval_ms: 5_000,
            retry_window_ms: 60_000,
            answer_timeout_s: 5,
            max_children: 100,
            power_timeout_s: 60,
            default_boot_mode: BootMode::Uefi,
        }
    }
}

impl Config {
    /// Refuses numbers that cannot be meant.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        const DAY_MS: u64 = 86_400_000;
        let numbers: [(&str, u64, RangeInclusive<u64>); 5] = [
            (
                "min_command_interval_ms",
                self.min_command_interval_ms,
                0..=DAY_MS,
            ),
            ("retry_window_ms", self.retry_window_ms, 0..=DAY_MS),
            ("answer_timeout_s", self.answer_timeout_s, 1..=3_600),
            ("max_children", self.max_children, 1..=10_000),
            ("power_timeout_s", self.power_timeout_s, 1..=86_400),
        ];
        match numbers.iter().find(|(_, value, range)| !range.contains(value)) {
            None => Ok(()),
            Some((key, value, range)) => Err(Fault::invalid_parameter(format!(
                "drivers.ipmi.config.{key} must be {} to {}, found {value}",
                range.start(),
                range.end()
            ))),
        }
    }

    pub(crate) fn min_command_interval(&self) -> Duration {
        Duration::from_millis(self.min_command_interval_ms)
    }

    pub(crate) fn retry_window(&self) -> Duration {
        Duration::from_millis(self.retry_window_ms)
    }

    /// In whole seconds, which is what ipmitool counts in.
    pub(crate) fn answer_timeout_s(&self) -> u64 {
        self.answer_timeout_s
    }

    pub(crate) fn max_children(&self) -> usize {
        usize::try_from(self.max_children).unwrap_or(usize::MAX)
    }

    pub(crate) fn power_timeout(&self) -> Duration {
        Duration::from_secs(self.power_timeout_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: Value) -> Result<(), Fault> {
        read(config).check()
    }

    fn read(config: Value) -> Config {
        driver_sdk::serde_json::from_value(config).unwrap()
    }

    #[test]
    fn without_a_table_the_times_are_those_of_ironic() {
        let config = read(json!({}));
        assert_eq!(config.min_command_interval(), Duration::from_secs(5));
        assert_eq!(config.retry_window(), Duration::from_secs(60));
        assert_eq!(config.power_timeout(), Duration::from_secs(60));
        assert_eq!(config.default_boot_mode, BootMode::Uefi);
        config.check().unwrap();
    }

    #[test]
    fn a_number_out_of_its_range_is_named_with_the_range() {
        for (config, text) in [
            (
                json!({"max_children": 0}),
                "drivers.ipmi.config.max_children must be 1 to 10000, found 0",
            ),
            (
                json!({"answer_timeout_s": 0}),
                "drivers.ipmi.config.answer_timeout_s must be 1 to 3600, found 0",
            ),
            (
                json!({"retry_window_ms": 86_400_001}),
                "drivers.ipmi.config.retry_window_ms must be 0 to 86400000, found 86400001",
            ),
        ] {
            assert_eq!(check(config).unwrap_err().message(), text);
        }
    }
}
