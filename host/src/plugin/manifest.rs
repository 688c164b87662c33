//! Step 2 of flow one: what a file says about itself, read without mapping or loading it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use rustix::io::Errno;
use serde_json::{Number, Value};

mod elf;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod parse;
mod standard;

/// The version of the boundary that this host has.
pub use driver_abi::ABI_VERSION;
pub use error::ManifestError;
pub use parse::{Claim, parse};
pub use standard::{Interface, StandardCall, StandardMethod};

use super::scan::FoundFile;
use super::schema::Schema;

/// What a driver declares about itself.
#[derive(Debug, Clone)]
pub struct DriverManifest {
    /// The name by which `enabled_drivers` and nodes call it: `[a-z0-9][a-z0-9_.-]{0,254}`.
    pub name: String,
    /// The driver's own version.
    pub version: semver::Version,
    /// For people; may be empty.
    pub description: String,
    /// The version of `driver-abi` that it was built against.
    pub abi: semver::Version,
    /// The version of `driver-sdk` that wrote the manifest, if one did.
    pub sdk: Option<String>,
    /// The target triple that it was built for.
    pub target: String,
    /// What a node's `driver_info` may hold, in the author's order.
    pub properties: IndexMap<String, Property>,
    /// What clients can call, in the author's order.
    pub methods: Vec<Method>,
    /// The calls of Ironic's standard interfaces that it implements, in the author's order. Not among `methods`.
    pub standard: Vec<StandardMethod>,
    /// The whole manifest as its author wrote it, with the keys that this host does not know: one JSON object.
    pub raw: Box<str>,
}

/// One key of a node's `driver_info`.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// For people; may be empty.
    pub description: String,
    /// The type of its value.
    pub kind: PropertyKind,
    /// Whether a node cannot do without it.
    pub required: bool,
    /// Whether its value is never shown.
    pub secret: bool,
    /// What the driver takes when it is absent.
    pub default: Option<Value>,
    /// All that it can be, if the driver lists it.
    pub choices: Vec<Value>,
    /// The least that a number can be.
    pub minimum: Option<Number>,
    /// The greatest that a number can be.
    pub maximum: Option<Number>,
}

/// The JSON type of a property's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyKind {
    /// A string.
    String,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An object.
    Object,
    /// An array.
    Array,
    /// Anything; also what a later version calls by a word that this one does not know.
    Any,
}

/// One method that clients can call.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// `[A-Za-z0-9_.-]{1,255}`, unique among the methods of the same [`CalledOn`].
    pub name: String,
    /// Where it is called.
    pub on: CalledOn,
    /// The verbs that it answers to, in capitals; at least one.
    pub http_methods: Vec<String>,
    /// Whether the client gets its answer before the method has run.
    pub is_async: bool,
    /// Whether the node is locked while it runs. Never for methods of the driver itself.
    pub require_exclusive_lock: bool,
    /// Whether the reply is bytes with a content type instead of JSON. Never for async methods.
    pub attach: bool,
    /// For people; may be empty.
    pub description: String,
    /// How it uses threads.
    pub run: RunKind,
    /// How long a call may take, if the driver says so.
    pub time_limit: Option<Duration>,
    /// JSON Schema of the arguments; a call is checked against it before the driver sees it.
    pub body_schema: Option<Schema>,
    /// JSON Schema of the reply, for people and programs that call it. What a driver answers is not checked: it has taken effect.
    pub reply_schema: Option<Schema>,
}

/// Where a method is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalledOn {
    /// On a node that the driver manages.
    Node,
    /// On the driver itself.
    Driver,
}

/// How a method uses threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// It returns its answer, and holds its thread until then.
    Blocking,
    /// It returns at once, and answers later.
    Deferred,
}

/// A file after this step: what it says, or why it cannot be a driver here.
#[derive(Debug)]
pub struct ReadFile {
    /// The file.
    pub file: FoundFile,
    /// Its manifest and identity, or the one reason against it.
    pub outcome: Result<(DriverManifest, FileIdentity), Box<Unfit>>,
}

/// A file that cannot be a driver here.
#[derive(Debug)]
pub struct Unfit {
    /// Why.
    pub error: ManifestError,
    /// The name and version that it claims, as far as they could be read.
    pub claim: Claim,
}

/// What tells a file from a later one under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl PropertyKind {
    /// The word for it, in manifests and in JSON Schema; `any` is a manifest's alone.
    pub fn word(self) -> &'static str {
        match self {
            PropertyKind::String => "string",
            PropertyKind::Integer => "integer",
            PropertyKind::Number => "number",
            PropertyKind::Boolean => "boolean",
            PropertyKind::Object => "object",
            PropertyKind::Array => "array",
            PropertyKind::Any => "any",
        }
    }
}

impl FileIdentity {
    /// The identity of what is at `path` now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&path.metadata()?))
    }
}

impl From<&std::fs::Metadata> for FileIdentity {
    fn from(metadata: &std::fs::Metadata) -> Self {
        FileIdentity {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Reads the manifest of one file, with a few bounded reads, and proves that the file is a whole shared library for this
/// machine. Never maps the file and never waits, whatever the entry is.
pub fn read(file: FoundFile) -> ReadFile {
    let outcome = open(file.path())
        .and_then(|(opened, identity)| Ok((elf::manifest_bytes(&opened, identity.bytes)?, identity)))
        .map_err(|error| {
            Box::new(Unfit {
                error,
                claim: Claim::default(),
            })
        })
        .and_then(|(bytes, identity)| Ok((parse(&bytes)?, identity)));
    ReadFile { file, outcome }
}

/// Opens a regular file; anything else is told by its kind.
///
/// Without `O_NONBLOCK`, opening a FIFO would wait for a writer.
fn open(path: &Path) -> Result<(File, FileIdentity), ManifestError> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let opened = flags.and_then(|flags| OpenOptions::new().read(true).custom_flags(flags).open(path));
    let file = opened.map_err(|error| why_not_opened(path, error))?;
    let metadata = file.metadata().map_err(ManifestError::Unreadable)?;
    if !metadata.is_file() {
        return Err(ManifestError::NotAFile {
            found: kind_of(metadata.file_type()),
        });
    }
    Ok((file, FileIdentity::from(&metadata)))
}

fn why_not_opened(path: &Path, error: io::Error) -> ManifestError {
    let Ok(metadata) = path.symlink_metadata() else {
        return ManifestError::Unreadable(error);
    };
    let leads_nowhere = [Errno::NOENT, Errno::LOOP]
        .map(Errno::raw_os_error)
        .map(Some)
        .contains(&error.raw_os_error());
    if metadata.is_symlink() && leads_nowhere {
        let target = path.read_link().unwrap_or_default();
        return ManifestError::DanglingLink { target };
    }
    // A socket and a device without its hardware cannot be opened at all.
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => ManifestError::NotAFile {
            found: kind_of(metadata.file_type()),
        },
        _ => ManifestError::Unreadable(error),
    }
}

fn kind_of(kind: std::fs::FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
