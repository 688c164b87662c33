//! Drivers in the host's own process: what the guards hold, and what nothing can.

use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::json;
use suite::{FAKE, HostBuilder, HostProcess, Process, Signal, eventually, wild_name};

use super::Job;
use super::calls::{Stage, create_node, method};
use super::client::{Answered, PATIENCE, Steady, exchange, newcomer};
use super::isolated::toml;
use super::leftovers::shut_down_lines;
use super::matrix::{Entry, FAULTS, Fault, Mode, Seen, Sightings, What, plain};

const DEADLINE: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(300);
/// How long somebody waits whom a damaged host does not answer.
const SILENCE: Duration = Duration::from_secs(3);
const UNKNOWN: &str = "not measured: anything may happen";

fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(FAKE)
        .driver_panics_expected()
        .set("limits.max_reply_bytes", 1 << 20)
        .set("limits.shutdown_grace_ms", 200)
}

/// With a limit of the system where the machine would be the limit.
fn bounded(builder: HostBuilder, fault: Fault) -> HostBuilder {
    let builder = builder.set("workers.max", 8);
    match fault.word {
        "allocate" => builder.limit_memory_kib(1 << 20),
        "leak-descriptors" => builder.limit_open_files_for_good(256),
        _ => builder,
    }
}

/// Whether a host is there after this.
fn survives(entry: Entry, fault: Fault) -> bool {
    match fault.what {
        // The payload of a thread is dropped where no guard is.
        What::Panics if entry == Entry::Deferred => fault.word == "panic",
        What::Panics => entry != Entry::Constructor,
        What::Hangs | What::Dawdles | What::Answers => true,
        What::Leaks => fault.word != "leak-descriptors" || entry == Entry::ShutDown,
        What::Ends | What::Stops | What::Breaks => false,
    }
}

fn signal(number: i32) -> String {
    let name = match number {
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

fn manner(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(number), _) => format!("killed by {}", signal(number)),
        (None, code) => format!("code {}", code.unwrap_or(-1)),
    }
}

fn is_stopped(host: &HostProcess) -> bool {
    Process::find(host.pid()).is_some_and(Process::is_stopped)
}

/// The children that a driver's diary names.
fn children(diary: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(diary).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("child ")?.parse().ok())
        .collect()
}

/// Copies of the host hold its sockets, and its output, for as long as they live.
fn kill_children(diary: &Path) {
    for child in children(diary) {
        if let Some(pid) = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw) {
            let _has_ended = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

/// All that a host survives, all faults at once in one host.
pub(super) fn survived_calls(seen: &Sightings) {
    let all: Vec<Fault> = FAULTS
        .into_iter()
        .filter(|fault| {
            Entry::OF_CALLS
                .into_iter()
                .any(|entry| entry.knows(*fault) && survives(entry, *fault))
        })
        .collect();
    let mut builder = builder();
    let short = |fault: Fault| matches!(fault.what, What::Hangs | What::Dawdles);
    for fault in &all {
        builder = builder.wild(fault.number(), None);
        if short(*fault) {
            let key = format!("drivers.{}.call_timeout_ms", wild_name(fault.number()));
            builder = builder.set(&key, i64::try_from(DEADLINE.as_millis()).expect("a short time"));
        }
    }
    let mut host = builder.start();
    let steady = Steady::start(&host, PATIENCE);
    let diary = host.folder().join("diary");
    let stuck = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for fault in all {
            let (host, steady) = (&host, &steady);
            threads.push(scope.spawn(move || {
                let deadline = if short(fault) { DEADLINE } else { LONG };
                let grace = Duration::ZERO;
                let stage = Stage {
                    mode: Mode::InProcess,
                    host,
                    steady,
                    fault,
                    deadline,
                    grace,
                };
                let mut stuck = Vec::new();
                for entry in Entry::OF_CALLS {
                    if entry.knows(fault) && survives(entry, fault) {
                        seen.note(Mode::InProcess, entry, fault, stage.play(entry, &mut stuck));
                    }
                }
                stuck
            }));
        }
        let stuck = threads
            .into_iter()
            .map(|thread| thread.join().expect("no assertion failed"));
        stuck.flatten().collect::<Vec<_>>()
    });
    stuck.iter().for_each(|call| call.is_still_held(&host));
    steady.goes_on();
    assert_eq!(steady.lost_since(None), []);
    drop(steady);
    host.terminate();
    kill_children(&diary);
    assert!(host.wait().success(), "{}", host.log.text());
}

