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
mod worker;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tikv_jemallocator::Jemalloc;

use arguments::Arguments;
use place::Place;
use rounds::MeasuredRow;
use table::Table;

/// What there is besides the rows.
const OTHERS: [&str; 9] = [
    boundary::NAME,
    locks::NAME,
    loading::LOADING,
    loading::LISTING,
    starting::NAME,
    nodes::NAME,
    worker::NAME,
    worker::idle::MEMORY,
    worker::idle::START,
];

/// As in the host's own program: what is measured in this process is measured with the same allocator.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> Result<ExitCode> {
    if std::env::args().next().as_deref() == Some(worker::STARTED_AS) {
        // The host's library starts the program that it is in.
        return Ok(host::cli::Cli::parse().run());
    }
    run().map(|()| ExitCode::SUCCESS)
}

fn run() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(folder) = &arguments.load {
        return loading::load_all(folder);
    }
    if arguments.echo {
        return worker::pair::echo();
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
        for summary in standings::summaries(&rows) {
            summary.print()?;
        }
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    if arguments.renew {
        let folder = arguments.report.as_deref().unwrap_or(own);
        report::renew(folder, &machine, &rows, &others)?;
        return said(folder);
    }
    let everything = arguments.selects_everything() && !arguments.quick;
    if let Some(folder) = arguments.report.as_deref().or(everything.then_some(own)) {
        report::write(folder, &arguments, &machine, &rows, &others)?;
        said(folder)?;
    }
    Ok(())
}

fn said(folder: &Path) -> Result<()> {
    let report = folder.join("REPORT.md");
    Ok(writeln!(std::io::stdout(), "\nthe report is {}", report.display())?)
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
    if arguments.selects(worker::NAME) {
        keep(worker::measure(place, arguments)?)?;
    }
    if arguments.selects(worker::idle::MEMORY) {
        keep(worker::idle::memory(place, arguments)?)?;
    }
    if arguments.selects(worker::idle::START) {
        keep(worker::idle::start(place, arguments)?)?;
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
