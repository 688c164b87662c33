//! The driver that the benchmark calls. Its methods do nothing, so that what is measured is the way to them.

mod deferred;
mod pointers;

use std::time::Duration;

use driver_sdk::prelude::*;

use deferred::Answerer;

/// What a node of this driver says, as nodes of real drivers do.
#[derive(Properties)]
struct Device {
    /// Address of the device.
    bench_address: String,
}

/// One sensor's value.
#[derive(Deserialize, Serialize)]
struct Reading {
    sensor: String,
    value: f64,
    unit: String,
    fine: bool,
}

/// Arguments with types.
#[derive(Deserialize, Serialize)]
struct Readings {
    readings: Vec<Reading>,
}

#[derive(Deserialize)]
struct Pause {
    ms: u64,
}

struct Bench {
    answerer: Answerer,
}

/// Answers at once, or after a time that the client chooses.
#[driver(name = "bench", properties = Device)]
impl Bench {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Bench {
            answerer: Answerer::default(),
        })
    }

    /// Takes and answers nothing.
    #[driver_method]
    fn empty(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Answers with its arguments, whatever they are.
    #[driver_method]
    fn echo(&self, args: RawJson) -> Result<RawJson, Fault> {
        Ok(args)
    }

    /// Answers with its arguments, read and written again.
    #[driver_method]
    fn echo_typed(&self, args: Readings) -> Result<Readings, Fault> {
        Ok(args)
    }

    /// Answers with its arguments, from a thread of the driver.
    #[driver_method]
    fn echo_deferred(&self, args: RawJson, completion: Completion<RawJson>) {
        self.answerer.answer(args, completion);
    }

    /// Takes anything and does nothing, with nobody waiting.
    #[driver_method(async = true)]
    fn ignore(&self, args: RawJson) -> Result<(), Fault> {
        drop(args);
        Ok(())
    }

    /// Blocks its thread.
    #[driver_method]
    fn sleep(&self, args: Pause) -> Result<(), Fault> {
        std::thread::sleep(Duration::from_millis(args.ms));
        Ok(())
    }

    /// Answers with its arguments, under the node's lock. Reads the node, as every real method does.
    #[node_method(async = false)]
    fn echo_node(&self, node: &Node, args: RawJson) -> Result<RawJson, Fault> {
        let device: Device = node.driver_info()?;
        if device.bench_address.is_empty() {
            return Err(Fault::invalid_parameter("bench_address is empty"));
        }
        Ok(args)
    }
}
