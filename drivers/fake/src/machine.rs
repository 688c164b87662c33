//! The machines that there are not: their power and their boot devices, by node, for as long as the driver lives.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use driver_sdk::prelude::*;

/// One machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) power: PowerState,
    pub(crate) boot: BootDevice,
}

/// What Ironic's fake interfaces say of a node that nothing was done with.
impl Default for Machine {
    fn default() -> Self {
        Machine {
            power: PowerState::Unknown,
            boot: BootDevice {
                device: Some(BootDeviceName::Pxe),
                persistent: Some(false),
            },
        }
    }
}

/// All of them. One that nothing was done with takes no room.
#[derive(Debug, Default)]
pub(crate) struct Machines(Mutex<HashMap<String, Machine>>);

impl Machines {
    pub(crate) fn get(&self, node: &Node) -> Machine {
        let machines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        machines.get(node.uuid()).copied().unwrap_or_default()
    }

    pub(crate) fn change(&self, node: &Node, change: impl FnOnce(&mut Machine)) {
        let mut machines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(machines.entry(node.uuid().to_owned()).or_default());
    }
}
