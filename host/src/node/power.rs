//! Power states and what power can be asked for, in Ironic's words.

use serde::{Serialize, Serializer};

/// The power state of a node, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerState {
    /// `power on`
    On,
    /// `power off`
    Off,
    /// `error`: the device says that its power has failed.
    Error,
}

/// What a change of the power state can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerTarget {
    /// `power on`
    On,
    /// `power off`
    Off,
    /// `rebooting`
    Reboot,
    /// `soft power off`
    SoftOff,
    /// `soft rebooting`
    SoftReboot,
}

impl PowerState {
    /// Ironic's word.
    pub fn word(self) -> &'static str {
        match self {
            PowerState::On => "power on",
            PowerState::Off => "power off",
            PowerState::Error => "error",
        }
    }

    /// The state of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        [PowerState::On, PowerState::Off, PowerState::Error]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

impl Serialize for PowerState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl PowerTarget {
    /// Ironic's word.
    pub fn word(self) -> &'static str {
        match self {
            PowerTarget::On => "power on",
            PowerTarget::Off => "power off",
            PowerTarget::Reboot => "rebooting",
            PowerTarget::SoftOff => "soft power off",
            PowerTarget::SoftReboot => "soft rebooting",
        }
    }

    /// The target of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        use PowerTarget::{Off, On, Reboot, SoftOff, SoftReboot};
        [On, Off, Reboot, SoftOff, SoftReboot]
            .into_iter()
            .find(|target| target.word() == word)
    }

    /// Whether the operating system is asked: known to clients from API 1.27 on.
    pub fn is_soft(self) -> bool {
        matches!(self, PowerTarget::SoftOff | PowerTarget::SoftReboot)
    }

    /// The state that it leads to: what Ironic shows as `target_power_state`.
    pub fn reached(self) -> PowerState {
        match self {
            PowerTarget::On | PowerTarget::Reboot | PowerTarget::SoftReboot => PowerState::On,
            PowerTarget::Off | PowerTarget::SoftOff => PowerState::Off,
        }
    }

    /// The state in which there is nothing to do.
    pub fn spared_by(self) -> Option<PowerState> {
        match self {
            PowerTarget::Reboot | PowerTarget::SoftReboot => None,
            target => Some(target.reached()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for word in ["power on", "power off", "error"] {
            assert_eq!(PowerState::of_word(word).unwrap().word(), word);
        }
        for word in [
            "power on",
            "power off",
            "rebooting",
            "soft power off",
            "soft rebooting",
        ] {
            assert_eq!(PowerTarget::of_word(word).unwrap().word(), word);
        }
        assert_eq!(PowerState::of_word("rebooting"), None);
        assert_eq!(PowerTarget::of_word("error"), None);
    }

    #[test]
    fn only_a_reboot_is_never_spared() {
        assert_eq!(PowerTarget::SoftOff.spared_by(), Some(PowerState::Off));
        assert_eq!(PowerTarget::On.spared_by(), Some(PowerState::On));
        assert_eq!(PowerTarget::Reboot.spared_by(), None);
        assert_eq!(PowerTarget::SoftReboot.reached(), PowerState::On);
    }
}
