//! Power: Get Chassis Status and Chassis Control (IPMI 2.0, 28.2 and 28.3).

use std::time::Duration;

use driver_sdk::Fault;
use tokio::time::{sleep, Instant};

use crate::bmc::Bmc;
use crate::command::{Command, RawBytes};

const STATUS: &[u8] = &[0x00, 0x01];
/// How often a machine is looked at that is on its way; the pause between two commands comes on top.
const GLANCE: Duration = Duration::from_millis(500);

/// How long an operating system has to shut down if the client does not say. Ironic's `soft_power_off_timeout`.
pub(crate) const SOFT_PATIENCE: Duration = Duration::from_secs(600);

/// What a chassis can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    Off = 0,
    On = 1,
    /// The diagnostic interrupt, which operating systems take for an NMI.
    Interrupt = 4,
    /// The operating system shuts down, if it listens.
    SoftOff = 5,
}

impl Bmc<'_> {
    /// Whether the machine has power.
    ///
    /// # Errors
    /// The fault for the client.
    pub(crate) async fn is_on(&self) -> Result<bool, Fault> {
        let data = self.raw(STATUS).await?;
        match data.first() {
            Some(state) => Ok(state & 1 == 1),
            None => Err(self.too_short("a chassis status", &data)),
        }
    }

    /// Tells the chassis something, and waits for nothing but the BMC's word.
    ///
    /// # Errors
    /// The fault for the client.
    pub(crate) async fn control(&self, control: Control) -> Result<(), Fault> {
        let bytes = [0x00, 0x02, control as u8];
        let command = match control {
            // A second interrupt may find the machine in the midst of what the first has begun.
            Control::Interrupt => Command::once(RawBytes::of(bytes)),
            Control::Off | Control::On | Control::SoftOff => Command::repeatable(&bytes),
        };
        let answer = self.raw_answer(&command).await;
        answer.map(drop).map_err(|failure| failure.fault(self.access()))
    }

    /// Tells the chassis to switch, and waits until it has.
    ///
    /// # Errors
    /// The fault for the client; one of kind `Timeout` if the machine is not there in time.
    pub(crate) async fn switch(&self, control: Control, timeout: Duration) -> Result<(), Fault> {
        self.control(control).await?;
        let until = Instant::now() + timeout;
        let on = control == Control::On;
        while self.is_on().await? != on {
            if Instant::now() >= until {
                return Err(Fault::timeout(format!(
                    "the BMC at {} took the command, and the machine is still powered {} after {} s",
                    self.access().place,
                    if on { "off" } else { "on" },
                    timeout.as_secs()
                )));
            }
            sleep(GLANCE).await;
        }
        Ok(())
    }
}
