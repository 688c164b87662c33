//! What must hold of the reader of files, and of manifests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::Value;

use super::{DriverManifest, ManifestError, elf, parse};
use crate::fuzzing::is_readable;

/// Any bytes as a file of `plugin_dir`.
pub(crate) fn library(bytes: &[u8]) {
    let manifest = match manifest_of(bytes) {
        Ok(manifest) => manifest,
        Err(error) => return is_readable(&error.to_string(), 300),
    };
    assert!(
        memchr::memmem::find(bytes, &manifest).is_some(),
        "it stands in the file"
    );
    // The same proofs, made by hand.
    assert_eq!(number(bytes, 16, 2), 3, "a shared object");
    let ends = promised_ends(bytes);
    let whole = ends.iter().copied().max().unwrap();
    assert!(
        whole <= bytes.len() as u64,
        "{whole} bytes are promised, {} are there",
        bytes.len()
    );
    // What follows what is promised is of no account, and nothing that is promised may be missing.
    let whole = usize::try_from(whole).unwrap();
    assert_eq!(manifest_of(&bytes[..whole]).unwrap(), manifest);
    assert_eq!(manifest_of(&[bytes, &[0xff; 100]].concat()).unwrap(), manifest);
    let cut = manifest_of(&bytes[..whole - 1]);
    assert!(matches!(cut, Err(ManifestError::Truncated { .. })), "{cut:?}");
}

fn manifest_of(bytes: &[u8]) -> Result<Vec<u8>, ManifestError> {
    let file: File = memfd_create("library", MemfdFlags::CLOEXEC).unwrap().into();
    file.write_all_at(bytes, 0).unwrap();
    elf::manifest_bytes(&file, bytes.len() as u64)
}

/// Where the header, its two tables and the parts that it maps or reads end.
fn promised_ends(bytes: &[u8]) -> Vec<u64> {
    let (table, entries) = (number(bytes, 32, 8), number(bytes, 56, 2));
    let mut ends = vec![64, table + 56 * entries];
    let sections = number(bytes, 40, 8);
    if sections > 0 {
        ends.push(sections + number(bytes, 58, 2) * number(bytes, 60, 2));
    }
    let mut dynamic = 0;
    for entry in 0..entries {
        let at = usize::try_from(table + 56 * entry).unwrap();
        let end = number(bytes, at + 8, 8) + number(bytes, at + 32, 8);
        match number(bytes, at, 4) {
            // Mapped; a note.
            1 | 4 => ends.push(end),
            // Of several dynamic sections the last one counts.
            2 => dynamic = end,
            3 => panic!("a program with an interpreter"),
            _ => {}
        }
    }
    ends.push(dynamic);
    ends
}

/// A number of the header, in the order of bytes that this machine has.
fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    let mut number = [0; 8];
    if cfg!(target_endian = "little") {
        number[..size].copy_from_slice(&bytes[at..at + size]);
    } else {
        number[8 - size..].copy_from_slice(&bytes[at..at + size]);
    }
    u64::from_ne_bytes(number)
}

/// Any bytes as a manifest.
pub(crate) fn manifest(bytes: &[u8]) {
    let manifest = match parse(bytes) {
        Ok(manifest) => manifest,
        Err(unfit) => return is_readable(&unfit.error.to_string(), 2000),
    };
    assert_eq!(manifest.raw.as_bytes(), bytes, "nothing of it is lost");
    let mut names: Vec<_> = manifest
        .methods
        .iter()
        .map(|method| (method.on as u8, &method.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names.len(),
        manifest.methods.len(),
        "no two methods have one name"
    );
    assert!(
        manifest
            .methods
            .iter()
            .all(|method| !method.http_methods.is_empty())
    );
    // How it is written does not matter. (A number may lose its last digit on the way.)
    let value: Value = serde_json::from_slice(bytes).unwrap();
    let written = serde_json::to_string_pretty(&value).unwrap();
    if serde_json::from_str::<Value>(&written).unwrap() == value {
        let again = parse(written.as_bytes()).unwrap();
        assert_eq!(meaning(manifest), meaning(again));
    }
}

fn meaning(manifest: DriverManifest) -> String {
    let raw = "".into();
    format!("{:?}", DriverManifest { raw, ..manifest })
}
