#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

struct Lamp;

/// Lamps.
#[driver(name = "lamp")]
impl Lamp {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Lamp)
    }

    /// Lights.
    #[driver_method(require_exclusive_lock = true)]
    fn a(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
