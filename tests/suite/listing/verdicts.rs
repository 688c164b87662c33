//! One verdict for every entry of the folder, and no code of a driver run.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;
use suite::{Built, WRITES_AT_LOAD};

use super::{Folder, PLAIN, edited};

#[test]
fn listing_and_inspecting_run_no_code_of_a_driver() {
    let folder = Folder::new();
    let file = folder.put("x.so", WRITES_AT_LOAD);
    let trace = folder.path().join("trace");
    for arguments in [
        &["list-available", "--all"][..],
        &["list-available", "--json"],
        &["inspect", "writes-at-load"],
    ] {
        let output = Command::new(Built::host())
            .args(arguments)
            .arg("--plugin-dir")
            .arg(folder.path())
            .env("WRITES_AT_LOAD", &trace)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("writes-at-load"),
            "{output:?}"
        );
        assert!(!trace.exists(), "{arguments:?} opened the library");
    }
    // The trap works: whoever does open the library leaves the trace.
    let status = Command::new("true")
        .env("LD_PRELOAD", &file)
        .env("WRITES_AT_LOAD", &trace)
        .status()
        .unwrap();
    assert!(status.success() && trace.exists());
}

#[test]
fn every_entry_of_the_folder_gets_one_verdict_of_its_own() {
    let folder = Folder::new();
    let plain = std::fs::read(PLAIN.path()).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut copy = plain.clone();
        copy[at..at + bytes.len()].copy_from_slice(bytes);
        copy
    };
    folder.put("plain.so", PLAIN);
    folder.write("empty.so", b"");
    folder.write("text.so", b"#!/bin/sh\necho a driver\n");
    folder.write("cut-early.so", &plain[..40]);
    folder.write("cut-late.so", &plain[..plain.len() / 2]);
    // The ELF header: the class is byte 4, the byte order byte 5, the type bytes 16 and 17, the machine bytes 18 and 19.
    folder.write("class.so", &with(4, &[1]));
    folder.write("order.so", &with(5, &[2]));
    folder.write("object.so", &with(16, &1_u16.to_ne_bytes()));
    folder.write("static.so", &with(16, &2_u16.to_ne_bytes()));
    folder.write("machine.so", &with(18, &243_u16.to_ne_bytes()));
    std::fs::copy(Built::host(), folder.path().join("program.so")).unwrap();
    for fault in ["no-note", "broken-note", "two-notes", "huge-note"] {
        let library = Built::fixtures().library(&format!("{fault}-driver"));
        std::fs::copy(library, folder.path().join(format!("{fault}.so"))).unwrap();
    }
    folder.write(
        "newer-format.so",
        &edited(PLAIN, r#""manifest":1"#, r#""manifest":2"#),
    );
    folder.write(
        "newer-abi.so",
        &edited(PLAIN, r#""abi":"1.0.0""#, r#""abi":"2.0.0""#),
    );
    folder.write(
        "older-abi.so",
        &edited(PLAIN, r#""abi":"1.0.0""#, r#""abi":"0.9.0""#),
    );
    folder.write(
        "newer-word.so",
        &edited(PLAIN, r#""on":"driver""#, r#""on":"socket""#),
    );
    std::fs::create_dir(folder.path().join("folder.so")).unwrap();
    symlink("nowhere", folder.path().join("dangling.so")).unwrap();
    symlink("loop.so", folder.path().join("loop.so")).unwrap();
    symlink("/dev/null", folder.path().join("device.so")).unwrap();
    let _socket = UnixListener::bind(folder.path().join("socket.so")).unwrap();
    let made = Command::new("mkfifo")
        .arg(folder.path().join("fifo.so"))
        .status()
        .unwrap();
    assert!(made.success());

    let expected = [
        ("broken-note.so", "broken-manifest", "expected JSON, found EOF"),
        (
            "class.so",
            "wrong-class",
            "expected a 64-bit library, found a 32-bit one",
        ),
        (
            "cut-early.so",
            "truncated",
            "expected at least 64 bytes, found 40",
        ),
        ("cut-late.so", "truncated", "the file is cut short"),
        ("dangling.so", "dangling-link", "a link to 'nowhere'"),
        ("device.so", "not-a-file", "expected a file, found a device"),
        ("empty.so", "empty", "found an empty file"),
        ("fifo.so", "not-a-file", "expected a file, found a FIFO"),
        ("folder.so", "not-a-file", "expected a file, found a folder"),
        (
            "huge-note.so",
            "manifest-too-large",
            "at most 262144 bytes, found 307200",
        ),
        ("loop.so", "dangling-link", "a link to 'loop.so'"),
        ("machine.so", "wrong-machine", "found one for riscv64"),
        (
            "newer-abi.so",
            "needs-newer-host",
            "abi is 2.0.0, this host knows driver-abi 1",
        ),
        (
            "newer-format.so",
            "needs-newer-host",
            "manifest is 2, this host knows up to 1",
        ),
        ("newer-word.so", "needs-newer-host", "methods[0].on is \"socket\""),
        ("no-note.so", "no-manifest", "without a driver's manifest"),
        ("object.so", "not-a-library", "found an object file"),
        (
            "older-abi.so",
            "needs-older-host",
            "built against driver-abi 0.9.0, this host has 1.",
        ),
        ("order.so", "wrong-machine", "the other byte order"),
        ("plain.so", "available", "not named in enabled_drivers"),
        ("program.so", "not-a-library", "found a program"),
        ("socket.so", "not-a-file", "expected a file, found a socket"),
        ("static.so", "not-a-library", "found a program"),
        ("text.so", "not-elf", "found a file that is not ELF"),
        (
            "two-notes.so",
            "ambiguous-manifest",
            "expected one manifest, found 2",
        ),
    ];
    let list = folder.list(&["--json"]).json();
    let verdicts = list.as_array().unwrap();
    assert_eq!(verdicts.len(), expected.len(), "{list:#}");
    for (verdict, (file, code, reason)) in verdicts.iter().zip(expected) {
        assert_eq!(verdict["file"], folder.path().join(file).to_str().unwrap());
        assert_eq!(verdict["code"], code, "{verdict:#}");
        assert!(
            verdict["reason"].as_str().unwrap().contains(reason),
            "{verdict:#}"
        );
        let refused = code != "available";
        assert_eq!(verdict["state"], if refused { "refused" } else { "available" });
        assert_eq!(
            verdict["remedy"].is_string(),
            refused,
            "a refusal says what to do: {verdict:#}"
        );
    }
    // What could be read of a driver that needs another host is shown.
    assert_eq!(folder.verdict("newer-format.so")["name"], "plain");
    assert_eq!(folder.verdict("newer-format.so")["version"], "1.0.0");
}

#[test]
fn a_file_that_the_hosts_user_may_not_read_is_a_verdict() {
    let folder = Folder::new();
    let file = folder.put("secret.so", PLAIN);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything, so for root the host runs as nobody, from a place that nobody may enter.
    let outside = tempfile::tempdir().unwrap();
    let host = outside.path().join("host");
    std::fs::copy(Built::host(), &host).unwrap();
    for dir in [outside.path(), folder.path()] {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(&host);
    command
        .args(["list-available", "--json", "--plugin-dir"])
        .arg(folder.path())
        .current_dir(outside.path());
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    let list: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(list[0]["code"], "unreadable", "{list}");
    assert!(
        list[0]["reason"].as_str().unwrap().contains("Permission denied"),
        "{list}"
    );
}

#[test]
fn two_files_with_one_name_are_both_refused_and_name_each_other() {
    let folder = Folder::new();
    folder.put("a.so", PLAIN);
    folder.put("b.so", PLAIN);
    for (file, other) in [("a.so", "b.so"), ("b.so", "a.so")] {
        let verdict = folder.verdict(file);
        assert_eq!(
            (&verdict["state"], &verdict["code"]),
            (&"refused".into(), &"duplicate-name".into())
        );
        assert!(
            verdict["reason"]
                .as_str()
                .unwrap()
                .contains(&format!("/{other}'")),
            "{verdict}"
        );
    }
}
