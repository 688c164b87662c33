//! The manifest is put together by the compiler: parts that the attribute wrote, and parts that types bring along.

/// The keys of every manifest that do not depend on the driver.
#[doc(hidden)]
pub const MANIFEST_HEAD: &[&str] = &[
    "{\"manifest\":1,\"abi\":\"",
    driver_abi::ABI_VERSION,
    "\",\"sdk\":\"",
    env!("CARGO_PKG_VERSION"),
    "\",\"target\":\"",
    env!("DRIVER_TARGET"),
    "\",",
];

/// The length of `parts`, one behind the other.
#[doc(hidden)]
pub const fn length(parts: &[&[&str]]) -> usize {
    let mut length = 0;
    let mut list = 0;
    while list < parts.len() {
        let mut part = 0;
        while part < parts[list].len() {
            length += parts[list][part].len();
            part += 1;
        }
        list += 1;
    }
    length
}

/// `parts`, one behind the other. `N` is their [`length`].
#[doc(hidden)]
pub const fn join<const N: usize>(parts: &[&[&str]]) -> [u8; N] {
    let mut joined = [0; N];
    let mut at = 0;
    let mut list = 0;
    while list < parts.len() {
        let mut part = 0;
        while part < parts[list].len() {
            let bytes = parts[list][part].as_bytes();
            let mut byte = 0;
            while byte < bytes.len() {
                joined[at] = bytes[byte];
                at += 1;
                byte += 1;
            }
            part += 1;
        }
        list += 1;
    }
    joined
}

/// The text of joined parts.
///
/// # Panics
/// At compile time, never: parts are text.
#[doc(hidden)]
pub const fn text(joined: &[u8]) -> &str {
    match std::str::from_utf8(joined) {
        Ok(text) => text,
        Err(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_in_their_order() {
        const PARTS: &[&[&str]] = &[&["a", "ß"], &[], &["", "c"]];
        const JOINED: [u8; length(PARTS)] = join(PARTS);
        assert_eq!(text(&JOINED), "aßc");
    }

    #[test]
    fn the_head_states_the_format_of_the_boundary() {
        let head = format!("{}\"name\":\"x\"}}", MANIFEST_HEAD.concat());
        let head: serde_json::Value = serde_json::from_str(&head).unwrap();
        assert_eq!(head["manifest"], driver_abi::MANIFEST_FORMAT);
        assert_eq!(head["abi"], driver_abi::ABI_VERSION);
        assert_eq!(head["sdk"], env!("CARGO_PKG_VERSION"));
        assert!(head["target"].as_str().unwrap().contains('-'));
    }
}
