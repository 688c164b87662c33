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
    fn a(&self) {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn b(&self) -> bool {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn c(&self, completion: Completion<()>) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(async = false)]
    fn d(&self) -> Result<Attachment, Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(async = false, attach)]
    fn e(&self) -> Result<Value, Fault> {
        todo!()
    }
}

fn main() {}
