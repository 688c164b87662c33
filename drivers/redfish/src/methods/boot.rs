//! The device that a server starts from.

use driver_sdk::{BootDevice, BootDeviceChange, BootDeviceName, Fault, Value, json};

use super::Server;

/// Ironic's boot devices and Redfish's (ComputerSystem, `BootSource`).
const DEVICES: [(BootDeviceName, &str); 6] = [
    (BootDeviceName::Pxe, "Pxe"),
    (BootDeviceName::Disk, "Hdd"),
    (BootDeviceName::Cdrom, "Cd"),
    (BootDeviceName::Bios, "BiosSetup"),
    (BootDeviceName::Floppy, "Floppy"),
    (BootDeviceName::Uefihttp, "UefiHttp"),
];

/// Reads it: the device, and whether it stays after the next start.
pub(crate) async fn get(server: &Server<'_>) -> Result<BootDevice, Fault> {
    let system = server.system().await?;
    let boot = |key: &str| system.json.get("Boot")?.get(key)?.as_str();
    let persistent = match boot("BootSourceOverrideEnabled") {
        Some("Continuous") => Some(true),
        Some("Once") => Some(false),
        // Disabled: whatever the firmware is set to.
        _ => None,
    };
    let target = boot("BootSourceOverrideTarget").filter(|_| persistent.is_some());
    let known = target.and_then(|target| DEVICES.iter().find(|(_, redfish)| *redfish == target));
    Ok(BootDevice {
        device: known.map(|(device, _)| *device),
        persistent,
    })
}

/// Sets it, for the next start or for all.
pub(crate) async fn set(server: &Server<'_>, change: BootDeviceChange) -> Result<(), Fault> {
    let device = change.device;
    let Some((_, target)) = DEVICES.iter().find(|(ironic, _)| *ironic == device) else {
        return Err(Fault::unsupported(format!(
            "boot device '{device}' has no counterpart in Redfish"
        )));
    };
    let system = server.system().await?;
    let allowed = system
        .json
        .pointer("/Boot/BootSourceOverrideTarget@Redfish.AllowableValues");
    if let Some(Value::Array(allowed)) = allowed
        && !allowed.iter().any(|value| value == target)
    {
        let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        return Err(Fault::invalid_parameter(format!(
            "{}: the server cannot start from {device} ({target}), only from: {}",
            server.client.endpoint(),
            allowed.join(", ")
        )));
    }
    let enabled = if change.persistent { "Continuous" } else { "Once" };
    let boot = json!({"Boot": {"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": enabled}});
    server.client.patch(&system.path, &boot).await.map(drop)
}
