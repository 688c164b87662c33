//! A driver without a device: Ironic's fake interfaces, and methods that echo, sleep and fail.
#![forbid(unsafe_code)]

mod failure;
mod machine;
mod pause;

use std::time::Duration;

use driver_sdk::prelude::*;

use failure::Failure;
use machine::Machines;
use pause::{pause, Seconds};

/// What a node says for the fake driver: nothing that it needs.
#[derive(Properties)]
#[allow(
    dead_code,
    reason = "declared for the manifest; there is no device to reach with them"
)]
struct Device {
    /// Address of a device that does not exist.
    fake_address: Option<String>,
    /// Password for a device that does not exist.
    #[property(secret)]
    fake_password: Option<String>,
}

/// The operator's table `[drivers.fake.config]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// How long each of Ironic's five methods takes, in milliseconds.
    #[serde(default)]
    vendor_delay_ms: u64,
    /// How long a change of power takes, in milliseconds.
    #[serde(default)]
    power_delay_ms: u64,
    /// How long a change of the boot device and an interrupt take, in milliseconds.
    #[serde(default)]
    management_delay_ms: u64,
}

/// The arguments of Ironic's methods, as far as they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bar {
    #[serde(default)]
    bar: Value,
}

struct Fake {
    vendor_delay: Duration,
    power_delay: Duration,
    management_delay: Duration,
    machines: Machines,
}

/// A driver without a device, for trying things out and for tests.
#[driver(name = "fake", properties = Device)]
impl Fake {
    #[create]
    fn new(config: Config) -> Result<Self, Fault> {
        Ok(Fake {
            vendor_delay: Duration::from_millis(config.vendor_delay_ms),
            power_delay: Duration::from_millis(config.power_delay_ms),
            management_delay: Duration::from_millis(config.management_delay_ms),
            machines: Machines::default(),
        })
    }

    /// Test if the value of bar is baz
    #[node_method]
    fn first_method(&self, call: &Call, args: Bar) -> Result<bool, Fault> {
        self.compare(call, &args, "baz")
    }

    /// Test if the value of bar is kazoo
    #[node_method]
    fn second_method(&self, call: &Call, args: Bar) -> Result<bool, Fault> {
        self.compare(call, &args, "kazoo")
    }

    /// Test if the value of bar is meow
    #[node_method(async = false)]
    fn third_method_sync(&self, call: &Call, args: Bar) -> Result<bool, Fault> {
        self.compare(call, &args, "meow")
    }

    /// Test if the value of bar is woof
    #[node_method(require_exclusive_lock = false)]
    fn fourth_method_shared_lock(&self, call: &Call, args: Bar) -> Result<bool, Fault> {
        self.compare(call, &args, "woof")
    }

    /// Test pass-through to wait.
    #[node_method]
    fn log_passthrough(&self, call: &Call, args: Value) -> Result<(), Fault> {
        call.info(format_args!("log_passthrough was called with {args}"));
        pause(call, self.vendor_delay)
    }

    #[validate_call(first_method)]
    fn first_has_bar(&self, call: &Call, args: &Bar) -> Result<(), Fault> {
        has_bar(call, &args.bar)
    }

    #[validate_call(second_method)]
    fn second_has_bar(&self, call: &Call, args: &Bar) -> Result<(), Fault> {
        has_bar(call, &args.bar)
    }

    #[validate_call(third_method_sync)]
    fn third_has_bar(&self, call: &Call, args: &Bar) -> Result<(), Fault> {
        has_bar(call, &args.bar)
    }

    #[validate_call(fourth_method_shared_lock)]
    fn fourth_has_bar(&self, call: &Call, args: &Bar) -> Result<(), Fault> {
        has_bar(call, &args.bar)
    }

    #[validate_call(log_passthrough)]
    fn log_has_bar(&self, call: &Call, args: &Value) -> Result<(), Fault> {
        has_bar(call, &args["bar"])
    }

    /// Remembers the power state of each node
    #[power(get)]
    fn power_state(&self, node: &Node) -> Result<PowerState, Fault> {
        Ok(self.machines.get(node).power)
    }

    /// Changes the power state that is remembered
    #[power(set, targets = [on, off, reboot, soft_off, soft_reboot])]
    fn set_power(&self, call: &Call, node: &Node, change: PowerChange) -> Result<(), Fault> {
        pause(call, self.power_delay)?;
        self.machines
            .change(node, |machine| machine.power = change.target.reached());
        Ok(())
    }

