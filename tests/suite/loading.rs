//! What becomes of enabled drivers when they are loaded: it works, or one line says file, expected, found and what to do.

use std::path::Path;

use driver_abi::types::{RArc, RStr, TD_Opaque};
use driver_abi::{Call, CallContext, CallContext_TO, Context, Host, Host_TO, HostObject};
use host::plugin::{EnabledDriver, LoadCause, LoadError, LoadedLibrary, load, survey};
use suite::{Built, PANICS};

use crate::evolution::patched::{Variant, patched_driver};

/// The host's side of a driver, for tests: says nothing.
pub(crate) struct Silent;

impl Host for Silent {
    fn log(&self, _level: u8, _message: RStr<'_>) {}
}

impl CallContext for Silent {
    fn remaining_ms(&self) -> u64 {
        1000
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn log(&self, _level: u8, _message: RStr<'_>) {}
}

pub(crate) fn host_object() -> HostObject {
    Host_TO::from_value(Silent, TD_Opaque)
}

/// What a driver answers to a method of its own.
pub(crate) fn ask(library: &LoadedLibrary, method: &str, body: &str) -> String {
    let context: Context = CallContext_TO::from_ptr(RArc::new(Silent), TD_Opaque);
    let call = Call {
        method: method.into(),
        http_method: "POST".into(),
        body: body.as_bytes().into(),
        node: driver_abi::types::ROption::RNone,
    };
    match library.driver.call(call, &context).into_result() {
        Ok(reply) => String::from_utf8(reply.body.to_vec()).unwrap(),
        Err(fault) => panic!("{fault:?}"),
    }
}

/// The library at `file` in a folder of its own, chosen to be loaded.
pub(crate) fn enabled(file: &Path, name: &str) -> (tempfile::TempDir, EnabledDriver) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(file, dir.path().join("x.so")).unwrap();
    let mut selection = survey(dir.path(), &[name.to_owned()]).unwrap();
    assert!(selection.faults.is_empty(), "{:?}", selection.faults);
    (dir, selection.enabled.remove(0))
}

/// Loads a library that must not load; the error has passed the checks that hold for all of them.
fn refused(file: &Path, name: &str, config: &str) -> LoadError {
    let (dir, driver) = enabled(file, name);
    let error = load(&driver, config.as_bytes(), host_object()).expect_err("a driver that cannot be loaded");
    let text = error.to_string();
    assert!(text.contains(&format!("driver '{name}'")), "{text}");
    assert!(text.contains(dir.path().join("x.so").to_str().unwrap()), "{text}");
    for word in ["expected", "found"] {
        assert!(text.contains(word), "{word:?} is missing in {text}");
    }
    assert!(text.contains(';'), "what to do is missing in {text}");
    assert!(
        text.len() < 600 && !text.chars().any(char::is_control),
        "not one line: {text:?}"
    );
    error
}

fn refused_fixture(name: &str) -> LoadError {
    refused(&Built::fixtures().library(&format!("{name}-driver")), name, "{}")
}

#[test]
fn a_driver_gets_its_own_configuration_and_answers() {
    let (_dir, driver) = enabled(&Built::fixtures().library("plain-driver"), "plain");
    let plain = load(&driver, br#"{"port": 623}"#, host_object()).unwrap();
    assert_eq!(plain.manifest.name, "plain");
    assert_eq!(ask(&plain, "config", "{}"), r#"{"port": 623}"#);
    assert_eq!(ask(&plain, "repeat", "[1, 2]"), "[1, 2]");
    plain.driver.shut_down();
}

#[test]
fn two_drivers_from_one_source_are_two_drivers() {
    let file = Built::fixtures().library("plain-driver");
    let loaded: Vec<_> = ["first", "second"]
        .into_iter()
        .map(|config| {
            let (dir, driver) = enabled(&file, "plain");
            (dir, load(&driver, config.as_bytes(), host_object()).unwrap())
        })
        .collect();
    assert_eq!(ask(&loaded[0].1, "config", "{}"), "first");
    assert_eq!(ask(&loaded[1].1, "config", "{}"), "second");
}

#[test]
fn an_unresolved_symbol_is_named() {
    let error = refused_fixture("unresolved-symbol");
    assert!(matches!(error.cause, LoadCause::Open { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("undefined symbol: vendor_function_that_exists_nowhere"),
        "{error}"
    );
}

#[test]
fn a_manifest_without_a_driver_behind_it_is_refused() {
    let error = refused_fixture("no-root-module");
    assert_eq!(error.cause, LoadCause::NoRootModule);
}

#[test]
fn a_header_of_another_abi_stable_is_refused_with_both_versions() {
    let error = refused_fixture("other-abi-stable");
    assert_eq!(
        error.cause,
        LoadCause::AbiHeader {
            found: "abi_stable 0.99".to_owned()
        }
    );
    assert!(
        error
            .to_string()
            .contains("expected a root module of abi_stable 0.11"),
        "{error}"
    );
}

#[test]
fn a_boundary_of_another_major_version_is_refused_whatever_the_manifest_says() {
    let error = refused(&patched_driver(Variant::OtherMajor), "plain", "{}");
    assert_eq!(
        error.cause,
        LoadCause::OtherMajor {
            expected: "1.0.0".to_owned(),
            found: "2.0.0".to_owned()
        }
    );
}

#[test]
fn a_changed_type_of_the_same_version_is_refused_with_the_place() {
    let error = refused(&patched_driver(Variant::ChangedLayout), "plain", "{}");
    let LoadCause::Layout {
        expected,
        found,
        mismatch,
    } = &error.cause
    else {
        panic!("{error:?}")
    };
    assert_eq!((expected.as_str(), found.as_str()), ("1.0.0", "1.0.0"));
    assert!(
        mismatch.contains("in type Fault: number of fields 3 in the host, 4 in the driver"),
        "{mismatch}"
    );
}

#[test]
fn a_driver_that_does_not_describe_its_types_is_refused() {
    let error = refused_fixture("no-layout");
    assert!(matches!(error.cause, LoadCause::Layout { .. }), "{error:?}");
    assert!(
        error.to_string().contains("does not describe its types"),
        "{error}"
    );
}

#[test]
fn a_root_module_that_cannot_be_made_is_refused() {
    let error = refused_fixture("root-panics");
    assert_eq!(
        error.cause,
        LoadCause::RootModule {
            found: "a panic".to_owned()
        }
    );
}

#[test]
fn a_driver_that_refuses_its_configuration_is_quoted_on_one_line() {
    let file = Built::fixtures().library("create-fails-driver");
    let error = refused(&file, "create-fails", r#"{"host": "bmc"}"#);
    let LoadCause::Create { kind, message } = &error.cause else {
        panic!("{error:?}")
    };
    assert_eq!(*kind, driver_abi::kind::INVALID_PARAMETER);
    assert_eq!(message, "port is missing in {\"host\": \"bmc\"}\\u{1b}[2J");
}

#[test]
fn a_driver_that_panics_while_it_is_created_is_refused() {
    let error = refused(&PANICS.path(), "panics", r#"{"panic": true}"#);
    let LoadCause::CreatePanicked { message } = &error.cause else {
        panic!("{error:?}")
    };
    assert!(message.contains("while the driver is created"), "{message}");
}

#[test]
fn a_file_that_was_replaced_since_its_manifest_was_read_is_not_loaded() {
    let file = Built::fixtures().library("plain-driver");
    let (dir, driver) = enabled(&file, "plain");
    let next = dir.path().join("next");
    std::fs::copy(&file, &next).unwrap();
    std::fs::rename(&next, dir.path().join("x.so")).unwrap();
    let error = load(&driver, b"{}", host_object()).unwrap_err();
    assert_eq!(error.cause, LoadCause::Changed);
    assert!(
        error
            .to_string()
            .contains("x.so': expected the file whose manifest was read, found another"),
        "{error}"
    );

    std::fs::remove_file(dir.path().join("x.so")).unwrap();
    let error = load(&driver, b"{}", host_object()).unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
}

#[test]
fn every_fault_of_every_enabled_driver_is_reported_and_the_others_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Built::fixtures().library("plain-driver");
    std::fs::copy(&plain, dir.path().join("good.so")).unwrap();
    let whole = std::fs::read(&plain).unwrap();
    std::fs::write(dir.path().join("libcut.so"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(dir.path().join("other.so"), "not enabled, not a driver").unwrap();
    let enabled = ["plain", "cut", "plane", "plain"].map(str::to_owned);
    let selection = survey(dir.path(), &enabled).unwrap();
    let faults: Vec<_> = selection.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("libcut.so' is refused (truncated): expected at least"),
        "{faults:?}"
    );
    assert!(
        faults[1].contains("driver 'plane'") && faults[1].contains("did you mean plain?"),
        "{faults:?}"
    );
    assert_eq!(
        (
            selection.enabled.len(),
            selection.warnings.len(),
            selection.verdicts.len()
        ),
        (1, 1, 3)
    );
}
