//! The calls of the standard interfaces on the bench.

use serde_json::{json, to_value, Value};

use super::TestBench;
use crate::{standard, BootDevice, BootDeviceChange, Fault, PowerChange, PowerState};

/// The calls of Ironic's standard interfaces. By their names, such as `power:get`, they can also be run with
/// [`node_method`](TestBench::node_method): with a deadline, or to be cancelled.
impl TestBench {
    /// Reads the power state of a node with this `driver_info`.
    ///
    /// # Errors
    /// As [`BenchCall::run`](crate::BenchCall::run); also what is no power state.
    pub fn power_state(&self, driver_info: Value) -> Result<PowerState, Fault> {
        let state = self.node_method("power:get", driver_info).run()?;
        Ok(serde_json::from_value(state)?)
    }

    /// Changes the power state of a node with this `driver_info`.
    ///
    /// # Errors
    /// As [`BenchCall::run`](crate::BenchCall::run); also a target that the driver does not declare.
    pub fn set_power(&self, driver_info: Value, change: PowerChange) -> Result<(), Fault> {
        let call = self.node_method("power:set", driver_info);
        call.args(to_value(change)?).run().map(drop)
    }

    /// Reads what a node with this `driver_info` boots from.
    ///
    /// # Errors
    /// As [`BenchCall::run`](crate::BenchCall::run); also what is no boot device.
    pub fn boot_device(&self, driver_info: Value) -> Result<BootDevice, Fault> {
        let device = self
            .node_method("management:get_boot_device", driver_info)
            .run()?;
        Ok(serde_json::from_value(device)?)
    }

    /// Changes what a node with this `driver_info` boots from.
    ///
    /// # Errors
    /// As [`BenchCall::run`](crate::BenchCall::run); also a device that the driver does not declare.
    pub fn set_boot_device(&self, driver_info: Value, change: BootDeviceChange) -> Result<(), Fault> {
        let call = self.node_method("management:set_boot_device", driver_info);
        call.args(to_value(change)?).run().map(drop)
    }

    /// Interrupts the processors of a node with this `driver_info`.
    ///
    /// # Errors
    /// As [`BenchCall::run`](crate::BenchCall::run).
    pub fn inject_nmi(&self, driver_info: Value) -> Result<(), Fault> {
        self.node_method("management:inject_nmi", driver_info)
            .run()
            .map(drop)
    }
}

/// Refuses what a standard call does not declare, as a host does without running the driver.
pub(super) fn accepted(declared: &Value, name: &str, args: &Value) -> Result<(), Fault> {
    let Some((list, argument)) = standard::accepts(name) else {
        return Ok(());
    };
    let known = declared[list].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = args.get(argument).unwrap_or(&json!(null)).clone();
    if known.contains(&wanted) {
        return Ok(());
    }
    let known: Vec<_> = known.iter().filter_map(Value::as_str).collect();
    let text = format!(
        "{name} does not take the {argument} {wanted}; declared: {}",
        known.join(", ")
    );
    Err(Fault::invalid_parameter(text))
}
