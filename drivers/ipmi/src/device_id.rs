//! What a BMC says of itself: the answer to Get Device ID (IPMI 2.0, 20.1).

use serde::Serialize;

/// The identity of a BMC.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DeviceId {
    device_id: u8,
    device_revision: u8,
    /// Major and minor, as vendors print it.
    firmware_version: String,
    /// Whether the firmware is being updated, or the BMC is still starting.
    busy_with_itself: bool,
    ipmi_version: String,
    /// The vendor's IANA enterprise number.
    manufacturer_id: u32,
    product_id: u16,
    /// What the BMC has, by the standard's names.
    supports: Vec<&'static str>,
    /// Four more bytes of the firmware's version, in the vendor's own way.
    aux_firmware_revision: Option<String>,
}

/// By their bits, the lowest first.
const SUPPORTS: [&str; 8] = [
    "sensor_device",
    "sdr_repository_device",
    "sel_device",
    "fru_inventory_device",
    "ipmb_event_receiver",
    "ipmb_event_generator",
    "bridge",
    "chassis_device",
];

impl DeviceId {
    /// Get Device ID.
    pub(crate) const REQUEST: &'static [u8] = &[0x06, 0x01];

    /// Reads the data of the answer; nothing if it is too short to be one.
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let (&[device, revision, major, minor, version, supports, m0, m1, m2, p0, p1], rest) =
            data.split_first_chunk()?;
        Some(DeviceId {
            device_id: device,
            device_revision: revision & 0x0f,
            // The minor version is in decimal digits of four bits each.
            firmware_version: format!("{}.{minor:02x}", major & 0x7f),
            busy_with_itself: major & 0x80 != 0,
            ipmi_version: format!("{}.{}", version & 0x0f, version >> 4),
            manufacturer_id: u32::from_le_bytes([m0, m1, m2 & 0x0f, 0]),
            product_id: u16::from_le_bytes([p0, p1]),
            supports: SUPPORTS
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| supports >> bit & 1 == 1)
                .map(|(_, name)| name)
                .collect(),
            aux_firmware_revision: rest.first_chunk::<4>().map(|bytes| crate::raw::written(bytes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_bmc_is_read_by_the_standard() {
        let data = [
            0x20, 0x81, 0x02, 0x15, 0x02, 0x9f, 0x91, 0x12, 0x00, 0x02, 0x0f, 1, 2, 3, 4,
        ];
        let id = DeviceId::read(&data).unwrap();
        assert_eq!((id.device_id, id.device_revision), (0x20, 1));
        assert_eq!(
            (id.firmware_version.as_str(), id.ipmi_version.as_str()),
            ("2.15", "2.0")
        );
        assert_eq!((id.manufacturer_id, id.product_id), (0x1291, 0x0f02));
        assert!(!id.busy_with_itself);
        assert_eq!(id.supports.len(), 6);
        assert!(id.supports.contains(&"sel_device") && id.supports.contains(&"chassis_device"));
        assert_eq!(id.aux_firmware_revision.as_deref(), Some("0x01 0x02 0x03 0x04"));
    }

    #[test]
    fn an_older_bmc_leaves_the_last_bytes_out() {
        let data = [0x20, 0x01, 0x82, 0x09, 0x51, 0x00, 0x91, 0x12, 0x00, 0x02, 0x0f];
        let id = DeviceId::read(&data).unwrap();
        assert_eq!(id.ipmi_version, "1.5");
        assert_eq!(id.firmware_version, "2.09");
        assert!(id.busy_with_itself && id.supports.is_empty());
        assert_eq!(id.aux_firmware_revision, None);
    }

    #[test]
    fn what_is_too_short_is_no_answer() {
        assert_eq!(DeviceId::read(&[0x20; 10]), None);
        assert_eq!(DeviceId::read(&[]), None);
    }
}
