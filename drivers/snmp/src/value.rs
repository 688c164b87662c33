//! What a device holds in an object: owned, and as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::oid::ObjectId;

/// An object and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Binding {
    pub(crate) oid: ObjectId,
    pub(crate) value: Value,
}

/// A value, by the type that SMIv2 gives it (RFC 2578, section 7.1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    /// One of the unsigned types, by its name.
    Unsigned(&'static str, u64),
    Octets(Vec<u8>),
    Opaque(Vec<u8>),
    ObjectId(ObjectId),
    IpAddress([u8; 4]),
    Null,
    /// There is no such object, or nothing behind it: version 2c and 3 say which.
    Missing(&'static str),
    /// A type that no object has.
    Unknown,
}

impl Value {
    /// Copies what snmp2 has read.
    pub(crate) fn of_wire(value: &snmp2::Value<'_>) -> Self {
        use snmp2::Value as Wire;
        match value {
            Wire::Integer(number) => Value::Integer(*number),
            Wire::Counter32(number) => Value::Unsigned("counter32", (*number).into()),
            Wire::Unsigned32(number) => Value::Unsigned("gauge32", (*number).into()),
            Wire::Timeticks(number) => Value::Unsigned("timeticks", (*number).into()),
            Wire::Counter64(number) => Value::Unsigned("counter64", *number),
            Wire::OctetString(bytes) => Value::Octets(bytes.to_vec()),
            Wire::Opaque(bytes) => Value::Opaque(bytes.to_vec()),
            Wire::ObjectIdentifier(oid) => ObjectId::of_wire(oid).map_or(Value::Unknown, Value::ObjectId),
            Wire::IpAddress(bytes) => Value::IpAddress(*bytes),
            Wire::Null => Value::Null,
            Wire::NoSuchObject => Value::Missing("no such object"),
            Wire::NoSuchInstance => Value::Missing("no such instance"),
            Wire::EndOfMibView => Value::Missing("end of MIB view"),
            _ => Value::Unknown,
        }
    }

    /// About how many bytes of JSON it takes.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Value::Octets(bytes) | Value::Opaque(bytes) => bytes.len() * 3,
            _ => 32,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Value::Integer(_) => "integer",
            Value::Unsigned(kind, _) => kind,
            Value::Octets(bytes) if text(bytes).is_none() => "hex string",
            Value::Octets(_) => "octet string",
            Value::Opaque(_) => "opaque",
            Value::ObjectId(_) => "object identifier",
            Value::IpAddress(_) => "ip address",
            Value::Null => "null",
            Value::Missing(what) => what,
            Value::Unknown => "unknown",
        }
    }
}

/// `{"oid": ..., "type": ..., "value": ...}`: numbers as numbers, octets as text if they are text, and otherwise as hexadecimal digits with spaces between the bytes.
impl Serialize for Binding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("oid", &self.oid.to_string())?;
        map.serialize_entry("type", self.value.kind())?;
        match &self.value {
            Value::Integer(number) => map.serialize_entry("value", number)?,
            Value::Unsigned(_, number) => map.serialize_entry("value", number)?,
            Value::Octets(bytes) => match text(bytes) {
                Some(text) => map.serialize_entry("value", text)?,
                None => map.serialize_entry("value", &hex(bytes))?,
            },
            Value::Opaque(bytes) => map.serialize_entry("value", &hex(bytes))?,
            Value::ObjectId(oid) => map.serialize_entry("value", &oid.to_string())?,
            Value::IpAddress([a, b, c, d]) => map.serialize_entry("value", &format!("{a}.{b}.{c}.{d}"))?,
            Value::Null | Value::Missing(_) | Value::Unknown => map.serialize_entry("value", &())?,
        }
        map.end()
    }
}

/// The bytes as text that people can read.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let readable = text
        .chars()
        .all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'));
    readable.then_some(text)
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

#[cfg(test)]
mod tests {
    use driver_sdk::json;

    use super::*;

    #[test]
    fn values_become_json_by_their_types() {
        let oid: ObjectId = "1.3.6.1".parse().unwrap();
        for (value, kind, json) in [
            (Value::Integer(-1), "integer", json!(-1)),
            (
                Value::Unsigned("counter64", u64::MAX),
                "counter64",
                json!(u64::MAX),
            ),
            (
                Value::Octets(b"APC\r\n".to_vec()),
                "octet string",
                json!("APC\r\n"),
            ),
            (Value::Octets(vec![]), "octet string", json!("")),
            (
                Value::Octets(vec![0, 0x1a, 0xff]),
                "hex string",
                json!("00 1a ff"),
            ),
            (Value::Opaque(vec![0x9f]), "opaque", json!("9f")),
            (
                Value::ObjectId(oid.clone()),
                "object identifier",
                json!("1.3.6.1"),
            ),
            (Value::IpAddress([192, 0, 2, 7]), "ip address", json!("192.0.2.7")),
            (Value::Null, "null", json!(null)),
        ] {
            let binding = Binding {
                oid: oid.clone(),
                value,
            };
            let expected = json!({"oid": "1.3.6.1", "type": kind, "value": json});
            assert_eq!(driver_sdk::serde_json::to_value(&binding).unwrap(), expected);
        }
    }
}
