//! Servers with an IPMI BMC: Ironic's vendor methods, raw commands, the event log, power and boot device, all over `ipmitool`.
//!
//! Data takes this way: `properties` and `access` (what the node says, checked) with `command` (what is asked) → `command_line` →
//! `bmc` (whose turn it is, and whether to try again) → `child` → `output` → `failure`, or what the method makes of the answer.
#![forbid(unsafe_code)]

mod access;
mod bmc;
mod boot_device;
mod child;
mod command;
mod command_line;
mod completion_code;
mod config;
mod device_id;
mod failure;
mod installed;
mod loose;
mod number;
mod output;
mod patience;
mod power;
mod properties;
mod queue;
mod raw;
mod refusal;
mod sel;

use driver_sdk::prelude::*;

use access::Access;
use bmc::Ipmitool;
use command::{Command, RawBytes, What};
use config::Config;
use device_id::DeviceId;
use failure::Failure;
use installed::Installed;
use power::Control;
use properties::Device;
use raw::{RawReply, RawRequest};
use sel::EventLog;

/// The arguments of `bmc_reset`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// Whether the BMC keeps what it knows; the words that Ironic takes for true and false are taken too.
    #[serde(default = "warm", deserialize_with = "loose::boolean")]
    warm: bool,
}

/// Ironic's default.
fn warm() -> bool {
    true
}

/// The arguments of `get_sel`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// So many of the latest entries; without it all.
    #[serde(default, deserialize_with = "loose::count")]
    last: Option<u16>,
}

struct Ipmi {
    ipmitool: Ipmitool,
    config: Config,
}

/// Servers with an IPMI BMC, over ipmitool.
#[driver(name = "ipmi", properties = Device)]
impl Ipmi {
    #[create]
    fn new(config: Config, host: Host) -> Result<Self, Fault> {
        config.check()?;
        let (installed, version) = Installed::find(&config.ipmitool)?;
        host.info(format_args!("{version} at {}", installed.ipmitool.display()));
        Ok(Ipmi {
            ipmitool: Ipmitool::new(installed, &config),
            config,
        })
    }

    #[validate_node]
    fn can_be_reached(&self, node: &Node) -> Result<(), Fault> {
        Access::of(node).map(drop)
    }

    /// Reads the power state.
    #[power(get)]
    async fn power_state(&self, call: &Call, node: &Node) -> Result<PowerState, Fault> {
        Ok(match self.ipmitool.bmc(call, node)?.is_on().await? {
            true => PowerState::On,
            false => PowerState::Off,
        })
    }

