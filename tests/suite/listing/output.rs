//! What `host list-available` prints: the table, the JSON form, and what they leave out.

use serde_json::Value;
use suite::{FAKE, WRITES_AT_LOAD, host_command};

use super::{Folder, PLAIN, edited};

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
