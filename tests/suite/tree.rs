//! The rules of the source tree.

use std::collections::BTreeSet;
use std::path::Path;

use suite::{SUPPORTED, SourceFile, repository_files, repository_root};

fn rust_files(under: &str) -> Vec<SourceFile> {
    let all = repository_files();
    all.into_iter()
        .filter(|file| file.path.starts_with(under) && file.path.ends_with(".rs"))
        .collect()
}

/// The code of a file: without comments and without its inline tests.
fn code(file: &SourceFile) -> String {
    let tests = file.text.find("#[cfg(test)]\nmod ").unwrap_or(file.text.len());
    let lines = file.text[..tests].lines();
    lines
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Where `needle` stands in code under `under`, by file.
fn files_with(under: &str, needle: &str) -> BTreeSet<String> {
    rust_files(under)
        .iter()
        .filter(|file| code(file).contains(needle))
        .map(|file| file.path.clone())
        .collect()
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

#[test]
fn the_top_level_is_the_eight_rooms() {
    let mut entries = BTreeSet::new();
    for entry in std::fs::read_dir(repository_root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // what a build and a run leave behind is not of the tree, and dot files are not visible
        if !name.starts_with('.') && name != "target" && !name.starts_with("host.db") {
            entries.insert(name);
        }
    }
    let expected = [
        "Cargo.toml",
        "plugins.toml",
        "README.md",
        "driver-abi",
        "host",
        "drivers",
        "examples",
        "tests",
        "Cargo.lock",
        "LICENSE",
    ];
    assert_eq!(entries, expected.map(str::to_owned).into());
}

#[test]
fn unsafe_code_stands_in_the_boundary_and_in_one_file_of_the_host() {
    let unsafe_in = |under: &str| -> BTreeSet<String> {
        let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];
        words.iter().flat_map(|word| files_with(under, word)).collect()
    };
    assert_eq!(
        unsafe_in("host/"),
        ["host/src/plugin/library.rs".to_owned()].into()
    );
    for under in ["drivers/", "examples/"] {
        assert_eq!(unsafe_in(under), BTreeSet::new(), "{under}");
    }
    for under in ["drivers/", "examples/"] {
        for file in rust_files(under)
            .iter()
            .filter(|file| file.path.ends_with("/src/lib.rs"))
        {
            assert!(file.text.contains("#![forbid(unsafe_code)]"), "{}", file.path);
        }
    }
}

#[test]
fn error_statuses_are_named_in_one_file() {
    let mut with = files_with("host/src/", "StatusCode::");
    with.retain(|path| {
        let file = rust_files(path).remove(0);
        let text = code(&file);
        let named = text.split("StatusCode::").skip(1).map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                .collect::<String>()
        });
        let fine = ["OK", "CREATED", "ACCEPTED", "NO_CONTENT", ""];
        named.into_iter().any(|name| !fine.contains(&name.as_str())) && !is_test_file(path)
    });
    // the file, and the folder that it is split into
    with.retain(|path| path != "host/src/http/error.rs" && !path.starts_with("host/src/http/error/"));
    assert!(with.is_empty(), "{with:?}");
}

#[test]
fn the_ffi_library_is_named_where_a_driver_is_opened_and_called_only() {
    let mut with = files_with("host/src/", "abi_stable");
    with.retain(|path| !is_test_file(path));
    let allowed = [
        "host/src/plugin/library.rs",
        "host/src/plugin/loaded/in_process.rs",
    ];
    let beyond: Vec<&String> = with
        .iter()
        .filter(|path| {
            !allowed
                .iter()
                .any(|file| path == file || path.starts_with(&format!("{}/", file.trim_end_matches(".rs"))))
        })
        .collect();
    assert!(beyond.is_empty(), "{beyond:?}");
}

#[test]
fn the_stages_know_only_what_comes_before_them() {
    for needle in ["hyper", "axum", "StatusCode", "crate::http"] {
        for under in ["host/src/call", "host/src/node", "host/src/plugin"] {
            let with: Vec<String> = files_with(under, needle)
                .into_iter()
                .filter(|path| !is_test_file(path))
                .collect();
            assert!(
                with.is_empty(),
                "{under} knows no HTTP, {needle} stands in {with:?}"
            );
        }
    }
    let with = files_with("host/src/http", "driver_abi");
    assert!(with.is_empty(), "http knows no boundary: {with:?}");
}

#[test]
fn every_file_says_what_it_is_and_none_is_named_after_nothing() {
    for under in [
        "host/src/",
        "tests/src/",
        "tests/suite/",
        "tests/bench/",
        "tests/chaos/",
        "driver-abi/",
        "drivers/",
        "examples/",
    ] {
        for file in rust_files(under) {
            let first = file.text.lines().next().unwrap_or_default();
            let own_test = is_test_file(&file.path) || file.path.contains("/fail/");
            let says = first.starts_with("//!") || first.starts_with("#![doc") || own_test;
            // a file whose one item is all of it says so there
            assert!(
                says || file.path.starts_with("driver-abi/"),
                "{}: {first}",
                file.path
            );
            let name = Path::new(&file.path)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let empty = [
                "mod", "utils", "util", "helpers", "helper", "manager", "common", "misc",
            ];
            assert!(!empty.contains(&name.as_str()), "{}", file.path);
        }
    }
}

#[test]
fn the_supported_drivers_are_those_that_the_suite_exercises() {
    let readme =
        std::fs::read_to_string(repository_root().join("drivers/README.md")).expect("drivers/README.md");
    let (_, table) = readme
        .split_once("Supported drivers")
        .expect("a table \"Supported drivers\"");
    let listed: BTreeSet<String> = table
        .lines()
        .skip_while(|line| !line.starts_with("|--") && !line.starts_with("| --"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap_or_default().trim().to_owned())
        .map(|cell| {
            cell.split(']')
                .next()
                .unwrap_or_default()
                .trim_matches(['[', '`', '*'])
                .to_owned()
        })
        .collect();
    let exercised: BTreeSet<String> = SUPPORTED.iter().map(|driver| driver.name.to_owned()).collect();
    assert_eq!(listed, exercised);
    let folders = std::fs::read_dir(repository_root().join("drivers"))
        .unwrap()
        .map(Result::unwrap);
    let folders = folders.filter(|entry| entry.path().join("Cargo.toml").exists());
    let folders: BTreeSet<String> = folders
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, exercised, "a driver's folder has its driver's name");
}

#[test]
fn scripts_can_be_run_and_say_what_they_are() {
    use std::os::unix::fs::PermissionsExt;
    for script in [".ci/run", "tests/run", "tests/bench/run", "tests/chaos/run"] {
        let path = repository_root().join(script);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_ne!(mode & 0o111, 0, "{script} is executable");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("#!/usr/bin/env bash\n# "), "{script}");
        assert!(text.contains("set -euo pipefail"), "{script}");
    }
}
