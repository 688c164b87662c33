//! The benchmark: measures the host beside bare servers, prints ratios, and writes a report.

mod arguments;
mod boundary;
mod disturbance;
mod figures;
mod get;
mod hosts;
mod load;
mod loading;
mod locks;
mod machine;
mod many;
mod nodes;
mod place;
mod plots;
mod process;
mod report;
mod rounds;
mod rows;
mod standings;
mod starting;
mod table;
mod timer;

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use clap::Parser;

use arguments::Arguments;
use place::Place;
use rounds::MeasuredRow;
use table::Table;

/// What there is besides the rows.
const OTHERS: [&str; 6] = [
    boundary::NAME,
    locks::NAME,
    loading::LOADING,
    loading::LISTING,
    starting::NAME,
    nodes::NAME,
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(folder) = &arguments.load {
        return loading::load_all(folder);
    }
    if arguments.list {
        return list();
    }
    let things: Vec<&str> = rows::all().iter().map(|row| row.name).chain(OTHERS).collect();
    arguments.check(&things, &rows::Kind::ALL.map(rows::Kind::name))?;
    let place = Place::new(&arguments)?;
    let machine = machine::describe()?;
    let others = others(&place, &arguments)?;
    let rows = contest(&place, &arguments)?;
    if rows.len() > 1 {
        standings::summary(&rows).print()?;
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let everything = arguments.selects_everything() && !arguments.quick;
    if let Some(folder) = arguments.report.as_deref().or(everything.then_some(own)) {
        report::write(folder, &arguments, &machine, &rows, &others)?;
        writeln!(
            std::io::stdout(),
            "\nthe report is {}",
            folder.join("REPORT.md").display()
        )?;
    }
    Ok(())
}

fn list() -> Result<()> {
    let mut out = std::io::stdout().lock();
    for row in rows::all() {
        writeln!(out, "{:<12} {}", row.name, row.title)?;
    }
    for name in OTHERS {
        writeln!(out, "{name}")?;
    }
    Ok(())
}

/// Everything but the rows.
fn others(place: &Place, arguments: &Arguments) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    let mut keep = |table: Table| {
        table.print()?;
        tables.push(table);
        anyhow::Ok(())
    };
    if arguments.selects(boundary::NAME) {
        keep(boundary::measure(place, arguments)?)?;
    }
    if arguments.selects(locks::NAME) {
        keep(locks::measure(arguments)?)?;
    }
    if arguments.selects(loading::LOADING) || arguments.selects(loading::LISTING) {
        for table in loading::measure(place, arguments)? {
            keep(table)?;
        }
    }
    if arguments.selects(starting::NAME) {
        keep(starting::measure(place, arguments)?)?;
    }
    if arguments.selects(nodes::NAME) {
        keep(nodes::measure(place, arguments)?)?;
    }
    Ok(tables)
}

/// The rows.
fn contest(place: &Place, arguments: &Arguments) -> Result<Vec<MeasuredRow>> {
    let rows: Vec<_> = rows::all()
        .into_iter()
        .filter(|row| arguments.selects(row.name))
        .collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let contest = rounds::Contest::prepare(place, &rows, arguments.nodes)?;
    writeln!(std::io::stdout(), "\n{}", contest.servers())?;
    let mut measured = Vec::new();
    for row in rows {
        let row = contest.measure(row, arguments)?;
        standings::table(&row).print()?;
        measured.push(row);
    }
    Ok(measured)
}
