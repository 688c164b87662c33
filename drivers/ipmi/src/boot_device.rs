//! The boot device in the bytes of the boot flags (IPMI 2.0, table 28-14, parameter 5).

use driver_sdk::serde_json::{self, Value};
use driver_sdk::{BootDevice, BootDeviceName};

use crate::config::BootMode;

/// Get System Boot Options: the boot flags.
pub(crate) const GET: &[u8] = &[0x00, 0x09, 0x05, 0x00, 0x00];
/// Set System Boot Options: what is set next stays until it is used, however long the machine takes. Without it a BMC
/// forgets it after 60 seconds.
pub(crate) const KEEP: &[u8] = &[0x00, 0x08, 0x03, 0x08];

const VALID: u8 = 0x80;
const PERSISTENT: u8 = 0x40;
const EFI: u8 = 0x20;

/// Devices, and the selectors that they stand for.
const DEVICES: [(BootDeviceName, u8); 5] = [
    (BootDeviceName::Pxe, 1),
    (BootDeviceName::Disk, 2),
    (BootDeviceName::Safe, 3),
    (BootDeviceName::Cdrom, 5),
    (BootDeviceName::Bios, 6),
];

/// Reads the answer to [`GET`]; nothing if it is too short to be one.
pub(crate) fn read(data: &[u8]) -> Option<BootDevice> {
    let [_version, _parameter, flags, selector, ..] = *data else {
        return None;
    };
    let selector = selector >> 2 & 0x0f;
    let device = DEVICES.iter().find(|(_, known)| *known == selector);
    // As Ironic, without a look at the flag that says whether the others are valid: there are BMCs that never set it.
    Some(BootDevice {
        device: device.map(|(device, _)| *device),
        persistent: Some(flags & PERSISTENT != 0),
    })
}

/// Set System Boot Options: the boot flags for a device; nothing for one that they have no selector for.
pub(crate) fn set(device: BootDeviceName, persistent: bool, mode: BootMode) -> Option<[u8; 8]> {
    let (_, selector) = DEVICES.iter().find(|(known, _)| *known == device)?;
    let mut flags = VALID;
    if persistent {
        flags |= PERSISTENT;
    }
    if mode == BootMode::Uefi {
        flags |= EFI;
    }
    Some([0x00, 0x08, 0x05, flags, selector << 2, 0x00, 0x00, 0x00])
}

/// What a node's `properties` say of its boot mode: Ironic's capability `boot_mode`, in a text such as `boot_mode:uefi,raid:1`.
pub(crate) fn mode(properties: &str) -> Option<BootMode> {
    let properties: Value = serde_json::from_str(properties).ok()?;
    let capabilities = properties.get("capabilities")?.as_str()?;
    let mode = capabilities
        .split(',')
        .filter_map(|capability| capability.split_once(':'))
        .find(|(name, _)| name.trim() == "boot_mode")?;
    match mode.1.trim() {
        "uefi" => Some(BootMode::Uefi),
        "bios" => Some(BootMode::Bios),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_what_is_read() {
        for (device, _) in DEVICES {
            for persistent in [false, true] {
                for mode in [BootMode::Bios, BootMode::Uefi] {
                    let request = set(device, persistent, mode).unwrap();
                    let answer = [&[0x01], &request[2..]].concat();
                    let boot = BootDevice {
                        device: Some(device),
                        persistent: Some(persistent),
                    };
                    assert_eq!(read(&answer), Some(boot), "{device}");
                }
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_ironic() {
        use BootDeviceName::{Cdrom, Floppy, Pxe, Safe};
        let pxe = set(Pxe, true, BootMode::Uefi).unwrap();
        assert_eq!(pxe, [0x00, 0x08, 0x05, 0xe0, 0x04, 0, 0, 0]);
        let safe = set(Safe, false, BootMode::Bios).unwrap();
        assert_eq!(safe, [0x00, 0x08, 0x05, 0x80, 0x0c, 0, 0, 0]);
        assert_eq!(set(Cdrom, false, BootMode::Bios).unwrap()[4], 0x14);
        assert_eq!(set(Floppy, false, BootMode::Bios), None);
    }

    #[test]
    fn a_device_counts_without_the_flag_that_says_so() {
        let boot = BootDevice {
            device: Some(BootDeviceName::Pxe),
            persistent: Some(true),
        };
        assert_eq!(read(&[1, 5, 0x40, 0x04, 0, 0, 0]), Some(boot));
        assert_eq!(read(&[1, 5, 0x80, 0x00, 0, 0, 0]).unwrap().device, None);
        assert_eq!(read(&[1, 5, 0x80]), None);
    }

    #[test]
    fn the_boot_mode_is_a_capability() {
        let mode = |capabilities: &str| mode(&format!(r#"{{"cpus": 2, "capabilities": "{capabilities}"}}"#));
        assert_eq!(mode("boot_mode:uefi,raid:1"), Some(BootMode::Uefi));
        assert_eq!(mode("raid:1, boot_mode:bios"), Some(BootMode::Bios));
        assert_eq!(mode("raid:1"), None);
        assert_eq!(super::mode("{}"), None);
        assert_eq!(super::mode(r#"{"capabilities": 7}"#), None);
    }
}
