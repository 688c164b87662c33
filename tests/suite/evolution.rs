//! The boundary may grow at its ends: an older driver works in a newer host, and a newer driver in an older host.
//!
//! The other version is made here, from a copy of `driver-abi` with a few functions appended; see [`patched`].

use std::process::Command;

use host::plugin::load;
use suite::Built;

use crate::loading::{ask, enabled, host_object};

pub(crate) mod patched;

use patched::{Variant, newer_host, patched_driver};

#[test]
fn a_newer_driver_works_in_this_host_beside_a_present_one() {
    let (_newer_dir, newer) = enabled(&patched_driver(Variant::Newer), "plain");
    assert_eq!(newer.manifest().abi.to_string(), "1.1.0");
    let newer = load(&newer, b"{}", host_object()).unwrap();
    assert_eq!(ask(&newer, "repeat", "[1]"), "[1]");
    // It calls what its version appended to the host's side, which this host does not have: the defaults answer.
    assert_eq!(ask(&newer, "later", "{}"), r#"{"host": 11, "context": 11}"#);

    let (_dir, present) = enabled(&Built::fixtures().library("plain-driver"), "plain");
    let present = load(&present, b"{}", host_object()).unwrap();
    assert_eq!(ask(&present, "repeat", "[2]"), "[2]");
}

#[test]
fn a_present_driver_works_in_a_newer_host_beside_a_newer_one() {
    let dir = tempfile::tempdir().unwrap();
    let said = |library: std::path::PathBuf| {
        std::fs::copy(library, dir.path().join("x.so")).unwrap();
        let output = Command::new(newer_host()).arg(dir.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // The newer host calls what its version appended to the driver's side; the present driver does not have it.
    let present = said(Built::fixtures().library("plain-driver"));
    assert_eq!(
        present,
        "host 1.1.0, driver 1.0.0\nrepeat: [3]\nprobe: 10\nlater: nothing\n"
    );
    let newer = said(patched_driver(Variant::Newer));
    assert_eq!(
        newer,
        "host 1.1.0, driver 1.1.0\nrepeat: [3]\nprobe: 20\nlater: {\"host\": 21, \"context\": 22}\n"
    );
}
