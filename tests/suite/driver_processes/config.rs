//! The keys that say where drivers run: what is accepted, what is refused before anything runs, and how that reads.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::geteuid;
use serde_json::Value;
use suite::{Built, CommandOutput, FAKE, HostBuilder, HostProcess, SLOW, host_command, run_to_end};

use super::{ECHO, isolation, processes, slow};

fn check(builder: HostBuilder) -> CommandOutput {
    builder.run(&["check-config"])
}

/// The one line of a config that is refused.
#[track_caller]
fn refused_line(output: &CommandOutput) -> String {
    assert_eq!(output.code, 3, "{}", output.everything());
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    assert!(output.stdout.is_empty(), "{}", output.stdout);
    output.stderr.trim_end().to_owned()
}

#[test]
fn every_key_out_of_its_range_is_refused_with_value_and_range() {
    for (key, value, range) in [
        ("isolation.create_timeout_ms", 0, "expected 1 to 86400000"),
        (
            "isolation.create_timeout_ms",
            86_400_001,
            "expected 1 to 86400000",
        ),
        ("isolation.kill_grace_ms", 86_400_001, "expected 0 to 86400000"),
        ("isolation.max_deaths", 0, "expected 1 to 1000000"),
        ("isolation.max_deaths", 1_000_001, "expected 1 to 1000000"),
        ("isolation.window_s", 0, "expected 1 to 86400"),
        ("isolation.window_s", 86_401, "expected 1 to 86400"),
        ("drivers.slow.workers", 0, "expected 1 to 1000"),
        ("drivers.slow.workers", 1001, "expected 1 to 1000"),
        (
            "drivers.slow.memory_max_bytes",
            16_777_215,
            "expected 16777216 to 9223372036854775807",
        ),
        ("drivers.slow.open_files_max", 15, "expected 16 to 1000000"),
        ("drivers.slow.open_files_max", 1_000_001, "expected 16 to 1000000"),
    ] {
        let line = refused_line(&check(slow().set(key, value)));
        let expected = format!("{key} = {value}: out of range, {range}");
        assert!(
            line.ends_with(&expected) && line.contains("plugins.toml: "),
            "{line}"
        );
    }
}

#[test]
fn a_wrong_word_or_type_is_refused_with_what_is_expected() {
    for (key, value, expected) in [
        (
            "isolation.default",
            toml::Value::from("thread"),
            "isolation.default = \"thread\": unknown variant `thread`, expected `in-process` or `process`",
        ),
        (
            "drivers.slow.isolation",
            "proces".into(),
            "drivers.slow.isolation = \"proces\": unknown variant `proces`, expected `in-process` or `process`",
        ),
        (
            "isolation.max_deaths",
            "few".into(),
            "isolation.max_deaths = \"few\": ",
        ),
        (
            "isolation.kill_grace_ms",
            (-1).into(),
            "isolation.kill_grace_ms = -1: ",
        ),
        ("drivers.slow.workers", 1.5.into(), "drivers.slow.workers = 1.5: "),
        ("drivers.slow.user", 65534.into(), "expected text, in quotes"),
        (
            "drivers.slow.memory_max_bytes",
            "1G".into(),
            "drivers.slow.memory_max_bytes = \"1G\": ",
        ),
        ("isolation.bogus", 1.into(), "unknown field `bogus`"),
    ] {
        let line = refused_line(&check(slow().set(key, value)));
        assert!(line.contains(expected), "{key}: {line}");
    }
}

#[test]
fn a_limit_of_processes_is_refused_for_a_driver_that_has_none() {
    for (key, value) in [
        ("workers", toml::Value::from(2)),
        ("memory_max_bytes", 268_435_456.into()),
        ("open_files_max", 64.into()),
        ("user", "nobody".into()),
    ] {
        for builder in [
            slow().set("drivers.slow.isolation", "in-process"),
            HostProcess::builder().driver(SLOW),
        ] {
            let line = refused_line(&check(builder.set(&format!("drivers.slow.{key}"), value.clone())));
            let expected = format!(
                "drivers.slow.{key} = {value}: has no effect on a driver in the host's own process; set isolation = \"process\" as well"
            );
            assert!(line.ends_with(&expected), "{line}");
        }
    }
    // It need not stand in the driver's own table.
    let by_default = HostProcess::builder()
        .driver(SLOW)
        .set("isolation.default", "process");
    check(by_default.set("drivers.slow.workers", 2)).succeeded();
}

#[test]
fn a_user_that_does_not_exist_is_refused_before_anything_runs() {
    let builder = || slow().set("drivers.slow.user", "no-such-user");
    let expected =
        "drivers.slow.user = \"no-such-user\": expected a user of this machine, found none of this name";
    for output in [check(builder()), builder().serve_to_end()] {
        assert_eq!(output.code, 3, "{}", output.everything());
        let line = output.stderr.lines().last().unwrap_or_default();
        assert!(line.ends_with(expected), "{}", output.everything());
        assert!(line.contains("plugins.toml"), "{line}");
    }
    // What is not enabled is not looked at, and what only looks at files does not ask for users.
    check(builder().nothing_enabled().driver(FAKE)).succeeded();
    builder().run(&["list-available"]).succeeded();
}

