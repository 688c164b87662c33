//! What BMCs answer instead of "done": the completion codes, as data.

use driver_sdk::FaultKind;

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
    code(0xc0, "is busy", FaultKind::Unavailable, true, "Node busy"),
    code(
        0xc1,
        "does not know this command",
        FaultKind::Unsupported,
        false,
        "Invalid command",
    ),
    code(
        0xc2,
        "does not know this command for this unit",
        FaultKind::Unsupported,
        false,
        "Invalid command on LUN",
    ),
    code(
        0xc3,
        "gave up on the command",
        FaultKind::Timeout,
        true,
        "Timeout",
    ),
    code(
        0xc4,
        "is out of space",
        FaultKind::Unavailable,
        true,
        "Out of space",
    ),
    code(
        0xc5,
        "has cancelled the reservation",
        FaultKind::Conflict,
        false,
        "Reservation cancelled or invalid",
    ),
    code(
        0xc6,
        "finds the request cut short",
        FaultKind::InvalidParameter,
        false,
        "Request data truncated",
    ),
    code(
        0xc7,
        "expects another number of bytes",
        FaultKind::InvalidParameter,
        false,
        "Request data length invalid",
    ),
    code(
        0xc8,
        "cannot take so many bytes",
        FaultKind::InvalidParameter,
        false,
        "Request data field length limit exceeded",
    ),
    code(
        0xc9,
        "finds a parameter out of its range",
        FaultKind::InvalidParameter,
        false,
        "Parameter out of range",
    ),
    code(
        0xca,
        "cannot return so many bytes",
        FaultKind::InvalidParameter,
        false,
        "Cannot return number of requested data bytes",
    ),
    code(
        0xcb,
        "has no such sensor, data or record",
        FaultKind::NotFound,
        false,
        "Requested sensor, data, or record not found",
    ),
    code(
        0xcc,
        "finds a field of the request invalid",
        FaultKind::InvalidParameter,
        false,
        "Invalid data field in request",
    ),
    code(
        0xcd,
        "cannot do this to such a sensor or record",
        FaultKind::InvalidParameter,
        false,
        "Command illegal for specified sensor or record type",
    ),
    code(
        0xce,
        "could not provide a response",
        FaultKind::Unavailable,
        false,
        "Command response could not be provided",
    ),
    code(
        0xcf,
        "takes the request for a repeated one",
        FaultKind::Conflict,
        false,
        "Cannot execute duplicated request",
    ),
    code(
        0xd0,
        "is updating its sensor records",
        FaultKind::Conflict,
        false,
        "SDR Repository in update mode",
    ),
    code(
        0xd1,
        "is updating its firmware",
        FaultKind::Conflict,
        false,
        "Device firmware in update mode",
    ),
    code(
        0xd2,
        "is still starting",
        FaultKind::Unavailable,
        true,
        "BMC initialization in progress",
    ),
    code(
        0xd3,
        "cannot reach the destination",
        FaultKind::Unavailable,
        false,
        "Destination unavailable",
    ),
    code(
        0xd4,
        "does not let this user do that: the privilege level is too low",
        FaultKind::Unavailable,
        false,
        "Insufficient privilege level",
    ),
    code(
        0xd5,
        "cannot do this in its present state",
        FaultKind::Conflict,
        false,
        "Command not supported in present state",
    ),
    code(
        0xd6,
        "has this function switched off",
        FaultKind::Unsupported,
        false,
        "Cannot execute command, command disabled",
    ),
    code(
        0xff,
        "gives no reason",
        FaultKind::Internal,
        false,
        "Unspecified error",
    ),
];
const OEM: CompletionCode = code(
    0,
    "has a reason of its own, which its vendor knows",
    FaultKind::Internal,
    false,
    "",
);
const OF_THE_COMMAND: CompletionCode = code(
    0,
    "has a reason that belongs to this command",
    FaultKind::Internal,
    false,
    "",
);
const RESERVED: CompletionCode = code(
    0,
    "gives a reason that the standard does not have",
    FaultKind::Internal,
    false,
    "",
);

const fn code(
    code: u8,
    meaning: &'static str,
    kind: FaultKind,
    passes: bool,
    words: &'static str,
) -> CompletionCode {
    CompletionCode {
        code,
        meaning,
        kind,
        passes,
        words,
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
        let CompletionCode {
            meaning,
            kind,
            passes,
            words,
            ..
        } = *known.unwrap_or(other);
        CompletionCode {
            code,
            meaning,
            kind,
            passes,
            words,
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