    /// Switches the machine on or off, or off and on again; the soft variants ask its operating system to shut down.
    #[power(set, targets = [on, off, reboot, soft_off, soft_reboot], time_limit_ms = 7_200_000)]
    async fn set_power(&self, call: &Call, node: &Node, change: PowerChange) -> Result<(), Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let hard = change.timeout.unwrap_or(self.config.power_timeout());
        let soft = change.timeout.unwrap_or(power::SOFT_PATIENCE);
        match change.target {
            PowerTarget::On => bmc.switch(Control::On, hard).await,
            PowerTarget::Off => bmc.switch(Control::Off, hard).await,
            PowerTarget::SoftOff => bmc.switch(Control::SoftOff, soft).await,
            PowerTarget::Reboot => {
                // As in Ironic: some BMCs refuse to switch off what is off.
                if bmc.is_on().await? {
                    bmc.switch(Control::Off, hard).await?;
                }
                bmc.switch(Control::On, hard).await
            }
            PowerTarget::SoftReboot => {
                if bmc.is_on().await? {
                    bmc.switch(Control::SoftOff, soft).await?;
                }
                bmc.switch(Control::On, hard).await
            }
        }
    }

    /// Reads what the machine boots from next.
    #[management(get_boot_device)]
    async fn boot_device(&self, call: &Call, node: &Node) -> Result<BootDevice, Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let data = bmc.raw(boot_device::GET).await?;
        boot_device::read(&data).ok_or_else(|| bmc.too_short("boot flags", &data))
    }

    /// Sets what the machine boots from next, once or for good.
    #[management(set_boot_device, devices = [pxe, disk, cdrom, bios, safe])]
    async fn set_boot_device(&self, call: &Call, node: &Node, change: BootDeviceChange) -> Result<(), Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let mode = boot_device::mode(node.properties_json()).unwrap_or(self.config.default_boot_mode);
        let Some(flags) = boot_device::set(change.device, change.persistent, mode) else {
            return Err(Fault::unsupported(format!(
                "IPMI knows no boot device '{}'",
                change.device
            )));
        };
        if bmc.access().disable_boot_timeout {
            match bmc.raw_answer(&Command::repeatable(boot_device::KEEP)).await {
                Ok(_) => {}
                // A BMC that does not know the time-out has none.
                Err(failure @ Failure::Code(_)) => call.warn(format_args!(
                    "the boot device may be forgotten after 60 seconds: {}",
                    failure.fault(bmc.access())
                )),
                Err(failure) => return Err(failure.fault(bmc.access())),
            }
        }
        bmc.raw(&flags).await.map(drop)
    }

    #[validate_call(set_boot_device)]
    fn not_what_would_be_forgotten(&self, node: &Node, change: &BootDeviceChange) -> Result<(), Fault> {
        if change.persistent && Access::of(node)?.forgets_persistent_boot {
            return Err(Fault::invalid_parameter(
                "the node's BMC forgets persistent boot devices (ipmi_force_boot_device): set this one for the next boot only",
            ));
        }
        Ok(())
    }

    /// Sends the machine a diagnostic interrupt.
    #[management(inject_nmi)]
    async fn inject_nmi(&self, call: &Call, node: &Node) -> Result<(), Fault> {
        self.ipmitool.bmc(call, node)?.control(Control::Interrupt).await
    }

    /// Sends a raw request to the BMC: raw_bytes is its network function, command and data, such as "0x06 0x01". The answer stands
    /// in the call's record; a completion code that is no success fails the call.
    #[node_method]
    async fn send_raw(&self, call: &Call, node: &Node, args: RawRequest) -> Result<RawReply, Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let answer = bmc.raw_answer(&Command::once(args.raw_bytes)).await;
        let data = answer.map_err(|failure| failure.fault(bmc.access()))?;
        call.debug(format_args!(
            "the BMC at {} answered: {}",
            bmc.access().place,
            raw::written(&data)
        ));
        Ok(RawReply::done(&data))
    }

    /// Sends a raw request to the BMC and answers with its completion code and data: raw_bytes is the network function, the command
    /// and the data, such as "0x06 0x01".
    #[node_method(async = false)]
    async fn raw(&self, call: &Call, node: &Node, args: RawRequest) -> Result<RawReply, Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        match bmc.raw_answer(&Command::once(args.raw_bytes)).await {
            Ok(data) => Ok(RawReply::done(&data)),
            Err(Failure::Code(code)) => Ok(RawReply::not_done(code)),
            Err(failure) => Err(failure.fault(bmc.access())),
        }
    }

    /// Resets the BMC itself, not the machine: warm (the default) or, with warm=false, cold.
    #[node_method]
    async fn bmc_reset(&self, call: &Call, node: &Node, args: Reset) -> Result<(), Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let reset = if args.warm {
            RawBytes::WARM_RESET
        } else {
            RawBytes::COLD_RESET
        };
        match bmc.raw_answer(&Command::once(RawBytes::of(reset))).await {
            Ok(_) => Ok(()),
            // Many a BMC is gone before it could have answered a cold reset.
            Err(Failure::NoAnswer) if !args.warm => Ok(()),
            Err(failure) => Err(failure.fault(bmc.access())),
        }
    }

    /// Tells what the BMC is: firmware, manufacturer, product, version of IPMI.
    #[node_method(http_methods = [GET], async = false, require_exclusive_lock = false)]
    async fn get_device_id(&self, call: &Call, node: &Node) -> Result<DeviceId, Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let data = bmc.raw(DeviceId::REQUEST).await?;
        DeviceId::read(&data).ok_or_else(|| bmc.too_short("a device id", &data))
    }

    /// Lists the BMC's event log (SEL): all of it, or its last entries.
    #[node_method(http_methods = [GET], async = false, require_exclusive_lock = false)]
    async fn get_sel(&self, call: &Call, node: &Node, args: Part) -> Result<EventLog, Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let command = Command {
            what: What::SelList { last: args.last },
            repeatable: true,
        };
        let answer = bmc.answer(&command).await;
        answer
            .map(|answer| EventLog::read(&answer))
            .map_err(|failure| failure.fault(bmc.access()))
    }

    /// Clears the BMC's event log (SEL).
    #[node_method(async = false)]
    async fn clear_sel(&self, call: &Call, node: &Node) -> Result<(), Fault> {
        let bmc = self.ipmitool.bmc(call, node)?;
        let command = Command {
            what: What::SelClear,
            // What was logged in between would be lost unseen.
            repeatable: false,
        };
        let answer = bmc.answer(&command).await;
        answer.map(drop).map_err(|failure| failure.fault(bmc.access()))
    }
}

#[cfg(test)]
mod tests;
