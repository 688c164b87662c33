//! The machine and the programs of a run, without its names and paths.

use std::process::Command;

use anyhow::Result;
use jiff::Timestamp;

use crate::load::as_f64;
use crate::table::Table;

/// Describes them.
pub(crate) fn describe() -> Result<Table> {
    let mut table = Table::new("machine", "the machine", &["what", "which"]);
    let cores = std::thread::available_parallelism()?.get();
    let kernel = rustix::system::uname();
    for (what, which) in [
        (
            "date",
            Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
        ),
        ("commit", commit()),
        ("processor", field("/proc/cpuinfo", "model name")),
        ("cores", cores.to_string()),
        ("memory", memory()),
        (
            "kernel",
            format!(
                "{} {}",
                kernel.sysname().to_string_lossy(),
                kernel.release().to_string_lossy()
            ),
        ),
        ("compiler", said("rustc", &["--version"])),
        ("load generator", said("wrk", &["--version"])),
    ] {
        table.line([what.to_owned(), which]);
    }
    Ok(table)
}

fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
    // The report of the last run does not count: it is what this one replaces.
    let changes = said(
        "git",
        &[
            "status",
            "--porcelain",
            "--",
            ".",
            ":!tests/bench/REPORT.md",
            ":!tests/bench/plots",
        ],
    );
    match changes.as_str() {
        "" => commit,
        _ => format!("{commit}, with changes"),
    }
}

fn memory() -> String {
    let kib = field("/proc/meminfo", "MemTotal");
    let kib = kib.split_whitespace().next().and_then(|kib| kib.parse().ok());
    format!("{:.0} GiB", as_f64(kib.unwrap_or(0)) / 1024.0 / 1024.0)
}

/// The first value of a name in one of the kernel's lists.
fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value);
    value.unwrap_or("unknown").trim().to_owned()
}

/// The first line that a program says.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}
