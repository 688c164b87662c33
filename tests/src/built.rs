//! What cargo built: the host, the drivers, the fixtures. Paths come from cargo's own messages.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::repository_root;

/// The artifacts of one workspace.
#[derive(Debug)]
pub struct Built {
    libraries: HashMap<String, PathBuf>,
    binaries: HashMap<String, PathBuf>,
}

impl Built {
    /// The repository's workspace: the host, the drivers and the examples, in the profile of the test run.
    ///
    /// Built on first use; nothing is left to do when the test command has built the workspace before.
    pub fn get() -> &'static Built {
        static BUILT: OnceLock<Result<Built, String>> = OnceLock::new();
        let built = BUILT.get_or_init(|| Built::build(repository_root(), &["--workspace"]));
        built.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The drivers that misbehave: a workspace of its own, with a target folder of its own, so that its libraries never
    /// land among the real ones.
    pub fn fixtures() -> &'static Built {
        static BUILT: OnceLock<Result<Built, String>> = OnceLock::new();
        let built = BUILT.get_or_init(|| {
            let target = Built::target_folder().join("fixtures");
            let target = target.to_str().expect("a path in UTF-8");
            let arguments = ["--workspace", "--target-dir", target];
            Built::build(&repository_root().join("tests/fixtures"), &arguments)
        });
        built.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The fuzz targets, all in one program: a workspace of its own, for which its configuration asks the compiler for counters.
    pub fn fuzz() -> &'static Built {
        static BUILT: OnceLock<Result<Built, String>> = OnceLock::new();
        let built = BUILT.get_or_init(|| {
            let target = Built::target_folder().join("fuzz");
            let target = target.to_str().expect("a path in UTF-8");
            let arguments = ["--bin", "any", "--target-dir", target];
            Built::build(&repository_root().join("tests/fuzz"), &arguments)
        });
        built.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Builds the workspace at `root` with `arguments` and reads where everything went.
    ///
    /// # Panics
    /// When it does not build.
    pub fn new(root: &Path, arguments: &[&str]) -> Built {
        Built::build(root, arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What failed is remembered by whoever asks once, so that not every test tries again.
    fn build(root: &Path, arguments: &[&str]) -> Result<Built, String> {
        let output = cargo()
            .args(["build", "--message-format=json-render-diagnostics"])
            .args(arguments)
            .current_dir(root)
            .stdin(Stdio::null())
            .output()
            .expect("cargo starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("cargo build in {} failed:\n{errors}", root.display()));
        }
        let mut built = Built {
            libraries: HashMap::new(),
            binaries: HashMap::new(),
        };
        for line in String::from_utf8(output.stdout)
            .expect("messages in UTF-8")
            .lines()
        {
            let message: Value = serde_json::from_str(line).expect("a message of cargo");
            if message["reason"] == "compiler-artifact" {
                built.note(&message);
            }
        }
        Ok(built)
    }

    fn note(&mut self, artifact: &Value) {
        // `path+file:///…/drivers/fake#fake-driver@1.0.0`, or `…/hello#1.0.0` when folder and package have one name
        let id = artifact["package_id"].as_str().expect("a package id");
        let (place, fragment) = id.rsplit_once('#').expect("a package id with a version");
        let package = match fragment.split_once('@') {
            Some((name, _)) => name,
            None => place.rsplit('/').next().expect("a folder's name"),
        };
        if let Some(executable) = artifact["executable"].as_str() {
            self.binaries.insert(package.to_owned(), executable.into());
        }
        let cdylib = artifact["target"]["kind"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|k| k == "cdylib"));
        if cdylib {
            let files = artifact["filenames"].as_array().expect("file names");
            let library = files
                .iter()
                .filter_map(Value::as_str)
                .find(|file| file.ends_with(".so"));
            self.libraries
                .insert(package.to_owned(), library.expect("a shared library").into());
        }
    }

    /// The `.so` of a package.
    pub fn library(&self, package: &str) -> PathBuf {
        let Some(path) = self.libraries.get(package) else {
            panic!(
                "no library of a package {package}; there are {:?}",
                self.libraries.keys()
            );
        };
        path.clone()
    }

    /// The program of a package.
    pub fn binary(&self, package: &str) -> PathBuf {
        let Some(path) = self.binaries.get(package) else {
            panic!(
                "no program of a package {package}; there are {:?}",
                self.binaries.keys()
            );
        };
        path.clone()
    }

    /// The host's program.
    pub fn host() -> PathBuf {
        Built::get().binary("host")
    }

    /// Where cargo puts the workspace's artifacts.
    pub fn target_folder() -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => repository_root().join(folder),
            None => repository_root().join("target"),
        }
    }
}

/// Cargo, the one that runs the tests.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
