//! What the calls of Ironic's standard interfaces take and answer. The words are Ironic's.

use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An enumeration of Ironic's words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Ironic's word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    D::Error::custom(format_args!("expected {}: one of {}", $what, known.join(", ")))
                })
            }
        }
    };
}

/// The power state of a machine: the answer of `#[power(get)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PowerState {
    /// On.
    On,
    /// Off.
    Off,
    /// The device says that its power has failed. A device that does not answer is a [`Fault`](crate::Fault).
    Error,
    /// The device does not know, such as in the middle of a change.
    Unknown,
}

words! {
    /// What a power change leads to.
    PowerTarget: "a power target" {
        /// On.
        On = "power on",
        /// Off at once.
        Off = "power off",
        /// Off at once, and on again.
        Reboot = "rebooting",
        /// Off by way of the operating system.
        SoftOff = "soft power off",
        /// Off by way of the operating system, and on again.
        SoftReboot = "soft rebooting",
    }
}

words! {
    /// What a machine can boot from.
    BootDeviceName: "a boot device" {
        /// The network, by PXE.
        Pxe = "pxe",
        /// The default disk.
        Disk = "disk",
        /// A CD or DVD, real or virtual.
        Cdrom = "cdrom",
        /// Into the firmware's setup.
        Bios = "bios",
        /// The default disk, in safe mode.
        Safe = "safe",
        /// A wide area network.
        Wanboot = "wanboot",
        /// An iSCSI volume.
        Iscsiboot = "iscsiboot",
        /// A floppy disk, real or virtual.
        Floppy = "floppy",
        /// An HTTP address, by UEFI.
        Uefihttp = "uefihttp",
    }
}

/// The arguments of `#[power(set)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerChange {
    /// One of the declared `targets`.
    pub target: PowerTarget,
    /// How long the client gives the machine to get there; whole seconds on the wire. The call's own deadline stands above it.
    #[serde(default, with = "seconds", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

/// What a machine boots from next: the answer of `#[management(get_boot_device)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootDevice {
    /// The device; nothing if it is unknown or has no word here.
    #[serde(rename = "boot_device")]
    pub device: Option<BootDeviceName>,
    /// Whether it stays so after the next boot; nothing if that is unknown.
    pub persistent: Option<bool>,
}

/// The arguments of `#[management(set_boot_device)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootDeviceChange {
    /// One of the declared `devices`.
    #[serde(rename = "boot_device")]
    pub device: BootDeviceName,
    /// Whether it stays so after the next boot.
    #[serde(default)]
    pub persistent: bool,
}

impl PowerTarget {
    /// Where the machine is when the change has ended well.
    pub const fn reached(self) -> PowerState {
        match self {
            PowerTarget::On | PowerTarget::Reboot | PowerTarget::SoftReboot => PowerState::On,
            PowerTarget::Off | PowerTarget::SoftOff => PowerState::Off,
        }
    }
}

impl Serialize for PowerState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PowerState::On => serializer.serialize_str("power on"),
            PowerState::Off => serializer.serialize_str("power off"),
            PowerState::Error => serializer.serialize_str("error"),
            PowerState::Unknown => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for PowerState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<String>::deserialize(deserializer)?.as_deref() {
            Some("power on") => Ok(PowerState::On),
            Some("power off") => Ok(PowerState::Off),
            Some("error") => Ok(PowerState::Error),
            None => Ok(PowerState::Unknown),
            Some(_) => Err(D::Error::custom(
                "expected a power state: power on, power off, error or null",
            )),
        }
    }
}

/// A time in whole seconds, as Ironic sends it.
mod seconds {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
    }
}

/// The verb of a standard call, which no manifest says.
pub(crate) fn http_method(name: &str) -> Option<&'static str> {
    match name {
        "power:get" | "management:get_boot_device" => Some("GET"),
        "power:set" | "management:set_boot_device" | "management:inject_nmi" => Some("PUT"),
        _ => None,
    }
}

/// Where the manifest of a standard call says what it accepts, and where its arguments have it.
pub(crate) fn accepts(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "power:set" => Some(("targets", "target")),
        "management:set_boot_device" => Some(("devices", "boot_device")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn states_targets_and_devices_are_ironic_s_words() {
        for (state, word) in [
            (PowerState::On, json!("power on")),
            (PowerState::Off, json!("power off")),
            (PowerState::Error, json!("error")),
            (PowerState::Unknown, json!(null)),
        ] {
            assert_eq!(to_value(state).unwrap(), word);
            assert_eq!(from_value::<PowerState>(word).unwrap(), state);
        }
        for target in PowerTarget::ALL {
            assert_eq!(
                from_value::<PowerTarget>(json!(target.as_str())).unwrap(),
                *target
            );
        }
        let refused = from_value::<BootDeviceName>(json!("tape")).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("expected a boot device: one of pxe, disk, "),
            "{refused}"
        );
    }

    #[test]
    fn a_change_has_its_timeout_in_seconds_or_none() {
        let change: PowerChange = from_value(json!({"target": "soft power off", "timeout": 30})).unwrap();
        assert_eq!(
            (change.target, change.timeout),
            (PowerTarget::SoftOff, Some(Duration::from_secs(30)))
        );
        assert_eq!(change.target.reached(), PowerState::Off);
        let plain = PowerChange {
            target: PowerTarget::On,
            timeout: None,
        };
        assert_eq!(to_value(plain).unwrap(), json!({"target": "power on"}));
        assert!(from_value::<PowerChange>(json!({"target": "power on", "force": true})).is_err());
    }

    #[test]
    fn a_boot_device_may_be_unknown_and_is_not_persistent_unless_said() {
        let unknown = BootDevice {
            device: None,
            persistent: None,
        };
        assert_eq!(
            to_value(unknown).unwrap(),
            json!({"boot_device": null, "persistent": null})
        );
        let change: BootDeviceChange = from_value(json!({"boot_device": "pxe"})).unwrap();
        assert_eq!(
            change,
            BootDeviceChange {
                device: BootDeviceName::Pxe,
                persistent: false
            }
        );
    }
}
