//! One table, for the terminal and for the report.

use std::fmt::Write as _;
use std::io::{self, Write};

/// A table with its title. The first column holds words, the others figures.
pub(crate) struct Table {
    /// As on the command line.
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) head: Vec<String>,
    pub(crate) lines: Vec<Vec<String>>,
    /// What a reader has to know, in one or two sentences. May be empty.
    pub(crate) note: String,
}

impl Table {
    pub(crate) fn new(name: &'static str, title: &str, head: &[&str]) -> Table {
        Table {
            name,
            title: title.to_owned(),
            head: head.iter().map(|text| (*text).to_owned()).collect(),
            lines: Vec::new(),
            note: String::new(),
        }
    }

    pub(crate) fn noting(mut self, note: &str) -> Table {
        self.note = note.to_owned();
        self
    }

    pub(crate) fn line<const N: usize>(&mut self, cells: [String; N]) {
        self.lines.push(cells.into());
    }

    /// Prints it in columns.
    pub(crate) fn print(&self) -> io::Result<()> {
        let everything = || self.lines.iter().chain([&self.head]);
        let width = |column: usize| {
            let cells = everything().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let mut out = io::stdout().lock();
        writeln!(out, "\n{}: {}", self.name, self.title)?;
        if !self.note.is_empty() {
            writeln!(out, "  {}", self.note)?;
        }
        for line in [&self.head].into_iter().chain(&self.lines) {
            let mut text = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let _never_fails = match column {
                    0 => write!(text, "  {cell:<width$}"),
                    _ => write!(text, "  {cell:>width$}"),
                };
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        out.flush()
    }

    /// As Markdown, below a heading of its own.
    pub(crate) fn markdown(&self) -> String {
        let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = row(&self.head);
        text.push_str("|---|");
        text.push_str(&"--:|".repeat(self.head.len().saturating_sub(1)));
        text.push('\n');
        self.lines.iter().for_each(|line| text.push_str(&row(line)));
        if !self.note.is_empty() {
            text = format!("{}\n\n{text}", self.note);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_with_its_note_before_it() {
        let mut table = Table::new("x", "A table", &["what", "ns"]).noting("A note.");
        table.line(["this".to_owned(), "1.5".to_owned()]);
        assert_eq!(
            table.markdown(),
            "A note.\n\n| what | ns |\n|---|--:|\n| this | 1.5 |\n"
        );
    }
}
