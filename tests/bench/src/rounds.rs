//! The contest: every server has its turn in every round, so that what happens to the machine meanwhile happens to all.

use std::collections::HashMap;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::disturbance::{Clocks, TOLERATED};
use crate::figures::{Spread, median};
use crate::get::{ask, get};
use crate::hosts::{HostSetup, Server, start_bare};
use crate::load::{Load, as_f64};
use crate::nodes;
use crate::place::Place;
use crate::process::Process;
use crate::rows::{ASYNC_PATH, Kind, Row, SLOW_BODY, SLOW_CALLS, SLOW_PATH, Target};

/// How many nodes are called.
const CALLED: usize = 1_000;

/// All servers, up and idle.
pub(crate) struct Contest<'a> {
    place: &'a Place,
    servers: HashMap<Kind, Server>,
    nodes: Vec<String>,
    /// Whether the host answers an async call with the place of its record.
    has_records: bool,
}

/// One server's turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
    errors: u64,
    /// Which part of the machine others used meanwhile.
    others: f64,
}

/// What a server did at one number of connections.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) kind: Kind,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// The server's own CPU time per request.
    pub(crate) cpu_us: f64,
    pub(crate) errors: u64,
    /// Which part of the machine others used during its turns.
    pub(crate) others: f64,
    /// The host's requests per second as a part of this server's, round by round. Nothing for the host itself.
    pub(crate) host_is: Option<Spread>,
    /// This server's CPU time per request as a part of the host's.
    pub(crate) cpu_is: Option<Spread>,
}

/// A row with its figures, by connections.
pub(crate) struct MeasuredRow {
    pub(crate) row: Row,
    pub(crate) note: &'static str,
    pub(crate) at: Vec<(usize, Vec<Standing>)>,
}

impl Contest<'_> {
    /// Starts every server that the rows need.
    pub(crate) fn prepare<'a>(place: &'a Place, rows: &[Row], nodes: usize) -> Result<Contest<'a>> {
        let setup = |name| -> Result<HostSetup> {
            let setup = HostSetup::new(place, name)?
                .driver("bench", &place.driver("bench")?)?
                .driver("plain", &place.driver("plain")?)?;
            nodes::database(place, nodes, &setup.database())?;
            Ok(setup)
        };
        let host = setup("contest")?.start(place)?;
        let page = get(&host.address, &format!("/v1/nodes?limit={CALLED}"))?;
        let page: Value = serde_json::from_slice(&page)?;
        let uuids = page["nodes"].as_array().context("a list of nodes")?;
        let called = uuids
            .iter()
            .filter_map(|node| Some(node["uuid"].as_str()?.to_owned()));
        let mut contest = Contest {
            place,
            nodes: called.collect(),
            servers: HashMap::from([(Kind::Host, host)]),
            has_records: false,
        };
        let (head, _) = ask(&contest.servers[&Kind::Host].address, "POST", ASYNC_PATH)?;
        contest.has_records = head.to_ascii_lowercase().contains("\r\nlocation:");
        let gets = contest.gets(rows)?;
        for kind in rows.iter().flat_map(|row| row.servers) {
            if contest.servers.contains_key(kind) {
                continue;
            }
            let commits = place.file("commits.db").display().to_string();
            let server = match kind {
                Kind::Host => continue,
                Kind::Worker => setup("contest-worker")?.isolated().start(place)?,
                Kind::CommitLoop => start_bare(place, kind.program(), &["--database".to_owned(), commits])?,
                _ => start_bare(place, kind.program(), &gets)?,
            };
            contest.servers.insert(*kind, server);
        }
        Ok(contest)
    }

    /// The processes, for whoever wants to watch one of them.
    pub(crate) fn servers(&self) -> String {
        let line = |(kind, server): (&Kind, &Server)| {
            format!(
                "{} is process {} at {}",
                kind.name(),
                server.process.0.id(),
                server.address
            )
        };
        let mut lines: Vec<String> = self.servers.iter().map(line).collect();
        lines.sort();
        lines.join("\n")
    }

    /// What the host answers to the rows that read, for the bare servers to answer the same.
    fn gets(&self, rows: &[Row]) -> Result<Vec<String>> {
        let mut arguments = Vec::new();
        for row in rows.iter().filter(|row| row.verb == "GET") {
            let target = self.paths(row).remove(0);
            let file = self.place.file(&format!("{}.json", row.name));
            std::fs::write(&file, get(&self.servers[&Kind::Host].address, &target)?)?;
            let path = target.split('?').next().unwrap_or_default().to_owned();
            arguments.extend(["--get".to_owned(), path, file.display().to_string()]);
        }
        Ok(arguments)
    }

    fn paths(&self, row: &Row) -> Vec<String> {
        match row.target {
            Target::Path(path) => vec![path.to_owned()],
            Target::EachNode(path) => self.nodes.iter().map(|node| path.replace("{}", node)).collect(),
            Target::OneNode(path) => vec![path.replace("{}", &self.nodes[self.nodes.len() / 2])],
        }
    }

    /// Measures one row at every number of connections.
    pub(crate) fn measure(&self, row: Row, arguments: &Arguments) -> Result<MeasuredRow> {
        let load = Load::new(
            self.place,
            row.name,
            row.verb,
            row.body.as_deref(),
            &self.paths(&row),
        )?;
        let slow = [SLOW_PATH.to_owned()];
        let slow = Load::new(self.place, "slow", "POST", Some(SLOW_BODY), &slow)?;
        let slow = row.beside_slow.then_some(&slow);
        let chosen =
            |kind: &Kind| arguments.only.is_empty() || arguments.only.iter().any(|name| name == kind.name());
        let kinds: Vec<Kind> = row.servers.iter().copied().filter(chosen).collect();
        let mut at = Vec::new();
        for (number, connections) in arguments.connections().into_iter().enumerate() {
            if number == 0 && arguments.rounds() > 1 {
                for kind in &kinds {
                    self.turn(*kind, &load, slow, connections, Duration::from_secs(1))?;
                }
            }
            let rounds = quiet_rounds(arguments.rounds(), || {
                let turn = |kind: &Kind| self.turn(*kind, &load, slow, connections, arguments.turn());
                kinds.iter().map(turn).collect()
            })?;
            at.push((connections, standings(&kinds, &rounds)));
        }
        let note = match (row.servers.contains(&Kind::CommitLoop), self.has_records) {
            (true, true) => {
                "The host makes a record of each call durable before its 202, as the bare loop does."
            }
            (true, false) => "This host keeps no records of its calls: the two do not do the same.",
            (false, _) => "",
        };
        Ok(MeasuredRow { row, note, at })
    }

    fn turn(
        &self,
        kind: Kind,
        load: &Load,
        slow: Option<&Load>,
        connections: usize,
        time: Duration,
    ) -> Result<Turn> {
        let server = &self.servers[&kind];
        let slow = slow
            .map(|slow| slow.keep_up(&server.address, SLOW_CALLS))
            .transpose()?;
        if slow.is_some() {
            // Until all of them are in flight.
            sleep(Duration::from_millis(300));
        }
        let clocks = || -> Result<(u64, Clocks)> {
            let server = server.process.ticks()?;
            let slow = slow.as_ref().map(Process::ticks).transpose()?;
            Ok((server, Clocks::now(server + slow.unwrap_or(0))?))
        };
        let (cpu_before, before) = clocks()?;
        let counted = load.run(&server.address, connections, time)?;
        let (cpu_after, after) = clocks()?;
        let seconds =
            as_f64(cpu_after.saturating_sub(cpu_before)) / as_f64(rustix::param::clock_ticks_per_second());
        Ok(Turn {
            per_second: counted.per_second(),
            p50_us: as_f64(counted.p50_us),
            p99_us: as_f64(counted.p99_us),
            cpu_us: seconds * 1e6 / as_f64(counted.requests),
            errors: counted.errors(),
            others: after.others_since(&before),
        })
    }
}

