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
    #[driver_method]
    fn a(&self, node: &Node) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn b(&self, call: Call) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn c(&self, args: &Value) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn d(&self, first: Value, second: Value) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn e(&self, host: Host) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method]
    fn f<T>(&self, args: T) -> Result<(), Fault> {
        todo!()
    }

    /// Lights.
    #[node_method]
    async fn g(&self, completion: Completion<()>) {
        todo!()
    }

    /// Lights.
    #[node_method]
    unsafe fn h(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
