//! Flow one: a file becomes a driver.
//!
//! [`mod@scan`] → [`manifest`] → [`mod@select`] → [`library`] → [`loaded`] → [`registry`]. Each step changes the type, so that none can be skipped, and no
//! code of a driver runs before [`library`].

use std::path::Path;

#[expect(
    unsafe_code,
    reason = "opening a library and using what it exports; nothing else in the host is unsafe"
)]
pub mod library;
pub mod loaded;
pub mod manifest;
mod printable;
pub mod registry;
pub mod scan;
pub mod schema;
pub mod select;

pub use library::{LoadCause, LoadError, LoadedLibrary, load};
pub use manifest::{CalledOn, DriverManifest, ManifestError, Method, Property, PropertyKind, RunKind};
pub use printable::{excerpt, excerpted, printable};
pub use scan::{FoundFile, ScanError, scan};
pub use schema::Schema;
pub use select::{EnabledDriver, SelectError, SelectWarning, Selection, State, Verdict, select};

/// Everything that can be known of `plugin_dir` without running a driver's code: scan, manifest and select in one go.
///
/// # Errors
/// When the folder itself cannot be read. What is wrong with a file in it is that file's verdict.
pub fn survey(plugin_dir: &Path, enabled_drivers: &[String]) -> Result<Selection, ScanError> {
    let files = scan(plugin_dir)?.into_iter().map(FoundFile::read);
    Ok(select(plugin_dir, files, enabled_drivers))
}
