//! A host for bare-metal hardware drivers that are shipped as shared libraries.

#![deny(unsafe_code)]

pub mod app;
pub mod call;
pub mod cli;
pub mod config;
pub mod database;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod metrics;
pub mod node;
pub mod plugin;
pub mod request_id;
pub mod threads;
