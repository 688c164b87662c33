//! Object identifiers: as clients write them, and in the order in which a device has its objects.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use snmp2::Oid;

/// The most numbers that an object identifier has (RFC 3416, section 4.1).
const LONGEST: usize = 128;

/// An object identifier. They are ordered as a walk meets them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ObjectId(Vec<u32>);

/// Why a text is no object identifier.
#[derive(Debug, thiserror::Error)]
#[error("'{text}' is no OID: {reason}")]
pub(crate) struct NotAnObjectId {
    text: String,
    reason: &'static str,
}

impl ObjectId {
    /// What every device has something below of: the group `system` (RFC 3418).
    pub(crate) const SYSTEM: &'static str = "1.3.6.1.2.1.1";

    /// Whether it lies below `root`, or is it.
    pub(crate) fn is_under(&self, root: &ObjectId) -> bool {
        self.0.starts_with(&root.0)
    }

    /// As snmp2 has it.
    pub(crate) fn to_wire(&self) -> Option<Oid<'static>> {
        let numbers: Vec<u64> = self.0.iter().copied().map(u64::from).collect();
        Oid::from(&numbers).ok()
    }

    /// From snmp2; nothing if the device sent one that cannot be. Its bytes are read here, because asn1-rs reads 0.0, which devices do send, as 0.
    pub(crate) fn of_wire(oid: &Oid<'_>) -> Option<Self> {
        let mut numbers: Vec<u32> = Vec::new();
        let mut number: Option<u32> = None;
        for byte in oid.as_bytes() {
            let high = number.unwrap_or(0).checked_mul(128)?;
            let value = high | u32::from(byte & 0x7f);
            if byte & 0x80 != 0 {
                number = Some(value);
                continue;
            }
            number = None;
            match (numbers.is_empty(), value) {
                // The first two numbers share one (X.690, section 8.19.4).
                (true, 0..=79) => numbers.extend([value / 40, value % 40]),
                (true, _) => numbers.extend([2, value - 80]),
                (false, _) => numbers.push(value),
            }
        }
        (number.is_none() && (2..=LONGEST).contains(&numbers.len())).then_some(ObjectId(numbers))
    }
}

impl FromStr for ObjectId {
    type Err = NotAnObjectId;

    /// Numbers with dots between them; a dot before the first is allowed, as in net-snmp.
    fn from_str(text: &str) -> Result<Self, NotAnObjectId> {
        let refuse = |reason| NotAnObjectId {
            text: text.chars().take(100).collect(),
            reason,
        };
        let mut numbers = Vec::new();
        for part in text.strip_prefix('.').unwrap_or(text).split('.') {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(refuse(
                    "expected numbers with dots between them, such as 1.3.6.1.2.1.1.1.0",
                ));
            }
            if numbers.len() == LONGEST {
                return Err(refuse("it has more than 128 numbers"));
            }
            numbers.push(
                part.parse()
                    .map_err(|_| refuse("a number in it is above 4294967295"))?,
            );
        }
        match numbers.as_slice() {
            // Below 2 the second number may be greater; no device has objects there, and the protocol's library cannot write them.
            [0..=2, 0..=39, ..] => Ok(ObjectId(numbers)),
            [_] => Err(refuse("it has one number, and needs two")),
            [0..=2, ..] => Err(refuse("its second number is above 39")),
            _ => Err(refuse("its first number is above 2")),
        }
    }
}

impl TryFrom<String> for ObjectId {
    type Error = NotAnObjectId;

    fn try_from(text: String) -> Result<Self, NotAnObjectId> {
        text.parse()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "{number}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(text: &str) -> ObjectId {
        text.parse().unwrap()
    }

    #[test]
    fn an_object_identifier_survives_the_way_to_the_wire_and_back() {
        for text in [
            "1.3.6.1.2.1.1.1.0",
            "0.0",
            "2.39",
            "1.3.6.1.4.1.4294967295.0.128.16384",
        ] {
            let there = oid(text).to_wire().unwrap();
            assert_eq!(ObjectId::of_wire(&there).unwrap().to_string(), text);
        }
        assert_eq!(oid(".1.3.6").to_string(), "1.3.6");
    }

    #[test]
    fn the_order_is_that_of_a_walk() {
        assert!(oid("1.3.6.2") < oid("1.3.6.10"));
        assert!(oid("1.3.6") < oid("1.3.6.0"));
        assert!(oid("1.3.6.1").is_under(&oid("1.3.6")));
        assert!(!oid("1.3.60").is_under(&oid("1.3.6")));
    }

    #[test]
    fn what_is_no_object_identifier_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "expected numbers"),
            ("sysDescr.0", "expected numbers"),
            ("1.3..6", "expected numbers"),
            ("1.-3", "expected numbers"),
            ("1", "it has one number"),
            ("1.40", "its second number is above 39"),
            ("3.1", "its first number is above 2"),
            ("1.3.4294967296", "above 4294967295"),
        ] {
            let error = text.parse::<ObjectId>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        let long = format!("1{}", ".3".repeat(128));
        assert!(long
            .parse::<ObjectId>()
            .unwrap_err()
            .to_string()
            .contains("more than 128"));
    }
}
