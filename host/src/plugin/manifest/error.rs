//! Why a file cannot be a driver here.

use std::io;
use std::path::PathBuf;

use driver_abi::MANIFEST_MAX_BYTES;

use super::elf::HOST_MACHINE;

/// The one reason why a file cannot be a driver here. The text is one sentence without the file's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The system does not let us read it.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// It is a folder, a FIFO, a socket or a device.
    #[error("expected a file, found {found}")]
    NotAFile {
        /// What it is, with its article.
        found: &'static str,
    },
    /// A symbolic link to nothing, or to itself.
    #[error("is a link to '{}', which does not exist", target.display())]
    DanglingLink {
        /// What the link says.
        target: PathBuf,
    },
    /// It has no bytes.
    #[error("expected a shared library, found an empty file")]
    Empty,
    /// It does not begin like an ELF file.
    #[error("expected a shared library, found a file that is not ELF")]
    NotElf,
    /// A file for a machine of another word size.
    #[error("expected a 64-bit library, found a {found} one")]
    WrongClass {
        /// The word size.
        found: &'static str,
    },
    /// A file for another processor, or another byte order.
    #[error("expected a library for {HOST_MACHINE}, found one for {found}")]
    WrongMachine {
        /// The processor.
        found: String,
    },
    /// ELF, but a program or an object file.
    #[error("expected a shared library, found {found}")]
    NotALibrary {
        /// What it is, with its article.
        found: &'static str,
    },
    /// The file ends before what its headers promise.
    #[error("expected at least {expected} bytes, found {found}: the file is cut short")]
    Truncated {
        /// The end of what must be there.
        expected: u64,
        /// The file's length.
        found: u64,
    },
    /// The headers contradict themselves.
    #[error("its ELF headers are damaged: {what}")]
    BrokenElf {
        /// Which, in a few words.
        what: String,
    },
    /// A shared library, but no driver.
    #[error("is a shared library without a driver's manifest")]
    NoManifest,
    /// More than one manifest.
    #[error("expected one manifest, found {found}")]
    AmbiguousManifest {
        /// How many.
        found: usize,
    },
    /// A manifest beyond the limit.
    #[error("expected a manifest of at most {MANIFEST_MAX_BYTES} bytes, found {found}")]
    ManifestTooLarge {
        /// Its size in bytes.
        found: u64,
    },
    /// A manifest that cannot be understood.
    #[error("its manifest is broken at {at}: expected {expected}, found {found}")]
    BrokenManifest {
        /// The key, or the place in the text.
        at: String,
        /// What belongs there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A driver of a later time: something in it changes how calls run, and this host does not know it.
    #[error("needs a newer host: {at} is {found}, this host knows {known}")]
    NeedsNewerHost {
        /// The key.
        at: String,
        /// What it says.
        found: String,
        /// What would do.
        known: String,
    },
    /// A driver of an earlier major version of the boundary.
    #[error(
        "needs an older host: it was built against driver-abi {found}, this host has {}",
        driver_abi::ABI_VERSION
    )]
    NeedsOlderHost {
        /// The driver's version of the boundary.
        found: semver::Version,
    },
}

impl ManifestError {
    /// A word for programs, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            ManifestError::Unreadable(_) => "unreadable",
            ManifestError::NotAFile { .. } => "not-a-file",
            ManifestError::DanglingLink { .. } => "dangling-link",
            ManifestError::Empty => "empty",
            ManifestError::NotElf => "not-elf",
            ManifestError::WrongClass { .. } => "wrong-class",
            ManifestError::WrongMachine { .. } => "wrong-machine",
            ManifestError::NotALibrary { .. } => "not-a-library",
            ManifestError::Truncated { .. } => "truncated",
            ManifestError::BrokenElf { .. } => "broken-elf",
            ManifestError::NoManifest => "no-manifest",
            ManifestError::AmbiguousManifest { .. } => "ambiguous-manifest",
            ManifestError::ManifestTooLarge { .. } => "manifest-too-large",
            ManifestError::BrokenManifest { .. } => "broken-manifest",
            ManifestError::NeedsNewerHost { .. } => "needs-newer-host",
            ManifestError::NeedsOlderHost { .. } => "needs-older-host",
        }
    }

    /// What the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            ManifestError::Unreadable(_) => "let the host's user read the file",
            ManifestError::NotAFile { .. } => "move it out of plugin_dir",
            ManifestError::DanglingLink { .. } => "remove the link, or put its target in place",
            ManifestError::Empty | ManifestError::Truncated { .. } | ManifestError::BrokenElf { .. } => {
                "copy the file again, under another name, and rename it"
            }
            ManifestError::NotElf | ManifestError::NotALibrary { .. } | ManifestError::NoManifest => {
                "move it out of plugin_dir; a driver is a cdylib built with driver-sdk"
            }
            ManifestError::WrongClass { .. } | ManifestError::WrongMachine { .. } => {
                "get the driver's build for this machine"
            }
            ManifestError::AmbiguousManifest { .. } => {
                "ask the driver's author for a library with one driver"
            }
            ManifestError::ManifestTooLarge { .. } | ManifestError::BrokenManifest { .. } => {
                "ask the driver's author for a build with an unchanged driver-sdk"
            }
            ManifestError::NeedsNewerHost { .. } => "update the host, or get an older version of the driver",
            ManifestError::NeedsOlderHost { .. } => "get a version of the driver built for this host",
        }
    }
}