/// What became of a host.
enum Fate {
    Ended(ExitStatus),
    Stopped,
    Lives,
}

/// A host of its own for each fault that none survives.
pub(super) fn fatal_calls(seen: &Sightings) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for entry in Entry::OF_CALLS {
        for fault in FAULTS
            .into_iter()
            .filter(|fault| entry.knows(*fault) && !survives(entry, *fault))
        {
            let name = format!("in the host, {}: {}", entry.title(), fault.word);
            jobs.push(Job::new(name, move || {
                seen.note(Mode::InProcess, entry, fault, fatal_call(entry, fault));
            }));
        }
    }
    jobs
}

fn fatal_call(entry: Entry, fault: Fault) -> Seen {
    let number = fault.number();
    let mut host = bounded(builder(), fault).wild(number, None).start();
    let (diary, gate) = (host.folder().join("diary"), host.folder().join("gate"));
    let order = fault.order(json!({ "diary": diary, "after": gate }));
    let mut driver_info = json!({});
    let mut body = json!({});
    match entry {
        Entry::ValidateNode => driver_info["wild_order"] = order.to_string().into(),
        Entry::ValidateCall => body["check"] = order,
        _ => body["run"] = order,
    }
    create_node(&host, number, "n1", &driver_info);
    create_node(&host, number, "n2", &json!({}));
    let sync = if entry == Entry::Deferred { "defer" } else { "call" };
    // A process ends with all its calls; the one that is not answered is seen by its client, this one by its record.
    let ends = !matches!(fault.what, What::Stops | What::Breaks | What::Leaks);
    let recorded = ends && matches!(entry, Entry::Call | Entry::Deferred);
    let location = recorded.then(|| {
        let reply = host.post(&method("n2", &format!("{sync}_async")), body.clone());
        reply.expect(202).must_have("Location").to_owned()
    });
    let steady = Steady::start(&host, if ends { PATIENCE } else { SILENCE });
    steady.goes_on();
    let (address, target) = (host.address.clone(), method("n1", sync));
    let client = std::thread::Builder::new()
        .name("client".into())
        .spawn(move || {
            let mut stream = TcpStream::connect(address).expect("the host accepts a connection");
            let answered = exchange(&mut stream, &target, &body, PATIENCE);
            // Closed, it would make room for another one.
            (answered, stream)
        })
        .expect("a thread");
    let begun = 1 + usize::from(recorded);
    eventually("the calls have begun", PATIENCE, || {
        let text = std::fs::read_to_string(&diary).unwrap_or_default();
        (text.lines().filter(|line| *line == "begun").count() == begun).then_some(())
    });
    std::fs::write(&gate, "").expect("a gate that opens");
    let fate = eventually("something happens to the host", PATIENCE, || match host.ended() {
        Some(status) => Some(Fate::Ended(status)),
        None if fault.what == What::Stops => is_stopped(&host).then_some(Fate::Stopped),
        None => (!ends && client.is_finished()).then_some(Fate::Lives),
    });
    match fate {
        Fate::Ended(_) if fault.what == What::Breaks => {
            host_is_gone(&steady);
            kill_children(&diary);
            drop((steady, client.join()));
            host.wait();
            damaged(fault, "lost".to_owned())
        }
        Fate::Ended(status) => {
            let answered = client.join().expect("no assertion failed").0;
            // The completion is dropped before the payload is: it may be answered and recorded in between, or not.
            let in_between = fault.what == What::Panics && entry == Entry::Deferred;
            let answer = match answered {
                Answered::Reply(500) | Answered::Nothing if in_between => "500, or no answer",
                answered => {
                    assert_eq!(answered, Answered::Nothing);
                    "no answer"
                }
            };
            host_is_gone(&steady);
            drop(steady);
            host.wait();
            let record = match location {
                Some(_) if fault.what == What::Panics => "failed or interrupted".to_owned(),
                Some(location) => record_of_the_next(host, &location),
                None => "none".to_owned(),
            };
            Seen {
                client: format!("{answer}: the host has ended, {}", manner(status)),
                record,
                lock: "until the host ends".to_owned(),
                others: "all: there is no host".to_owned(),
            }
        }
        Fate::Stopped => {
            host.send(Signal::KILL);
            host.wait();
            drop(client.join());
            Seen {
                client: "no answer: the host has stopped, until it gets SIGCONT".to_owned(),
                record: "none".to_owned(),
                lock: "until the host goes on".to_owned(),
                others: "all wait".to_owned(),
            }
        }
        Fate::Lives => {
            let (answered, _stream) = client.join().expect("no assertion failed");
            let others = damage(fault, &host, &steady, &diary);
            host.send(Signal::KILL);
            kill_children(&diary);
            drop(steady);
            host.wait();
            if fault.what == What::Leaks {
                assert_eq!(answered, Answered::Reply(200));
            }
            damaged(fault, others)
        }
    }
}

