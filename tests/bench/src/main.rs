//! The benchmark: measures the host beside bare servers, prints ratios, and writes a report.

mod arguments;
mod figures;
mod get;
mod hosts;
mod load;
mod nodes;
mod place;
mod process;
mod rounds;
mod rows;
mod table;

use anyhow::Result;
use clap::Parser;

use arguments::Arguments;
use place::Place;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let place = Place::new(&arguments)?;
    let rows: Vec<_> = rows::all()
        .into_iter()
        .filter(|row| arguments.selects(row.name))
        .collect();
    let mut measured = Vec::new();
    if !rows.is_empty() {
        let contest = rounds::Contest::prepare(&place, &rows)?;
        for row in rows {
            let row = contest.measure(row, &arguments)?;
            table::print(&row)?;
            measured.push(row);
        }
    }
    Ok(())
}
