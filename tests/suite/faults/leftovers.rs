//! What a host leaves behind: processes, and lines of its log.

use std::collections::BTreeSet;

use serde_json::Value;
use suite::{HostProcess, eventually};

use super::client::PATIENCE;
use super::matrix::plain;

/// The processes that a host has started, with what those have started.
pub(super) struct Processes(BTreeSet<u64>);

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
        let mut grown = vec![u64::from(host.pid())];
        let all = parents();
        while let Some(parent) = grown.pop() {
            for (child, _) in all.iter().filter(|(_, of)| *of == parent) {
                if self.0.insert(*child) {
                    grown.push(*child);
                }
            }
        }
    }

    /// Checks that none of them outlives the host.
    pub(super) fn are_gone(&self) {
        eventually("no process is left behind", PATIENCE, || {
            self.0
                .iter()
                .all(|pid| state(*pid).is_none_or(|state| state == 'Z'))
                .then_some(())
        });
    }
}

/// Every process and its parent.
fn parents() -> Vec<(u64, u64)> {
    let entries = std::fs::read_dir("/proc").expect("the list of processes");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u64| Some((pid, stat(pid)?.1))).collect()
}

/// What a process is doing: `R`, `S`, `T` for one that is stopped, `Z` for one that has ended. Nothing if it is not there.
pub(super) fn state(pid: u64) -> Option<char> {
    stat(pid).map(|(state, _)| state)
}

fn stat(pid: u64) -> Option<(char, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
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
