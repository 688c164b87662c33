//! `host openapi`: what `GET /openapi.json` of a host with these drivers answers, without running any of them.

use std::path::Path;

use crate::app::{DriverFaults, StartError};
use crate::http::openapi::document;
use crate::plugin::{DriverManifest, State, survey};

/// The text that `host openapi` prints: for the drivers that are enabled, or for all of the folder that could be.
///
/// # Errors
/// Every fault of every enabled driver, as `serve` would tell it.
pub fn openapi(
    plugin_dir: &Path,
    enabled_drivers: &[String],
    all: bool,
    url: &str,
) -> Result<String, StartError> {
    let names = if all || enabled_drivers.is_empty() {
        usable(plugin_dir)?
    } else {
        enabled_drivers.to_vec()
    };
    let selection = survey(plugin_dir, &names)?;
    if !names.is_empty() && !selection.faults.is_empty() {
        return Err(DriverFaults::new(selection.faults.iter().map(ToString::to_string)).into());
    }
    let mut manifests: Vec<&DriverManifest> =
        selection.enabled.iter().map(|driver| driver.manifest()).collect();
    manifests.sort_by_key(|manifest| &manifest.name);
    Ok(format!("{:#}\n", document(&manifests, url)))
}

/// The names of all drivers of the folder that could be enabled.
fn usable(plugin_dir: &Path) -> Result<Vec<String>, StartError> {
    let selection = survey(plugin_dir, &[])?;
    let usable = selection
        .verdicts
        .into_iter()
        .filter(|verdict| verdict.state != State::Refused);
    Ok(usable.filter_map(|verdict| verdict.name).collect())
}
