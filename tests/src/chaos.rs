//! A host among clients of every kind, while its drivers' processes and it itself are killed, stopped and started again: nothing may be
//! lost, done twice, held for ever or left over.
//!
//! What happens is chosen by a seed, and so are its moments; when the system lets it happen is not. A failure names the seed and the phase.

mod drivers;
mod phase;
mod rest;
mod tally;
mod trouble;
mod verdict;
mod visitors;

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use self::drivers::{DRIVERS, Places};
use self::phase::Phase;
pub use self::tally::Tally;
use self::trouble::{ENDS, Trouble};
use self::verdict::{Known, Life};
use self::visitors::{Unread, Visits};
use crate::{HostBuilder, HostProcess, Load, Random, Target, Witness, records};

/// Clients that send calls at the same time.
const CLIENTS: u64 = 6;
/// How long a call takes at most, in milliseconds.
const LONGEST: u64 = 40;
/// Nodes of each driver.
const NODES: usize = 6;
/// Records that are looked at one by one in each phase.
const LOOKS: usize = 50;
/// Records that are kept: more than there are in a phase.
const RECORDS: i64 = 100_000;

/// A run, in one folder of hosts.
#[derive(Debug)]
pub struct Chaos {
    seed: u64,
    random: Random,
    places: Places,
    targets: Vec<Target>,
    witness: Witness,
    /// What was written down in phases that are over.
    past: Past,
    tally: Tally,
    say: fn(&str),
}

/// What belongs to phases that are over.
#[derive(Debug, Default)]
struct Past {
    records: BTreeSet<String>,
    begun: usize,
    sent: u64,
}

impl Chaos {
    /// A run that this seed chooses. `say` gets a line for each phase.
    pub fn new(seed: u64, say: fn(&str)) -> Self {
        // A host that dies of a signal is to leave no core file.
        let limit = Rlimit {
            current: Some(0),
            maximum: getrlimit(Resource::Core).maximum,
        };
        setrlimit(Resource::Core, limit).expect("a limit can be lowered");
        Chaos {
            seed,
            random: Random::seeded(seed),
            places: Places::first(),
            targets: Vec::new(),
            witness: Witness::new(),
            past: Past::default(),
            tally: Tally::default(),
            say,
        }
    }

    /// Rounds of all phases until `time` is over; at least one. Each takes about 40 seconds on a machine of two cores, or so many
    /// `times` as long.
    ///
    /// # Panics
    /// When something was lost. The text names the seed, the phase, and what.
    pub fn run(mut self, time: Duration, times: u32) -> Tally {
        let started = Instant::now();
        let host = drivers::install(HostProcess::builder());
        let mut host = self.configure(host, &phase::round(times)[0]).start();
        self.targets = DRIVERS.map(|driver| target(&host, driver)).into();
        let mut number = 0;
        while number == 0 || started.elapsed() < time {
            for phase in phase::round(times) {
                number += 1;
                let what = format!("seed {}, phase {number} ({})", self.seed, phase.name);
                (self.say)(&format!("{what}, after {:?}", started.elapsed()));
                if number > 1 {
                    // Another configuration, for which the host has to end: it does not read one anew while it runs.
                    self.places.changed(&mut self.random);
                }
                let _name = Name {
                    what: &what,
                    say: self.say,
                };
                host = host.restart(|builder| self.configure(builder, &phase));
                host = self.phase(host, &phase);
            }
        }
        let folder = folder(&host);
        drop(host);
        rest::has_no_orphans(None, &folder, &self.witness);
        self.tally
    }

    fn configure(&self, host: HostBuilder, phase: &Phase) -> HostBuilder {
        let (max_deaths, window_s) = phase.tolerance;
        let (timeout_ms, grace_ms) = phase.deadline.unwrap_or((300_000, 5000));
        let host = host
            .set("workers.max", 16)
            .set("calls.timeout_ms", timeout_ms)
            .set("isolation.kill_grace_ms", grace_ms)
            .set("isolation.max_deaths", max_deaths)
            .set("isolation.window_s", window_s)
            .set("records.max", RECORDS);
        self.places.configure(host, &self.witness)
    }

