#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

struct Lamp;

/// Lamps.
#[driver()]
impl Lamp {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Lamp)
    }

    /// Lights.
    #[node_method]
    fn a(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
