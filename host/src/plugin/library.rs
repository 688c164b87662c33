//! Step 4 of flow one: a driver's library is opened, checked and constructed.
//!
//! The only file of the host with unsafe code, and, with the caller of loaded drivers, the only one that names abi_stable.
//!
//! # Limits
//! The file is known to be a whole library of this machine, its root module to have the layout that this host expects, and
//! its file not to have changed since its manifest was read. Nothing protects the host from what the library *does*:
//! opening it runs its ELF constructors, and one that aborts, exits or loops takes the process with it (one that loops also
//! holds the loader's lock). Only loading it in another process could contain that.
//!
//! A library is never closed: threads, thread-local destructors and statics of the driver may outlive any use of it.

use std::mem;
use std::path::Path;

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{CheckingGlobals, check_layout_compatibility_with_globals};
use abi_stable::library::{AbiHeaderRef, LibHeader, LibraryError, RootModule, RootModuleError};
use abi_stable::std_types::{RErr, ROk, RSlice};
use abi_stable::type_layout::TypeLayout;
use driver_abi::{DriverModuleRef, DriverObject, HostObject, ROOT_SYMBOL, kind};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use semver::Version;

use super::manifest::{DriverManifest, FileIdentity};
use super::printable::printable;
use super::select::EnabledDriver;

mod error;
mod mismatch;

pub use error::{LoadCause, LoadError};

/// A driver that is in this process and constructed.
pub struct LoadedLibrary {
    /// What it says about itself.
    pub manifest: DriverManifest,
    /// The driver. Dropping it runs the driver's destructor; its code stays.
    pub driver: DriverObject,
}

impl std::fmt::Debug for LoadedLibrary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedLibrary")
            .field("name", &self.manifest.name)
            .finish_non_exhaustive()
    }
}

/// Loads a driver into this process and constructs it with `config`, a JSON object in UTF-8.
///
/// Blocks while the driver's constructors run. To be called once per file: opening a file again gives the first opening's
/// statics.
///
/// # Errors
/// One line with file, driver, expected, found and what to do; see [`LoadCause`].
pub fn load(driver: &EnabledDriver, config: &[u8], host: HostObject) -> Result<LoadedLibrary, LoadError> {
    let failed = |cause| LoadError {
        driver: driver.manifest().name.clone(),
        file: driver.file().to_owned(),
        cause,
    };
    unchanged(driver).map_err(failed)?;
    let header = open(driver.file()).map_err(failed)?;
    let module = root_module(header).map_err(failed)?;
    match module.create()(RSlice::from_slice(config), host) {
        ROk(object) => Ok(LoadedLibrary {
            manifest: driver.manifest().clone(),
            driver: object,
        }),
        RErr(fault) => {
            let message = printable(&fault.message);
            Err(failed(match fault.kind {
                kind::PANICKED => LoadCause::CreatePanicked { message },
                kind => LoadCause::Create { kind, message },
            }))
        }
    }
}

/// The file is still the one whose manifest was read.
fn unchanged(driver: &EnabledDriver) -> Result<(), LoadCause> {
    match FileIdentity::of(driver.file()) {
        Ok(identity) if identity == driver.identity() => Ok(()),
        Ok(_) => Err(LoadCause::Changed),
        Err(error) => Err(LoadCause::Open {
            found: error.to_string(),
        }),
    }
}

/// Opens the library for good and finds the header that every driver exports.
fn open(file: &Path) -> Result<AbiHeaderRef, LoadCause> {
    let refused = |error: libloading::Error| LoadCause::Open {
        found: whole_chain(&error),
    };
    // A name without a slash would be searched for in the system's folders.
    let file = std::path::absolute(file).map_err(|error| LoadCause::Open {
        found: error.to_string(),
    })?;
    // `RTLD_NOW` finds unresolved symbols here instead of in the middle of a call; `RTLD_LOCAL` keeps the symbols of one
    // driver from those of the next.
    // SAFETY: runs the library's constructors, which cannot be proven harmless. The operator named this driver, and the
    // file is a whole library of this machine; the module's docs say what remains.
    let library = unsafe { Library::open(Some(file), RTLD_NOW | RTLD_LOCAL) }.map_err(refused)?;
    // SAFETY: whoever exports this symbol promises an `AbiHeader` behind it; `AbiHeaderRef` is a transparent reference to
    // one, and is only used after its magic string was compared.
    let symbol = unsafe { library.get::<AbiHeaderRef>(ROOT_SYMBOL) };
    let header = symbol.map(|header| *header).map_err(|_| LoadCause::NoRootModule);
    mem::forget(library);
    header
}