/// So many rounds in which others left the machine alone. If they do not, it is tried twice as often, and the rounds
/// with the least disturbance count.
fn quiet_rounds(wanted: usize, mut round: impl FnMut() -> Result<Vec<Turn>>) -> Result<Vec<Vec<Turn>>> {
    let disturbance = |round: &Vec<Turn>| round.iter().map(|turn| turn.others).fold(0.0, f64::max);
    let mut rounds: Vec<Vec<Turn>> = Vec::new();
    while rounds
        .iter()
        .filter(|round| disturbance(round) <= TOLERATED)
        .count()
        < wanted
        && rounds.len() < wanted * 2
    {
        rounds.push(round()?);
    }
    rounds.sort_by(|a, b| disturbance(a).total_cmp(&disturbance(b)));
    rounds.truncate(wanted);
    Ok(rounds)
}

fn standings(kinds: &[Kind], rounds: &[Vec<Turn>]) -> Vec<Standing> {
    let host = kinds.iter().position(|kind| *kind == Kind::Host);
    let standing = |(column, kind): (usize, &Kind)| {
        let all = |value: fn(&Turn) -> f64| median(rounds.iter().map(|round| value(&round[column])));
        let ratio = |of: fn(&Turn, &Turn) -> f64| {
            let host = host.filter(|host| *host != column)?;
            let ratios = rounds.iter().map(|round| of(&round[host], &round[column]));
            Some(Spread::of(&ratios.collect::<Vec<f64>>()))
        };
        Standing {
            kind: *kind,
            per_second: all(|turn| turn.per_second),
            p50_us: all(|turn| turn.p50_us),
            p99_us: all(|turn| turn.p99_us),
            cpu_us: all(|turn| turn.cpu_us),
            errors: rounds.iter().map(|round| round[column].errors).sum(),
            others: all(|turn| turn.others),
            host_is: ratio(|host, server| host.per_second / server.per_second),
            cpu_is: ratio(|host, server| server.cpu_us / host.cpu_us),
        }
    };
    kinds.iter().enumerate().map(standing).collect()
}