    /// Remembers the boot device of each node
    #[management(get_boot_device)]
    fn boot_device(&self, node: &Node) -> Result<BootDevice, Fault> {
        Ok(self.machines.get(node).boot)
    }

    /// Changes the boot device that is remembered
    #[management(set_boot_device, devices = [pxe, disk, cdrom, bios, safe])]
    fn set_boot_device(&self, call: &Call, node: &Node, change: BootDeviceChange) -> Result<(), Fault> {
        pause(call, self.management_delay)?;
        let (device, persistent) = (Some(change.device), Some(change.persistent));
        self.machines
            .change(node, |machine| machine.boot = BootDevice { device, persistent });
        Ok(())
    }

    /// Says in the log that the processors were interrupted
    #[management(inject_nmi)]
    fn inject_nmi(&self, call: &Call, node: &Node) -> Result<(), Fault> {
        pause(call, self.management_delay)?;
        call.info(format_args!("the processors of {} were interrupted", node.uuid()));
        Ok(())
    }

    /// Answers with the HTTP method and the body of the request
    #[driver_method(http_methods = [GET, POST, PUT, PATCH, DELETE])]
    fn echo(&self, call: &Call, args: RawJson) -> Result<RawJson, Fault> {
        Ok(echo(call, &args))
    }

    /// Answers with the HTTP method and the body of the request, holding the node's lock
    #[node_method(http_methods = [GET, POST, PUT, PATCH, DELETE], async = false)]
    fn echo_sync(&self, call: &Call, args: RawJson) -> Result<RawJson, Fault> {
        Ok(echo(call, &args))
    }

    /// Answers with the HTTP method and the body of the request, without the node's lock
    #[node_method(
        http_methods = [GET, POST, PUT, PATCH, DELETE],
        async = false,
        require_exclusive_lock = false
    )]
    fn echo_shared(&self, call: &Call, args: RawJson) -> Result<RawJson, Fault> {
        Ok(echo(call, &args))
    }

    /// Sleeps for a number of seconds
    #[driver_method]
    fn sleep(&self, call: &Call, args: Seconds) -> Result<Value, Fault> {
        args.sleep(call)
    }

    /// Sleeps for a number of seconds after the client has its answer, holding the node's lock
    #[node_method]
    fn sleep_async(&self, call: &Call, args: Seconds) -> Result<Value, Fault> {
        args.sleep(call)
    }

    /// Sleeps for a number of seconds while the client waits, holding the node's lock
    #[node_method(async = false)]
    fn sleep_sync(&self, call: &Call, args: Seconds) -> Result<Value, Fault> {
        args.sleep(call)
    }

    /// Fails with a given kind and message after the client has its answer
    #[node_method]
    fn fail_async(&self, args: Failure) -> Result<(), Fault> {
        args.happen()
    }

    /// Fails with a given kind and message while the client waits
    #[node_method(async = false)]
    fn fail_sync(&self, args: Failure) -> Result<(), Fault> {
        args.happen()
    }

    /// Answers with bytes that are no JSON
    #[node_method(http_methods = [GET], async = false, attach)]
    fn attach(&self) -> Result<Attachment, Fault> {
        Ok(Attachment {
            content_type: "application/octet-stream".to_owned(),
            bytes: (0..=255).collect(),
        })
    }

    fn compare(&self, call: &Call, args: &Bar, word: &str) -> Result<bool, Fault> {
        pause(call, self.vendor_delay)?;
        Ok(args.bar == word)
    }
}

/// The answer of the echoing methods: the body as it was written, and one of five verbs, none of which needs an escape.
fn echo(call: &Call, args: &RawJson) -> RawJson {
    let mut answer = format!(r#"{{"http_method":"{}","args":"#, call.http_method()).into_bytes();
    answer.extend_from_slice(args.as_bytes());
    answer.push(b'}');
    answer.into()
}

/// Ironic's check: what Python takes for false counts as missing.
fn has_bar(call: &Call, bar: &Value) -> Result<(), Fault> {
    let falsy = match bar {
        Value::Null => true,
        Value::Bool(bar) => !bar,
        Value::Number(bar) => bar.as_f64() == Some(0.0),
        Value::String(bar) => bar.is_empty(),
        Value::Array(bar) => bar.is_empty(),
        Value::Object(bar) => bar.is_empty(),
    };
    if falsy {
        return Err(Fault::missing_parameter(format!(
            "Parameter 'bar' not passed to method '{}'.",
            call.method()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
