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
    #[power]
    fn a(&self) -> Result<PowerState, Fault> {
        todo!()
    }

    /// Acts.
    #[power(read)]
    fn b(&self) -> Result<PowerState, Fault> {
        todo!()
    }

    /// Acts.
    #[power(get, set)]
    fn c(&self) -> Result<PowerState, Fault> {
        todo!()
    }

    /// Acts.
    #[power(get, targets = [on])]
    fn d(&self) -> Result<PowerState, Fault> {
        todo!()
    }

    /// Acts.
    #[power(set)]
    fn e(&self, change: PowerChange) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[power(set, targets = [])]
    fn f(&self, change: PowerChange) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[power(set, targets = [on, cycle])]
    fn g(&self, change: PowerChange) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[power(set, targets = [on, on])]
    fn h(&self, change: PowerChange) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[management(set_boot_device, devices = [tape])]
    fn i(&self, change: BootDeviceChange) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[management(inject_nmi, async = false)]
    fn j(&self) -> Result<(), Fault> {
        todo!()
    }

    /// Acts.
    #[management(inject_nmi, time_limit_ms = 0)]
    fn k(&self) -> Result<(), Fault> {
        todo!()
    }
}

fn main() {}
