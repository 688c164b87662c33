//! No damage to a file makes the host fail: it reads, judges, and never maps.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::process::Command;

use host::plugin::FoundFile;

use super::{Folder, PLAIN};

/// The code of the verdict, or nothing for a driver.
fn fault(file: &std::path::Path) -> Option<&'static str> {
    FoundFile::named(file)
        .read()
        .outcome
        .err()
        .map(|unfit| unfit.error.code())
}

#[test]
fn a_stripped_driver_is_a_driver_even_without_its_section_headers() {
    let folder = Folder::new();
    let file = folder.put("plain.so", PLAIN);
    assert!(Command::new("strip").arg(&file).status().unwrap().success());
    assert_eq!(fault(&file), None);
    let mut bytes = std::fs::read(&file).unwrap();
    forget_sections(&mut bytes);
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(fault(&file), None);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let folder = Folder::new();
    let file = folder.put("plain.so", PLAIN);
    assert!(Command::new("strip").arg(&file).status().unwrap().success());
    let whole = std::fs::read(&file).unwrap();
    for len in (0..200)
        .chain((200..whole.len()).step_by(2999))
        .chain([whole.len() - 1])
    {
        std::fs::write(&file, &whole[..len]).unwrap();
        let expected = match len {
            0 => "empty",
            1..4 => "not-elf",
            _ => "truncated",
        };
        assert_eq!(fault(&file), Some(expected), "cut at {len} of {}", whole.len());
    }
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(fault(&file), None);
}

#[test]
fn a_file_without_section_headers_ends_with_its_last_segment_and_not_earlier() {
    let folder = Folder::new();
    let file = folder.put("plain.so", PLAIN);
    let mut bytes = std::fs::read(&file).unwrap();
    forget_sections(&mut bytes);
    let end = last_loaded_byte(&bytes);
    std::fs::write(&file, &bytes[..end - 1]).unwrap();
    assert_eq!(fault(&file), Some("truncated"));
    std::fs::write(&file, &bytes[..end]).unwrap();
    assert_eq!(fault(&file), None);
}

/// Clears where the section headers are, and their number (ELF64 header).
fn forget_sections(file: &mut [u8]) {
    file[40..48].fill(0);
    file[60..64].fill(0);
}

/// The largest end of a loadable segment in the file, from the program headers.
fn last_loaded_byte(file: &[u8]) -> usize {
    let number = |at: usize, size: usize| {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&file[at..at + size]);
        usize::try_from(u64::from_le_bytes(bytes)).unwrap()
    };
    let (table, count) = (number(32, 8), number(56, 2));
    let segments = (0..count)
        .map(|i| table + i * 56)
        .filter(|&at| number(at, 4) == 1);
    segments
        .map(|at| number(at + 8, 8) + number(at + 32, 8))
        .max()
        .unwrap()
}

#[test]
fn random_damage_in_the_headers_and_the_notes_is_judged_and_never_fatal() {
    let folder = Folder::new();
    let file = folder.put("plain.so", PLAIN);
    assert!(Command::new("strip").arg(&file).status().unwrap().success());
    let opened = OpenOptions::new().read(true).write(true).open(&file).unwrap();
    let mut head = vec![0; 4096];
    opened.read_exact_at(&mut head, 0).unwrap();
    // A fixed sequence (xorshift), so that a failure can be repeated.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut refused = 0;
    for round in 0..5000 {
        let mut damaged = head.clone();
        // Half of the rounds aim at the program headers, which hold all sizes and offsets.
        let reach = if round % 2 == 0 { 700 } else { damaged.len() };
        for _ in 0..=next(4) {
            let at = next(reach);
            damaged[at] = u8::try_from(next(256)).unwrap();
        }
        opened.write_all_at(&damaged, 0).unwrap();
        refused += u32::from(fault(&file).is_some());
    }
    assert!(refused > 1000, "the damage was felt: {refused}");
}