    /// One phase, after which everything must be as if it had not been.
    fn phase(&mut self, mut host: HostProcess, phase: &Phase) -> HostProcess {
        let mut random = self.random.fork();
        let load = Load::of(self.targets.clone(), CLIENTS, LONGEST, self.past.sent);
        let mut lives = Vec::new();
        let mut warm = None;
        if phase.measured {
            let life = self.live(&mut host, phase, phase.signals / 5, false, &load, &mut random);
            lives.push(life);
            self.rest(&host, phase, &load);
            warm = Some((rest::size(&host), records(&host).len()));
        }
        for life in 1..=phase.lives {
            let last = life == phase.lives;
            let signals = match last {
                true => phase.signals,
                false => u32::try_from(random.below(u64::from(phase.signals) + 1)).expect("small"),
            };
            lives.push(self.live(&mut host, phase, signals, !last, &load, &mut random));
            if !last {
                self.places.changed(&mut random);
                host = host.started_with(|builder| self.configure(builder, phase));
            }
        }
        self.rest(&host, phase, &load);
        let all = records(&host);
        if let Some((warm, before)) = warm {
            let added = u64::try_from(all.len() - before).expect("small");
            let size = rest::is_no_larger_than(warm, &host, added);
            self.tally.sizes.push((warm, size, added));
        }
        let kept: BTreeSet<String> = all.keys().cloned().collect();
        let records = all
            .into_iter()
            .filter(|(place, _)| !self.past.records.contains(place));
        let begun = self.witness.tokens();
        let known = Known {
            lives: &lives,
            sent: &load.sent_from(0),
            begun: &begun[self.past.begun..],
            records: &records.collect(),
        };
        match known.judge() {
            Ok(ends) => self.tally.add(ends),
            Err(wrong) => {
                let shown: Vec<&str> = wrong.iter().take(20).map(String::as_str).collect();
                panic!("{} calls are lost:\n{}", wrong.len(), shown.join("\n"));
            }
        }
        for (place, token) in known.some(LOOKS, &mut random) {
            let record = host.get(place).expect(200).json();
            if record["state"] == "succeeded" {
                assert_eq!(record["result"], token, "{record}");
            }
        }
        self.past = Past {
            records: kept,
            begun: begun.len(),
            sent: self.past.sent + u64::try_from(known.sent.len()).expect("small"),
        };
        host
    }

    /// Lets clients at a host while signals are sent. It is killed in the middle of its work if it `dies`, and has ended then.
    fn live(
        &mut self,
        host: &mut HostProcess,
        phase: &Phase,
        signals: u32,
        dies: bool,
        load: &Load,
        random: &mut Random,
    ) -> Life {
        let address = host.address.clone();
        let mut life = Life {
            first: load.sent_from(0).len(),
            places: self.places.clone(),
            deadlines: phase.deadline.is_some(),
            kills: Vec::new(),
            killed: None,
        };
        let visits = Visits::default();
        let (places, address) = (&self.places, address.as_str());
        let mut trouble = Trouble::new(rest::process(host), address, folder(host), places);
        let mut randoms: [Random; 4] = std::array::from_fn(|_| random.fork());
        let [reading, leaving, halves, programs] = &mut randoms;
        let unread = std::thread::scope(|scope| {
            load.run(address, &mut random.fork(), || {
                let reader = scope.spawn(|| visits.read(address, load, reading));
                scope.spawn(|| visits.leave(address, load, leaving));
                scope.spawn(|| visits.send_halves(address, load, halves));
                scope.spawn(|| visits.leave_programs(address, load, places, programs));
                trouble.make(signals, phase, random);
                if dies {
                    // What a process has started dies by the host if the process has died, and by the process if the host has.
                    trouble.wait_for_burials();
                    // The moment is what is random here; nothing is waited for.
                    sleep(Duration::from_micros(random.below(8000)));
                    let signal = *random.one_of(&ENDS);
                    life.killed = Some(SystemTime::now());
                    host.kill_with(signal);
                } else {
                    trouble.go_on();
                }
                reader
            })
            .join()
            .expect("a reader that does not panic")
        });
        if let Some(Unread { target, answer, at }) = unread {
            let excused = answer.is_none() && life.killed.is_some_and(|killed| killed <= at);
            assert!(excused, "GET {target} was answered with {answer:?}");
        }
        if !dies {
            trouble.wait_for_burials();
        }
        self.tally.lived(&visits, &trouble, dies);
        life.kills = trouble.kills;
        life
    }

    /// Waits for the host to come to rest, and checks that everything is as it was.
    fn rest(&self, host: &HostProcess, phase: &Phase, load: &Load) {
        rest::comes(host, &self.places);
        rest::takes_calls(host, &self.targets, load, phase.deadline.is_some());
        rest::comes(host, &self.places);
        rest::holds_nothing(host);
        rest::has_no_orphans(Some(rest::process(host)), &folder(host), &self.witness);
        rest::has_no_zombies(rest::process(host));
    }
}

/// Says where a run has failed.
struct Name<'a> {
    what: &'a str,
    say: fn(&str),
}

impl Drop for Name<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.say)(&format!("failed in {}", self.what));
        }
    }
}

/// Nodes of a driver.
fn target(host: &HostProcess, driver: &'static str) -> Target {
    let create = |n| {
        let node = json!({"driver": driver, "name": format!("{driver}-{n}")});
        let node = host.post("/v1/nodes", node).expect(201).json();
        node["uuid"].as_str().expect("a uuid").to_owned()
    };
    Target {
        driver: driver.to_owned(),
        nodes: (0..NODES).map(create).collect(),
    }
}

/// Where the drivers of a host lie.
fn folder(host: &HostProcess) -> String {
    let folder = host.folder().join("drivers");
    folder.to_str().expect("UTF-8").to_owned()
}
