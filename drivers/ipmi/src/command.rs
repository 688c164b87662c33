//! What is asked of a BMC.

use crate::number::byte;

/// The fewest bytes of a request, the function and the command, and the most that ipmitool takes.
const RAW_BYTES: std::ops::RangeInclusive<usize> = 2..=256;

/// One request, and whether it may be made twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) what: What,
    /// Whether making it again does no harm when nobody knows whether the BMC has obeyed.
    pub(crate) repeatable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Raw(RawBytes),
    /// The event log, or its last so many entries.
    SelList {
        last: Option<u16>,
    },
    SelClear,
}

/// The network function, the command and the data of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawBytes(Vec<u8>);

impl Command {
    /// A raw request that only reads, or that leads to the same end when it is made twice.
    pub(crate) fn repeatable(bytes: &[u8]) -> Self {
        Command {
            what: What::Raw(RawBytes(bytes.to_vec())),
            repeatable: true,
        }
    }

    /// A raw request of which nobody can tell what it does.
    pub(crate) fn once(bytes: RawBytes) -> Self {
        Command {
            what: What::Raw(bytes),
            repeatable: false,
        }
    }

    /// ipmitool's words for it.
    pub(crate) fn words(&self) -> Vec<String> {
        match &self.what {
            What::Raw(RawBytes(bytes)) => std::iter::once("raw".to_owned())
                .chain(bytes.iter().map(|byte| format!("0x{byte:02x}")))
                .collect(),
            What::SelList { last: None } => vec!["sel".to_owned(), "list".to_owned()],
            What::SelList { last: Some(entries) } => ["sel", "list", "last"]
                .into_iter()
                .map(str::to_owned)
                .chain([entries.to_string()])
                .collect(),
            What::SelClear => vec!["sel".to_owned(), "clear".to_owned()],
        }
    }
}

impl RawBytes {
    /// Cold Reset and Warm Reset (IPMI 2.0, 20.2 and 20.3).
    pub(crate) const COLD_RESET: [u8; 2] = [0x06, 0x02];
    pub(crate) const WARM_RESET: [u8; 2] = [0x06, 0x03];

    /// A request that the driver itself makes up.
    pub(crate) fn of<const N: usize>(bytes: [u8; N]) -> Self {
        RawBytes(bytes.to_vec())
    }

    /// Reads bytes as ipmitool's users write them: numbers with white space between.
    ///
    /// Each is read as a number here and printed again, because ipmitool obeys options wherever they stand.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence about the argument.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut bytes = Vec::new();
        for word in text.split_whitespace() {
            match byte(word) {
                Some(byte) => bytes.push(byte),
                None => {
                    let word: String = word.chars().take(40).collect();
                    return Err(format!(
                        "must be numbers from 0 to 255, such as 0x06 0x01, found {word:?}"
                    ));
                }
            }
        }
        if !RAW_BYTES.contains(&bytes.len()) {
            return Err(format!(
                "must be {} to {} bytes, the network function, the command and its data, found {}",
                RAW_BYTES.start(),
                RAW_BYTES.end(),
                bytes.len()
            ));
        }
        match bytes.first() {
            // A request's function is even and has six bits (IPMI 2.0, 5.1).
            Some(function) if *function > 0x3e || function % 2 != 0 => Err(format!(
                "must begin with a network function, an even number from 0x00 to 0x3e, found 0x{function:02x}"
            )),
            _ => Ok(RawBytes(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_bytes_are_printed_again_as_numbers() {
        let bytes = RawBytes::parse(" 0x06\t1 010 ").unwrap();
        assert_eq!(Command::once(bytes).words(), ["raw", "0x06", "0x01", "0x08"]);
    }

    #[test]
    fn nothing_but_numbers_gets_through() {
        for text in [
            "0x06 0x01 -V",
            "-V",
            "--",
            "0x06 0x01;id",
            "0x06 0x01 0x100",
            "chassis 1",
            "0x06,0x01",
        ] {
            let error = RawBytes::parse(text).unwrap_err();
            assert!(
                error.starts_with("must be numbers from 0 to 255"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_request_has_a_function_and_a_command_and_an_end() {
        let two = "must be 2 to 256 bytes";
        assert!(RawBytes::parse("").unwrap_err().contains(two));
        assert!(RawBytes::parse("0x06").unwrap_err().contains(two));
        assert!(RawBytes::parse(&"0 ".repeat(257))
            .unwrap_err()
            .contains("found 257"));
        RawBytes::parse(&"0 ".repeat(256)).unwrap();
        for function in ["0x07", "0x40", "0xff"] {
            let error = RawBytes::parse(&format!("{function} 0x01")).unwrap_err();
            assert!(error.contains("an even number from 0x00 to 0x3e"), "{error}");
        }
    }

    #[test]
    fn the_event_log_is_asked_for_whole_or_in_part() {
        let words = |what| {
            Command {
                what,
                repeatable: true,
            }
            .words()
            .join(" ")
        };
        assert_eq!(words(What::SelList { last: None }), "sel list");
        assert_eq!(words(What::SelList { last: Some(5) }), "sel list last 5");
        assert_eq!(words(What::SelClear), "sel clear");
    }
}
