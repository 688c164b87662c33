//! What `host list-available` and `host inspect` say about a folder of foreign files, without running any of them.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use suite::{Built, CommandOutput, FAKE, Library, host_command};

mod damaged;

const PLAIN: Library = Library::of_fixtures("plain", "plain-driver");
const WRITES_AT_LOAD: Library = Library::of_fixtures("writes-at-load", "writes-at-load-driver");

/// A `plugin_dir` of a test's own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, library: Library) -> PathBuf {
        let file = self.path().join(name);
        std::fs::copy(library.path(), &file).unwrap();
        file
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    fn list(&self, arguments: &[&str]) -> CommandOutput {
        let dir = self.path().to_str().unwrap();
        host_command(&[&["list-available", "--plugin-dir", dir], arguments].concat()).succeeded()
    }

    fn inspect(&self, arguments: &[&str]) -> CommandOutput {
        let dir = self.path().to_str().unwrap();
        host_command(&[&["inspect", "--plugin-dir", dir], arguments].concat())
    }

    /// The verdict of one file.
    fn verdict(&self, name: &str) -> Value {
        let list = self.list(&["--all", "--json"]).json();
        let is_it = |verdict: &&Value| verdict["file"].as_str().unwrap().ends_with(&format!("/{name}"));
        list.as_array()
            .unwrap()
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("no {name} in {list}"))
            .clone()
    }
}

