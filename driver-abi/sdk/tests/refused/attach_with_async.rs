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
    #[node_method(attach)]
    fn a(&self) -> Result<Attachment, Fault> {
        todo!()
    }

    /// Lights.
    #[driver_method(attach, async = true)]
    fn b(&self) -> Result<Attachment, Fault> {
        todo!()
    }
}

fn main() {}
