//! What a worker process holds while it does nothing, and how long it takes to start one.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{DRIVER, isolated, runtime};
use crate::arguments::Arguments;
use crate::figures::{Times, median, short};
use crate::hosts::HostSetup;
use crate::load::{Load, as_f64};
use crate::place::Place;
use crate::process::Memory;
use crate::table::Table;

pub(crate) const MEMORY: &str = "worker-memory";
pub(crate) const START: &str = "worker-start";

/// Measures what the process of a real host holds.
pub(crate) fn memory(place: &Place, arguments: &Arguments) -> Result<Table> {
    let head = [
        "worker process",
        "private dirty MiB",
        "private clean MiB",
        "private MiB",
        "RSS MiB",
        "PSS MiB",
        "threads",
    ];
    let mut table = Table::new(MEMORY, "memory of an idle worker process", &head).noting(
        "With the default configuration and the benchmark's driver, which is made with the SDK and has nothing of its own. Private dirty is what the process has written; private clean are pages of files that no other process has mapped, which the system can drop: the driver's own code.",
    );
    let mut held: [Vec<(Memory, usize)>; 3] = Default::default();
    for round in 0..if arguments.quick { 1 } else { 3 } {
        let setup = HostSetup::new(place, &format!("worker-memory-{round}"))?
            .driver(DRIVER, &place.driver(DRIVER)?)?
            .isolated();
        let server = setup.start(place)?;
        let children = server.process.children()?;
        let [worker] = *children.as_slice() else {
            anyhow::bail!("the host has {} processes: {}", children.len(), setup.log()?);
        };
        let look = |held: &mut Vec<(Memory, usize)>| -> Result<()> {
            sleep(Duration::from_secs(1));
            let threads = std::fs::read_dir(format!("/proc/{worker}/task"))?.count();
            held.push((Memory::of(&worker.to_string())?, threads));
            Ok(())
        };
        let [never, one, many] = &mut held;
        look(never)?;
        let path = "/v1/drivers/bench/vendor_passthru/echo".to_owned();
        let load = Load::new(place, "worker-memory", "POST", Some(b"{}"), &[path])?;
        let second = Duration::from_secs(1);
        ensure!(load.run(&server.address, 1, second)?.errors() == 0, "calls fail");
        look(one)?;
        ensure!(load.run(&server.address, 64, second)?.errors() == 0, "calls fail");
        look(many)?;
    }
    let states = ["never called", "after a second of calls, one at once", "and one of 64 at once"];
    for (state, held) in states.into_iter().zip(&held) {
        let mib = |value: fn(&Memory) -> u64| {
            let all = held.iter().map(|(memory, _)| as_f64(value(memory)));
            format!("{:.2}", median(all) / 1024.0)
        };
        let threads = held.iter().map(|(_, threads)| *threads).max();
        table.line([
            state.to_owned(),
            mib(|memory| memory.dirty),
            mib(|memory| memory.clean),
            mib(|memory| memory.dirty + memory.clean),
            mib(|memory| memory.rss),
            mib(|memory| memory.pss),
            threads.context("a round")?.to_string(),
        ]);
    }
    Ok(table)
}

/// Measures what starting one takes.
pub(crate) fn start(place: &Place, arguments: &Arguments) -> Result<Table> {
    let mut table = Table::new(START, "starting a worker process", &["what", "ms (fastest)"]).noting(
        "From the order to start it to the driver that is created in it, inside a host's runtime. The program is the benchmark's own, of which the host is a part.",
    );
    let runtime = runtime()?;
    let (mut program, mut worker) = (Vec::new(), Vec::new());
    for _ in 0..if arguments.quick { 5 } else { 21 } {
        let started = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        // There is nothing to read, so it ends.
        let status = command.arg("--echo").stdin(Stdio::null()).status()?;
        program.push(started.elapsed().as_secs_f64() * 1000.0);
        ensure!(status.success(), "the program has ended: {status}");
        let started = Instant::now();
        let driver = runtime.block_on(isolated(place, "start"))?;
        worker.push(started.elapsed().as_secs_f64() * 1000.0);
        runtime.block_on(driver.shut_down());
    }
    std::mem::forget(runtime);
    table.line(["a worker process with its driver".to_owned(), Times::of(&worker).text()]);
    table.line([
        "for comparison: the same program, which ends at once".to_owned(),
        Times::of(&program).text(),
    ]);
    Ok(table)
}
