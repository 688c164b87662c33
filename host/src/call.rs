//! Flow two below HTTP: a checked request becomes a call, and the call its result.
//!
//! - [`json`]: what a body and a reply must be.
//! - `meter`: how a call is counted and timed.
//! - [`standard`]: what the calls of standard interfaces answer.
//! - [`passthru`]: finding the method, and the life of a call from lock to answer.
//! - [`limits`]: how many calls run at once, in all and per driver.
//! - [`in_flight`]: which calls are running.
//! - [`record`]: what is kept of calls whose client does not wait.
//!
//! Nothing here knows HTTP, and nothing here knows how a driver's code is reached.

pub mod in_flight;
pub mod json;
pub mod limits;
mod meter;
pub mod passthru;
pub mod record;
pub mod standard;

pub use passthru::{Answer, CallError, Passthru};
