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

    #[validate_node]
    fn a(&self) -> Result<(), Fault> {
        todo!()
    }

    #[validate_call(light)]
    fn b(&self, args: Value) -> Result<(), Fault> {
        todo!()
    }

    #[validate_call]
    fn c(&self) -> Result<(), Fault> {
        todo!()
    }

    #[shut_down]
    fn d(&self, call: &Call) {}
}

fn main() {}
