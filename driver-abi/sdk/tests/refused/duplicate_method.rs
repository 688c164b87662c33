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
    #[node_method]
    fn light(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(name = "light")]
    fn light_too(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
