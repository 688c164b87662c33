//! The drivers of a run, and where each runs: the `witness` driver under four names, so that one host has several.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value as Toml};

use crate::{HostBuilder, Random, WITNESS, Witness};

/// The drivers. As long as the name of the fixture that they are copies of: a name can be replaced in a file, but not moved.
pub(super) const DRIVERS: [&str; 4] = ["witness", "watcher", "lookout", "spotter"];

/// Where a driver runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Here,
    Processes(u32),
}

/// Where each driver runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places(BTreeMap<&'static str, Place>);

impl Places {
    /// One in the host's own process, the others in one, two and three of their own.
    pub(super) fn first() -> Self {
        let places = [
            Place::Here,
            Place::Processes(1),
            Place::Processes(2),
            Place::Processes(3),
        ];
        Places(DRIVERS.into_iter().zip(places).collect())
    }

    /// What an operator may have changed: where one of the drivers runs, in how many processes another.
    pub(super) fn changed(&mut self, random: &mut Random) {
        let processes = Place::Processes(1 + u32::try_from(random.below(3)).expect("small"));
        let moving = self.0.get_mut("lookout").expect("a driver");
        *moving = match moving {
            Place::Here => processes,
            Place::Processes(_) => Place::Here,
        };
        let processes = Place::Processes(1 + u32::try_from(random.below(3)).expect("small"));
        let other = if random.below(2) == 0 {
            "watcher"
        } else {
            "spotter"
        };
        self.0.insert(other, processes);
    }

    /// The drivers that run in processes of their own, and how many those are.
    pub(super) fn isolated(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.0.iter().filter_map(|(name, place)| match place {
            Place::Here => None,
            Place::Processes(processes) => Some((*name, *processes)),
        })
    }

    /// Whether this driver runs in processes of its own.
    pub(super) fn is_isolated(&self, driver: &str) -> bool {
        self.isolated().any(|(name, _)| name == driver)
    }

    /// As tables of the configuration; every driver writes to the same file.
    pub(super) fn configure(&self, mut host: HostBuilder, witness: &Witness) -> HostBuilder {
        for (name, place) in &self.0 {
            let mut table = Table::new();
            if let Place::Processes(processes) = place {
                table.insert("isolation".into(), "process".into());
                table.insert("workers".into(), Toml::from(*processes));
            }
            let mut config = Table::new();
            config.insert("file".into(), witness.path().into());
            table.insert("config".into(), config.into());
            host = host.set(&format!("drivers.{name}"), table);
        }
        host
    }
}

/// Puts the drivers into a host's folder and enables them.
pub(super) fn install(mut host: HostBuilder) -> HostBuilder {
    let original = fs::read(WITNESS.path()).expect("the built driver");
    for name in DRIVERS {
        let file = host.folder().join("drivers").join(file_of(name));
        fs::write(file, renamed(&original, name)).expect("a copy of the driver");
        host = host.enable(name);
    }
    host
}

/// The library of a driver.
fn file_of(driver: &str) -> String {
    format!("lib{driver}.so")
}

/// Whose library a file is.
pub(super) fn driver_of(file: &str) -> Option<&'static str> {
    let name = Path::new(file).file_name()?.to_str()?;
    DRIVERS.into_iter().find(|driver| file_of(driver) == name)
}

/// The library with another name in its manifest.
fn renamed(library: &[u8], name: &str) -> Vec<u8> {
    let key = |name: &str| format!("\"name\":\"{name}\"").into_bytes();
    let (old, new) = (key(WITNESS.name), key(name));
    assert_eq!(old.len(), new.len(), "the manifest keeps its length");
    let mut renamed = library.to_vec();
    let mut places = 0;
    for start in 0..=library.len() - old.len() {
        if library[start..].starts_with(&old) {
            renamed[start..start + new.len()].copy_from_slice(&new);
            places += 1;
        }
    }
    assert_ne!(places, 0, "the manifest has a name");
    renamed
}
