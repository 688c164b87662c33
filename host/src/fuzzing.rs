//! What must hold of every parser of foreign bytes, whatever the bytes are.
//!
//! The fuzzer of `tests/fuzz` looks for bytes that break a rule; the test here tries those that are kept there. The rules stand beside the
//! parsers, each in a file `fuzzing.rs`, and panic when they are broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use crate::plugin::{excerpt, printable};

/// A parser, and what must hold of it.
pub struct Target {
    /// The name of its folders in `tests/fuzz`, and of its program there.
    pub name: &'static str,
    /// Panics when the bytes break one of its rules.
    pub rules: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 17] = [
    // A file becomes a driver.
    target("library", crate::plugin::manifest::fuzzing::library),
    target("manifest", crate::plugin::manifest::fuzzing::manifest),
    target("schema", crate::plugin::schema::fuzzing::schema),
    // What the host and a worker process say to each other.
    target("orders", crate::plugin::loaded::wire::fuzzing::orders),
    target("reports", crate::plugin::loaded::wire::fuzzing::reports),
    target("driver_text", driver_text),
    target("standard_reply", crate::call::standard::fuzzing::standard_reply),
    // A request becomes a call.
    target("request_head", crate::http::fuzzing::request_head),
    target("chunked_body", crate::http::fuzzing::chunked_body),
    target("request_stream", crate::http::fuzzing::request_stream),
    target("version", crate::http::fuzzing::version),
    target("call_path", crate::http::fuzzing::call_path),
    target("query", crate::http::fuzzing::query),
    target("json", crate::call::json::fuzzing::json),
    target("patch", crate::http::fuzzing::patch),
    target("secrets", crate::node::secret::fuzzing::secrets),
    // What an operator writes.
    target("config", crate::config::fuzzing::config),
];

const fn target(name: &'static str, rules: fn(&[u8])) -> Target {
    Target { name, rules }
}

/// Tries the rules of one target.
///
/// # Panics
/// A rule is broken, or there is no such target.
pub fn run(target: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|known| known.name == target);
    let Some(target) = found else {
        let names = TARGETS.map(|target| target.name).join(", ");
        panic!("no target {target:?}; there are {names}");
    };
    (target.rules)(bytes);
}

/// A text that a person reads and foreign bytes are quoted in: one line of at most `most` bytes that does nothing to a terminal.
pub(crate) fn is_readable(text: &str, most: usize) {
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(printable(text), words.join(" "), "as it is printed");
    assert!(!text.contains(char::is_control), "one line: {text:?}");
    assert!(text.len() <= most, "{} bytes: {text:?}", text.len());
}

/// What a driver says of a call.
fn driver_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    is_readable(&excerpt(&text), 4096 + 50);
    let line = printable(&text);
    assert_eq!(printable(&line), line, "what is printable stays as it is");
    if text.len() <= 4096 && line.len() <= 4096 {
        assert_eq!(excerpt(&text), line, "what is short is not cut");
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn folder(kind: &str, target: &str) -> PathBuf {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
        tests.join(kind).join(target)
    }

    fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
        let entries = folder(kind, target).read_dir();
        let entries = entries.into_iter().flatten().map(|entry| entry.unwrap().path());
        entries.collect()
    }

    #[test]
    fn every_input_that_is_kept_upholds_the_rules_of_its_parser() {
        let mut breaking = Vec::new();
        for target in &TARGETS {
            let seeds = inputs("seeds", target.name);
            assert!(!seeds.is_empty(), "{} has something to begin with", target.name);
            for input in seeds.into_iter().chain(inputs("found", target.name)) {
                let bytes = std::fs::read(&input).unwrap();
                if std::panic::catch_unwind(|| (target.rules)(&bytes)).is_err() {
                    breaking.push(input);
                }
            }
        }
        assert!(breaking.is_empty(), "they break rules, see above: {breaking:#?}");
    }

    #[test]
    fn every_target_is_a_program_of_the_fuzzer_and_no_folder_belongs_to_none() {
        let names = TARGETS.map(|target| target.name);
        for name in names {
            let program = folder("targets", &format!("{name}.rs"));
            let text = std::fs::read_to_string(&program).unwrap_or_default();
            assert!(text.contains(&format!("\"{name}\"")), "{}", program.display());
        }
        for kind in ["seeds", "found"] {
            for folder in inputs(kind, "") {
                let name = folder.file_name().unwrap().to_str().unwrap();
                assert!(names.contains(&name), "{}", folder.display());
            }
        }
    }
}
