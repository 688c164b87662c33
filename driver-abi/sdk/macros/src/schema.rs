//! JSON Schemas: from a file that the author names, or derived from a type.

mod derive;
mod file;
mod serde;

pub(crate) use derive::derive;
pub(crate) use file::SchemaFile;