/// The library's bytes with one text of the manifest replaced by another of the same length.
fn edited(library: Library, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(library.path()).unwrap();
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .expect("the text to replace");
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

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

#[test]
fn fake_drivers_are_listed_only_on_request() {
    let folder = Folder::new();
    folder.put("plain.so", PLAIN);
    folder.put("tryout.so", FAKE);
    let names = |arguments: &[&str]| -> Vec<String> {
        let list = folder.list(arguments).json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|verdict| verdict["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&["--json"]), ["plain"]);
    assert_eq!(names(&["--json", "--all"]), ["plain", "fake"]);
    let text = folder.list(&[]).stdout;
    assert!(
        !text.contains("tryout.so") && text.contains("1 fake driver is not shown; --all shows it"),
        "{text}"
    );
    assert!(folder.list(&["--all"]).stdout.contains("tryout.so"));
}

#[test]
fn with_a_configuration_the_list_shows_what_would_be_loaded_and_what_is_missing() {
    let folder = Folder::new();
    folder.put("plain.so", PLAIN);
    folder.put("trace.so", WRITES_AT_LOAD);
    folder.write(
        "plugins.toml",
        b"plugin_dir = \".\"\nenabled_drivers = [\"plain\", \"plane\"]\n",
    );
    let config = folder.path().join("plugins.toml");
    let list = |arguments: &[&str]| {
        let fixed = ["list-available", "--config", config.to_str().unwrap()];
        host_command(&[&fixed, arguments].concat()).succeeded()
    };
    let states = list(&["--json"]).json();
    let facts = |i: usize| {
        (
            states[i]["state"].as_str().unwrap(),
            states[i]["enabled"].as_bool().unwrap(),
        )
    };
    assert_eq!(
        (facts(0), facts(1)),
        (("enabled", true), ("available", false)),
        "{states:#}"
    );
    let words = list(&[]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("driver 'plane' is enabled but missing") && words.contains("did you mean plain?"),
        "{words}"
    );
}

#[test]
fn the_table_reads_well_at_eighty_columns() {
    let folder = Folder::new();
    folder.put("libplain_driver.so", PLAIN);
    folder.write("a-file-with-quite-a-long-name-that-says-much.so", b"text");
    folder.write("old.so", &edited(PLAIN, r#""abi":"1.0.0""#, r#""abi":"0.9.0""#));
    folder.write("escape\u{1b}[2J\n.so", b"text");
    let text = folder.list(&[]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
    let header: Vec<_> = lines[0].split_whitespace().collect();
    assert_eq!(header, ["NAME", "VERSION", "STATE", "FILE", "REASON"], "{text}");
    assert!(
        !text.contains('\u{1b}'),
        "a file's name reached the terminal as it is: {text:?}"
    );
    let plain = lines
        .iter()
        .find(|line| line.contains("libplain_driver.so"))
        .unwrap();
    assert_eq!(
        plain.split_whitespace().collect::<Vec<_>>(),
        ["plain", "1.0.0", "available", "libplain_driver.so"]
    );
    // However the lines are broken, every word of every reason is there.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("needs-older-host: needs an older host: it was built against driver-abi 0.9.0"),
        "{text}"
    );
    assert!(
        words.contains("a-file-with-quite-a-long-name-that-says-much.so not-elf: expected a shared library"),
        "{text}"
    );
}

#[test]
fn the_json_form_keeps_its_keys() {
    let folder = Folder::new();
    folder.put("plain.so", PLAIN);
    folder.write("text.so", b"text");
    let list = folder.list(&["--json"]).json();
    let keys = |verdict: &Value| verdict.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let expected = [
        "name", "version", "file", "state", "code", "reason", "remedy", "enabled",
    ];
    assert_eq!(keys(&list[0]), expected);
    assert_eq!(keys(&list[1]), expected);
    assert_eq!(
        (&list[0]["name"], &list[0]["version"]),
        (&"plain".into(), &"1.0.0".into())
    );
    assert_eq!(
        (&list[0]["enabled"], &list[1]["name"]),
        (&false.into(), &Value::Null)
    );
}

#[test]
fn an_empty_folder_is_an_empty_list_and_a_missing_one_is_one_clear_line() {
    let folder = Folder::new();
    assert_eq!(folder.list(&["--json"]).json(), serde_json::json!([]));
    assert!(folder.list(&[]).stdout.starts_with("no driver files in '"));
    let missing = host_command(&["list-available", "--plugin-dir", "/nowhere/drivers"]);
    assert_ne!(missing.code, 0);
    assert!(
        missing
            .stderr
            .contains("plugin_dir '/nowhere/drivers' cannot be listed: No such file"),
        "{missing:?}"
    );
    assert_eq!(
        (missing.stderr.lines().count(), missing.stdout.as_str()),
        (1, ""),
        "{missing:?}"
    );
}

#[test]
fn inspect_shows_the_whole_manifest_of_a_name_or_a_file() {
    let folder = Folder::new();
    let file = folder.put("x.so", PLAIN);
    let by_name = folder.inspect(&["plain"]).succeeded().stdout;
    for part in [
        "plain 1.0.0",
        "Repeats what it is told.",
        "plain_address",
        "required",
        "repeat",
        "POST",
        "METHOD OF THE DRIVER",
    ] {
        assert!(by_name.contains(part), "{part:?} is missing in {by_name}");
    }
    assert!(
        by_name
            .lines()
            .all(|line| line.chars().count() <= 80 || line.contains("/x.so")),
        "{by_name}"
    );
    for given in [file.to_str().unwrap(), "x.so"] {
        assert_eq!(folder.inspect(&[given]).succeeded().stdout, by_name);
    }
    let manifest = folder.inspect(&["plain", "--json"]).succeeded().json();
    assert_eq!(manifest["methods"][0]["description"], "Replies with the body.");
    assert_eq!(manifest["target"], "any");
}

#[test]
fn inspect_says_why_there_is_nothing_to_show() {
    let folder = Folder::new();
    folder.put("x.so", PLAIN);
    folder.write("text.so", b"text");
    for (asked, expected) in [
        ("plane", "did you mean plain?"),
        (
            "text.so",
            "is refused (not-elf): expected a shared library, found a file that is not ELF",
        ),
        ("missing.so", "No such file or directory"),
    ] {
        let output = folder.inspect(&[asked]);
        assert_ne!(output.code, 0);
        assert!(output.stderr.contains(expected), "{output:?}");
        assert!(
            output.stderr.lines().count() == 1 && output.stderr.contains(asked),
            "{output:?}"
        );
    }
    folder.put("y.so", PLAIN);
    let output = folder.inspect(&["plain"]);
    assert!(
        output.stderr.contains("/x.so' and '") && output.stderr.contains("/y.so'"),
        "{output:?}"
    );
}
