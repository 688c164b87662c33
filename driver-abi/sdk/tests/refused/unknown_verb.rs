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
    #[driver_method(http_methods = [FETCH])]
    fn a(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[driver_method(http_methods = [])]
    fn b(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[driver_method(http_methods = [GET, GET])]
    fn c(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[driver_method(http_methods = "GET")]
    fn d(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