#[test]
fn all_that_this_machine_does_not_allow_is_told_at_once() {
    let builder = slow()
        .driver(FAKE)
        .set("drivers.fake.isolation", "process")
        .set("drivers.fake.user", "nor-this-one")
        .set("drivers.slow.user", "no-such-user");
    let output = check(builder);
    assert_eq!(output.code, 3, "{}", output.everything());
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, key) in lines.iter().zip(["drivers.slow.user", "drivers.fake.user"]) {
        assert!(
            line.contains(key) && line.contains("found none of this name"),
            "{lines:?}"
        );
    }
}

/// Runs `check-config` with this table of the slow driver as somebody who is not root, under a limit of open files.
fn check_as_nobody(table: &str, open_files: u32) -> CommandOutput {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, file: &Path| {
        let copy = folder.path().join(name);
        std::fs::copy(file, &copy).expect("a copy");
        copy
    };
    let host = put("host", &Built::host());
    put("libslow.so", &SLOW.path());
    let config = folder.path().join("plugins.toml");
    let text = format!(
        "plugin_dir = \".\"\nenabled_drivers = [\"slow\"]\n[drivers.slow]\nisolation = \"process\"\n{table}\n"
    );
    std::fs::write(&config, text).expect("plugins.toml");
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), everybody).expect("a folder for everybody");
    let become_nobody = if geteuid().is_root() {
        "setpriv --reuid 65534 --regid 65534 --clear-groups"
    } else {
        ""
    };
    let mut command = Command::new("/bin/sh");
    command
        .args([
            "-c",
            &format!("ulimit -n {open_files} && exec {become_nobody} \"$0\" check-config --config \"$1\""),
        ])
        .arg(host)
        .arg(config)
        .current_dir(folder.path());
    run_to_end(command, Duration::from_secs(60))
}

#[test]
fn a_host_that_is_not_root_is_refused_another_user_and_a_limit_above_its_own() {
    let line = refused_line(&check_as_nobody("user = \"root\"", 256));
    let expected =
        "drivers.slow.user = \"root\": only a host that is started as root can run drivers as another user";
    assert!(line.ends_with(expected), "{line}");
    let line = refused_line(&check_as_nobody("open_files_max = 512", 256));
    let expected = "drivers.slow.open_files_max = 512: more than the 256 that the host itself may have; \
                    lower it, or raise the limit under which the host is started";
    assert!(line.ends_with(expected), "{line}");
    check_as_nobody("open_files_max = 256", 256).succeeded();
    check_as_nobody("memory_max_bytes = 268435456", 256).succeeded();
}

#[test]
fn variables_override_the_keys_and_are_named_when_they_are_wrong() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .driver(FAKE)
        .env("HOST__ISOLATION__DEFAULT", "process")
        .env("HOST__DRIVERS__FAKE__ISOLATION", "in-process")
        .env("HOST__DRIVERS__SLOW__WORKERS", "3")
        .start();
    assert_eq!(isolation(&host)["wanted"], 3);
    assert_eq!(processes(&host).len(), 3);
    let of_fake = host.get("/v1/drivers/fake").expect(200).json();
    assert_eq!(of_fake.get("isolation"), None);
    host.post(ECHO, Value::Null).expect(200);

    for (name, value, expected) in [
        (
            "HOST__ISOLATION__WINDOW_S",
            "0",
            "isolation.window_s = 0: out of range, expected 1 to 86400",
        ),
        (
            "HOST__DRIVERS__SLOW__USER",
            "no-such-user",
            "drivers.slow.user = \"no-such-user\": expected a user of this machine, found none of this name",
        ),
        (
            "HOST__DRIVERS__SLOW__ISOLATION",
            "thread",
            "expected `in-process` or `process`",
        ),
    ] {
        let line = refused_line(&check(slow().env(name, value)));
        assert!(line.contains(&format!("environment variable {name}: ")), "{line}");
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn a_driver_that_cannot_be_created_in_its_process_stops_the_start_with_its_own_words() {
    let output = slow()
        .set("drivers.slow.config.hang_at_end", "perhaps")
        .serve_to_end();
    assert_eq!(output.code, 4, "{}", output.everything());
    let last = output.stderr.lines().last().unwrap_or_default();
    assert!(
        last.contains("slow") && last.contains("hang_at_end"),
        "{}",
        output.everything()
    );
    let help = host_command(&["--help"]).succeeded();
    assert!(
        help.stdout.contains("driver-reset") && !help.stdout.contains("worker "),
        "{}",
        help.stdout
    );
}
