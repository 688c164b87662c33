//! Other versions of the boundary, and what is built against them, outside the workspace.
//!
//! Each is a copy of the sources with a few texts replaced; a text that is not where it is expected fails the test. All
//! share the fixtures' target folder, so that abi_stable is compiled once, and are only rewritten when they change.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use suite::{Built, repository_root};

/// A version of the boundary that is not this repository's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Variant {
    /// 1.1.0: functions appended to the root module, the driver, the call's context and the host.
    Newer,
    /// 2.0.0: the same types under another major version.
    OtherMajor,
    /// 1.0.0 with one more field in a type that is closed for ever.
    ChangedLayout,
}

/// A text, what stands there instead, and how often it occurs.
type Edit = (&'static str, &'static str, usize);

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Variant::Newer => "newer",
            Variant::OtherMajor => "other-major",
            Variant::ChangedLayout => "changed-layout",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Variant::Newer => "1.1.0",
            Variant::OtherMajor => "2.0.0",
            Variant::ChangedLayout => "1.0.0",
        }
    }

    /// What is different in which files of `driver-abi`.
    fn edits(self) -> &'static [(&'static str, Edit)] {
        match self {
            Variant::Newer => &[
                (
                    "objects.rs",
                    (
                        "    fn shut_down(&self);\n",
                        "    fn shut_down(&self);\n\n    fn probe(&self) -> u32 {\n        10\n    }\n",
                        1,
                    ),
                ),
                (
                    "objects.rs",
                    // Both the call's context and the host end in this function.
                    (
                        "    fn log(&self, level: u8, message: RStr<'_>);\n",
                        "    fn log(&self, level: u8, message: RStr<'_>);\n\n    fn later(&self) -> u32 {\n        11\n    }\n",
                        2,
                    ),
                ),
                (
                    "module.rs",
                    (
                        "-> RResult<DriverObject, Fault>,\n}",
                        "-> RResult<DriverObject, Fault>,\n    pub describe: extern \"C\" fn() -> u32,\n}\n\n\
                         pub extern \"C\" fn describe() -> u32 {\n    30\n}",
                        1,
                    ),
                ),
                (
                    "export.rs",
                    (
                        "create: $create,",
                        "create: $create, describe: $crate::describe,",
                        1,
                    ),
                ),
                ("lib.rs", ("pub use module::{", "pub use module::{describe, ", 1)),
            ],
            Variant::OtherMajor => &[],
            Variant::ChangedLayout => &[
                (
                    "fault.rs",
                    (
                        "    pub details: RVec<u8>,\n",
                        "    pub details: RVec<u8>,\n    pub code: u32,\n",
                        1,
                    ),
                ),
                (
                    "fault.rs",
                    ("details: RVec::new(),", "details: RVec::new(), code: 0,", 1),
                ),
            ],
        }
    }
}

/// The driver `plain`, built against a version of the boundary.
pub(crate) fn patched_driver(variant: Variant) -> PathBuf {
    static BUILT: [OnceLock<PathBuf>; 3] = [const { OnceLock::new() }; 3];
    let build = || {
        let root = Sources::new(variant.name());
        let package = format!("plain-{}-driver", variant.name());
        root.copy_boundary(variant);
        let plain = repository_root().join("tests/fixtures/plain/src/lib.rs");
        let edits: &[Edit] = match variant {
            Variant::Newer => &[
                (r#""abi":"1.0.0""#, r#""abi":"1.1.0""#, 1),
                (
                    "(_host: &HostObject, _context: &Context)",
                    "(host: &HostObject, context: &Context)",
                    1,
                ),
                (
                    "b\"nothing\".to_vec()",
                    r#"format!("{{\"host\": {}, \"context\": {}}}", host.later(), context.later()).into_bytes()"#,
                    1,
                ),
                (
                    "fn shut_down(&self) {}",
                    "fn shut_down(&self) {}\n\n    fn probe(&self) -> u32 {\n        20\n    }",
                    1,
                ),
            ],
            _ => &[],
        };
        root.write("src/lib.rs", &edit(&read(&plain), edits));
        root.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{package}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\n\
                 [lib]\ncrate-type = [\"cdylib\"]\n\n[dependencies]\ndriver-abi = {{ path = \"driver-abi\" }}\n\n\
                 [profile.dev]\ndebug = \"line-tables-only\"\n\n[workspace]\n"
            ),
        );
        root.build().library(&package)
    };
    BUILT[variant as usize].get_or_init(build).clone()
}

/// A program that loads the driver `plain` through this host's own steps, built against the newer boundary.
///
/// Only the steps from a file to a driver are compiled again; with the whole host, every library under it would be.
pub(crate) fn newer_host() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let root = Sources::new("newer-host");
        root.copy_boundary(Variant::Newer);
        root.write("src/main.rs", NEWER_HOST);
        root.write("src/plugin.rs", "pub mod library;\npub mod manifest;\nmod printable;\npub use printable::printable;\npub mod scan;\npub mod schema;\npub mod select;\n");
        root.link("src/plugin", &repository_root().join("host/src/plugin"));
        root.write("Cargo.toml", &newer_host_manifest());
        root.build().binary("newer-host")
    };
    BUILT.get_or_init(build).clone()
}

