//! From the start of a host to its first answer, and what it holds when it does nothing.

use std::net::TcpListener;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::arguments::Arguments;
use crate::figures::{Times, median, short};
use crate::get::get;
use crate::hosts::HostSetup;
use crate::load::as_f64;
use crate::many;
use crate::place::Place;
use crate::process::{Memory, Process};
use crate::table::Table;

pub(crate) const NAME: &str = "start";

/// Measures both.
pub(crate) fn measure(place: &Place, arguments: &Arguments) -> Result<Table> {
    let head = [
        "drivers",
        "first answer ms (fastest)",
        "RSS MiB",
        "PSS MiB",
        "private dirty MiB",
        "threads",
    ];
    let title = "start to first answer, and memory when idle";
    let mut table = Table::new(NAME, title, &head).noting(
        "From the moment in which the process is started to the whole 200 of `GET /healthz`, asked every 0.2 ms; the configuration is the default. Memory one second later.",
    );
    for count in [1, 10] {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let setup = HostSetup::new(place, &format!("start-{count}"))?.listen(&address);
        many::write(place, &setup.plugin_dir(), count)?;
        let setup = setup.enable((0..count).map(many::name));
        let (mut times, mut memory, mut threads) = (Vec::new(), Vec::new(), 0);
        for round in 0..if arguments.quick { 3 } else { 11 } {
            let mut command = setup.command(place)?;
            let started = Instant::now();
            let mut process = Process::start(&mut command)?;
            while get(&address, "/healthz").is_err() {
                ensure!(
                    process.0.try_wait()?.is_none(),
                    "the host ended; its log is {}",
                    setup.log()?
                );
                sleep(Duration::from_micros(200));
            }
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            if round < 3 {
                sleep(Duration::from_secs(1));
                memory.push(process.memory()?);
                threads = std::fs::read_dir(format!("/proc/{}/task", process.0.id()))?.count();
            }
        }
        let mib = |value: fn(&Memory) -> u64| {
            short(median(memory.iter().map(|memory| as_f64(value(memory)))) / 1024.0)
        };
        table.line([
            count.to_string(),
            Times::of(&times).text(),
            mib(|memory| memory.rss),
            mib(|memory| memory.pss),
            mib(|memory| memory.dirty),
            threads.to_string(),
        ]);
    }
    Ok(table)
}
