//! Every test of the whole, in one binary: linking it is what takes time.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bad_replies;
mod benchmark;
mod chaos;
mod cli_client;
mod config;
mod confinement;
mod crashes;
mod docs;
mod driver_passthru;
mod driver_processes;
mod driver_readmes;
mod drivers_api;
mod evolution;
mod faults;
mod fuzzing;
mod hostile_bodies;
mod hostile_connections;
mod hostile_requests;
mod hung_drivers;
mod ipmi_driver;
mod ironicclient;
mod isolation;
mod limits;
mod listing;
mod loading;
mod locks;
mod logs;
mod metrics;
mod node_passthru;
mod nodes;
mod openapi;
mod openstacksdk;
mod orphans;
mod panics;
mod power_loss;
mod quickstart;
mod recorded;
mod records;
mod redfish_driver;
mod replaced_files;
mod schemas;
mod secrets;
mod serve_faults;
mod snmp_driver;
mod standard_calls;
mod stopping;
mod stranger;
mod stuck_calls;
mod threads;
mod tree;
mod unwritable;
mod versions;
