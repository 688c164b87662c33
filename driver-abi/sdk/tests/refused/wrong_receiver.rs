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
    fn a(&mut self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn b(self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[driver_method]
    fn c() -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