/// The root module, if it was built against a boundary that this host understands.
fn root_module(header: AbiHeaderRef) -> Result<DriverModuleRef, LoadCause> {
    let header = header.upgrade().map_err(|error| LoadCause::AbiHeader {
        found: other_abi_stable(&error),
    })?;
    let found = Boundary::of_driver(header)?;
    check_boundary(&Boundary::of_host(), &found)?;
    // SAFETY: the layout of the module behind the header was compared with that of `DriverModuleRef` just above.
    let module = unsafe { header.unchecked_layout::<DriverModuleRef>() };
    module.map_err(|error| LoadCause::RootModule {
        found: match error {
            RootModuleError::Unwound => "a panic".to_owned(),
            RootModuleError::Returned(error) => printable(&error.to_string()),
        },
    })
}

/// One side's idea of the boundary.
struct Boundary {
    version: &'static str,
    layout: &'static TypeLayout,
}

impl Boundary {
    fn of_host() -> Self {
        Boundary {
            version: DriverModuleRef::VERSION_STRINGS.version.as_str(),
            layout: <DriverModuleRef as StableAbi>::LAYOUT,
        }
    }

    fn of_driver(header: &'static LibHeader) -> Result<Self, LoadCause> {
        let version = header.version_strings().version.as_str();
        let layout = header.layout().ok_or_else(|| LoadCause::Layout {
            expected: DriverModuleRef::VERSION_STRINGS.version.to_string(),
            found: printable(version),
            mismatch: "the driver does not describe its types".to_owned(),
        })?;
        Ok(Boundary { version, layout })
    }
}

/// Whether a driver built against `driver` can work with this `host`: the rule of the boundary's evolution.
///
/// The major versions are equal, and one side's types are the other's with nothing but additions at their ends.
/// abi_stable's own check allows additions on the driver's side only; so it is asked in both directions, each time with
/// a memory of its own, because drivers never meet each other and must not be compared.
fn check_boundary(host: &Boundary, driver: &Boundary) -> Result<(), LoadCause> {
    let major = |version: &str| Version::parse(version).ok().map(|version| version.major);
    if major(host.version).is_none() || major(host.version) != major(driver.version) {
        return Err(LoadCause::OtherMajor {
            expected: host.version.to_owned(),
            found: printable(driver.version),
        });
    }
    let fits = |interface, implementation| {
        check_layout_compatibility_with_globals(interface, implementation, &CheckingGlobals::new())
    };
    let Err(errors) = fits(host.layout, driver.layout) else {
        return Ok(());
    };
    let Err(reversed) = fits(driver.layout, host.layout) else {
        return Ok(());
    };
    // The direction with fewer errors is the one that was meant; of the other, additions are errors too.
    let (errors, host_expects) = if reversed.errors.len() < errors.errors.len() {
        (reversed, false)
    } else {
        (errors, true)
    };
    let (mismatch, deepest) = mismatch::describe(&errors, host_expects);
    tracing::debug!(deepest, "a driver's types differ from the host's");
    Err(LoadCause::Layout {
        expected: host.version.to_owned(),
        found: printable(driver.version),
        mismatch,
    })
}

/// libloading says only that the opening failed; the reason is its source.
fn whole_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    printable(&text)
}

fn other_abi_stable(error: &LibraryError) -> String {
    match error {
        LibraryError::InvalidAbiHeader(found)
            if found.magic_string == abi_stable::library::AbiHeader::VALUE.magic_string =>
        {
            format!("abi_stable {}.{}", found.abi_major, found.abi_minor)
        }
        LibraryError::InvalidAbiHeader(_) => "something that is not abi_stable's".to_owned(),
        other => printable(&other.to_string()),
    }
}

#[cfg(test)]
mod tests;
