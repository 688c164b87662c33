#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

struct Lamp;

/// Lamps.
#[driver(name = "lamp")]
impl Lamp {
    #[create]
    fn new(&self, a: Value, b: Value) -> Self {
        Lamp
    }
}

fn main() {}
