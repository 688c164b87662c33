//! A host for bare-metal hardware drivers that are shipped as shared libraries.

pub mod node;
