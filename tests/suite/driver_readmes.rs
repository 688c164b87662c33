//! The READMEs of the drivers: their tables say what the built drivers say of themselves, and every method has its examples.

use std::path::PathBuf;

use serde_json::Value;
use suite::{Built, host_command, repository_root};

const PROPERTIES: [&str; 6] = ["Property", "Type", "Required", "Default", "Secret", "Description"];
const METHODS: [&str; 5] = ["Method", "HTTP", "Async", "Exclusive lock", "Description"];

/// A driver that is shipped: its README beside what `host inspect` reads from its library.
struct Shipped {
    folder: String,
    readme: String,
    manifest: Value,
}

fn shipped() -> Vec<Shipped> {
    let folders = std::fs::read_dir(repository_root().join("drivers")).expect("drivers/");
    let mut folders: Vec<PathBuf> = folders
        .map(|entry| entry.expect("an entry").path())
        .filter(|folder| folder.join("Cargo.toml").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 2, "{folders:?}");
    folders
        .into_iter()
        .map(|folder| {
            let read = |name: &str| {
                let file = folder.join(name);
                std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
            };
            let cargo: toml::Table = read("Cargo.toml").parse().expect("a Cargo.toml");
            let package = cargo["package"]["name"].as_str().expect("a package's name");
            let library = Built::get().library(package);
            let library = library.to_str().expect("a path in UTF-8");
            Shipped {
                folder: folder.display().to_string(),
                readme: read("README.md"),
                manifest: host_command(&["inspect", library, "--json"]).succeeded().json(),
            }
        })
        .collect()
}

/// The rows of every table with exactly these columns, in their order.
fn rows(readme: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        let line = line.trim();
        if !line.starts_with('|') {
            inside = false;
        } else if cells(line) == columns {
            inside = true;
        } else if inside && !line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ')) {
            rows.push(cells(line));
        }
    }
    rows
}

/// The same with descriptions as a manifest can say them: they are the last column.
fn said(readme: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut rows = rows(readme, columns);
    for description in rows.iter_mut().filter_map(|row| row.last_mut()) {
        *description = plain(description);
    }
    rows
}

/// The cells of a row. `\|` is a bar inside a cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').replace("\\|", "\u{0}");
    let line = line.strip_suffix('|').unwrap_or(&line);
    line.split('|')
        .map(|cell| cell.replace('\u{0}', "|").trim().to_owned())
        .collect()
}

fn yes(value: &Value) -> String {
    if value == &Value::Bool(true) { "yes" } else { "no" }.to_owned()
}

/// Backticks and breaks are the README's own.
fn plain(text: &str) -> String {
    let text = text.replace('`', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value.as_str().unwrap_or_else(|| panic!("{what}: {value}"))
}

fn property_rows(manifest: &Value) -> Vec<Vec<String>> {
    let properties = manifest["properties"].as_object().expect("properties");
    properties
        .iter()
        .map(|(name, property)| {
            let default = match &property["default"] {
                Value::Null => String::new(),
                Value::String(text) if text.is_empty() => "`\"\"`".to_owned(),
                Value::String(text) => format!("`{text}`"),
                other => format!("`{other}`"),
            };
            vec![
                format!("`{name}`"),
                text(&property["type"], "a type").to_owned(),
                yes(&property["required"]),
                default,
                yes(&property["secret"]),
                plain(text(&property["description"], "a description")),
            ]
        })
        .collect()
}

/// What is fixed of a standard call and so stands in no manifest: verb, async, exclusive lock.
fn standard(name: &str) -> Option<[&'static str; 3]> {
    Some(match name {
        "power:get" | "management:get_boot_device" => ["GET", "no", "no"],
        "power:set" => ["PUT", "yes", "yes"],
        "management:set_boot_device" | "management:inject_nmi" => ["PUT", "no", "yes"],
        _ => return None,
    })
}

/// Methods of nodes first, then those of the driver.
fn methods(manifest: &Value) -> Vec<&Value> {
    let all = manifest["methods"].as_array().expect("methods");
    let on = |on: &'static str| all.iter().filter(move |method| method["on"] == on);
    on("node").chain(on("driver")).collect()
}

fn method_rows(manifest: &Value) -> Vec<Vec<String>> {
    methods(manifest)
        .into_iter()
        .map(|method| {
            let name = text(&method["name"], "a name");
            let facts = match standard(name) {
                Some(facts) => facts.map(str::to_owned),
                None => {
                    let verbs = method["http_methods"].as_array().expect("verbs");
                    let verbs: Vec<&str> = verbs.iter().map(|verb| text(verb, "a verb")).collect();
                    [
                        verbs.join(", "),
                        yes(&method["async"]),
                        yes(&method["require_exclusive_lock"]),
                    ]
                }
            };
            let mut row = vec![format!("`{name}`")];
            row.extend(facts);
            row.push(plain(text(&method["description"], "a description")));
            row
        })
        .collect()
}

/// The commands of the README's examples: lines of fenced blocks, continued ones joined.
fn commands(readme: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let (mut fenced, mut begun) = (false, String::new());
    for line in readme.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            begun.push_str(line.trim_end_matches('\\').trim());
            begun.push(' ');
            if !line.ends_with('\\') {
                commands.push(std::mem::take(&mut begun).trim().to_owned());
            }
        }
    }
    commands
}

