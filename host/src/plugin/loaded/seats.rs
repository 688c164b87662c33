//! Where one call runs: in this process, or in one of the driver's own.

use std::sync::Arc;

use super::LoadedMethod;
use super::worker::Link;
use crate::plugin::manifest::{CalledOn, DriverManifest};

/// The place that a call was given before it began, and keeps to its end.
#[derive(Debug, Clone)]
pub struct Seat(pub(super) Option<Arc<Link>>);

impl Seat {
    /// In this process.
    pub(super) fn here() -> Self {
        Seat(None)
    }
}

/// All methods of a manifest, and its standard calls, which are methods of nodes too.
pub(super) fn methods(
    manifest: &DriverManifest,
) -> impl Iterator<Item = ((CalledOn, String), Arc<LoadedMethod>)> {
    let own = manifest.methods.iter();
    let standard = manifest.standard.iter().map(|standard| &standard.method);
    own.chain(standard).map(|method| {
        let key = (method.on, method.name.clone());
        (key, Arc::new(LoadedMethod::new(method.clone())))
    })
}

/// A verb that methods may have.
pub(super) fn verb(name: &str) -> Option<&'static str> {
    ["POST", "GET", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|known| *known == name)
}
