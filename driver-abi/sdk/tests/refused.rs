//! What must not compile, with the error that its author reads: `refused/*.rs` and, beside each, its `.stderr`.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

#[test]
fn wrong_declarations_do_not_compile_and_say_why() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/refused/*.rs");
}

const LAMP: &str = r#"
#![forbid(unsafe_code)]
use driver_sdk::prelude::*;

#[derive(Properties)]
struct Device {
    /// Address of the lamp.
    address: String,
}

#[derive(Deserialize)]
struct Light {
    brightness: u8,
}

struct Lamp;

/// Lamps.
#[driver(name = "lamp", properties = Device)]
impl Lamp {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Lamp)
    }

    /// Lights.
    #[node_method(WORDS)]
    fn light(&self, call: &Call, node: &Node, args: Light) -> Result<Value, Fault> {
        let device: Device = node.driver_info()?;
        call.info(&device.address);
        Ok(json!(args.brightness))
    }
}
"#;

/// A crate that an author might write, built with cargo as the author would.
struct Author {
    folder: tempfile::TempDir,
    edition: &'static str,
    profile: &'static str,
    source: String,
}

impl Author {
    fn new(words: &str) -> Self {
        let source = LAMP.replace("WORDS", words);
        Author {
            folder: tempfile::tempdir().unwrap(),
            edition: "2021",
            profile: "",
            source,
        }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Whether it compiles, and what the compiler says.
    fn build(&self) -> (bool, String) {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR"));
        let Author { edition, profile, .. } = self;
        // cargo knows crates in a shared target folder by name, not by place: each has one of its own.
        let folder = self.folder.path().file_name().unwrap().to_string_lossy();
        let name = format!("lamp-{}", folder.trim_start_matches('.').to_lowercase());
        self.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\
                 [lib]\ncrate-type = [\"cdylib\"]\npath = \"lib.rs\"\n\
                 [dependencies]\ndriver-sdk = {{ path = {sdk:?} }}\n\
                 serde = {{ version = \"1\", features = [\"derive\"] }}\n\
                 [workspace]\n{profile}\n"
            ),
        );
        self.write("lib.rs", &self.source);
        // The versions of this workspace, so that nothing is downloaded again.
        let lock = sdk.join("../../Cargo.lock");
        if lock.exists() {
            std::fs::copy(lock, self.folder.path().join("Cargo.lock")).unwrap();
        }
        let output = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--color=never"])
            .current_dir(self.folder.path())
            .env(
                "CARGO_TARGET_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("author"),
            )
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }
}

#[test]
fn a_driver_compiles_without_unsafe_code_and_without_a_warning_in_both_editions() {
    for edition in ["2021", "2024"] {
        let author = Author {
            edition,
            ..Author::new("")
        };
        let (compiles, said) = author.build();
        assert!(compiles && said.is_empty(), "edition {edition}: {said}");
    }
}

#[test]
fn an_async_fn_without_the_feature_says_which_feature_it_needs() {
    let mut author = Author::new("");
    author.source = author.source.replace("fn light", "async fn light");
    let (compiles, said) = author.build();
    assert!(!compiles);
    assert!(
        said.contains("error: an `async fn` method needs driver-sdk's feature `tokio`"),
        "{said}"
    );
    assert_eq!(
        said.matches("error:").count(),
        2,
        "one error, and cargo's last line: {said}"
    );
}

#[test]
fn a_profile_that_aborts_on_panic_is_refused() {
    let author = Author {
        profile: "[profile.dev]\npanic = \"abort\"",
        ..Author::new("")
    };
    let (compiles, said) = author.build();
    assert!(!compiles);
    assert!(
        said.contains("a panic of a driver must not end the host's process: remove `panic = \"abort\"`"),
        "{said}"
    );
}

#[test]
fn a_broken_schema_file_is_refused_with_the_place_and_a_sound_one_is_not() {
    for (schema, expected) in [
        (
            "{\"type\": ",
            "error: `light.json` is not JSON: EOF while parsing a value at line 1 column 9",
        ),
        (
            "[]",
            "error: `light.json` is not a JSON Schema: a schema is a JSON object",
        ),
        (
            "{\"tpye\": \"object\"}",
            "error: `light.json` is not a JSON Schema: it has no keyword such as `type`",
        ),
    ] {
        let author = Author::new("body_schema = \"light.json\"");
        author.write("light.json", schema);
        let (compiles, said) = author.build();
        assert!(!compiles && said.contains(expected), "{said}");
    }
    let author = Author::new("body_schema = \"light.json\", reply_schema = \"light.json\"");
    author.write("light.json", "{\"type\": \"object\"}");
    let (compiles, said) = author.build();
    assert!(compiles, "{said}");
}