/// What a method's two examples must hold: after `openstack baremetal`, and after `curl`. Standard calls are called by Ironic's own commands and paths.
fn examples(on: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match name {
        "power:get" => (words(&["node show", "power_state"]), words(&["/states"])),
        "power:set" => (words(&["node power"]), words(&["-X PUT", "/states/power"])),
        "management:get_boot_device" => (
            words(&["node boot device show"]),
            words(&["/management/boot_device"]),
        ),
        "management:set_boot_device" => (
            words(&["node boot device set"]),
            words(&["-X PUT", "/management/boot_device"]),
        ),
        "management:inject_nmi" => (
            words(&["node inject nmi"]),
            words(&["-X PUT", "/management/inject_nmi"]),
        ),
        _ => (
            words(&[&format!("{on} passthru call"), name]),
            words(&["/vendor_passthru", name]),
        ),
    }
}

/// Whether the command holds each piece, bounded as a word where it begins and ends with letters.
fn holds(command: &str, pieces: &[String]) -> bool {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    pieces.iter().all(|piece| {
        command.match_indices(piece.as_str()).any(|(at, _)| {
            let before = command[..at].chars().next_back();
            let after = command[at + piece.len()..].chars().next();
            let inner = piece.starts_with(part_of_word) && before.is_some_and(part_of_word);
            !inner && !after.is_some_and(part_of_word)
        })
    })
}

#[test]
fn the_tables_of_properties_are_those_of_the_manifests() {
    for driver in shipped() {
        let said = said(&driver.readme, &PROPERTIES);
        assert_eq!(said, property_rows(&driver.manifest), "{}", driver.folder);
    }
}

#[test]
fn the_tables_of_methods_are_those_of_the_manifests() {
    for driver in shipped() {
        let said = said(&driver.readme, &METHODS);
        assert_eq!(said, method_rows(&driver.manifest), "{}", driver.folder);
        assert!(!said.is_empty(), "{}", driver.folder);
    }
}

#[test]
fn every_method_has_an_example_for_each_client() {
    for driver in shipped() {
        let commands = commands(&driver.readme);
        let example = |program: &str, pieces: &[String]| {
            let mut of_program = commands.iter().filter(|command| command.starts_with(program));
            of_program.any(|command| holds(command, pieces))
        };
        let mut missing = Vec::new();
        for method in methods(&driver.manifest) {
            let name = text(&method["name"], "a name");
            let (openstack, curl) = examples(text(&method["on"], "where it is called"), name);
            if !example("openstack baremetal ", &openstack) {
                missing.push(format!("openstack baremetal ... {}", openstack.join(" ... ")));
            }
            if !example("curl ", &curl) {
                missing.push(format!("curl ... {}", curl.join(" ... ")));
            }
        }
        assert!(
            missing.is_empty(),
            "{} has no example of {missing:#?}",
            driver.folder
        );
    }
}
