//! `plugins.toml`, the environment, and the command line: what is accepted, and how mistakes read.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use suite::{CommandOutput, FAKE, HostProcess, host_command, repository_root};

/// Runs `check-config` with the fake driver and `change` made to the config.
fn check(change: impl FnOnce(suite::HostBuilder) -> suite::HostBuilder) -> CommandOutput {
    change(HostProcess::builder().driver(FAKE)).run(&["check-config"])
}

/// The one line that a refused config gets: without a panic, a backtrace, or a second line.
#[track_caller]
fn refused_line(output: &CommandOutput) -> String {
    assert_eq!(output.code, 3, "{}", output.everything());
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(lines.len(), 1, "{:?}", output.stderr);
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    lines[0].to_owned()
}

#[test]
fn a_good_config_is_accepted_and_nothing_is_served() {
    let output = check(|builder| builder).succeeded();
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
}

#[test]
fn an_unknown_key_is_refused_by_name_in_every_table() {
    for key in [
        "bogus",
        "calls.bogus",
        "workers.bogus",
        "locks.bogus",
        "limits.bogus",
        "records.bogus",
        "database.bogus",
        "isolation.bogus",
        "drivers.fake.bogus",
    ] {
        let line = refused_line(&check(|builder| builder.set(key, 1)));
        assert!(line.contains("bogus"), "{key}: {line}");
        assert!(line.contains("plugins.toml"), "the file: {line}");
    }
}

#[test]
fn a_wrong_type_is_refused_with_key_value_and_what_is_expected() {
    for (key, value) in [
        ("listen", toml::Value::from(1)),
        ("enabled_drivers", "fake".into()),
        ("plugin_dir", true.into()),
        ("allow_unauthenticated", "yes".into()),
        ("calls.max", "many".into()),
        ("workers.max", 1.5.into()),
        ("locks.wait_ms", "2s".into()),
        ("limits.max_body_bytes", "1M".into()),
        ("database.path", 1.into()),
        ("drivers.fake", 1.into()),
    ] {
        let output = check(|builder| builder.set(key, value.clone()));
        let line = refused_line(&output);
        let name = key.rsplit('.').next().unwrap();
        assert!(line.contains(name), "{key}: {line}");
    }
}

#[test]
fn a_value_out_of_range_is_refused_with_key_value_and_range() {
    for (key, value) in [
        ("calls.max", 0),
        ("calls.max", -1),
        ("calls.timeout_ms", 0),
        ("workers.max", 0),
        ("workers.max", 1_000_000_000),
        ("locks.wait_ms", -1),
        ("locks.max_waiters", -1),
        ("limits.max_body_bytes", 0),
        ("limits.max_json_depth", 0),
        ("limits.max_json_depth", 100_000),
        ("limits.max_connections", 0),
        ("limits.header_timeout_ms", 0),
        ("drivers.fake.max_workers", 0),
        ("drivers.fake.max_calls", 0),
        ("drivers.fake.call_timeout_ms", 0),
    ] {
        let line = refused_line(&check(|builder| builder.set(key, value)));
        assert!(line.contains(key), "{key}: {line}");
        assert!(line.contains(&value.to_string()), "{key} = {value}: {line}");
    }
}

#[test]
fn a_file_that_is_not_toml_or_not_there_is_refused_with_its_place() {
    let line = refused_line(&check(|builder| builder.config_text("listen = \n")));
    assert!(line.contains("plugins.toml") && line.contains('1'), "{line}");
    let line = refused_line(&check(|builder| {
        builder.config_text("enabled_drivers = [\"fake\"]\nenabled_drivers = []\n")
    }));
    assert!(
        line.contains("enabled_drivers") || line.contains("line 2") || line.contains(":2"),
        "{line}"
    );
    let output = host_command(&["check-config", "--config", "/nonexistent/plugins.toml"]);
    let line = refused_line(&output);
    assert!(line.contains("/nonexistent/plugins.toml"), "{line}");
}

#[test]
fn an_address_that_others_can_reach_needs_a_word_of_its_own() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:6385"] {
        let line = refused_line(&check(|builder| builder.set("listen", listen)));
        assert!(
            line.contains(listen) && line.contains("allow_unauthenticated"),
            "{line}"
        );
        check(|builder| builder.set("listen", listen).set("allow_unauthenticated", true)).succeeded();
    }
    for listen in ["127.0.0.1:0", "127.8.9.1:0", "[::1]:0"] {
        check(|builder| builder.set("listen", listen)).succeeded();
    }
    for listen in ["nonsense", "127.0.0.1", "127.0.0.1:99999", ""] {
        let line = refused_line(&check(|builder| builder.set("listen", listen)));
        assert!(line.contains("listen"), "{line}");
    }
    let output = HostProcess::builder()
        .driver(FAKE)
        .argument("--listen")
        .argument("0.0.0.0:0")
        .serve_to_end();
    assert!(
        refused_line(&output).contains("allow_unauthenticated"),
        "{}",
        output.stderr
    );
}

