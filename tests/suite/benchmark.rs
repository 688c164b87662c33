//! The benchmark works: a short run measures every kind of thing and writes its report. Its figures mean nothing here.

use std::process::Command;

use suite::{Built, run_to_end};

/// One row of each kind, and all but what takes long.
const NAMES: [&str; 10] = [
    "driver-2b",
    "boundary-4k",
    "node-2b",
    "deferred",
    "async",
    "page",
    "beside",
    "ffi",
    "lock",
    "listing",
];

#[test]
fn a_short_run_answers_every_request_and_writes_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let programs = Built::host().with_file_name("");
    let mut command = Command::new(programs.join("bench"));
    command
        .args([
            "--quick",
            "--rounds",
            "1",
            "--connections",
            "2",
            "--only",
            "host,axum,commit-loop",
        ])
        .args(["--nodes", "1000"])
        .arg("--programs")
        .arg(&programs)
        .arg("--drivers")
        .arg(Built::fixtures().library("bench-driver").with_file_name(""))
        .arg("--report")
        .arg(folder.path())
        .args(NAMES);
    let output = run_to_end(command, std::time::Duration::from_secs(300)).succeeded();
    let report = std::fs::read_to_string(folder.path().join("REPORT.md")).unwrap();
    for name in NAMES {
        assert!(
            output.stdout.contains(&format!("\n{name}: ")),
            "{name}: {}",
            output.stdout
        );
        assert!(report.contains(&format!("## {name}: ")), "{name}: {report}");
    }
    let host_lines: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("| 2 host "))
        .collect();
    assert_eq!(host_lines.len(), 7, "{report}");
    for line in host_lines {
        assert!(line.ends_with("| 0 |"), "an error was answered: {line}");
    }
    let plot = std::fs::read_to_string(folder.path().join("plots/driver-2b.svg")).unwrap();
    assert!(
        plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"),
        "{plot}"
    );
}
