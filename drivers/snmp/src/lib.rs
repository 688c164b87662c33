//! Power outlets of rack PDUs over SNMP: state, on, off, reboot; and any object, read.
#![forbid(unsafe_code)]

mod config;
mod error;
mod families;
mod family;
mod oid;
mod outlet;
mod pdu;
mod properties;
mod session;
mod usm;
mod value;
mod walk;

use driver_sdk::prelude::*;

use config::{Config, Patience};
use family::State;
use oid::ObjectId;
use outlet::{Goal, Seen, Switch};
use properties::Device;
use session::Session;
use value::Binding;
use walk::{Walk, Walked};

/// The arguments of `set_outlet_state`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetState {
    state: Goal,
}

/// The arguments of `get`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    oid: ObjectId,
}

struct Snmp {
    patience: Patience,
}

/// Power outlets of rack PDUs over SNMP 1, 2c and 3.
#[driver(name = "snmp", properties = Device)]
impl Snmp {
    #[create]
    fn new(config: Config) -> Result<Self, Fault> {
        Ok(Snmp {
            patience: config.checked()?,
        })
    }

    #[validate_node]
    fn check(&self, node: &Node) -> Result<(), Fault> {
        Device::pdu(node).map(drop)
    }

    /// Tells whether the node's outlet is on or off.
    #[power(get)]
    async fn power_state(&self, call: &Call, node: &Node) -> Result<PowerState, Fault> {
        let pdu = Device::pdu(node)?;
        let seen = Switch::new(&pdu, call, self.patience).state().await?;
        Ok(match seen.state {
            State::On => PowerState::On,
            State::Off => PowerState::Off,
            State::Changing => PowerState::Unknown,
            State::Error => PowerState::Error,
        })
    }

    /// Switches the node's outlet on or off, or off and on again, and waits until the PDU says that it is.
    #[power(set, targets = [on, off, reboot])]
    async fn set_power(&self, call: &Call, node: &Node, change: PowerChange) -> Result<(), Fault> {
        let pdu = Device::pdu(node)?;
        let mut outlet = Switch::new(&pdu, call, self.patience);
        match change.target {
            PowerTarget::On => outlet.switch(Goal::On, change.timeout).await?,
            PowerTarget::Off => outlet.switch(Goal::Off, change.timeout).await?,
            _ => outlet.cycle(change.timeout).await?,
        };
        Ok(())
    }

    /// Tells whether the node's outlet is on, off, changing or in error, and the value that the PDU holds.
    #[node_method(http_methods = [GET], async = false, require_exclusive_lock = false)]
    async fn outlet_state(&self, call: &Call, node: &Node) -> Result<Seen, Fault> {
        let pdu = Device::pdu(node)?;
        Switch::new(&pdu, call, self.patience).state().await
    }

    /// Switches the node's outlet on or off, and waits until the PDU says that it is.
    #[node_method]
    async fn set_outlet_state(&self, call: &Call, node: &Node, args: SetState) -> Result<Seen, Fault> {
        let pdu = Device::pdu(node)?;
        Switch::new(&pdu, call, self.patience)
            .switch(args.state, None)
            .await
    }

    /// Sends the PDU's own command to reboot the node's outlet, once; the PDU decides how long it stays off.
    #[node_method]
    async fn reboot_outlet(&self, call: &Call, node: &Node) -> Result<(), Fault> {
        let pdu = Device::pdu(node)?;
        Switch::new(&pdu, call, self.patience).reboot().await
    }

    /// Reads one object of the node's PDU.
    #[node_method(http_methods = [GET, POST], async = false, require_exclusive_lock = false)]
    async fn get(&self, call: &Call, node: &Node, args: Get) -> Result<Binding, Fault> {
        let pdu = Device::pdu(node)?;
        let value = Session::new(&pdu, call, self.patience).get(&args.oid).await;
        let value = value.map_err(|error| error.fault(&pdu))?;
        Ok(Binding { oid: args.oid, value })
    }

    /// Reads all objects of the node's PDU below one, up to a limit.
    #[node_method(http_methods = [GET, POST], async = false, require_exclusive_lock = false)]
    async fn walk(&self, call: &Call, node: &Node, args: Walk) -> Result<Walked, Fault> {
        let pdu = Device::pdu(node)?;
        let walked = args.run(&mut Session::new(&pdu, call, self.patience)).await;
        walked.map_err(|error| error.fault(&pdu))
    }
}

#[cfg(test)]
mod tests;