/// Of a host that may or may not go on.
fn damaged(fault: Fault, others: String) -> Seen {
    let client = match fault.word {
        "leak-descriptors" => "200",
        "fork-returns" => "one answer or two",
        "write-descriptors" => "bytes that are not HTTP",
        _ => "no answer: the connection closes, and the host ends or serves nobody",
    };
    Seen {
        client: client.to_owned(),
        record: "not measured".to_owned(),
        lock: "not measured".to_owned(),
        others,
    }
}

/// Waits until the other client has noticed.
fn host_is_gone(steady: &Steady) {
    eventually("the other client has noticed", PATIENCE, || {
        (!steady.lost_since(None).is_empty()).then_some(())
    });
}

fn record_of_the_next(host: HostProcess, location: &str) -> String {
    let host = host.started_again();
    let record = host.get(location).expect(200).json();
    format!(
        "{}, at the next start",
        record["state"].as_str().expect("a state")
    )
}

/// What a host that lives has lost.
fn damage(fault: Fault, host: &HostProcess, steady: &Steady, diary: &Path) -> String {
    match fault.word {
        "leak-descriptors" => {
            assert_eq!(newcomer(&host.address, SILENCE), Answered::NotYet);
            assert_eq!(steady.lost_since(None), []);
            "new connections get no answer".to_owned()
        }
        "fork-returns" => {
            eventually("there is a copy", PATIENCE, || {
                (children(diary).len() == 1).then_some(())
            });
            "not measured: two processes serve the same sockets and write the same database".to_owned()
        }
        _ => {
            host_is_gone(steady);
            "lost".to_owned()
        }
    }
}

/// Every fault of a driver that is opened or created in the host: one start for each.
pub(super) fn starts(seen: &Sightings) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for entry in [Entry::Constructor, Entry::Create] {
        for fault in FAULTS.into_iter().filter(|fault| entry.knows(*fault)) {
            let name = format!("start, in {}: {}", entry.title(), fault.word);
            jobs.push(Job::new(name, move || {
                seen.note(Mode::InProcess, entry, fault, start(entry, fault));
            }));
        }
    }
    jobs
}

fn start(entry: Entry, fault: Fault) -> Seen {
    let builder = bounded(builder(), fault);
    let folder: PathBuf = builder.folder().to_owned();
    let diary = folder.join("diary");
    let order = fault.order(json!({ "diary": diary }));
    let builder = match entry {
        Entry::Constructor => builder.wild(1, Some(&order)),
        _ => builder
            .wild(1, None)
            .set("drivers.wild-001.config.create", toml(&order)),
    };
    let mut host = builder.launch();
    let began = || std::fs::read_to_string(&diary).is_ok_and(|text| text.starts_with("begun"));
    let undefined = fault.what == What::Breaks || fault.word == "leak-descriptors";
    let fate = eventually("the start ends, or does not", PATIENCE, || match host.ended() {
        _ if fault.word == "fork-returns" => (!children(&diary).is_empty()).then_some(Fate::Lives),
        _ if undefined => began().then_some(Fate::Lives),
        Some(status) => Some(Fate::Ended(status)),
        None if fault.what == What::Stops => is_stopped(&host).then_some(Fate::Stopped),
        None if fault.what == What::Hangs => began().then_some(Fate::Lives),
        None => host.log.address().map(|_| Fate::Lives),
    });
    let (client, others) = match fate {
        Fate::Ended(status) => {
            host.wait();
            let lines = host.log.text();
            let mut errors = lines.lines().filter_map(|line| line.strip_prefix("error: "));
            let said = errors
                .next()
                .map_or("without a word".to_owned(), |line| plain(line, &folder));
            (
                format!("the host ends, {}: {said}", manner(status)),
                "all: there is no host",
            )
        }
        Fate::Stopped => (
            "the start stops, until it gets SIGCONT".to_owned(),
            "all: the host does not serve",
        ),
        Fate::Lives if undefined => ("not measured".to_owned(), UNKNOWN),
        Fate::Lives if fault.what == What::Hangs => {
            assert_eq!(
                host.log.address(),
                None,
                "nothing is served before every driver is created"
            );
            ("the start hangs".to_owned(), "all: the host does not serve")
        }
        Fate::Lives => ("the host serves".to_owned(), "none"),
    };
    kill_children(&diary);
    if host.ended().is_none() {
        host.send(Signal::KILL);
    }
    host.wait();
    Seen::of_no_call(client, others)
}

