//! The event log as ipmitool lists it: blocks of lines, one name and value each.

use serde::Serialize;

/// The BMC's event log, the oldest entry first.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct EventLog {
    entries: Vec<Entry>,
}

/// One entry, in ipmitool's words. What an entry does not have is left out.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// In hexadecimal digits.
    record_id: String,
    record_type: Option<String>,
    /// In UTC, as the BMC's clock goes.
    timestamp: Option<String>,
    generator_id: Option<String>,
    sensor_type: Option<String>,
    sensor_number: Option<String>,
    event_type: Option<String>,
    event_direction: Option<String>,
    event_data: Option<String>,
    description: Option<String>,
}

impl EventLog {
    /// Reads what `ipmitool -v sel list` prints. Lines that are not known are left out.
    pub(crate) fn read(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if name == "SEL Record ID" {
                entries.push(Entry {
                    record_id: value.to_owned(),
                    ..Entry::default()
                });
            } else if let Some(field) = entries.last_mut().and_then(|entry| entry.field(name)) {
                *field = (!value.is_empty()).then(|| value.to_owned());
            }
        }
        EventLog { entries }
    }
}

impl Entry {
    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "Record Type" => &mut self.record_type,
            "Timestamp" => &mut self.timestamp,
            "Generator ID" => &mut self.generator_id,
            "Sensor Type" => &mut self.sensor_type,
            "Sensor Number" => &mut self.sensor_number,
            "Event Type" => &mut self.event_type,
            "Event Direction" => &mut self.event_direction,
            "Event Data" => &mut self.event_data,
            "Description" | "Panic string" => &mut self.description,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{json, to_value};

    use super::*;

    /// As ipmitool 1.8.19 prints them.
    const LOG: &str = "SEL Record ID          : 0001
 Record Type           : 02
 Timestamp             : 11/22/26 21:05:07 UTC
 Generator ID          : 0020
 EvM Revision          : 04
 Sensor Type           : Fan
 Sensor Number         : 30
 Event Type            : Threshold
 Event Direction       : Assertion Event
 Event Data            : 500000
 Description           : Lower Non-critical going low

SEL Record ID          : 0002
 Record Type           : f0  (OEM non-timestamped)
 Panic string          : out of luck

";

    #[test]
    fn an_entry_has_what_ipmitool_tells_of_it() {
        let log = to_value(EventLog::read(LOG)).unwrap();
        assert_eq!(log["entries"].as_array().unwrap().len(), 2);
        let first = &log["entries"][0];
        assert_eq!(first["record_id"], "0001");
        assert_eq!(first["timestamp"], "11/22/26 21:05:07 UTC");
        assert_eq!(first["sensor_type"], "Fan");
        assert_eq!(first["description"], "Lower Non-critical going low");
        assert_eq!(log["entries"][1]["description"], "out of luck");
        assert_eq!(log["entries"][1]["timestamp"], json!(null));
    }

    #[test]
    fn an_empty_log_has_no_entries() {
        assert_eq!(to_value(EventLog::read("")).unwrap(), json!({"entries": []}));
    }
}
