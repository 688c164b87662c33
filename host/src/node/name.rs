//! Which names a node may have.

use uuid::Uuid;

/// Words that are segments of paths, and so cannot name a node: Ironic's own, then those that our short path
/// `/v1/{node}/vendor_passthru` would hide.
pub const RESERVED: [&str; 9] = [
    "maintenance",
    "management",
    "states",
    "vendor_passthru",
    "detail",
    "validate",
    "nodes",
    "drivers",
    "calls",
];

/// The longest name, in characters.
pub const MAX_CHARS: usize = 255;

/// Why a name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// Empty, too long, with other characters than `[A-Za-z0-9-._~]`, or like a uuid.
    Invalid,
    /// One of [`RESERVED`].
    Reserved,
}

/// Checks a name by Ironic's rule: `[A-Za-z0-9-._~]{1,255}`, not like a uuid, not reserved.
///
/// # Errors
/// Which of the rules it breaks; the sentence depends on whether the node is being created or renamed.
pub fn check(name: &str) -> Result<(), NameFault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if name.is_empty()
        || name.len() > MAX_CHARS
        || !name.bytes().all(allowed)
        || Uuid::parse_str(name).is_ok()
    {
        return Err(NameFault::Invalid);
    }
    if RESERVED.contains(&name) {
        Err(NameFault::Reserved)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_ironics_rule() {
        for good in ["n1", "a-b.c_d~e", "1", "deadbeef", &"x".repeat(255)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let uuid = "11111111-2222-3333-4444-555555555556";
        for bad in [
            "",
            "a b",
            "a/b",
            "ä",
            "a\n",
            &"x".repeat(256),
            uuid,
            &uuid.replace('-', ""),
        ] {
            assert_eq!(check(bad), Err(NameFault::Invalid), "{bad:?}");
        }
        for word in RESERVED {
            assert_eq!(check(word), Err(NameFault::Reserved), "{word}");
        }
        assert_eq!(
            check("Validate"),
            Ok(()),
            "the rule looks at the exact word, as paths do"
        );
    }
}
