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
    fn light(&self, args: Value) -> Result<(), Fault> {
        todo!()
    }

    #[validate_call(lihgt)]
    fn a(&self, args: &Value) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
