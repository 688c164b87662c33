//! Every parser of foreign bytes, fuzzed for a moment: from the inputs that are kept, so many variations of them, the same ones every time as
//! long as the code is the same. Longer runs are described in `tests/fuzz/README.md`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use suite::{Built, repository_root, run_to_end};

/// How many inputs each parser gets.
const INPUTS: u32 = 5_000;
/// The last lines of a run that failed.
const SHOWN: usize = 30;

/// One test for each target.
macro_rules! targets {
    ($($target:ident)*) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),*];

        mod no_bytes_break_a_rule_of {
            $(
                #[test]
                fn $target() {
                    super::fuzz(stringify!($target));
                }
            )*
        }
    };
}

targets! {
    library manifest schema
    orders reports driver_text standard_reply
    request_head chunked_body request_stream version call_path query json patch secrets
    config
}

fn fuzz(target: &str) {
    let folder = repository_root().join("tests/fuzz");
    let found = folder.join("found").join(target);
    let new = tempfile::tempdir().unwrap();
    let mut command = Command::new(Built::fuzz().binary("fuzz"));
    command
        .env("FUZZ_TARGET", target)
        .env_remove("RUST_BACKTRACE")
        .args([format!("-runs={INPUTS}"), "-seed=1".to_owned()])
        // Far above what an input takes: seconds and megabytes.
        .args(["-timeout=60", "-rss_limit_mb=2048"])
        .arg(format!("-artifact_prefix={}/", new.path().display()))
        .arg(new.path())
        .arg(folder.join("seeds").join(target))
        .args(found.is_dir().then_some(found));
    let output = run_to_end(command, Duration::from_secs(600));
    let lines: Vec<&str> = output.stderr.lines().collect();
    let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
    if let Some(input) = breaking_input(new.path()) {
        let mut hex = String::new();
        for byte in &input {
            write!(hex, "{byte:02x}").unwrap();
        }
        panic!(
            "{last}\n\nThe target {target} breaks a rule with {} bytes, {:?}, in hex:\n{hex}\nKeep them, and try them again:\n\
             mkdir -p tests/fuzz/found/{target} && echo {hex} | xxd -r -p > tests/fuzz/found/{target}/NAME\n\
             cargo test -p host --lib fuzzing",
            input.len(),
            String::from_utf8_lossy(&input),
        );
    }
    assert_eq!(output.code, 0, "{last}");
    assert!(
        output.stderr.contains("inline 8-bit counters"),
        "the code is counted: {}",
        output.stderr
    );
    assert!(last.contains(&format!("Done {INPUTS} runs")), "{last}");
}

/// What the fuzzer has written down before it ended, as `crash-…`, `timeout-…` or `oom-…`; the others are variations that reached new code.
fn breaking_input(folder: &Path) -> Option<Vec<u8>> {
    let mut entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let input = entries.find(|path| path.file_name().unwrap().to_str().unwrap().contains('-'))?;
    Some(std::fs::read(input).unwrap())
}

#[test]
fn every_program_of_the_fuzzer_is_run() {
    let programs = repository_root().join("tests/fuzz/targets").read_dir().unwrap();
    let programs = programs.map(|entry| entry.unwrap().path());
    let mut programs: BTreeSet<String> = programs
        .map(|program| program.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(programs.remove("any"), "the program that has all of them");
    assert_eq!(
        programs,
        TARGETS.iter().map(|target| (*target).to_owned()).collect()
    );
    let manifest = std::fs::read_to_string(repository_root().join("tests/fuzz/Cargo.toml")).unwrap();
    for target in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{target}\"\npath = \"targets/{target}.rs\"")),
            "{target}"
        );
    }
}
