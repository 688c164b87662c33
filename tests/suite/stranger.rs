//! An author outside of this repository: the template, built from the packaged crates, loaded and called.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use suite::{Built, HELLO, HostProcess, repository_root};

const CRATES: &[&str] = &["driver-abi", "driver-sdk-macros", "driver-sdk"];

fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{errors}");
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.env_remove("CARGO_TARGET_DIR");
    cargo
}

/// Packs the crates that an author needs and unpacks them into `folder`, as the registry would hand them out.
fn packaged(folder: &Path) -> Vec<(String, PathBuf)> {
    let target = folder.join("package-target");
    let mut package = cargo();
    package
        .arg("package")
        .args(["--no-verify", "--allow-dirty", "--quiet"]);
    for name in CRATES {
        package.args(["--package", name]);
    }
    run(package
        .arg("--target-dir")
        .arg(&target)
        .current_dir(repository_root()));
    let archives = std::fs::read_dir(target.join("package"))
        .expect("packages")
        .map(Result::unwrap);
    for archive in archives.filter(|entry| entry.path().extension().is_some_and(|end| end == "crate")) {
        run(Command::new("tar")
            .arg("xzf")
            .arg(archive.path())
            .arg("-C")
            .arg(folder));
    }
    let unpacked = |name: &str| {
        let wanted = format!("{name}-1");
        let mut folders = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let found = folders.find(|entry| entry.file_name().to_string_lossy().starts_with(&wanted));
        found.unwrap_or_else(|| panic!("no package {name}")).path()
    };
    CRATES
        .iter()
        .map(|name| ((*name).to_owned(), unpacked(name)))
        .collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "target" {
                copy(&entry.path(), &target);
            }
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_template_taken_outside_builds_from_the_packaged_crates_loads_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let crates = packaged(folder.path());
    let outside = folder.path().join("my-driver");
    copy(&repository_root().join("examples/hello-driver"), &outside);
    let mut config = "[patch.crates-io]\n".to_owned();
    for (name, path) in crates {
        config += &format!("{name} = {{ path = {path:?} }}\n");
    }
    std::fs::create_dir(outside.join(".cargo")).unwrap();
    std::fs::write(outside.join(".cargo/config.toml"), config).unwrap();
    let target = Built::target_folder().join("stranger");
    let target = target.to_str().expect("a path in UTF-8");
    let built = Built::new(&outside, &["--target-dir", target]);

    let builder = HostProcess::builder().enable("hello");
    let library = built.library(HELLO.package);
    std::fs::copy(&library, builder.folder().join("drivers").join("libmy_driver.so")).unwrap();
    let host = builder.start();
    let manifest = host.get("/v1/drivers/hello/manifest").expect(200).json();
    assert_eq!(
        (&manifest["name"], &manifest["version"]),
        (&json!("hello"), &json!("1.0.0"))
    );
    let node = json!({"driver": "hello", "name": "n1", "driver_info": {"hello_address": "192.0.2.7"}});
    host.post("/v1/nodes", node).expect(201);
    let reply = host
        .post("/v1/nodes/n1/vendor_passthru/greet", json!({"name": "stranger"}))
        .expect(200);
    assert_eq!(
        reply.json(),
        json!({"greeting": "Hello, stranger!", "from": "192.0.2.7:623"})
    );
}

#[test]
fn the_template_is_short_and_safe() {
    let text = std::fs::read_to_string(repository_root().join("examples/hello-driver/src/lib.rs")).unwrap();
    assert!(text.lines().count() < 60, "{} lines", text.lines().count());
    assert!(text.contains("#![forbid(unsafe_code)]"));
    for word in ["extern", "repr(C)", "abi", "RVec", "unsafe {"] {
        assert!(!text.contains(word), "an author meets {word:?}");
    }
}

#[test]
fn the_crates_that_authors_use_can_be_published() {
    let mut package = cargo();
    package.arg("package").args(["--allow-dirty", "--quiet"]);
    for name in CRATES {
        package.args(["--package", name]);
    }
    // A folder that no run before had: cargo keeps what it unpacks by path and version, and would check these crates against
    // those of an older run.
    let target = tempfile::tempdir_in(Built::target_folder()).expect("a folder");
    run(package
        .arg("--target-dir")
        .arg(target.path())
        .current_dir(repository_root()));
}
