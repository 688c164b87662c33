//! What keeps the host from starting.

use std::fmt;

use crate::cli::inspect::InspectError;
use crate::config::ConfigError;
use crate::database::StoreError;
use crate::plugin::ScanError;

/// Why a command gave up; each line of its text is one fault.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Enabled drivers cannot be loaded.
    #[error(transparent)]
    Drivers(#[from] DriverFaults),
    /// Anything else, with its causes on one line.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

/// Every fault of every enabled driver, one line each.
#[derive(Debug)]
pub struct DriverFaults(Vec<String>);

impl DriverFaults {
    /// These faults.
    pub fn new(faults: impl Iterator<Item = String>) -> Self {
        DriverFaults(faults.collect())
    }
}

impl fmt::Display for DriverFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for DriverFaults {}

impl From<ScanError> for StartError {
    fn from(error: ScanError) -> Self {
        StartError::Drivers(DriverFaults(vec![error.to_string()]))
    }
}

impl From<InspectError> for StartError {
    fn from(error: InspectError) -> Self {
        StartError::Drivers(DriverFaults(vec![error.to_string()]))
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        StartError::Other(error.into())
    }
}
