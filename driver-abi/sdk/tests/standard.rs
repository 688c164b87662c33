//! The calls of Ironic's standard interfaces: what the manifest says of them, and what they do on the bench.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use driver_sdk::prelude::*;
use driver_sdk::{FaultKind, TestBench};

struct Machine {
    power: Mutex<HashMap<String, PowerChange>>,
    boot: Mutex<BootDevice>,
}

/// Machines.
#[driver(name = "machine")]
impl Machine {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Machine {
            power: Mutex::default(),
            boot: Mutex::new(BootDevice {
                device: None,
                persistent: None,
            }),
        })
    }

    /// Reads the power state.
    #[power(get, time_limit_ms = 1_500)]
    async fn power_state(&self, call: &Call, node: &Node) -> Result<PowerState, Fault> {
        call.info(format_args!("{} {}", call.http_method(), call.method()));
        let power = self.power.lock().unwrap();
        Ok(power
            .get(node.uuid())
            .map_or(PowerState::Unknown, |change| change.target.reached()))
    }

    /// Changes the power state.
    #[power(set, targets = [on, soft_off])]
    fn set_power(&self, change: PowerChange, node: &Node) -> Result<(), Fault> {
        self.power.lock().unwrap().insert(node.uuid().to_owned(), change);
        Ok(())
    }

    #[validate_call(set_power)]
    fn not_too_long(&self, change: &PowerChange) -> Result<(), Fault> {
        match change.timeout {
            Some(timeout) if timeout > Duration::from_secs(60) => Err(Fault::invalid_parameter("too long")),
            _ => Ok(()),
        }
    }

    /// Reads the boot device.
    #[management(get_boot_device)]
    fn boot_device(&self, completion: Completion<BootDevice>) {
        completion.complete(Ok(*self.boot.lock().unwrap()));
    }

    /// Changes the boot device.
    #[management(devices = [pxe, uefihttp], set_boot_device)]
    fn set_boot_device(&self, call: &Call, change: BootDeviceChange) -> Result<(), Fault> {
        call.info(call.http_method());
        *self.boot.lock().unwrap() = BootDevice {
            device: Some(change.device),
            persistent: Some(change.persistent),
        };
        Ok(())
    }

    /// Interrupts the processors.
    #[management(inject_nmi)]
    fn inject_nmi(&self) -> Result<(), Fault> {
        Err(Fault::unavailable("no answer"))
    }

    /// A method beside them.
    #[node_method]
    fn beep(&self) -> Result<(), Fault> {
        Ok(())
    }
}

fn bench() -> TestBench {
    TestBench::new::<Machine>(json!({})).unwrap()
}

#[test]
fn the_manifest_has_standard_calls_under_their_names_and_what_each_accepts() {
    let expected = json!([
        {"name": "power:get", "on": "node", "description": "Reads the power state.", "run": "deferred", "time_limit_ms": 1500},
        {"name": "power:set", "on": "node", "targets": ["power on", "soft power off"],
         "description": "Changes the power state.", "run": "blocking"},
        {"name": "management:get_boot_device", "on": "node", "description": "Reads the boot device.", "run": "deferred"},
        {"name": "management:set_boot_device", "on": "node", "devices": ["pxe", "uefihttp"],
         "description": "Changes the boot device.", "run": "blocking"},
        {"name": "management:inject_nmi", "on": "node", "description": "Interrupts the processors.", "run": "blocking"},
    ]);
    let bench = bench();
    let methods = bench.manifest()["methods"].as_array().unwrap();
    assert_eq!(json!(methods[..5]), expected);
    assert_eq!(methods[5]["name"], "beep");
}

#[test]
fn power_is_changed_and_read_with_the_verb_of_the_request() {
    let bench = bench();
    assert_eq!(bench.power_state(json!({})).unwrap(), PowerState::Unknown);
    assert_eq!(bench.log()[0].message, "GET power:get");
    let change = |target| PowerChange {
        target,
        timeout: Some(Duration::from_secs(60)),
    };
    bench.set_power(json!({}), change(PowerTarget::On)).unwrap();
    assert_eq!(bench.power_state(json!({})).unwrap(), PowerState::On);
    bench.set_power(json!({}), change(PowerTarget::SoftOff)).unwrap();
    assert_eq!(bench.power_state(json!({})).unwrap(), PowerState::Off);
}

#[test]
fn what_is_not_declared_never_reaches_the_driver() {
    let bench = bench();
    let change = PowerChange {
        target: PowerTarget::Reboot,
        timeout: None,
    };
    let fault = bench.set_power(json!({}), change).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidParameter);
    assert_eq!(
        fault.message(),
        "power:set does not take the target \"rebooting\"; declared: power on, soft power off"
    );
    let change = BootDeviceChange {
        device: BootDeviceName::Disk,
        persistent: true,
    };
    let fault = bench.set_boot_device(json!({}), change).unwrap_err();
    assert_eq!(
        fault.message(),
        "management:set_boot_device does not take the boot_device \"disk\"; declared: pxe, uefihttp"
    );
    assert_eq!(bench.boot_device(json!({})).unwrap().device, None);
}

#[test]
fn a_check_of_the_authors_own_stands_before_a_standard_call() {
    let long = json!({"target": "power on", "timeout": 61});
    let fault = bench().node_method("power:set", json!({})).args(long).validate();
    assert_eq!(fault.unwrap_err().message(), "too long");
}

#[test]
fn the_boot_device_is_changed_and_read() {
    let bench = bench();
    let change = BootDeviceChange {
        device: BootDeviceName::Uefihttp,
        persistent: true,
    };
    bench.set_boot_device(json!({}), change).unwrap();
    assert_eq!(bench.log()[0].message, "PUT");
    let now = bench.boot_device(json!({})).unwrap();
    assert_eq!(
        now,
        BootDevice {
            device: Some(BootDeviceName::Uefihttp),
            persistent: Some(true)
        }
    );
}

#[test]
fn an_nmi_takes_no_arguments_and_its_fault_is_the_drivers() {
    let bench = bench();
    assert_eq!(
        bench.inject_nmi(json!({})).unwrap_err().kind(),
        FaultKind::Unavailable
    );
    let call = bench.node_method("management:inject_nmi", json!({}));
    let fault = call.args(json!({"hard": true})).run().unwrap_err();
    assert_eq!(
        fault.message(),
        "method 'management:inject_nmi' takes no argument 'hard'; it takes none"
    );
}
