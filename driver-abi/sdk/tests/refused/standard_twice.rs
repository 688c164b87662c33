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
    #[management(inject_nmi)]
    fn a(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[management(inject_nmi)]
    fn b(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
