//! What is managed, and who holds it: the nodes, their store and their locks.
//!
//! - [`fields`]: one node, as it is kept in memory and as a driver sees it.
//! - [`name`]: which names a node may have.
//! - [`power`]: power states.
//! - [`secret`]: which values are never shown.
//! - [`store`]: the durable log and the index that every read uses.
//! - [`listing`]: filters, order and pages of a list.
//! - [`lock`]: one mutex per busy node.

pub mod fields;
pub mod listing;
pub mod lock;
pub mod name;
pub mod power;
pub mod secret;
pub mod store;
mod text;