/// Faults of drivers that are shut down, which a host survives: all in one, beside one that behaves.
pub(super) fn survived_shut_downs(seen: &Sightings) {
    let all = FAULTS
        .into_iter()
        .filter(|fault| Entry::ShutDown.knows(*fault) && survives(Entry::ShutDown, *fault));
    let all: Vec<Fault> = all.collect();
    let mut builder = builder();
    let (diary, good) = (builder.folder().join("diary"), builder.folder().join("neighbour"));
    for fault in &all {
        let order = fault.order(json!({ "diary": diary }));
        let name = wild_name(fault.number());
        let key = format!("drivers.{name}.config.shut_down");
        builder = builder.wild(fault.number(), None).set(&key, toml(&order));
    }
    let order = json!({ "way": "no-reply", "diary": good });
    builder = builder
        .wild(900, None)
        .set("drivers.wild-900.config.shut_down", toml(&order));
    let mut host = builder.start();
    host.terminate();
    let status = eventually("the host ends", PATIENCE, || host.ended());
    kill_children(&diary);
    host.wait();
    assert_eq!(status.code(), Some(0), "{}", host.log.text());
    let others = if good.exists() { "none" } else { "not shut down" };
    for fault in all {
        let lines = shut_down_lines(&host, &wild_name(fault.number()));
        let client = format!("the host ends with code 0; its log: {lines}");
        seen.note(
            Mode::InProcess,
            Entry::ShutDown,
            fault,
            Seen::of_no_call(client, others),
        );
    }
}

/// Those that none survives.
pub(super) fn fatal_shut_downs(seen: &Sightings) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for fault in FAULTS {
        if Entry::ShutDown.knows(fault) && !survives(Entry::ShutDown, fault) {
            let name = format!("in the host, shut_down: {}", fault.word);
            jobs.push(Job::new(name, move || {
                seen.note(Mode::InProcess, Entry::ShutDown, fault, fatal_shut_down(fault));
            }));
        }
    }
    jobs
}

fn fatal_shut_down(fault: Fault) -> Seen {
    let builder = bounded(builder(), fault);
    let diary = builder.folder().join("diary");
    let order = fault.order(json!({ "diary": diary }));
    let mut host = builder
        .wild(1, None)
        .set("drivers.wild-001.config.shut_down", toml(&order))
        .start();
    host.terminate();
    let begun = Instant::now();
    let fate = eventually("the host ends", PATIENCE, || match host.ended() {
        Some(status) => Some(Fate::Ended(status)),
        None if fault.what == What::Stops => is_stopped(&host).then_some(Fate::Stopped),
        // It may end or not.
        None if fault.what == What::Breaks => {
            (diary.exists() && begun.elapsed() > Duration::from_secs(1)).then_some(Fate::Lives)
        }
        None => None,
    });
    kill_children(&diary);
    if host.ended().is_none() {
        host.send(Signal::KILL);
    }
    host.wait();
    match fate {
        _ if fault.what == What::Breaks => Seen::of_no_call("not measured", UNKNOWN),
        Fate::Ended(status) => {
            let client = format!("the host ends, {}", manner(status));
            Seen::of_no_call(client, "drivers after it are not shut down")
        }
        Fate::Stopped => Seen::of_no_call(
            "the host stops, until it gets SIGCONT",
            "drivers after it are not shut down",
        ),
        Fate::Lives => Seen::of_no_call("not measured", UNKNOWN),
    }
}
