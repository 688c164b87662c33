//! The table on the terminal.

use std::io::{self, Write};

use crate::figures::short;
use crate::rounds::{MeasuredRow, Standing};

/// Prints one row.
pub(crate) fn print(row: &MeasuredRow) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{}: {}", row.row.name, row.row.title)?;
    writeln!(
        out,
        "{:>5}  {:<15}{:>9}  {:<22}{:>9}{:>9}{:>12}",
        "conns", "server", "req/s", "host is", "p50 ms", "p99 ms", "CPU us/req"
    )?;
    for (connections, standings) in &row.at {
        for (number, standing) in standings.iter().enumerate() {
            let connections = if number == 0 {
                connections.to_string()
            } else {
                String::new()
            };
            writeln!(out, "{connections:>5}  {}", line(standing))?;
        }
    }
    Ok(())
}

fn line(standing: &Standing) -> String {
    let errors = match standing.errors {
        0 => String::new(),
        errors => format!("  {errors} ERRORS"),
    };
    format!(
        "{:<15}{:>9}  {:<22}{:>9.2}{:>9.2}{:>12.1}{errors}",
        standing.kind.name(),
        short(standing.per_second),
        standing.host_is.map(|ratio| ratio.percent()).unwrap_or_default(),
        standing.p50_us / 1000.0,
        standing.p99_us / 1000.0,
        standing.cpu_us,
    )
}
