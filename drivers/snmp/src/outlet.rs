//! One outlet: what it does, and making it do something else.

use std::time::{Duration, Instant};

use driver_sdk::prelude::*;

use crate::config::Patience;
use crate::error::SnmpError;
use crate::family::{Command, State};
use crate::pdu::Pdu;
use crate::session::{Repeat, Session};
use crate::value::Value as Held;

/// The outlet of one call.
pub(crate) struct Switch<'a> {
    pdu: &'a Pdu,
    call: &'a Call<'a>,
    session: Session<'a>,
    patience: Patience,
}

/// Where an outlet is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Goal {
    On,
    Off,
}

/// What an outlet does, for clients.
#[derive(Debug, Serialize)]
pub(crate) struct Seen {
    outlet: String,
    pub(crate) state: State,
    /// What the PDU's object holds.
    value: i64,
}

impl<'a> Switch<'a> {
    pub(crate) fn new(pdu: &'a Pdu, call: &'a Call<'a>, patience: Patience) -> Self {
        Switch {
            pdu,
            call,
            session: Session::new(pdu, call, patience),
            patience,
        }
    }

    /// What the outlet does now.
    pub(crate) async fn state(&mut self) -> Result<Seen, Fault> {
        let object = self.pdu.outlet.object(self.pdu.family.state)?;
        let value = match self.session.get(&object).await {
            Ok(Held::Integer(value)) => value,
            Ok(_) => return Err(SnmpError::NotAnInteger(object).fault(self.pdu)),
            Err(error) => return Err(self.no_outlet(error)),
        };
        Ok(Seen {
            outlet: self.pdu.outlet.name.clone(),
            state: self.pdu.family.meaning(value),
            value,
        })
    }

    /// Switches the outlet, and waits until it is there or `within` has passed. What it is already is written all the same: a device may
    /// have been told otherwise a moment ago.
    pub(crate) async fn switch(&mut self, goal: Goal, within: Option<Duration>) -> Result<Seen, Fault> {
        let command = match goal {
            Goal::On => &self.pdu.family.on,
            Goal::Off => &self.pdu.family.off,
        };
        self.write(command, Repeat::IfUnanswered).await?;
        self.wait_for(goal, within.unwrap_or(self.patience.power_timeout))
            .await
    }

    /// Off, and on again when it is off, as Ironic reboots: each half can be repeated and seen.
    pub(crate) async fn cycle(&mut self, within: Option<Duration>) -> Result<Seen, Fault> {
        self.switch(Goal::Off, within).await?;
        tokio::time::sleep(self.patience.reboot_delay).await;
        self.switch(Goal::On, within).await.map_err(|fault| {
            after(
                &fault,
                format_args!("outlet {} was switched off, and", self.pdu.outlet.name),
            )
        })
    }

    /// The PDU's own reboot: sent once, because two would be two.
    pub(crate) async fn reboot(&mut self) -> Result<(), Fault> {
        let Some(command) = &self.pdu.family.reboot else {
            return Err(Fault::conflict(format!(
                "a PDU of the family {} has no command to reboot an outlet: switch it off and on",
                self.pdu.family.names[0]
            )));
        };
        self.write(command, Repeat::Never).await
    }

    async fn write(&mut self, command: &Command, repeat: Repeat) -> Result<(), Fault> {
        let Command(object, value) = command;
        let object = self.pdu.outlet.object(object)?;
        let written = self.session.set(&object, *value, repeat).await;
        written.map_err(|error| self.no_outlet(error))
    }

    async fn wait_for(&mut self, goal: Goal, within: Duration) -> Result<Seen, Fault> {
        let outlet = self.pdu.outlet.name.clone();
        let (wanted, word) = match goal {
            Goal::On => (State::On, "on"),
            Goal::Off => (State::Off, "off"),
        };
        let told = Instant::now();
        loop {
            let seen = self.state().await.map_err(|fault| {
                after(
                    &fault,
                    format_args!("outlet {outlet} was switched {word}, and then"),
                )
            })?;
            if seen.state == wanted {
                return Ok(seen);
            }
            if self.call.cancelled() {
                return Err(Fault::timeout(format!(
                    "outlet {outlet} was switched {word}, and nobody waits any more for it to be so"
                )));
            }
            if told.elapsed() >= within {
                return Err(Fault::timeout(format!(
                    "{} has accepted '{word}' for outlet {outlet}, but {} s later its state is still {}",
                    self.pdu,
                    within.as_secs_f32(),
                    seen.value
                )));
            }
            tokio::time::sleep(self.patience.poll_interval.min(self.call.remaining())).await;
        }
    }

    /// Names the outlet where the object that is missing is its own.
    fn no_outlet(&self, error: SnmpError) -> Fault {
        match error {
            SnmpError::Missing { object, said } => Fault::not_found(format!(
                "{} has no outlet {} ({object}: {said})",
                self.pdu, self.pdu.outlet.name
            )),
            error => error.fault(self.pdu),
        }
    }
}

/// The fault, after what had been done before it.
fn after(fault: &Fault, done: std::fmt::Arguments<'_>) -> Fault {
    Fault::new(fault.kind(), format!("{done} {}", fault.message()))
}
