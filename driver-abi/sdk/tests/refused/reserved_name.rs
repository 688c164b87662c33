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
    #[driver_method]
    fn methods(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(name = "power:get")]
    fn power(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
