//! The command line.

pub mod inspect;
pub mod list_available;
pub mod table;
