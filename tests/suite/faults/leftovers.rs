//! What a host leaves behind: processes, and lines of its log.

use std::collections::BTreeSet;

use serde_json::Value;
use suite::{HostProcess, Process, eventually};

use super::client::PATIENCE;
use super::matrix::plain;

/// The processes that a host has started, with what those have started.
pub(super) struct Processes(BTreeSet<Process>);

impl Processes {
    /// Those that live now.
    pub(super) fn of(host: &HostProcess) -> Self {
        let mut processes = Processes(BTreeSet::new());
        processes.add(host);
        assert!(!processes.0.is_empty(), "drivers run in processes of their own");
        processes
    }

    /// Also those that live now.
    pub(super) fn add(&mut self, host: &HostProcess) {
        let host = Process::find(host.pid()).expect("a running host");
        let all = Process::all().into_iter();
        self.0.extend(all.filter(|process| process.descends_from(host)));
    }

    /// Checks that none of them outlives the host.
    pub(super) fn are_gone(&self) {
        eventually("no process is left behind", PATIENCE, || {
            self.0.iter().all(|process| !process.runs()).then_some(())
        });
    }
}

/// What the log of a host that has ended complains of a driver.
pub(super) fn shut_down_lines(host: &HostProcess, driver: &str) -> String {
    let mut lines = Vec::new();
    for line in host.log.lines_with(&[&format!("\"driver\":\"{driver}\"")]) {
        let Ok(line) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if line["level"] == "WARN" || line["level"] == "ERROR" {
            lines.push(plain(&message(&line), host.folder()));
        }
    }
    // Whoever waits for the driver's process gives up in the same moment, and either may be first.
    if lines.iter().any(|line| line.contains("its process is killed")) {
        lines.retain(|line| !line.contains("the host stops without it"));
    }
    if lines.is_empty() {
        "nothing".to_owned()
    } else {
        lines.join("; ")
    }
}

fn message(line: &Value) -> String {
    let message = [&line["message"], &line["fields"]["message"]];
    let message = message.into_iter().find_map(Value::as_str);
    message
        .unwrap_or_else(|| panic!("a message in {line}"))
        .to_owned()
}
