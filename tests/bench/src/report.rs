//! The report: Markdown and plots, made anew by every run.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::arguments::Arguments;
use crate::plots;
use crate::rounds::MeasuredRow;
use crate::standings;
use crate::table::Table;

const INTRODUCTION: &str = "\
# Benchmark report

Made by `tests/bench/run`; the next run replaces it. How it is measured is in the [README](README.md).

**The figures are ratios within one run.** Load generator and servers share the cores of one machine, so absolute figures
say little, and figures of two runs cannot be compared. Within a run every server has its turn in every round. Figures are
medians of the rounds; behind a ratio stands the range of its rounds.
";

/// Writes `REPORT.md` and `plots/` into `folder`.
pub(crate) fn write(
    folder: &Path,
    arguments: &Arguments,
    machine: &Table,
    rows: &[MeasuredRow],
    others: &[Table],
) -> Result<()> {
    let plots = folder.join("plots");
    if plots.exists() {
        std::fs::remove_dir_all(&plots)?;
    }
    let mut text = INTRODUCTION.to_owned();
    writeln!(
        text,
        "\nThis run: {} rounds, each turn {} s.\n\n## Machine\n\n{}",
        arguments.rounds(),
        arguments.turn().as_secs(),
        machine.markdown()
    )?;
    for section in sections(folder, rows, others, "")? {
        writeln!(text, "{section}")?;
    }
    std::fs::write(folder.join("REPORT.md"), format!("{}\n", text.trim_end()))?;
    Ok(())
}

/// Puts what was measured in the place of what the report in `folder` says of the same, and leaves the rest of it.
pub(crate) fn renew(folder: &Path, machine: &Table, rows: &[MeasuredRow], others: &[Table]) -> Result<()> {
    let file = folder.join("REPORT.md");
    let old = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let of_machine = |what: &str| {
        let line = machine.lines.iter().find(|line| line.first().is_some_and(|first| first == what));
        line.and_then(|line| line.get(1)).cloned().unwrap_or_default()
    };
    let (date, commit) = (of_machine("date"), of_machine("commit"));
    let note = format!("Measured after the rest, on {date}, at {commit}.\n\n");
    let new = sections(folder, rows, others, &note)?;
    std::fs::write(&file, renewed(&old, new))?;
    Ok(())
}

/// Every section, and the plots of the rows.
fn sections(folder: &Path, rows: &[MeasuredRow], others: &[Table], note: &str) -> Result<Vec<String>> {
    let plots = folder.join("plots");
    std::fs::create_dir_all(&plots)?;
    let section = |table: &Table, picture: &str| {
        let (name, title) = (table.name, &table.title);
        format!("## {name}: {title}\n\n{note}{picture}{}", table.markdown())
    };
    let mut sections: Vec<String> = standings::summaries(rows).iter().map(|table| section(table, "")).collect();
    for row in rows {
        let table = standings::table(row);
        plots::row(row, &plots.join(format!("{}.svg", table.name)))?;
        let picture = format!("![{}](plots/{}.svg)\n\n", table.title, table.name);
        sections.push(section(&table, &picture));
    }
    sections.extend(others.iter().map(|table| section(table, "")));
    Ok(sections)
}

/// The report with these sections in the place of those of the same name, or at its end.
fn renewed(old: &str, new: Vec<String>) -> String {
    let starts = old.match_indices("\n## ").map(|(at, _)| at + 1);
    let bounds: Vec<usize> = [0].into_iter().chain(starts).chain([old.len()]).collect();
    let mut parts: Vec<String> = bounds.windows(2).map(|ends| old[ends[0]..ends[1]].to_owned()).collect();
    for section in new {
        match parts.iter_mut().find(|part| name(part) == name(&section)) {
            Some(part) => *part = section,
            None => parts.push(section),
        }
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    format!("{}\n", parts.join("\n\n"))
}

/// The name in a section's heading.
fn name(section: &str) -> Option<&str> {
    let heading = section.lines().next()?.strip_prefix("## ")?;
    heading.split(':').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_section_stands_where_it_stood_and_a_new_one_at_the_end() {
        let old = "# Report\n\nText.\n\n## a: one\n\nold\n\n## ab: two\n\nkept\n";
        let new = ["## c: three\n\nnew\n", "## a: first\n\nnew\n"].map(str::to_owned);
        assert_eq!(
            renewed(old, new.into()),
            "# Report\n\nText.\n\n## a: first\n\nnew\n\n## ab: two\n\nkept\n\n## c: three\n\nnew\n"
        );
    }
}
