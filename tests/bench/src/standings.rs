//! A measured row as a table, and all of them as one.

use crate::figures::short;
use crate::rounds::{MeasuredRow, Standing};
use crate::rows::Kind;
use crate::table::Table;

/// Everything about one row.
pub(crate) fn table(row: &MeasuredRow) -> Table {
    let head = [
        "connections, server",
        "requests/s",
        "host / server (from, to)",
        "p50 ms",
        "p99 ms",
        "CPU us/request",
        "server's CPU / host's (from, to)",
        "others' CPU",
        "errors",
    ];
    let mut table = Table::new(row.row.name, row.row.title, &head).noting(row.note);
    for (connections, standings) in &row.at {
        for standing in standings {
            table.line(cells(*connections, standing));
        }
    }
    table
}

fn cells(connections: usize, standing: &Standing) -> [String; 9] {
    let versus =
        |ratio: Option<crate::figures::Spread>| ratio.map_or_else(String::new, |ratio| ratio.percent());
    [
        format!("{connections} {}", standing.kind.name()),
        short(standing.per_second),
        versus(standing.host_is),
        format!("{:.2}", standing.p50_us / 1000.0),
        format!("{:.2}", standing.p99_us / 1000.0),
        format!("{:.1}", standing.cpu_us),
        versus(standing.cpu_is),
        format!("{:.0} %", standing.others * 100.0),
        standing.errors.to_string(),
    ]
}

/// All rows in a table or two, one line per row and number of connections.
pub(crate) fn summaries(rows: &[MeasuredRow]) -> Vec<Table> {
    let is_of_places = |row: &&MeasuredRow| row.row.servers.contains(&Kind::Worker);
    let (places, servers): (Vec<_>, Vec<_>) = rows.iter().partition(is_of_places);
    let mut tables = Vec::new();
    if !servers.is_empty() {
        tables.push(of_servers(&servers));
    }
    if !places.is_empty() {
        tables.push(of_places(&places));
    }
    tables
}

/// The host with its drivers in processes of their own, beside one that has them in its own process.
fn of_places(rows: &[&MeasuredRow]) -> Table {
    let head = [
        "row",
        "connections",
        "in-process, requests/s",
        "worker, requests/s",
        "worker / in-process (from, to)",
        "worker's CPU / in-process (from, to)",
        "p50 more, ms",
        "p99 more, ms",
    ];
    let title = "the driver in a process of its own beside the same in the host's process, over HTTP";
    let mut table = Table::new("worker-http", title, &head)
        .noting("CPU is that of host and worker process together.");
    for row in rows {
        for (connections, standings) in &row.at {
            let of = |kind: Kind| standings.iter().find(|standing| standing.kind == kind);
            let (Some(here), Some(worker)) = (of(Kind::Host), of(Kind::Worker)) else {
                continue;
            };
            let more = |value: fn(&Standing) -> f64| format!("{:.3}", (value(worker) - value(here)) / 1000.0);
            table.line([
                row.row.name.to_owned(),
                connections.to_string(),
                short(here.per_second),
                short(worker.per_second),
                worker.host_is.map_or_else(String::new, |ratio| ratio.inverse().percent()),
                worker.cpu_is.map_or_else(String::new, |ratio| ratio.percent()),
                more(|standing| standing.p50_us),
                more(|standing| standing.p99_us),
            ]);
        }
    }
    table
}

/// The host's requests per second as parts of each server's.
fn of_servers(rows: &[&MeasuredRow]) -> Table {
    let head = [
        "row",
        "connections",
        "host, requests/s",
        "/ hyper",
        "/ axum",
        "/ spawn-blocking",
        "/ commit-loop",
        "CPU: axum or commit-loop / host",
        "others' CPU, at most",
    ];
    let mut table = Table::new(
        "Summary",
        "the host's requests per second as a part of each server's",
        &head,
    );
    for row in rows {
        for (connections, standings) in &row.at {
            let of = |kind: Kind| standings.iter().find(|standing| standing.kind == kind);
            let against = |kind: Kind| {
                let ratio = of(kind).and_then(|standing| standing.host_is);
                ratio.map_or_else(String::new, |ratio| format!("{:.0} %", ratio.median * 100.0))
            };
            let others = standings
                .iter()
                .map(|standing| standing.others)
                .fold(0.0, f64::max);
            let cpu = of(Kind::Axum)
                .or(of(Kind::CommitLoop))
                .and_then(|standing| standing.cpu_is);
            table.line([
                row.row.title.to_owned(),
                connections.to_string(),
                of(Kind::Host).map_or_else(String::new, |host| short(host.per_second)),
                against(Kind::Hyper),
                against(Kind::Axum),
                against(Kind::SpawnBlocking),
                against(Kind::CommitLoop),
                cpu.map_or_else(String::new, |ratio| format!("{:.0} %", ratio.median * 100.0)),
                format!("{:.0} %", others * 100.0),
            ]);
        }
    }
    table
}
