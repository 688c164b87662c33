//! Arguments that Ironic's client can only send as text: `openstack baremetal node passthru call --arg warm=false`.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// A boolean, or one of the words that Ironic takes for one. Another word is refused, where Ironic takes it for false.
pub(crate) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Words;

    impl Visitor<'_> for Words {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true or false")
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
            Ok(value)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
            match text.trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
                _ => Err(E::custom("must be true or false")),
            }
        }
    }

    deserializer.deserialize_any(Words)
}

/// A positive number, also as text; absent without one.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = Option<u16>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number from 1 to 65535")
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Option<u16>, E> {
            match u16::try_from(number) {
                Ok(number) if number > 0 => Ok(Some(number)),
                _ => Err(E::custom("must be a number from 1 to 65535")),
            }
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Option<u16>, E> {
            let number = text
                .trim()
                .parse()
                .map_err(|_| E::custom("must be a number from 1 to 65535"))?;
            self.visit_u64(number)
        }
    }

    deserializer.deserialize_any(Number)
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{from_value, json, Value};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Loose {
        #[serde(default, deserialize_with = "super::boolean")]
        flag: bool,
        #[serde(default, deserialize_with = "super::count")]
        count: Option<u16>,
    }

    #[test]
    fn the_words_of_ironic_are_booleans_and_others_are_refused() {
        let flag = |value: Value| {
            from_value::<Loose>(json!({ "flag": value }))
                .map(|loose| loose.flag)
                .ok()
        };
        for value in [
            json!(true),
            json!("True"),
            json!("on"),
            json!("YES"),
            json!("1"),
            json!(1),
        ] {
            assert_eq!(flag(value.clone()), Some(true), "{value}");
        }
        for value in [json!(false), json!("false"), json!("off"), json!("n"), json!(0)] {
            assert_eq!(flag(value.clone()), Some(false), "{value}");
        }
        for value in [json!("warm"), json!(""), json!(2), json!(null), json!([true])] {
            assert_eq!(flag(value.clone()), None, "{value}");
        }
    }

    #[test]
    fn a_count_may_come_as_text() {
        let count = |value: Value| {
            from_value::<Loose>(json!({ "count": value }))
                .map(|loose| loose.count)
                .ok()
        };
        assert_eq!(count(json!(7)), Some(Some(7)));
        assert_eq!(count(json!("7")), Some(Some(7)));
        for value in [json!(0), json!("0"), json!(65536), json!("-V"), json!(1.5)] {
            assert_eq!(count(value.clone()), None, "{value}");
        }
    }
}
