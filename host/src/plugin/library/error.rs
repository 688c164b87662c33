//! Why a driver cannot be loaded.

use std::path::PathBuf;

/// Why an enabled driver cannot be loaded, as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("driver '{driver}' cannot be loaded from '{}': {cause}", file.display())]
pub struct LoadError {
    /// The driver's name.
    pub driver: String,
    /// Its file.
    pub file: PathBuf,
    /// What went wrong.
    pub cause: LoadCause,
}

/// What went wrong while a driver was loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadCause {
    /// The file was replaced after its manifest was read.
    #[error("expected the file whose manifest was read, found another in its place; start the host again")]
    Changed,
    /// The system's loader refuses it: an unresolved symbol, a library that it needs and that is missing, no memory.
    #[error(
        "expected a library that the system's loader accepts, found: {found}; install what is missing, or ask the driver's author"
    )]
    Open {
        /// The loader's own words.
        found: String,
    },
    /// A manifest, but no driver.
    #[error(
        "expected a driver's root module (symbol {}), found none; ask the driver's author for a build with driver-sdk",
        driver_abi::ROOT_SYMBOL
    )]
    NoRootModule,
    /// A root module of another abi_stable.
    #[error(
        "expected a root module of abi_stable 0.11, found {found}; get the driver built with this host's driver-sdk"
    )]
    AbiHeader {
        /// What the header says.
        found: String,
    },
    /// A boundary of another major version.
    #[error(
        "expected driver-abi {expected} or one with the same major version, found {found}; get the driver built for this host"
    )]
    OtherMajor {
        /// The host's version of `driver-abi`.
        expected: String,
        /// The driver's.
        found: String,
    },
    /// A changed boundary.
    #[error(
        "expected the types of driver-abi {expected}, found other ones that also call themselves driver-abi {found}: {mismatch}; \
         get the driver built with an unchanged driver-sdk"
    )]
    Layout {
        /// The host's version of `driver-abi`.
        expected: String,
        /// The driver's.
        found: String,
        /// Where the two differ, in a few words.
        mismatch: String,
    },
    /// The library could not make its root module.
    #[error("expected a root module, found {found} while it was made; ask the driver's author")]
    RootModule {
        /// What happened instead.
        found: String,
    },
    /// The driver refuses to be created, most often because of its configuration.
    #[error("expected the driver to accept its configuration, found: {message}; correct its table config")]
    Create {
        /// The fault's kind.
        kind: u32,
        /// The driver's own words.
        message: String,
    },
    /// The driver panicked while it was created.
    #[error("expected the driver to be created, found a panic: {message}; ask the driver's author")]
    CreatePanicked {
        /// The panic's message, as far as the driver's guard tells it.
        message: String,
    },
}
