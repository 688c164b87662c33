//! Bytes as people write them for ipmitool: `0x1f`, `31`, and `037`, which is octal as in C.

/// The byte that `text` means, if it means one. Nothing else passes: no sign, no space, no option.
pub(crate) fn byte(text: &str) -> Option<u8> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    // `from_str_radix` takes a sign.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::byte;

    #[test]
    fn a_byte_is_read_as_ipmitool_reads_it() {
        for (text, value) in [
            ("0", 0),
            ("0x00", 0),
            ("00", 0),
            ("7", 7),
            ("0xfF", 255),
            ("0XA", 10),
            ("010", 8),
            ("255", 255),
        ] {
            assert_eq!(byte(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_byte_is_none() {
        for text in [
            "", "-V", "-1", "+1", "0x", "0x-1", "0x+1", "256", "0x100", "08", "1 ", " 1", "a", "1.0", "٣",
        ] {
            assert_eq!(byte(text), None, "{text:?}");
        }
    }
}
