//! What `host inspect` shows of one driver.

use std::process::Command;

use suite::{Built, SCHEMAS};

use super::{Folder, PLAIN};

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
fn inspect_shows_standard_calls_with_what_the_driver_can_do() {
    let folder = Folder::new();
    folder.put("x.so", suite::FAKE);
    let shown = folder.inspect(&["fake"]).succeeded().stdout;
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "STANDARD CALL",
        "power:get GET no shared Remembers the power state",
        "power:set PUT yes exclusive Changes the power state that is remembered \
         [power on, power off, rebooting, soft power off, soft rebooting]",
        "[pxe, disk, cdrom, bios, safe]",
    ] {
        assert!(words.contains(part), "{part:?} is missing in {shown}");
    }
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

#[test]
fn inspect_needs_no_configuration_for_a_file_that_is_named() {
    let folder = Folder::new();
    folder.put("x.so", PLAIN);
    assert!(!folder.path().join("plugins.toml").exists());
    let inspect = |driver: &str| {
        Command::new(Built::host())
            .args(["inspect", driver])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let absolute = folder.path().join("x.so");
    for file in ["x.so", "./x.so", absolute.to_str().unwrap()] {
        let output = inspect(file);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.starts_with("plain 1.0.0"), "{text}");
    }
    // a name is looked up in the configuration's folder, and there is no configuration
    let output = inspect("plain");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("plugins.toml"),
        "{output:?}"
    );
}

#[test]
fn inspect_is_a_reference_of_properties_and_arguments_with_what_they_can_be() {
    let folder = Folder::new();
    folder.put("x.so", SCHEMAS);
    let text = folder.inspect(&["schemas"]).succeeded().stdout;
    // Prose wraps where the terminal ends.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "schemas_port integer optional Port of the lamp. [1 to 65535] [default 623]",
        "schemas_protocol string optional What the lamp speaks. [one of \"1.5\", \"2.0\"] [default \"2.0\"]",
        "schemas_word string optional Word that opens the lamp. [secret]",
        "ARGUMENT OF light TYPE NEEDED DESCRIPTION brightness integer required How bright, in per cent. [0 to 100]",
        "code string optional What opens it. [secret] [at most 8 characters]",
        "ARGUMENT OF measure TYPE NEEDED DESCRIPTION sensors array required [1 to 3 items]",
        "unit any optional [one of \"celsius\", \"rpm\"]",
    ] {
        assert!(words.contains(part), "{part:?} is missing in {text}");
    }
}
