//! What is done to a host and to the processes of its drivers while they work: signals, at random moments.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::drivers::{Places, driver_of};
use super::phase::Phase;
use crate::{Process, Random, Signal, attempt, eventually, look};

/// What ends a process.
pub(super) const ENDS: [Signal; 4] = [Signal::KILL, Signal::KILL, Signal::SEGV, Signal::ABORT];
/// How long a host may take to bury a process, and to start another one. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of a driver that was killed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    /// Its driver; nothing if it had not loaded one yet.
    pub(super) driver: Option<&'static str>,
    pub(super) signal: Signal,
    /// Before the signal was sent.
    pub(super) at: SystemTime,
    /// After the host had waited for it.
    pub(super) gone: Option<SystemTime>,
    process: Process,
}

/// What was done to one host.
#[derive(Debug)]
pub(super) struct Trouble<'a> {
    pub(super) host: Process,
    pub(super) address: &'a str,
    /// Where its drivers lie.
    pub(super) folder: String,
    pub(super) places: &'a Places,
    pub(super) kills: Vec<Kill>,
    /// How often a process was stopped for a while.
    pub(super) stops: u32,
    /// How often a quarantined driver was released.
    pub(super) released: u32,
    stopped: Vec<(Process, Instant)>,
}

impl<'a> Trouble<'a> {
    /// None yet.
    pub(super) fn new(host: Process, address: &'a str, folder: String, places: &'a Places) -> Self {
        Trouble {
            host,
            address,
            folder,
            places,
            kills: Vec::new(),
            stops: 0,
            released: 0,
            stopped: Vec::new(),
        }
    }

    /// Sends so many signals. Some processes may stand still afterwards; [`go_on`](Self::go_on) ends that.
    pub(super) fn make(&mut self, signals: u32, phase: &Phase, random: &mut Random) {
        for _ in 0..signals {
            // The moment is what is random here; nothing is waited for.
            sleep(Duration::from_micros(random.below(phase.pause_ms * 1000)));
            self.look_after(false);
            let stop = Duration::from_millis(random.below(phase.stop_ms));
            let kills = if phase.deadline.is_some() { 2 } else { 6 };
            match random.below(10) {
                9 => self.stop_host(stop.min(Duration::from_millis(200))),
                dice if dice < kills => {
                    let signal = *random.one_of(&ENDS);
                    let process = self.some_process(random);
                    self.kill(process, signal);
                }
                _ => {
                    let process = self.some_process(random);
                    self.stops += u32::from(process.send(Signal::STOP));
                    self.stopped.push((process, Instant::now() + stop));
                }
            }
            if phase.tolerance.0 < 10 && random.below(8) == 0 {
                self.release();
            }
        }
    }

    /// A process of a driver. Waits for one, and releases what is quarantined meanwhile.
    fn some_process(&mut self, random: &mut Random) -> Process {
        eventually("some process of a driver runs", PATIENCE, || {
            self.look_after(false);
            let mut processes = self.host.children();
            processes.retain(|process| process.runs());
            if processes.is_empty() {
                self.release();
                return None;
            }
            processes.sort_unstable();
            Some(*random.one_of(&processes))
        })
    }

    fn kill(&mut self, process: Process, signal: Signal) {
        let driver = process
            .mapped(&self.folder)
            .iter()
            .find_map(|file| driver_of(file));
        let at = SystemTime::now();
        process.kill_with(signal);
        self.kills.push(Kill {
            driver,
            signal,
            at,
            gone: None,
            process,
        });
    }

    fn stop_host(&mut self, time: Duration) {
        assert!(self.host.send(Signal::STOP), "the host runs");
        self.stops += 1;
        sleep(time);
        assert!(self.host.send(Signal::CONT), "the host runs");
    }

    /// Lets those go on that have stood still for long enough, or `all`, and notes which of the killed ones have gone.
    fn look_after(&mut self, all: bool) {
        let now = Instant::now();
        self.stopped.retain(|(process, until)| {
            let over = all || *until <= now;
            if over {
                process.send(Signal::CONT);
            }
            !over
        });
        for kill in self.kills.iter_mut().filter(|kill| kill.gone.is_none()) {
            kill.gone = kill.process.has_gone().then(SystemTime::now);
        }
    }

    /// Lets every process go on that stands still.
    pub(super) fn go_on(&mut self) {
        self.look_after(true);
    }

    /// Waits until the host has buried every process that was killed, and with it what that had started.
    pub(super) fn wait_for_burials(&mut self) {
        eventually("the host has buried the processes that died", PATIENCE, || {
            self.look_after(false);
            self.kills.iter().all(|kill| kill.gone.is_some()).then_some(())
        });
    }

    /// As [`release`].
    fn release(&mut self) {
        for (driver, _) in self.places.isolated() {
            self.released += u32::from(release(self.address, driver));
        }
    }
}

/// Does what an operator does with a driver that is quarantined. Whether it was.
pub(super) fn release(address: &str, driver: &str) -> bool {
    if standing(address, driver)["quarantined"].is_null() {
        return false;
    }
    let target = format!("/v1/drivers/{driver}/reset");
    let answer = attempt(address, &target, &json!({})).expect("the host answers");
    assert!((200..300).contains(&answer.status), "{}", answer.text);
    true
}

/// How the processes of a driver stand: the member `isolation` of what the host shows of it.
pub(super) fn standing(address: &str, driver: &str) -> Value {
    let shown = look(address, &format!("/v1/drivers/{driver}")).expect("the host answers");
    let body = shown.text.split_once("\r\n\r\n").expect("a body").1;
    let mut shown: Value = serde_json::from_str(body).expect("JSON");
    shown["isolation"].take()
}
