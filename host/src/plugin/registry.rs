//! Step six: name to loaded driver, as an immutable snapshot that is swapped as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::loaded::LoadedDriver;

/// The drivers that can be called. A call keeps the driver that it found, whatever is swapped in later.
#[derive(Default)]
pub struct DriverRegistry {
    snapshot: RwLock<Arc<Drivers>>,
}

/// One snapshot, sorted by name.
pub type Drivers = BTreeMap<String, Arc<LoadedDriver>>;

impl DriverRegistry {
    /// A registry of these drivers.
    pub fn new(drivers: Vec<LoadedDriver>) -> Self {
        let drivers = drivers
            .into_iter()
            .map(|driver| (driver.name().to_string(), Arc::new(driver)))
            .collect();
        DriverRegistry {
            snapshot: RwLock::new(Arc::new(drivers)),
        }
    }

    /// All drivers as they are now.
    pub fn snapshot(&self) -> Arc<Drivers> {
        self.snapshot.read().clone()
    }

    /// The driver of this name.
    pub fn get(&self, name: &str) -> Option<Arc<LoadedDriver>> {
        self.snapshot.read().get(name).cloned()
    }
}
