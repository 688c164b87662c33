//! Syntax and depth of a body, without building anything.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod walk;

use serde::de::IgnoredAny;

/// What some editors put before a text. RFC 8259 forbids it before JSON.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What is wrong with a body or a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not UTF-8, from this byte on.
    #[error("not UTF-8: byte {at} cannot be read")]
    Encoding {
        /// From 0.
        at: usize,
    },
    /// Something invisible stands before the JSON.
    #[error("not JSON: it begins with a byte order mark, expected none")]
    ByteOrderMark,
    /// Not JSON.
    #[error("not JSON: {reason} at line {line} column {column}")]
    Syntax {
        /// What the parser expected.
        reason: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Nested too deeply.
    #[error("nested too deeply: at most {limit} levels are taken")]
    Depth {
        /// The allowed number of levels.
        limit: u32,
    },
}

/// Checks that `bytes` is one JSON value in UTF-8 whose arrays and objects nest at most `limit` levels.
///
/// What is too deep is refused without looking further. Numbers are not read: how many digits one may have is between the
/// client and the driver.
///
/// # Errors
/// What is wrong and where. Keys that occur twice are left alone.
pub fn check(bytes: &[u8], limit: u32) -> Result<(), JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Encoding {
        at: error.valid_up_to(),
    })?;
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(JsonError::ByteOrderMark);
    }
    if walk::is_sound(bytes, limit) {
        return Ok(());
    }
    second_look(text, limit)
}

/// What is wrong with a text that the walk did not take; nothing, if it only nests deeper than the walk can follow.
#[cold]
fn second_look(text: &str, limit: u32) -> Result<(), JsonError> {
    if is_deeper(text.as_bytes(), limit) {
        return Err(JsonError::Depth { limit });
    }
    // Needs no stack, however deep the text is.
    let result: Result<IgnoredAny, _> = serde_json::from_str(text);
    result.map(|_| ()).map_err(|error| {
        let reason = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
        JsonError::Syntax {
            reason,
            line: error.line(),
            column: error.column(),
        }
    })
}

/// Whether more than `limit` brackets are open at any place outside a text.
fn is_deeper(bytes: &[u8], limit: u32) -> bool {
    let mut open: u32 = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'[' | b'{' => {
                open += 1;
                if open > limit {
                    return true;
                }
            }
            b']' | b'}' => open = open.saturating_sub(1),
            b'"' => at = end_of_text(bytes, at + 1),
            _ => {}
        }
        at += 1;
    }
    false
}

/// Where the text that begins at `at` has its closing quote; the end of `bytes` if it has none.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_passes() {
        for text in [
            "{}",
            "[]",
            "null",
            "true",
            "-1",
            "18446744073709551616",
            "\"a\\u00e9\"",
            " [1, {\"a\": [2]}] ",
        ] {
            assert_eq!(check(text.as_bytes(), 25), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_limit_counts_levels_and_scalars_are_none() {
        assert_eq!(check(b"5", 1), Ok(()));
        for limit in [1, 25, 100] {
            let open = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
            let limit_of = usize::try_from(limit).unwrap();
            assert_eq!(check(open(limit_of).as_bytes(), limit), Ok(()));
            assert_eq!(
                check(open(limit_of + 1).as_bytes(), limit),
                Err(JsonError::Depth { limit })
            );
        }
    }

    #[test]
    fn a_limit_beyond_what_the_walk_can_follow_holds_too() {
        let open = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check(open(300).as_bytes(), 300), Ok(()));
        assert_eq!(
            check(open(301).as_bytes(), 300),
            Err(JsonError::Depth { limit: 300 })
        );
    }

    #[test]
    fn a_hundred_thousand_levels_are_an_error_and_not_a_crash() {
        assert_eq!(
            check("[".repeat(100_000).as_bytes(), 25),
            Err(JsonError::Depth { limit: 25 })
        );
        assert_eq!(
            check("{\"a\":".repeat(100_000).as_bytes(), 100),
            Err(JsonError::Depth { limit: 100 })
        );
    }

    #[test]
    fn a_syntax_error_says_where() {
        let error = check(b"{\n  \"a\": bad}", 25).unwrap_err();
        assert_eq!(error.to_string(), "not JSON: expected value at line 2 column 8");
        let error = check(b"{} x", 25).unwrap_err();
        assert_eq!(
            error.to_string(),
            "not JSON: trailing characters at line 1 column 4"
        );
    }

    #[test]
    fn invalid_utf8_says_where() {
        assert_eq!(check(b"\"a\xff\"", 25), Err(JsonError::Encoding { at: 2 }));
    }

    #[test]
    fn numbers_pass_however_large_and_are_numbers() {
        for text in [
            "[1e400]",
            "-1E+99999999999999999999",
            "0.1e-7777",
            &"9".repeat(10_000),
        ] {
            assert_eq!(check(text.as_bytes(), 25), Ok(()), "{text}");
        }
        for text in ["01", "1.", ".5", "+1", "1e", "--1", "NaN", "Infinity", "0x1"] {
            assert!(
                matches!(check(text.as_bytes(), 25), Err(JsonError::Syntax { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn brackets_in_texts_are_not_nesting() {
        for text in ["\"[[[[\"", "[\"\\\"[[[\",1]", "{\"[[\\\\\":[]}", "[[],[],[],[]]"] {
            assert_eq!(check(text.as_bytes(), 2), Ok(()), "{text}");
        }
        for text in ["[\"\\\\\",[[]]]", "{\"a\\\"b\":{\"c\":[]}}"] {
            assert_eq!(
                check(text.as_bytes(), 2),
                Err(JsonError::Depth { limit: 2 }),
                "{text}"
            );
        }
        for text in ["\"", "\"\\", "[\"\\\"", "]]]]", "\"a"] {
            assert!(
                matches!(check(text.as_bytes(), 2), Err(JsonError::Syntax { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_byte_order_mark_is_named() {
        assert_eq!(check("\u{feff}{}".as_bytes(), 25), Err(JsonError::ByteOrderMark));
    }

    #[test]
    fn keys_that_occur_twice_pass() {
        assert_eq!(check(b"{\"a\":1,\"a\":2}", 25), Ok(()));
    }
}
