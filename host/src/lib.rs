//! A host for bare-metal hardware drivers that are shipped as shared libraries.

#![deny(unsafe_code)]

pub mod cli;
pub mod plugin;
