//! The calls of Ironic's standard interfaces that this host knows, and a driver's own ones among them.

use std::fmt;

use super::Method;

/// A standard interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// `power`
    Power,
    /// `management`
    Management,
}

/// A call of a standard interface. What a method says of itself is fixed for these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StandardCall {
    /// `power:get`
    GetPower,
    /// `power:set`
    SetPower,
    /// `management:get_boot_device`
    GetBootDevice,
    /// `management:set_boot_device`
    SetBootDevice,
    /// `management:inject_nmi`
    InjectNmi,
}

/// A standard call as its driver declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct StandardMethod {
    /// Which one it is.
    pub call: StandardCall,
    /// The declaration, completed by what is fixed.
    pub method: Method,
    /// What the driver can do: `targets` of [`StandardCall::SetPower`], `devices` of [`StandardCall::SetBootDevice`]. Ironic's words, in the
    /// author's order.
    pub accepts: Vec<String>,
}

impl Interface {
    /// Ironic's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Interface::Power => "power",
            Interface::Management => "management",
        }
    }

    /// The interface of this name, if drivers here can have it.
    pub fn named(name: &str) -> Option<Self> {
        [Interface::Power, Interface::Management]
            .into_iter()
            .find(|interface| interface.name() == name)
    }
}

impl StandardCall {
    /// All of them.
    pub const ALL: [StandardCall; 5] = [
        StandardCall::GetPower,
        StandardCall::SetPower,
        StandardCall::GetBootDevice,
        StandardCall::SetBootDevice,
        StandardCall::InjectNmi,
    ];

    /// The call of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name() == name)
    }

    /// Its name in manifests, records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            StandardCall::GetPower => "power:get",
            StandardCall::SetPower => "power:set",
            StandardCall::GetBootDevice => "management:get_boot_device",
            StandardCall::SetBootDevice => "management:set_boot_device",
            StandardCall::InjectNmi => "management:inject_nmi",
        }
    }

    /// The interface that it belongs to.
    pub fn interface(self) -> Interface {
        match self {
            StandardCall::GetPower | StandardCall::SetPower => Interface::Power,
            _ => Interface::Management,
        }
    }

    /// What Ironic calls it when a driver has the interface but not this part of it.
    pub fn extension(self) -> &'static str {
        self.name()
            .split_once(':')
            .map_or(self.name(), |(_, extension)| extension)
    }

    /// Its verb.
    pub fn http_method(self) -> &'static str {
        match self {
            StandardCall::GetPower | StandardCall::GetBootDevice => "GET",
            _ => "PUT",
        }
    }

    /// Whether the client gets its answer before the call has run.
    pub fn is_async(self) -> bool {
        self == StandardCall::SetPower
    }

    /// Whether the node is locked while it runs: not for what only reads.
    pub fn requires_exclusive_lock(self) -> bool {
        self.http_method() != "GET"
    }
}

impl fmt::Display for StandardCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
