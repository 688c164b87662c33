//! The harness of the suite: builds what the tests need, starts hosts, talks to them, and runs Ironic's own clients.
//!
//! Everything here fails by panicking: it is test code.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod attempt;
mod built;
mod certificates;
pub mod chaos;
mod clients;
mod command;
mod connection;
mod drivers;
mod eventually;
mod gate;
mod host_builder;
mod host_process;
mod http;
mod load;
mod log;
mod open_files;
mod processes;
mod random;
mod raw;
mod repository;
mod simulators;
mod small_disk;
mod wild;
mod witness;

pub use attempt::{Attempt, attempt, look};
pub use built::Built;
pub use certificates::{Authority, CertificateFor};
pub use clients::{CLIENTS_PATIENCE, openapi_spec_validator, openstack, python, schemathesis};
pub use command::{CommandOutput, host_command, run_to_end};
pub use connection::Connection;
pub use drivers::{
    DEFERRED, FAKE, HELLO, IPMI, KEEPS_BODIES, LEAKY, Library, MOODY, PANICS, REDFISH, SCHEMAS, SLOW, SNMP,
    SUPPORTED, UNRULY, WITNESS, WRITES_AT_LOAD,
};
pub use eventually::eventually;
pub use gate::Gate;
pub use host_builder::HostBuilder;
pub use host_process::HostProcess;
pub use http::{Fault, Pending, Reply, Request};
pub use load::{Kind, Load, Sent, Target, records};
pub use log::Log;
pub use open_files::allow_open_files;
pub use processes::Process;
pub use random::Random;
pub use raw::raw_exchange;
pub use repository::{SourceFile, repository_files, repository_root};
pub use rustix::process::Signal;
pub use simulators::{ImageServer, IpmiSim, Pyghmi, Snmpsim, Sushy, simulator};
pub use small_disk::SmallDisk;
pub use wild::wild_name;
pub use witness::Witness;
