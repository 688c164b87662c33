//! The command line of the benchmark.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;

/// Measures the host beside bare servers, in alternating rounds on this machine
#[derive(Debug, Parser)]
#[command(after_help = "\
Examples:
  tests/bench/run                              everything; writes the report
  tests/bench/run --list                       what there is
  tests/bench/run --quick driver-2b            one row, in seconds
  tests/bench/run --quick                      every row, at 64 connections
  tests/bench/run --renew worker               calls through worker processes; renews their part of the report
  tests/bench/run --connections 64 --rounds 9 node-4k driver-4k
  tests/bench/run --connections 64 --only host,axum --seconds 10 driver-2b")]
pub(crate) struct Arguments {
    /// What to measure: names, or parts of names, as `--list` shows them; without any, everything
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Print what there is, and end
    #[arg(long)]
    pub(crate) list: bool,
    /// Three rounds of one second at 64 connections, and less of everything else; no report
    #[arg(long)]
    pub(crate) quick: bool,
    /// Rounds per row; each server has its turn in each
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Seconds of a turn
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Connections, separated by commas
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    connections: Vec<usize>,
    /// Only these servers, separated by commas: host, hyper, axum, spawn-blocking, commit-loop, worker
    #[arg(long, value_name = "SERVER,SERVER", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Where REPORT.md and plots/ are written, also after a run of a part
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Replace what the report says of what is measured, and leave the rest of it
    #[arg(long)]
    pub(crate) renew: bool,
    /// The number of nodes that the host of the rows has
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) nodes: usize,
    /// The folder with the built programs
    #[arg(long, value_name = "DIR", hide = true, default_value = "target/release")]
    pub(crate) programs: PathBuf,
    /// The folder with the built drivers
    #[arg(
        long,
        value_name = "DIR",
        hide = true,
        default_value = "target/fixtures/release"
    )]
    pub(crate) drivers: PathBuf,
    /// Load every driver of a folder and say what it took: what the benchmark starts itself for
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) load: Option<PathBuf>,
    /// Write back what comes from standard input, which is a socket: what the benchmark starts itself for
    #[arg(long, hide = true)]
    pub(crate) echo: bool,
}

impl Arguments {
    /// Whether the thing of this name is to be measured.
    pub(crate) fn selects(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    /// Refuses words that choose nothing among `things` and `servers`.
    pub(crate) fn check(&self, things: &[&str], servers: &[&str]) -> Result<()> {
        for part in &self.names {
            let known = things.iter().any(|thing| thing.contains(part.as_str()));
            ensure!(
                known,
                "nothing is called '{part}'; there are {}",
                things.join(", ")
            );
        }
        for server in &self.only {
            let known = servers.contains(&server.as_str());
            ensure!(
                known,
                "no server is called '{server}'; there are {}",
                servers.join(", ")
            );
        }
        Ok(())
    }

    pub(crate) fn selects_everything(&self) -> bool {
        self.names.is_empty() && self.only.is_empty()
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    pub(crate) fn turn(&self) -> Duration {
        let seconds = self.seconds.unwrap_or(if self.quick { 1.0 } else { 2.0 });
        Duration::from_secs_f64(seconds.clamp(0.1, 3600.0))
    }

    pub(crate) fn connections(&self) -> Vec<usize> {
        match &*self.connections {
            [] if self.quick => vec![64],
            [] => vec![1, 8, 64, 256],
            given => given.to_vec(),
        }
    }
}
