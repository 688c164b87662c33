//! Every way in which names and files can fail to match.

use super::*;
use crate::plugin::manifest::{ManifestError, parse};
use crate::plugin::scan::FoundFile;

fn identity() -> FileIdentity {
    FileIdentity::of(Path::new("/")).unwrap()
}

fn driver(file: &str, name: &str) -> ReadFile {
    let manifest = format!(
        r#"{{"manifest": 1, "abi": "1.0.0", "target": "t", "name": "{name}", "version": "1.2.3", "methods": []}}"#
    );
    let outcome = parse(manifest.as_bytes()).map(|manifest| (manifest, identity()));
    ReadFile {
        file: FoundFile::named(format!("/drivers/{file}")),
        outcome,
    }
}

fn refused(file: &str, error: ManifestError, name: Option<&str>) -> ReadFile {
    let claim = Claim {
        name: name.map(str::to_owned),
        version: None,
    };
    ReadFile {
        file: FoundFile::named(format!("/drivers/{file}")),
        outcome: Err(Box::new(Unfit { error, claim })),
    }
}

fn selected(files: Vec<ReadFile>, enabled: &[&str]) -> Selection {
    let enabled: Vec<_> = enabled.iter().map(|&name| name.to_owned()).collect();
    select(Path::new("/drivers"), files, &enabled)
}

fn faults(selection: &Selection) -> Vec<String> {
    selection.faults.iter().map(SelectError::to_string).collect()
}

#[test]
fn drivers_are_loaded_in_the_order_of_the_list() {
    let selection = selected(
        vec![driver("a.so", "a"), driver("b.so", "b"), driver("c.so", "c")],
        &["c", "a"],
    );
    let names: Vec<_> = selection
        .enabled
        .iter()
        .map(|driver| driver.manifest().name.as_str())
        .collect();
    assert_eq!(names, ["c", "a"]);
    let states: Vec<_> = selection
        .verdicts
        .iter()
        .map(|verdict| (verdict.code, verdict.enabled))
        .collect();
    assert_eq!(
        states,
        [("enabled", true), ("available", false), ("enabled", true)]
    );
    assert!(selection.faults.is_empty() && selection.warnings.is_empty());
}

#[test]
fn two_files_with_one_name_are_both_refused_and_both_named() {
    let selection = selected(
        vec![driver("a.so", "x"), driver("b.so", "x"), driver("y.so", "y")],
        &["x", "y"],
    );
    assert_eq!(selection.enabled.len(), 1);
    let [a, b, y] = selection.verdicts.as_slice() else {
        panic!("{:?}", selection.verdicts)
    };
    assert_eq!(
        (a.code, b.code, y.code),
        ("duplicate-name", "duplicate-name", "enabled")
    );
    assert!(
        a.reason.contains("'/drivers/b.so'") && b.reason.contains("'/drivers/a.so'"),
        "{a:?} {b:?}"
    );
    let faults = faults(&selection);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].contains("driver 'x'") && faults[0].contains("expected one file"),
        "{faults:?}"
    );
    assert!(
        faults[0].contains("'/drivers/a.so' and '/drivers/b.so'"),
        "{faults:?}"
    );
}

#[test]
fn a_crowd_of_duplicates_is_still_one_line() {
    let crowd = (0..100).map(|i| driver(&format!("{i}.so"), "x")).collect();
    let selection = selected(crowd, &["x"]);
    let fault = &faults(&selection)[0];
    assert!(
        fault.contains("'/drivers/0.so' and '/drivers/1.so' and '/drivers/2.so' and 97 more"),
        "{fault}"
    );
    assert!(
        selection.verdicts[0]
            .reason
            .ends_with("'/drivers/3.so' and 96 more"),
        "{:?}",
        selection.verdicts[0]
    );
}

#[test]
fn duplicates_that_nobody_enabled_forbid_nothing() {
    let selection = selected(
        vec![driver("a.so", "x"), driver("b.so", "x"), driver("y.so", "y")],
        &["y"],
    );
    assert!(selection.faults.is_empty());
    assert_eq!(selection.verdicts[0].code, "duplicate-name");
}

#[test]
fn every_missing_name_is_a_fault_of_its_own_with_names_that_look_like_it() {
    let selection = selected(vec![driver("ipmi.so", "ipmi")], &["ipmo", "ipmi", "nosuch"]);
    let faults = faults(&selection);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("driver 'ipmo'") && faults[0].contains("did you mean ipmi?"),
        "{faults:?}"
    );
    assert!(
        faults[1].contains("'nosuch'") && faults[1].contains("'/drivers'"),
        "{faults:?}"
    );
    assert!(
        faults[1].contains("found none in 1 .so file;") && !faults[1].contains("did you mean"),
        "{faults:?}"
    );
}

#[test]
fn an_enabled_driver_whose_file_is_refused_is_told_why() {
    let newer = ManifestError::NeedsNewerHost {
        at: "manifest".into(),
        found: "2".into(),
        known: "up to 1".into(),
    };
    let files = vec![
        refused("x.so", newer, Some("later")),
        refused(
            "libcut.so",
            ManifestError::Truncated {
                expected: 10,
                found: 5,
            },
            None,
        ),
        refused("other.so", ManifestError::Empty, None),
    ];
    let selection = selected(files, &["later", "cut"]);
    let faults = faults(&selection);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("'later'") && faults[0].contains("'/drivers/x.so'"),
        "{faults:?}"
    );
    assert!(
        faults[0].contains("(needs-newer-host)") && faults[0].contains("update the host"),
        "{faults:?}"
    );
    assert!(
        faults[1]
            .contains("'/drivers/libcut.so' is refused (truncated): expected at least 10 bytes, found 5")
    );
    assert!(selection.verdicts[0].enabled);
}

#[test]
fn a_repeated_name_is_one_warning_and_loaded_once() {
    let selection = selected(vec![driver("a.so", "a")], &["a", "a", "a"]);
    assert_eq!(selection.enabled.len(), 1);
    assert_eq!(
        selection.warnings,
        [SelectWarning::Repeated { name: "a".to_owned() }]
    );
    assert!(selection.warnings[0].to_string().contains("'a' more than once"));
}

#[test]
fn an_empty_list_is_refused_and_names_what_is_there() {
    let selection = selected(vec![driver("b.so", "b"), driver("a.so", "a")], &[]);
    let faults = faults(&selection);
    assert_eq!(
        faults,
        ["enabled_drivers is empty: expected at least one driver (plugin_dir has a, b)"]
    );
    let selection = selected(Vec::new(), &[]);
    assert!(faults_are_one_line(&selection));
}

fn faults_are_one_line(selection: &Selection) -> bool {
    faults(selection).iter().all(|fault| !fault.contains('\n'))
}
