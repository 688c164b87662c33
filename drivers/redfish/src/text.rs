//! Foreign text in messages: one line, of bounded length.

/// The first `most` characters of `text`, on one line.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let mut line: String = text
        .chars()
        .take(most)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(most).is_some() {
        line.push('…');
    }
    line
}
