//! The load: wrk, closed loop, keep-alive, no pipelining.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::place::Place;
use crate::process::Process;

/// What is asked, written into files for wrk.
pub(crate) struct Load {
    script: PathBuf,
    verb: &'static str,
    body: Option<PathBuf>,
    paths: PathBuf,
}

/// What wrk counted.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Counted {
    pub(crate) requests: u64,
    us: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    /// Answers of 400 and above.
    refused: u64,
    /// Connections and answers that failed, and answers that took more than two seconds.
    broken: u64,
}

impl Counted {
    pub(crate) fn per_second(&self) -> f64 {
        let (requests, us) = (as_f64(self.requests), as_f64(self.us));
        if us > 0.0 { requests * 1e6 / us } else { 0.0 }
    }

    pub(crate) fn errors(&self) -> u64 {
        self.refused + self.broken
    }
}

/// Counts of a run are far below the 53 bits in which this is exact.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

impl Load {
    pub(crate) fn new(
        place: &Place,
        name: &str,
        verb: &'static str,
        body: Option<&[u8]>,
        paths: &[String],
    ) -> Result<Load> {
        let folder = place.folder(name)?;
        std::fs::write(folder.join("paths"), paths.join("\n"))?;
        let body = match body {
            Some(bytes) => {
                std::fs::write(folder.join("body"), bytes)?;
                Some(folder.join("body"))
            }
            None => None,
        };
        Ok(Load {
            script: concat!(env!("CARGO_MANIFEST_DIR"), "/wrk/load.lua").into(),
            verb,
            body,
            paths: folder.join("paths"),
        })
    }

    fn command(&self, address: &str, connections: usize, duration: Duration) -> Command {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut command = Command::new("wrk");
        command
            .args(["--threads", &connections.min(cores).to_string()])
            .args(["--connections", &connections.to_string()])
            .args(["--duration", &format!("{}s", duration.as_secs().max(1))])
            .arg("--script")
            .arg(&self.script)
            .arg(format!("http://{address}/"))
            .env("BENCH_VERB", self.verb)
            .env("BENCH_PATHS", &self.paths)
            .stdout(Stdio::piped());
        if let Some(body) = &self.body {
            command.env("BENCH_BODY", body);
        }
        command
    }

    /// Asks for `duration`, whole seconds.
    pub(crate) fn run(&self, address: &str, connections: usize, duration: Duration) -> Result<Counted> {
        let output = self
            .command(address, connections, duration)
            .output()
            .context("wrk; tests/bench/run installs it")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        let result = result.with_context(|| format!("wrk said: {text}"))?;
        let counted: Counted = serde_json::from_str(result)?;
        ensure!(
            counted.requests > 0,
            "no request to {address} was answered: {text}"
        );
        Ok(counted)
    }

    /// Asks all the time, until the result is dropped.
    pub(crate) fn keep_up(&self, address: &str, connections: usize) -> Result<Process> {
        let hour = Duration::from_secs(3600);
        Process::start(self.command(address, connections, hour).stdout(Stdio::null()))
    }
}
