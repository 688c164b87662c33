//! Columns of text for a terminal: the last column is prose and wraps, nothing is ever cut off.

use std::fmt::Write;
use std::io::IsTerminal;

/// What is assumed of an output that has no width of its own.
const DEFAULT_WIDTH: usize = 80;
/// A cell beyond this does not widen its column; it pushes the rest of its own row.
const WIDEST_CELL: usize = 28;
/// Prose in less room than this stands beneath its row.
const NARROWEST_PROSE: usize = 26;
const GAP: usize = 2;
const INDENT: usize = 4;

/// The width of the terminal on standard output, 80 without one.
pub fn output_width() -> usize {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return DEFAULT_WIDTH;
    }
    match rustix::termios::tcgetwinsize(&stdout) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => DEFAULT_WIDTH,
    }
}

/// Lines of `rows` under `header`, at most `width` wide as far as single words allow.
pub(super) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]], width: usize) -> String {
    let mut widths = header.map(|title| title.chars().count());
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            let cell = cell.chars().count();
            if cell <= WIDEST_CELL {
                *column = cell.max(*column);
            }
        }
    }
    let columns = &widths[..N - 1];
    let prose_at: usize = columns.iter().map(|width| width + GAP).sum();
    let beside = width.saturating_sub(prose_at) >= NARROWEST_PROSE;

    let mut text = String::new();
    push_row(
        &mut text,
        &header.map(str::to_owned),
        columns,
        width,
        beside.then_some(prose_at),
    );
    for row in rows {
        push_row(&mut text, row, columns, width, beside.then_some(prose_at));
    }
    text
}

/// One row: its cells, and its prose behind them at `prose_at`, or beneath them.
fn push_row<const N: usize>(
    text: &mut String,
    row: &[String; N],
    columns: &[usize],
    width: usize,
    prose_at: Option<usize>,
) {
    let mut line = String::new();
    for (cell, column) in row.iter().zip(columns) {
        // Writing to a string cannot fail.
        let _ = write!(line, "{cell:<column$}{:GAP$}", "");
    }
    let prose = &row[N - 1];
    let fits = |at: &usize| line.chars().count() <= *at;
    let at = prose_at.filter(fits);
    let indent = at.unwrap_or(INDENT);
    let mut prose = wrap(prose, width.saturating_sub(indent)).into_iter();
    if at.is_some()
        && let Some(first) = prose.next()
    {
        line.push_str(&first);
    }
    text.push_str(line.trim_end());
    text.push('\n');
    for rest in prose {
        let _ = writeln!(text, "{:indent$}{rest}", "");
    }
}

/// `text` in lines of at most `width` characters; a longer word has a line of its own.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> [String; 3] {
        cells.map(str::to_owned)
    }

    #[test]
    fn prose_wraps_in_its_own_column() {
        let rows = [
            row(["a", "1", "one two three four five six seven"]),
            row(["bbbb", "2", ""]),
        ];
        let expected = "NAME  N  REASON\na     1  one two three four five six\n         seven\nbbbb  2\n";
        assert_eq!(table(["NAME", "N", "REASON"], &rows, 37), expected);
    }

    #[test]
    fn prose_stands_beneath_when_there_is_no_room_beside() {
        let rows = [row(["a", "1", "one two three four five six"])];
        let expected = "NAME  N\n    REASON\na     1\n    one two three\n    four five six\n";
        assert_eq!(table(["NAME", "N", "REASON"], &rows, 20), expected);
    }

    #[test]
    fn a_very_long_cell_is_whole_and_disturbs_no_other_row() {
        let long = "x".repeat(60);
        let rows = [row([&long, "1", "why"]), row(["b", "2", "why not"])];
        let text = table(["NAME", "N", "REASON"], &rows, 80);
        assert_eq!(
            text,
            format!("NAME  N  REASON\n{long}  1\n    why\nb     2  why not\n")
        );
    }
}
