#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

/// Lamps.
#[driver(name = "lamp")]
struct Lamp;

trait Light: Sized { fn new() -> Result<Self, Fault>; }

/// Lamps.
#[driver(name = "lamp")]
impl Light for Lamp {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Lamp)
    }
}

fn main() {}
