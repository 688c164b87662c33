//! What BMCs answer instead of "done": the completion codes, as data.

use driver_sdk::FaultKind::{
    self, Conflict, Internal, InvalidParameter, NotFound, Timeout, Unavailable, Unsupported,
};

/// One completion code that is no success.
#[derive(Debug)]
pub(crate) struct CompletionCode {
    pub(crate) code: u8,
    /// The end of a sentence that begins with the BMC.
    pub(crate) meaning: &'static str,
    pub(crate) kind: FaultKind,
    /// Whether the same command may succeed a moment later (Ironic's list of failures to retry).
    pub(crate) passes: bool,
    /// ipmitool's words for it, which are all that some of its commands show.
    words: &'static str,
}

/// The generic codes (IPMI 2.0, table 5-2).
const GENERIC: &[CompletionCode] = &[
    passing(0xc0, "is busy", Unavailable, "Node busy"),
    lasting(0xc1, "does not know this command", Unsupported, "Invalid command"),
    lasting(
        0xc2,
        "does not know this command for this unit",
        Unsupported,
        "Invalid command on LUN",
    ),
    passing(0xc3, "gave up on the command", Timeout, "Timeout"),
    passing(0xc4, "is out of space", Unavailable, "Out of space"),
    lasting(
        0xc5,
        "has cancelled the reservation",
        Conflict,
        "Reservation cancelled or invalid",
    ),
    lasting(
        0xc6,
        "finds the request cut short",
        InvalidParameter,
        "Request data truncated",
    ),
    lasting(
        0xc7,
        "expects another number of bytes",
        InvalidParameter,
        "Request data length invalid",
    ),
    lasting(
        0xc8,
        "cannot take so many bytes",
        InvalidParameter,
        "Request data field length limit exceeded",
    ),
    lasting(
        0xc9,
        "finds a parameter out of its range",
        InvalidParameter,
        "Parameter out of range",
    ),
    lasting(
        0xca,
        "cannot return so many bytes",
        InvalidParameter,
        "Cannot return number of requested data bytes",
    ),
    lasting(
        0xcb,
        "has no such sensor, data or record",
        NotFound,
        "Requested sensor, data, or record not found",
    ),
    lasting(
        0xcc,
        "finds a field of the request invalid",
        InvalidParameter,
        "Invalid data field in request",
    ),
    lasting(
        0xcd,
        "cannot do this to such a record",
        InvalidParameter,
        "Command illegal for specified sensor or record type",
    ),
    lasting(
        0xce,
        "could not provide a response",
        Unavailable,
        "Command response could not be provided",
    ),
    lasting(
        0xcf,
        "takes the request for a repeated one",
        Conflict,
        "Cannot execute duplicated request",
    ),
    lasting(
        0xd0,
        "is updating its sensor records",
        Conflict,
        "SDR Repository in update mode",
    ),
    lasting(
        0xd1,
        "is updating its firmware",
        Conflict,
        "Device firmware in update mode",
    ),
    passing(
        0xd2,
        "is still starting",
        Unavailable,
        "BMC initialization in progress",
    ),
    lasting(
        0xd3,
        "cannot reach the destination",
        Unavailable,
        "Destination unavailable",
    ),
    lasting(
        0xd4,
        "forbids this to the user: the privilege level is too low",
        Unavailable,
        "Insufficient privilege level",
    ),
    lasting(
        0xd5,
        "cannot do this in its present state",
        Conflict,
        "Command not supported in present state",
    ),
    lasting(
        0xd6,
        "has this function switched off",
        Unsupported,
        "Cannot execute command, command disabled",
    ),
    lasting(0xff, "gives no reason", Internal, "Unspecified error"),
];
const OEM: CompletionCode = lasting(0, "has a reason of its own, which its vendor knows", Internal, "");
const OF_THE_COMMAND: CompletionCode = lasting(0, "has a reason that belongs to this command", Internal, "");
const RESERVED: CompletionCode = lasting(0, "gives a reason that the standard does not have", Internal, "");

const fn lasting(code: u8, meaning: &'static str, kind: FaultKind, words: &'static str) -> CompletionCode {
    CompletionCode {
        code,
        meaning,
        kind,
        passes: false,
        words,
    }
}

const fn passing(code: u8, meaning: &'static str, kind: FaultKind, words: &'static str) -> CompletionCode {
    CompletionCode {
        passes: true,
        ..lasting(code, meaning, kind, words)
    }
}

impl CompletionCode {
    /// The code of this number; 0 is no failure and not in the table.
    pub(crate) fn of(code: u8) -> CompletionCode {
        let known = GENERIC.iter().find(|known| known.code == code);
        let other = match code {
            0x01..=0x7e => &OEM,
            0x80..=0xbe => &OF_THE_COMMAND,
            _ => &RESERVED,
        };
        CompletionCode {
            code,
            ..*known.unwrap_or(other)
        }
    }

    /// The code for which ipmitool has these words.
    pub(crate) fn in_words(words: &str) -> Option<u8> {
        GENERIC
            .iter()
            .find(|known| known.words == words)
            .map(|known| known.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_meaning_and_keeps_its_number() {
        for number in 1..=255 {
            let code = CompletionCode::of(number);
            assert_eq!(code.code, number);
            assert!(!code.meaning.is_empty(), "{number}");
        }
    }

    #[test]
    fn what_ironic_tries_again_is_what_passes() {
        let passing: Vec<u8> = GENERIC
            .iter()
            .filter(|code| code.passes)
            .map(|code| code.code)
            .collect();
        assert_eq!(passing, [0xc0, 0xc3, 0xc4, 0xd2]);
    }

    #[test]
    fn codes_are_found_by_number_range_and_words() {
        assert_eq!(CompletionCode::of(0xc1).kind, FaultKind::Unsupported);
        assert_eq!(CompletionCode::of(0xd4).kind, FaultKind::Unavailable);
        assert!(CompletionCode::of(0x30).meaning.contains("vendor"));
        assert!(CompletionCode::of(0x81)
            .meaning
            .contains("belongs to this command"));
        assert!(CompletionCode::of(0xe0).meaning.contains("standard"));
        assert_eq!(
            CompletionCode::in_words("Insufficient privilege level"),
            Some(0xd4)
        );
        assert_eq!(CompletionCode::in_words("something else"), None);
        assert_eq!(CompletionCode::in_words(""), None);
    }
}
