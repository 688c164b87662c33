//! Text from foreign files, made safe for a terminal and a log.

/// `text` on one line: white space runs become one blank, other control characters are shown as escapes.
///
/// A manifest is foreign data: without this, a description could move the cursor or forge a second log line.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (i, word) in text.split_whitespace().enumerate() {
        if i > 0 {
            line.push(' ');
        }
        for c in word.chars() {
            if c.is_control() || is_direction_mark(c) {
                line.extend(c.escape_unicode());
            } else {
                line.push(c);
            }
        }
    }
    line
}

/// The longest text of a running driver that is passed on, in bytes.
const MOST: usize = 4096;
/// The longest end of a text that was cut.
const ITS_END: usize = 64;

/// [`printable`] for what a running driver says: cut where it is too long for a log, a database and a client's terminal.
pub fn excerpt(text: &str) -> String {
    let mut line = printable(&text[..text.floor_char_boundary(MOST)]);
    if line.len() > MOST || text.len() > MOST {
        line.truncate(line.floor_char_boundary(MOST));
        line.push_str(&format!("… (cut; {} bytes in all)", text.len()));
    }
    line
}

/// What [`excerpt`] has made in another process, whose word for that is not taken.
pub fn excerpted(text: &str) -> String {
    let mut line = printable(&text[..text.floor_char_boundary(MOST + ITS_END)]);
    line.truncate(line.floor_char_boundary(MOST + ITS_END));
    line
}

/// Marks that reorder the text around them on a terminal (Unicode bidirectional embeddings, overrides and isolates).
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{MOST, excerpt, printable};

    #[test]
    fn control_characters_cannot_reach_a_terminal() {
        assert_eq!(
            printable("red\u{1b}[31m\ralert\n  second\u{7}"),
            "red\\u{1b}[31m alert second\\u{7}"
        );
        assert_eq!(printable("a\u{202e}b\u{9b}c"), "a\\u{202e}b\\u{9b}c");
        assert_eq!(printable("plain – ünïcode"), "plain – ünïcode");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(excerpt("short\ntext"), "short text");
        assert_eq!(excerpt(&"x".repeat(MOST)), "x".repeat(MOST));
        for text in ["é".repeat(10_000), "\u{1b}".repeat(4000), "a b ".repeat(5000)] {
            let cut = excerpt(&text);
            assert!(cut.len() < MOST + 50, "{}", cut.len());
            assert!(
                cut.ends_with(&format!("… (cut; {} bytes in all)", text.len())),
                "{cut}"
            );
        }
    }
}
