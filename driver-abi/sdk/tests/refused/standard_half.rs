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

    /// Acts.
    #[power(get)]
    fn a(&self) -> Result<PowerState, Fault> {
        todo!()
    }
}

fn main() {}
