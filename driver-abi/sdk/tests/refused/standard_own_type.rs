#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::{driver, BootDeviceChange, Fault, Serialize};

struct Lamp;

#[derive(Serialize)]
struct PowerState;

type PowerChange = BootDeviceChange;

/// Lamps.
#[driver(name = "lamp")]
impl Lamp {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Lamp)
    }

    /// Acts.
    #[power(get)]
    fn a(&self) -> Result<PowerState, Fault> {
        todo!()
    }

    /// Acts.
    #[power(set, targets = [on])]
    fn b(&self, change: PowerChange) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
