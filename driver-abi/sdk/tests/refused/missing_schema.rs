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
    #[node_method(body_schema = "no/such/schema.json")]
    fn a(&self, args: Value) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
