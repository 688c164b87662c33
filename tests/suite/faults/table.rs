//! The table of the docs, written from what was seen.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::matrix::{Entry, FAULTS, Mode, Seen};

/// What stands before the tables.
const HEAD: &str = "\
# What a faulty driver costs

One driver misbehaves on command in every place in which the host enters a driver, in a process of its own and in the host's. The suite
writes these tables from what it sees, with clients of another driver at work all the while, and fails when they are not true any more: this file
is not written by hand. `RENEW_FAULTS=1 tests/run faults` writes it anew.

- *Client* is what the caller of the method is told: the status, and the sentence of the error or the reply.
- *Record* is that of the same call if it is async; a check that fails has begun nothing, so it has no record, unless its deadline passes.
- *Lock* is how long the node was held. *Freed at once* is before the client is told. *Until deadline + grace* is `call_timeout_ms` and then
  `isolation.kill_grace_ms`.
- *Others* is what clients of another driver in the same host lost.

The wild driver is built with the SDK, whose guards catch what unwinds. `wild` stands for its name, `DIR` for a folder. Limits: `memory_max_bytes` and `open_files_max` in
processes, `ulimit` around the host.
";

type All = BTreeMap<(Mode, Entry, usize), Seen>;

/// The whole file.
pub(super) fn table(all: &All) -> String {
    let mut text = HEAD.to_owned();
    section(
        &mut text,
        all,
        Mode::Process,
        "In a process of its own",
        "A driver that misbehaves in its constructor or in `create` has been loaded when the host started, and does so when its process is started again.",
    );
    section(
        &mut text,
        all,
        Mode::ProcessAtStart,
        "In a process of its own, when the host starts",
        "A driver that cannot be created stops the start of the host; every such driver has its line.",
    );
    section(
        &mut text,
        all,
        Mode::InProcess,
        "In the host's own process",
        "Nothing but panics can be held here. What ends, stops or damages the process does so to the host and to every driver in it.",
    );
    text
}

fn section(text: &mut String, all: &All, mode: Mode, title: &str, note: &str) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\n## {title}\n\n{note}\n");
    for entry in Entry::ALL {
        let rows: Vec<(&str, &Seen)> = FAULTS
            .iter()
            .filter_map(|fault| Some((fault.title, all.get(&(mode, entry, fault.number()))?)))
            .collect();
        if rows.is_empty() {
            continue;
        }
        let of_calls = rows.iter().any(|(_, seen)| seen.lock != "none");
        let _ = write!(text, "\n### In {}\n\n", entry.title());
        if of_calls {
            text.push_str("| The driver | Client | Record | Lock | Others |\n|---|---|---|---|---|\n");
        } else {
            text.push_str("| The driver | Host | Others |\n|---|---|---|\n");
        }
        for (fault, seen) in rows {
            let cells = if of_calls {
                vec![fault, &seen.client, &seen.record, &seen.lock, &seen.others]
            } else {
                vec![fault, &seen.client, &seen.others]
            };
            let cells: Vec<String> = cells.into_iter().map(|cell| cell.replace('|', "\\|")).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
}