#[test]
fn the_environment_overrides_keys_and_unknown_names_are_refused() {
    let output = check(|builder| builder.env("HOST__WORKERS__MAX", "0"));
    let line = refused_line(&output);
    assert!(
        line.contains("workers.max") || line.contains("HOST__WORKERS__MAX"),
        "{line}"
    );
    for (name, value) in [
        ("HOST__BOGUS", "1"),
        ("HOST__WORKERS__BOGUS", "1"),
        ("HOST__DRIVERS__FAKE__BOGUS", "1"),
        ("HOST__WORKERS__MAX", "many"),
    ] {
        let line = refused_line(&check(|builder| builder.env(name, value)));
        assert!(
            line.contains(name)
                || line.contains(&name.to_lowercase().replace("host__", "").replace("__", ".")),
            "{name}: {line}"
        );
    }
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("host_name", "from-the-file")
        .env("HOST__HOST_NAME", "from-the-environment")
        .env("HOST__LIMITS__MAX_BODY_BYTES", "100")
        .env("HOST__DRIVERS__FAKE__CALL_TIMEOUT_MS", "200")
        .env("HOST_SOMETHING_ELSE", "is not ours")
        .start();
    let drivers = host.get("/v1/drivers").expect(200).json();
    assert_eq!(drivers["drivers"][0]["hosts"][0], "from-the-environment");
    let big = format!("\"{}\"", "x".repeat(200));
    let echo = "/v1/drivers/fake/vendor_passthru/echo";
    host.request("POST", echo).body(big).send().refused(413, "");
    let sleep = "/v1/drivers/fake/vendor_passthru/sleep";
    host.post(sleep, serde_json::json!({"seconds": 600}))
        .refused(504, "");
}

#[test]
fn an_override_that_is_not_utf_8_is_refused_and_other_variables_need_not_be_text() {
    let bytes = |bytes: &'static [u8]| OsStr::from_bytes(bytes).to_owned();
    check(|builder| builder.env("OTHER", bytes(b"\xff")).env(bytes(b"\xfe"), "1")).succeeded();
    for (name, value) in [
        (bytes(b"HOST__HOST_NAME"), bytes(b"bmc-\xff")),
        (bytes(b"HOST__HOST_NAME\xff"), bytes(b"bmc")),
    ] {
        let line = refused_line(&check(|builder| builder.env(name.clone(), value)));
        assert!(line.contains(&*name.to_string_lossy()), "{line}");
        assert!(line.contains("expected text in UTF-8"), "{line}");
    }
}

#[test]
fn a_table_of_a_driver_that_is_not_enabled_is_a_warning() {
    let text = "[drivers.fakd] names no driver of enabled_drivers; its settings are not used";
    let mistyped = |builder: suite::HostBuilder| builder.set("drivers.fakd.max_calls", 5);
    let output = check(mistyped).succeeded();
    assert_eq!(
        output.stdout.lines().next(),
        Some(&*format!("warning: {text}")),
        "{}",
        output.everything()
    );
    let host = mistyped(HostProcess::builder().driver(FAKE)).start();
    host.logged(&["WARN", text]);
}

#[test]
fn a_mistyped_log_level_is_refused_instead_of_silencing_everything() {
    for filter in ["inof", "info,driver=verbose", ""] {
        let output = HostProcess::builder()
            .driver(FAKE)
            .argument(&format!("--log-level={filter}"))
            .serve_to_end();
        assert_eq!(output.code, 1, "{filter:?}: {}", output.everything());
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        for piece in [
            &format!("--log-level {filter:?}: expected one of off, error, warn, info, debug, trace"),
            &format!("found {:?}", filter.rsplit('=').next().unwrap()),
        ] {
            assert!(output.stderr.contains(piece), "{piece}: {}", output.stderr);
        }
    }
}

#[test]
fn the_command_line_overrides_the_file() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("listen", "127.0.0.1:1")
        .argument("--listen")
        .argument("127.0.0.1:0")
        .start();
    host.get("/v1/drivers").expect(200);
}

#[test]
fn a_driver_gets_its_config_table_as_it_is() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("drivers.fake.config.vendor_delay_ms", 700)
        .start();
    host.create_node("n1");
    let reply = host.post(
        "/v1/nodes/n1/vendor_passthru/third_method_sync",
        serde_json::json!({"bar": "meow"}),
    );
    let reply = reply.expect(200);
    assert!(
        reply.took >= std::time::Duration::from_millis(600),
        "{:?}",
        reply.took
    );
}

