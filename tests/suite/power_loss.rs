//! The power fails: what was waited for is on the disk, and of what was written later anything or nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use suite::{
    Built, HostBuilder, HostProcess, Load, Random, Sent, Signal, WITNESS, Witness, eventually, records,
};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
/// How often the power fails, each time with three kinds of remains.
const FAILURES: usize = 12;
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
const FILES: [&str; 2] = ["host.db", "host.db-wal"];

/// Where the host believes to have written, and what a disk surely has of it.
struct Power {
    disk: TempDir,
}

/// The database and its log at one moment: as written, and as waited for.
struct Moment {
    files: [(Vec<u8>, Vec<u8>); 2],
    promised: Vec<String>,
}

impl Power {
    fn new() -> Self {
        let disk = tempfile::tempdir().expect("a folder");
        // Most moments are then ones in which something is waited for.
        fs::write(disk.path().join("slow"), "").expect("a file");
        Power { disk }
    }

    /// Lets the host write to a disk whose power can fail.
    fn supply(&self, host: HostBuilder) -> HostBuilder {
        let shim = Built::fixtures().library("disk");
        host.env("LD_PRELOAD", shim.to_str().expect("UTF-8"))
            .env("SUITE_DISK", self.disk.path().to_str().expect("UTF-8"))
    }

    /// Stops the host at a moment at which it has written what it has not waited for, and looks at what is on its disk.
    fn look(&self, host: &HostProcess, load: &Load) -> Moment {
        eventually("something is unsynced", SOON, || {
            host.send(Signal::STOP);
            let state = PathBuf::from(format!("/proc/{}/stat", host.pid()));
            eventually("the host is stopped", SOON, || {
                let state = fs::read_to_string(&state).expect("a running process");
                state.contains(") T ").then_some(())
            });
            let sent = load.sent_from(0);
            let promised = sent.iter().filter_map(|sent| sent.record());
            let moment = Moment {
                promised: promised.map(str::to_owned).collect(),
                files: FILES.map(|name| {
                    let written = fs::read(host.folder().join(name)).expect("a file");
                    let waited_for = fs::read(self.disk.path().join(name)).expect("a copy");
                    (written, waited_for)
                }),
            };
            host.send(Signal::CONT);
            let unsynced = moment.files.iter().any(|(written, synced)| written != synced);
            unsynced.then_some(moment)
        })
    }
}

/// What may be on the disk when each sector that was not waited for is written or not.
fn torn(written: &[u8], waited_for: &[u8], random: &mut Random) -> Vec<u8> {
    let (short, long) = (
        written.len().min(waited_for.len()),
        written.len().max(waited_for.len()),
    );
    let length = short + usize::try_from(random.below((long - short) as u64 + 1)).expect("small");
    let mut file = vec![0; length];
    for (number, sector) in file.chunks_mut(SECTOR).enumerate() {
        let from = if random.below(2) == 0 { written } else { waited_for };
        let start = (number * SECTOR).min(from.len());
        let end = (start + sector.len()).min(from.len());
        sector[..end - start].copy_from_slice(&from[start..end]);
    }
    file
}

/// A host that starts with these files has every record that was promised.
fn keeps_its_promises(files: [&[u8]; 2], promised: &[String], what: &str) {
    let witness = Witness::new();
    let builder = witness.watch(HostProcess::builder());
    for (name, content) in FILES.iter().zip(files) {
        fs::write(builder.folder().join(name), content).expect("a file");
    }
    let host = builder.start();
    let records = records(&host);
    for place in promised {
        let Some(record) = records.get(place) else {
            panic!(
                "{what}: {place} is lost; there are {} of {}",
                records.len(),
                promised.len()
            );
        };
        let state = &record["state"];
        assert!(
            ["succeeded", "interrupted"].iter().any(|word| state == *word),
            "{what}: {record}"
        );
    }
}

/// How often SQLite has begun its log anew.
fn log_generation(folder: &Path) -> u32 {
    let log = fs::read(folder.join(FILES[1])).expect("the log");
    u32::from_be_bytes(log[12..16].try_into().expect("four bytes"))
}

#[test]
fn whatever_of_the_unsynced_part_a_power_failure_leaves_every_promised_record_is_there() {
    let mut random = Random::new();
    let (power, witness) = (Power::new(), Witness::new());
    let host = power.supply(witness.watch(HostProcess::builder())).start();
    let load = Load::new(&host);
    host.create_node_of(WITNESS, "large");
    let mut moments = Vec::new();
    load.run(&host.address, &mut random.fork(), || {
        for number in 0..FAILURES {
            // Fills the log, so that it is folded in now and then, and begun anew.
            let text = number.to_string().repeat(300_000);
            let change = json!([{"op": "add", "path": "/extra/text", "value": text}]);
            let change = host.request("PATCH", "/v1/nodes/large").json(&change).start();
            let enough = load.accepted() + 1 + usize::try_from(random.below(40)).expect("small");
            eventually("some calls are accepted", SOON, || {
                (load.accepted() >= enough).then_some(())
            });
            let (seen, then) = (Instant::now(), Duration::from_micros(random.below(5000)));
            // The moment is what is random here; nothing is waited for.
            while seen.elapsed() < then {
                std::thread::yield_now();
            }
            moments.push(power.look(&host, &load));
            change.wait().expect(200);
        }
    });
    load.sent_from(0).iter().for_each(Sent::as_asked);
    let generation = log_generation(host.folder());
    drop(host);
    for (number, moment) in moments.iter().enumerate() {
        let [(db, synced_db), (log, synced_log)] = &moment.files;
        let promised = &moment.promised;
        keeps_its_promises([db, log], promised, &format!("moment {number}, all of it"));
        keeps_its_promises(
            [synced_db, synced_log],
            promised,
            &format!("moment {number}, only what was waited for"),
        );
        let (db, log) = (
            torn(db, synced_db, &mut random),
            torn(log, synced_log, &mut random),
        );
        keeps_its_promises([&db, &log], promised, &format!("moment {number}, torn"));
    }
    println!(
        "{} promises at the end, the log begun {} times",
        moments.last().map_or(0, |moment| moment.promised.len()),
        generation + 1
    );
    assert!(generation > 0, "the log was folded in meanwhile");
}
