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
    #[power(get)]
    fn a(&self) -> Result<String, Fault> {
        todo!()
    }

    /// Acts.
    #[power(get)]
    fn b(&self, args: Value) -> Result<PowerState, Fault> {
        todo!()
    }

    /// Acts.
    #[power(set, targets = [on])]
    fn c(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[power(set, targets = [on])]
    fn d(&self, target: PowerTarget) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[power(set, targets = [on])]
    fn e(&self, change: PowerChange) -> Result<bool, Fault> {
        todo!()
    }

    /// Acts.
    #[management(get_boot_device)]
    fn f(&self, completion: Completion<Value>) {
        todo!()
    }

    /// Acts.
    #[management(inject_nmi)]
    fn g(&self, node: Node) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