/// The host's own dependencies, as far as its steps need them.
fn newer_host_manifest() -> String {
    let host: toml::Table = read(&repository_root().join("host/Cargo.toml"))
        .parse()
        .expect("TOML");
    let mut dependencies = toml::Table::new();
    for name in [
        "abi_stable",
        "indexmap",
        "jsonschema",
        "libloading",
        "object",
        "percent-encoding",
        "rustix",
        "semver",
        "serde",
        "serde_json",
        "strsim",
        "thiserror",
        "tracing",
    ] {
        dependencies.insert(name.to_owned(), host["dependencies"][name].clone());
    }
    dependencies.insert(
        "driver-abi".to_owned(),
        toml::toml! { path = "driver-abi" }.into(),
    );
    let mut manifest = toml::toml! {
        package = { name = "newer-host", version = "1.0.0", edition = "2024" }
        workspace = {}
        profile = { dev = { debug = "line-tables-only" } }
    };
    manifest.insert("dependencies".to_owned(), dependencies.into());
    manifest.to_string()
}

const NEWER_HOST: &str = r#"//! A host of a later version: loads the driver `plain` from the folder named on its command line.
#![allow(dead_code, reason = "only a part of the host is here")]

mod plugin;

use driver_abi::types::{RArc, ROption, RStr, TD_Opaque};
use driver_abi::{Call, CallContext, CallContext_TO, Context, Host, Host_TO};

struct Newer;

impl Host for Newer {
    fn log(&self, _level: u8, _message: RStr<'_>) {}

    fn later(&self) -> u32 {
        21
    }
}

impl CallContext for Newer {
    fn remaining_ms(&self) -> u64 {
        1000
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn log(&self, _level: u8, _message: RStr<'_>) {}

    fn later(&self) -> u32 {
        22
    }
}

fn main() {
    let dir = std::path::PathBuf::from(std::env::args().nth(1).expect("a folder"));
    let files = plugin::scan::scan(&dir).expect("a folder").into_iter().map(plugin::scan::FoundFile::read);
    let selection = plugin::select::select(&dir, files, &["plain".to_owned()]);
    assert!(selection.faults.is_empty(), "{:?}", selection.faults);
    let driver = &selection.enabled[0];
    println!("host {}, driver {}", driver_abi::ABI_VERSION, driver.manifest().abi);
    let loaded = plugin::library::load(driver, b"{}", Host_TO::from_value(Newer, TD_Opaque)).expect("a driver");
    let ask = |method: &str| {
        let context: Context = CallContext_TO::from_ptr(RArc::new(Newer), TD_Opaque);
        let call = Call { method: method.into(), http_method: "POST".into(), body: b"[3]"[..].into(), node: ROption::RNone };
        let reply = loaded.driver.call(call, &context).into_result().expect("an answer");
        println!("{method}: {}", String::from_utf8_lossy(&reply.body));
    };
    ask("repeat");
    println!("probe: {}", loaded.driver.probe());
    ask("later");
    loaded.driver.shut_down();
}
"#;

/// A folder of generated sources under the target folder.
struct Sources(PathBuf);

impl Sources {
    fn new(name: &str) -> Self {
        let root = Built::target_folder().join("fixtures/patched").join(name);
        std::fs::create_dir_all(root.join("src")).expect("a folder for sources");
        let sources = Sources(root);
        if !sources.0.join("Cargo.lock").exists() {
            sources.write("Cargo.lock", &read(&repository_root().join("Cargo.lock")));
        }
        sources
    }

    fn copy_boundary(&self, variant: Variant) {
        let source = repository_root().join("driver-abi");
        let manifest = read(&source.join("Cargo.toml"));
        let version = format!("version = \"{}\"", variant.version());
        let manifest = replace(&manifest, "version = \"1.0.0\"", &version, 1);
        self.write(
            "driver-abi/Cargo.toml",
            &replace(&manifest, "[lints]\nworkspace = true\n", "", 1),
        );
        self.write("driver-abi/README.md", &read(&source.join("README.md")));
        let files: Vec<String> = std::fs::read_dir(source.join("src"))
            .expect("the boundary's sources")
            .map(|entry| {
                entry
                    .expect("a source")
                    .file_name()
                    .into_string()
                    .expect("a name in UTF-8")
            })
            .collect();
        for (file, _) in variant.edits() {
            assert!(
                files.iter().any(|present| present == file),
                "driver-abi/src/{file} is to be edited"
            );
        }
        for file in files {
            let mut text = read(&source.join("src").join(&file));
            for (_, (from, to, times)) in variant.edits().iter().filter(|(edited, _)| *edited == file) {
                text = replace(&text, from, to, *times);
            }
            self.write(&format!("driver-abi/src/{file}"), &text);
        }
    }

    /// Writes a file, unless it says that already: cargo builds what is newer than its result.
    fn write(&self, file: &str, text: &str) {
        let file = self.0.join(file);
        if std::fs::read_to_string(&file).is_ok_and(|present| present == text) {
            return;
        }
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for sources");
        std::fs::write(&file, text).expect("a writable target folder");
    }

    fn link(&self, name: &str, target: &Path) {
        let link = self.0.join(name);
        if std::fs::read_link(&link).is_ok_and(|present| present == target) {
            return;
        }
        // One that points elsewhere comes from another clone that used this target folder.
        let _was_not_there = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(target, &link).expect("a writable target folder");
    }

    fn build(&self) -> Built {
        let target = Built::target_folder().join("fixtures");
        Built::new(
            &self.0,
            &["--target-dir", target.to_str().expect("a path in UTF-8")],
        )
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn edit(text: &str, edits: &[Edit]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to, times)| {
        replace(&text, from, to, *times)
    })
}

/// Replaces every occurrence, of which there must be `times`: otherwise the sources have changed under the test.
fn replace(text: &str, from: &str, to: &str, times: usize) -> String {
    assert_eq!(text.matches(from).count(), times, "occurrences of {from:?}");
    text.replace(from, to)
}
