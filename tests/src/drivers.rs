//! The drivers that the suite loads and calls.

use std::path::PathBuf;

use crate::Built;

/// A driver's library, by the crate that it is built from.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    /// The driver's own name, as `enabled_drivers` has it.
    pub name: &'static str,
    /// The cargo package.
    pub package: &'static str,
    fixture: bool,
}

impl Library {
    /// A driver of the workspace: `drivers/` and `examples/`.
    pub const fn of_workspace(name: &'static str, package: &'static str) -> Self {
        Library {
            name,
            package,
            fixture: false,
        }
    }

    /// A driver of `tests/fixtures/`.
    pub const fn of_fixtures(name: &'static str, package: &'static str) -> Self {
        Library {
            name,
            package,
            fixture: true,
        }
    }

    /// The built `.so`.
    pub fn path(&self) -> PathBuf {
        let built = if self.fixture {
            Built::fixtures()
        } else {
            Built::get()
        };
        built.library(self.package)
    }
}

/// Ironic's `fake`.
pub const FAKE: Library = Library::of_workspace("fake", "fake-driver");
/// Servers with an IPMI BMC.
pub const IPMI: Library = Library::of_workspace("ipmi", "ipmi-driver");
/// Servers with a Redfish service.
pub const REDFISH: Library = Library::of_workspace("redfish", "redfish-driver");
/// Power outlets of rack PDUs.
pub const SNMP: Library = Library::of_workspace("snmp", "snmp-driver");
/// The template that authors copy.
pub const HELLO: Library = Library::of_workspace("hello", "hello-driver");
/// The example with deferred methods.
pub const DEFERRED: Library = Library::of_workspace("deferred", "deferred-driver");
/// Puts all that it knows of a node into every message.
pub const LEAKY: Library = Library::of_fixtures("leaky", "leaky-driver");
/// Machines whose power lies in files, and that do as they like.
pub const MOODY: Library = Library::of_fixtures("moody", "moody-driver");
/// Panics in the entry point that it is told to.
pub const PANICS: Library = Library::of_fixtures("panics", "panics-driver");
/// Has schemas for its methods' bodies and replies.
pub const SCHEMAS: Library = Library::of_fixtures("schemas", "schemas-driver");
/// Takes as long as it is told to, blocking or deferred.
pub const SLOW: Library = Library::of_fixtures("slow", "slow-driver");
/// Answers what no driver may, against the boundary itself.
pub const UNRULY: Library = Library::of_fixtures("unruly", "unruly-driver");
/// Keeps the bodies that reached it.
pub const KEEPS_BODIES: Library = Library::of_fixtures("keeps-bodies", "keeps-bodies-driver");
/// Writes down every call that it was given.
pub const WITNESS: Library = Library::of_fixtures("witness", "witness-driver");
/// Leaves a trace when it is opened, and refuses to be created.
pub const WRITES_AT_LOAD: Library = Library::of_fixtures("writes-at-load", "writes-at-load-driver");

/// The drivers of `drivers/` that the suite exercises on every run: what `drivers/README.md` lists as supported.
pub const SUPPORTED: &[Library] = &[FAKE, IPMI, REDFISH, SNMP];
