//! What the driver can do with a server: one file for each thing, all of them conversations of a [`Client`](crate::client::Client).

pub(crate) mod boot;
pub(crate) mod indicator;
pub(crate) mod media;
pub(crate) mod power;
pub(crate) mod request;
pub(crate) mod subscriptions;
mod system;

pub(crate) use system::Server;
