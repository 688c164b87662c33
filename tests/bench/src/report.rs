//! The report: Markdown and plots, made anew by every run.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

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
    std::fs::create_dir_all(&plots)?;
    let mut text = INTRODUCTION.to_owned();
    writeln!(
        text,
        "\nThis run: {} rounds, each turn {} s.\n\n## Machine\n\n{}",
        arguments.rounds(),
        arguments.turn().as_secs(),
        machine.markdown()
    )?;
    if !rows.is_empty() {
        let summary = standings::summary(rows);
        writeln!(text, "## Summary: {}\n\n{}", summary.title, summary.markdown())?;
    }
    for row in rows {
        let table = standings::table(row);
        plots::row(row, &plots.join(format!("{}.svg", table.name)))?;
        let picture = format!("![{}](plots/{}.svg)", table.title, table.name);
        writeln!(
            text,
            "## {}: {}\n\n{picture}\n\n{}",
            table.name,
            table.title,
            table.markdown()
        )?;
    }
    for table in others {
        writeln!(text, "## {}: {}\n\n{}", table.name, table.title, table.markdown())?;
    }
    std::fs::write(folder.join("REPORT.md"), format!("{}\n", text.trim_end()))?;
    Ok(())
}
