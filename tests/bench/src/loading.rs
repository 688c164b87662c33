//! What loading drivers takes, and listing them: time, and memory that nobody shares.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use host::plugin::loaded::LoadedDriver;
use host::plugin::survey;
use serde::{Deserialize, Serialize};

use crate::arguments::Arguments;
use crate::figures::{Times, median, short};
use crate::load::as_f64;
use crate::many;
use crate::place::Place;
use crate::process::Memory;
use crate::table::Table;

pub(crate) const LOADING: &str = "loading";
pub(crate) const LISTING: &str = "listing";

/// What a process that loaded drivers says of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Loaded {
    survey_us: u64,
    load_us: u64,
    dirty_kib: u64,
    clean_kib: u64,
}

/// Measures both.
pub(crate) fn measure(place: &Place, arguments: &Arguments) -> Result<Vec<Table>> {
    let counts: &[usize] = if arguments.quick {
        &[1, 10, 100]
    } else {
        &[1, 10, 100, 1000]
    };
    let most = counts.last().copied().unwrap_or(1);
    let folder = place.folder("many")?;
    many::write(place, &folder, most)?;
    let mut folders = Vec::new();
    for count in counts {
        folders.push((*count, many::first(place, &folder, *count)?));
    }
    let head = [
        "drivers",
        "listing ms (fastest)",
        "loading ms (fastest)",
        "us per driver, fastest",
        "private dirty KiB per driver",
        "private clean KiB per driver",
    ];
    let mut table = Table::new(LOADING, "loading drivers", &head).noting(
        "A process of its own per round, in which nothing else is done; each file is a library of its own to the loader. Private memory is the growth of `Private_Dirty` (written, the driver's own) and `Private_Clean` (pages of its file) in `smaps_rollup`.",
    );
    let mut whole_ms = Times::of(&[]);
    let mut rounds = vec![Vec::new(); folders.len()];
    for _ in 0..if arguments.quick { 3 } else { 5 } {
        for ((_, folder), results) in folders.iter().zip(&mut rounds) {
            results.push(in_a_process(folder)?);
        }
    }
    for ((count, _), results) in folders.iter().zip(&rounds) {
        let all = |value: fn(&Loaded) -> u64| -> Vec<f64> {
            results.iter().map(|loaded| as_f64(value(loaded))).collect()
        };
        let ms = |value: fn(&Loaded) -> u64| {
            Times::of(&all(value).into_iter().map(|us| us / 1000.0).collect::<Vec<f64>>())
        };
        let load = ms(|loaded| loaded.load_us);
        let drivers = as_f64(u64::try_from(*count)?);
        whole_ms = ms(|loaded| loaded.survey_us + loaded.load_us);
        table.line([
            count.to_string(),
            ms(|loaded| loaded.survey_us).text(),
            load.text(),
            short(load.fastest * 1000.0 / drivers),
            short(median(all(|loaded| loaded.dirty_kib)) / drivers),
            short(median(all(|loaded| loaded.clean_kib)) / drivers),
        ]);
    }
    let listing = listing(place, arguments, &folder, most, whole_ms)?;
    Ok(vec![table, listing])
}

fn in_a_process(folder: &Path) -> Result<Loaded> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command
        .arg("--load")
        .arg(folder)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What the process of its own does: loads every driver of `folder` and says what it took.
pub(crate) fn load_all(folder: &Path) -> Result<()> {
    let before = Memory::of("self")?;
    let started = Instant::now();
    let files = std::fs::read_dir(folder)?.count();
    let names: Vec<String> = (0..files).map(many::name).collect();
    let selection = survey(folder, &names)?;
    ensure!(selection.faults.is_empty(), "{:?}", selection.faults);
    let survey_us = started.elapsed();
    let started = Instant::now();
    let mut drivers = Vec::new();
    for driver in &selection.enabled {
        drivers.push(LoadedDriver::load(driver, &toml::Table::new())?);
    }
    let load_us = started.elapsed();
    drop(selection);
    let after = Memory::of("self")?;
    let loaded = Loaded {
        survey_us: u64::try_from(survey_us.as_micros())?,
        load_us: u64::try_from(load_us.as_micros())?,
        dirty_kib: after.dirty.saturating_sub(before.dirty),
        clean_kib: after.clean.saturating_sub(before.clean),
    };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&loaded)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for driver in &drivers {
        runtime.block_on(driver.shut_down());
    }
    Ok(())
}

fn listing(
    place: &Place,
    arguments: &Arguments,
    folder: &Path,
    count: usize,
    loaded: Times,
) -> Result<Table> {
    let (mut survey_ms, mut read_ms, mut command_ms, mut empty_ms) = (vec![], vec![], vec![], vec![]);
    let nothing = place.folder("nothing")?;
    for _ in 0..if arguments.quick { 3 } else { 11 } {
        read_ms.push(ms(|| bare_reads(folder))?);
        survey_ms.push(ms(|| {
            black_box(survey(folder, &[])?);
            Ok(())
        })?);
        command_ms.push(ms(|| list_available(place, folder))?);
        empty_ms.push(ms(|| list_available(place, &nothing))?);
    }
    let title = format!("listing {count} files without running them");
    let mut table = Table::new(LISTING, &title, &["what", "ms (fastest)", "as a multiple of the bare reads, fastest"]).noting(
        "The files are in the page cache. A bare read is one open and one `pread` of 4 KiB per file of the same folder, in the order of its listing.",
    );
    let read = Times::of(&read_ms);
    for (what, time) in [
        ("one bare open and pread each", read),
        (
            "scan, manifest and select, as the host does it",
            Times::of(&survey_ms),
        ),
        ("the command `host list-available --json`", Times::of(&command_ms)),
        ("the same command in an empty folder", Times::of(&empty_ms)),
        ("loading them all", loaded),
    ] {
        table.line([what.to_owned(), time.text(), short(time.fastest / read.fastest)]);
    }
    Ok(table)
}

fn ms(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    work()?;
    let time: Duration = started.elapsed();
    Ok(time.as_secs_f64() * 1000.0)
}

fn bare_reads(folder: &Path) -> Result<()> {
    let mut buffer = [0; 4096];
    for entry in std::fs::read_dir(folder)? {
        let file = File::open(entry?.path())?;
        black_box(file.read_at(&mut buffer, 0)?);
    }
    Ok(())
}

fn list_available(place: &Place, folder: &Path) -> Result<()> {
    let mut command = Command::new(place.program("host")?);
    command
        .args(["list-available", "--json", "--plugin-dir"])
        .arg(folder);
    let output = command.output().context("host list-available")?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(())
}
