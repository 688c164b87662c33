//! What keeps a host from starting.

use std::net::TcpListener;

use suite::{CommandOutput, FAKE, HELLO, HostProcess, WRITES_AT_LOAD, host_command};

#[track_caller]
fn one_line(output: &CommandOutput, code: i32) -> String {
    assert_eq!(output.code, code, "{}", output.everything());
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("error"))
        .collect();
    assert_eq!(lines.len(), 1, "one line: {}", output.everything());
    lines[0].to_owned()
}

#[test]
fn an_empty_list_of_drivers_is_refused() {
    let output = HostProcess::builder().available(FAKE).serve_to_end();
    assert!(
        one_line(&output, 4).contains("enabled_drivers"),
        "{}",
        output.stderr
    );
}

#[test]
fn every_enabled_name_without_a_file_is_named_and_the_exit_code_is_4() {
    let output = HostProcess::builder()
        .driver(FAKE)
        .enable("nosuch")
        .enable("another")
        .serve_to_end();
    assert_eq!(output.code, 4, "{}", output.everything());
    for name in ["nosuch", "another"] {
        let lines: Vec<&str> = output.stderr.lines().filter(|line| line.contains(name)).collect();
        assert!(!lines.is_empty(), "{name}: {}", output.stderr);
    }
    assert!(
        output.stderr.contains("drivers"),
        "where it looked: {}",
        output.stderr
    );
    assert!(
        !output.everything().contains("panicked"),
        "{}",
        output.everything()
    );
}

#[test]
fn check_config_finds_the_same_faults_without_serving() {
    let output = HostProcess::builder()
        .driver(FAKE)
        .enable("nosuch")
        .run(&["check-config"]);
    assert_eq!(output.code, 4, "{}", output.everything());
    assert!(output.stderr.contains("nosuch"), "{}", output.stderr);
}

#[test]
fn a_name_that_is_enabled_twice_is_a_warning_and_loaded_once() {
    let host = HostProcess::builder().driver(FAKE).enable("fake").start();
    let drivers = host.get("/v1/drivers").expect(200).json();
    assert_eq!(drivers["drivers"].as_array().unwrap().len(), 1);
    let warned = host.log.lines_with(&["WARN", "fake"]);
    assert!(!warned.is_empty(), "{}", host.log.text());
}

#[test]
fn a_missing_folder_of_drivers_is_one_line_with_its_path() {
    let output = HostProcess::builder()
        .driver(FAKE)
        .set("plugin_dir", "no/such/folder")
        .serve_to_end();
    assert!([3, 4].contains(&output.code), "{}", output.everything());
    assert!(output.stderr.contains("no/such/folder"), "{}", output.stderr);
}

#[test]
fn an_address_in_use_is_one_line_with_the_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = HostProcess::builder()
        .driver(FAKE)
        .set("listen", address.as_str())
        .serve_to_end();
    assert!(one_line(&output, 1).contains(&address), "{}", output.stderr);
}

#[test]
fn a_host_whose_address_or_database_is_taken_runs_no_driver_code() {
    let first = HostProcess::with_fake();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let second = || {
        HostProcess::builder()
            .driver(WRITES_AT_LOAD)
            .env("WRITES_AT_LOAD", &trace)
    };
    let output = second().set("listen", first.address.as_str()).serve_to_end();
    assert!(one_line(&output, 1).contains(&first.address), "{}", output.stderr);
    assert!(!trace.exists(), "the driver was opened");
    let database = first.folder().join("host.db");
    let output = second()
        .set("database.path", database.to_str().unwrap())
        .serve_to_end();
    assert!(one_line(&output, 1).contains("host.db"), "{}", output.stderr);
    assert!(!trace.exists(), "the driver was opened");
    // The trap works: a host that has both opens the driver, which then refuses to be created.
    let output = second().serve_to_end();
    assert_eq!(output.code, 4, "{}", output.everything());
    assert!(trace.exists());
}

#[test]
fn a_database_belongs_to_one_host_and_only_its_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let host = HostProcess::with_fake();
    let path = host.folder().join("host.db");
    let mode = std::fs::metadata(&path)
        .expect("the database")
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o600, "{mode:o}");
    let second = HostProcess::builder()
        .driver(FAKE)
        .set("database.path", path.to_str().unwrap());
    let output = second.serve_to_end();
    assert!(one_line(&output, 1).contains("host.db"), "{}", output.stderr);
    host.get("/v1/nodes").expect(200);
}

#[test]
fn what_is_not_a_database_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    // The host's own folder goes with the host.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    let text = "this is not a database, it is somebody's letter\n".repeat(100);
    std::fs::write(&path, &text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = HostProcess::builder()
        .driver(FAKE)
        .set("database.path", path.to_str().unwrap())
        .serve_to_end();
    let line = one_line(&output, 1);
    assert!(
        line.contains("letter.txt") && line.contains("is not a database of this host"),
        "{line}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644, "{mode:o}");
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(names, ["letter.txt"]);
}

#[test]
fn only_enabled_drivers_are_loaded() {
    let host = HostProcess::builder().driver(FAKE).available(HELLO).start();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", host.pid())).expect("its memory map");
    assert!(maps.contains("fake_driver"), "{maps}");
    assert!(!maps.contains("hello_driver"), "{maps}");
}

#[test]
fn listing_a_folder_needs_no_config() {
    let output = host_command(&["list-available", "--plugin-dir", "/nonexistent-folder-of-drivers"]);
    assert_ne!(output.code, 0);
    assert!(
        output.stderr.contains("/nonexistent-folder-of-drivers"),
        "{}",
        output.stderr
    );
}
