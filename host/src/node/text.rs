//! Walks JSON text without building values from it. The text is valid JSON.

/// The index behind the closing quote of the string that begins at `start`.
pub(super) fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The index behind the value that begins at `start`, in compact text.
pub(super) fn value_end(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < text.len() {
        match text[at] {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// How deep arrays and objects are nested: 1 for `{}`.
pub(super) fn depth(text: &[u8]) -> usize {
    let (mut at, mut depth, mut deepest) = (0, 0_usize, 0);
    while at < text.len() {
        match text[at] {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
        at += 1;
    }
    deepest
}

/// The depth, if the text has no white space between its parts, no escapes and no exponents: then every key stands in it as it
/// is, and is followed by a colon, and no number is too large to be read.
pub(super) fn depth_of_compact(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => {
                let end = string_end(text, at);
                if text[at..end.min(text.len())].contains(&b'\\') {
                    return None;
                }
                at = end;
                continue;
            }
            b' ' | b'\t' | b'\n' | b'\r' => return None,
            b'e' | b'E' if at > 0 && text[at - 1].is_ascii_digit() => return None,
            _ => at += 1,
        }
    }
    Some(depth(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        for (text, expected) in [
            ("1", 0),
            ("{}", 1),
            (r#"{"a":"[[[\"{"}"#, 1),
            (r#"{"a":[{"b":[]}],"c":{}}"#, 4),
        ] {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn only_text_without_spaces_and_escapes_counts_as_compact() {
        assert_eq!(depth_of_compact(br#"{"a b":[1,"c d"]}"#), Some(2));
        for text in [r#"{"a": 1}"#, r#"{"p\u0061ss":1}"#, r#"{"a":1e400}"#, "{\n}"] {
            assert_eq!(depth_of_compact(text.as_bytes()), None, "{text}");
        }
    }
}