#[test]
fn wrong_usage_is_exit_code_2_and_help_has_examples() {
    for arguments in [
        &["nonsense"][..],
        &["serve", "--bogus"],
        &["inspect"],
        &["serve", "--config"],
    ] {
        let output = host_command(arguments);
        assert_eq!(output.code, 2, "{arguments:?}: {}", output.everything());
    }
    for command in [
        "serve",
        "list-available",
        "inspect",
        "driver-list",
        "driver-reset",
        "check-config",
    ] {
        let output = host_command(&[command, "--help"]).succeeded();
        assert!(
            output.stdout.contains(&format!("host {command}")),
            "{command}: {}",
            output.stdout
        );
        assert!(
            output.stdout.to_lowercase().contains("example"),
            "{command}: {}",
            output.stdout
        );
    }
    host_command(&["--version"]).succeeded();
}

#[test]
fn driver_list_shows_what_a_running_host_has_enabled() {
    let host = HostProcess::with_fake();
    let table = host_command(&["driver-list", "--url", &host.url()]).succeeded();
    assert!(
        table.stdout.contains("fake") && table.stdout.contains("suite-host"),
        "{}",
        table.stdout
    );
    let list = host_command(&["driver-list", "--url", &host.url(), "--json"])
        .succeeded()
        .json();
    assert_eq!(list[0]["name"], "fake", "{list}");
    let down = host_command(&["driver-list", "--url", "http://127.0.0.1:1"]);
    assert_eq!(down.code, 1, "{}", down.everything());
    assert!(down.stderr.contains("http://127.0.0.1:1"), "{}", down.stderr);
    assert_eq!(down.stderr.lines().count(), 1, "{}", down.stderr);
}

/// Every key that an operator can set, as the documentation names them.
const KEYS: &[&str] = &[
    "listen",
    "public_url",
    "plugin_dir",
    "enabled_drivers",
    "host_name",
    "allow_unauthenticated",
    "path",
    "max",
    "timeout_ms",
    "wait_ms",
    "max_waiters",
    "max_body_bytes",
    "max_reply_bytes",
    "max_json_depth",
    "header_timeout_ms",
    "idle_timeout_ms",
    "min_bytes_per_s",
    "shutdown_grace_ms",
    "max_connections",
    "max_calls",
    "max_workers",
    "call_timeout_ms",
    "default",
    "create_timeout_ms",
    "kill_grace_ms",
    "max_deaths",
    "window_s",
    "isolation",
    "workers",
    "memory_max_bytes",
    "open_files_max",
    "user",
];

#[test]
fn the_shipped_file_shows_every_key_with_a_comment_and_its_default_and_is_accepted() {
    let text = std::fs::read_to_string(repository_root().join("plugins.toml")).expect("plugins.toml");
    let as_shipped: toml::Table = text.parse().expect("TOML");
    assert_eq!(as_shipped["enabled_drivers"], toml::Value::from(vec!["fake"]));
    // a key that is only shown starts its line with `# ` or `#`
    let shown = |line: &str| line.trim_start_matches('#').trim_start().to_owned();
    let is_key = |line: &str| {
        let name = line.split(" =").next().unwrap_or_default();
        line.contains(" = ") && !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let is_table = |line: &str| line.starts_with('[') && line.ends_with(']');
    for key in KEYS {
        let lines = text.lines().map(shown);
        assert!(
            lines
                .filter(|line| is_key(line))
                .any(|line| line.starts_with(&format!("{key} ="))),
            "no {key}"
        );
    }
    let mut commented = false;
    for line in text.lines() {
        if is_key(&shown(line)) {
            assert!(
                commented || line.matches('#').count() > usize::from(line.starts_with('#')),
                "no comment: {line}"
            );
        }
        commented = line.starts_with('#') || (commented && !line.is_empty());
    }
    // everything that is only shown is accepted as well when it is switched on
    let active: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once(" ="))
        .map(|(name, _)| name)
        .collect();
    let already = |line: &str| {
        line.split_once(" =")
            .is_some_and(|(name, _)| active.contains(&name))
    };
    let all: Vec<String> = text
        .lines()
        .map(|line| {
            if line.starts_with('#')
                && !already(&shown(line))
                && (is_key(&shown(line)) || is_table(&shown(line)))
            {
                shown(line)
            } else {
                line.to_owned()
            }
        })
        .collect();
    let all: toml::Table = all.join("\n").parse().expect("TOML with every key switched on");
    let mut switched_on = all.clone();
    switched_on.insert("plugin_dir".into(), "drivers".into());
    // Only root may run drivers as somebody else.
    let me = std::process::Command::new("id").arg("-un").output().expect("id");
    let me = String::from_utf8(me.stdout).expect("a name").trim().to_owned();
    switched_on["drivers"]["fake"]["user"] = me.into();
    let output = check(|builder| builder.config_text(&switched_on.to_string()));
    assert_eq!(output.code, 0, "{}", output.everything());
}
