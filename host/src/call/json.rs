//! Syntax and depth of a body, in one pass and without building anything.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What is wrong with a body or a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not UTF-8, from this byte on.
    #[error("not UTF-8: byte {at} cannot be read")]
    Encoding {
        /// From 0.
        at: usize,
    },
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

/// The marker by which a depth error is told from serde_json's own.
const TOO_DEEP: &str = "too deep";

/// Checks that `bytes` is one JSON value in UTF-8 whose arrays and objects nest at most `limit` levels.
///
/// # Errors
/// What is wrong and where. Keys that occur twice are left alone.
pub fn check(bytes: &[u8], limit: u32) -> Result<(), JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Encoding {
        at: error.valid_up_to(),
    })?;
    let mut parser = serde_json::Deserializer::from_str(text);
    let result = Level { left: limit }
        .deserialize(&mut parser)
        .and_then(|()| parser.end());
    result.map_err(|error| {
        let reason = error.to_string();
        if reason.starts_with(TOO_DEEP) {
            return JsonError::Depth { limit };
        }
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
        JsonError::Syntax {
            reason,
            line: error.line(),
            column: error.column(),
        }
    })
}

/// One value, with the number of levels that may still open.
#[derive(Clone, Copy)]
struct Level {
    left: u32,
}

impl Level {
    fn deeper<E: Error>(self) -> Result<Level, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Level { left }),
            None => Err(E::custom(TOO_DEEP)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let level = self.deeper()?;
        while items.next_element_seed(level)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let level = self.deeper()?;
        while entries.next_key::<IgnoredAny>()?.is_some() {
            entries.next_value_seed(level)?;
        }
        Ok(())
    }
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
    fn a_number_that_no_computer_keeps_is_refused() {
        let error = check(b"[1e400]", 25).unwrap_err();
        assert_eq!(
            error.to_string(),
            "not JSON: number out of range at line 1 column 6"
        );
    }

    #[test]
    fn keys_that_occur_twice_pass() {
        assert_eq!(check(b"{\"a\":1,\"a\":2}", 25), Ok(()));
    }
}
