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
    #[node_method(asink = false)]
    fn a(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(attach = true)]
    fn b(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(async = no)]
    fn c(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(async = false, async = true)]
    fn d(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(time_limit_ms = 0)]
    fn e(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method(time_limit_ms = "soon")]
    fn f(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method = 1]
    fn g(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
