//! Clients that do not behave: they leave without an answer, send halves, leave programs behind. And those that only read.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::drivers::{DRIVERS, Places};
use crate::attempt::post;
use crate::{Attempt, Kind, Load, Random, attempt, look};

/// How long a visitor rests at most, in microseconds.
const REST: u64 = 40_000;
/// How long a visitor waits for what it does not care about.
const PATIENCE: Duration = Duration::from_secs(60);
/// What every host answers, whatever its drivers do.
const READS: [&str; 8] = [
    "/healthz",
    "/metrics",
    "/v1",
    "/v1/calls?limit=20",
    "/v1/drivers",
    "/v1/drivers/watcher",
    "/v1/drivers/witness/vendor_passthru/methods",
    "/v1/nodes?fields=uuid,reservation,last_error",
];
/// Starts a program that does not end by itself.
const LEAVE_BEHIND: Kind = Kind {
    method: "leave_behind",
    of_node: false,
    status: 200,
};

/// What became of the visits to one host.
#[derive(Debug, Default)]
pub(super) struct Visits {
    pub(super) reads: AtomicU64,
    pub(super) halves: AtomicU64,
    pub(super) programs: AtomicU64,
}

/// A read that was not answered as it should be.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) target: String,
    pub(super) answer: Option<Attempt>,
    pub(super) at: SystemTime,
}

fn rest(random: &mut Random) {
    // The moment is what is random here; nothing is waited for.
    sleep(Duration::from_micros(random.below(REST)));
}

impl Visits {
    /// Reads until the calls are over. The first read that fails is the last.
    pub(super) fn read(&self, address: &str, load: &Load, random: &mut Random) -> Option<Unread> {
        while !load.is_over() {
            rest(random);
            let target = *random.one_of(&READS);
            let answer = look(address, target);
            if answer.as_ref().is_none_or(|answer| answer.status != 200) {
                return Some(Unread {
                    target: target.to_owned(),
                    answer,
                    at: SystemTime::now(),
                });
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    /// Sends whole calls, and leaves while they are made.
    pub(super) fn leave(&self, address: &str, load: &Load, random: &mut Random) {
        while !load.is_over() {
            rest(random);
            let (index, target, body) = load.next(random, true);
            let mut connection = TcpStream::connect(address);
            if let Ok(stream) = &mut connection {
                let _gone_meanwhile = stream.write_all(post(address, &target, &body).as_bytes());
                sleep(Duration::from_micros(random.below(10_000)));
            }
            let there = connection.is_ok();
            drop(connection);
            load.answered(index, None);
            if !there {
                return;
            }
        }
    }

    /// Sends what no client sends that means well, or parts of what one would.
    pub(super) fn send_halves(&self, address: &str, load: &Load, random: &mut Random) {
        let mut number = 0;
        while !load.is_over() {
            rest(random);
            number += 1;
            let driver = random.one_of(&DRIVERS);
            let target = format!("/v1/drivers/{driver}/vendor_passthru/mark_driver");
            let whole = post(
                address,
                &target,
                &json!({"token": format!("half-{number}"), "ms": 0}),
            );
            let cut = usize::try_from(random.below(whole.len() as u64)).expect("small");
            let mut bytes = match random.below(4) {
                0 | 1 => whole.as_bytes()[..cut].to_vec(),
                // All of it, with one byte that belongs neither into a head nor into JSON.
                2 => {
                    let mut bytes = whole.into_bytes();
                    bytes[cut] = 0;
                    bytes
                }
                _ => format!(
                    "POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{{"
                )
                .into_bytes(),
            };
            let Ok(mut stream) = TcpStream::connect(address) else {
                return;
            };
            let _refused = stream.write_all(&bytes);
            // Some hold their half for a while, some wait for what is said to it.
            if random.below(2) == 0 {
                sleep(Duration::from_micros(random.below(REST)));
            } else {
                let _refused = stream.shutdown(Shutdown::Write);
                let _patience = stream.set_read_timeout(Some(PATIENCE));
                bytes.clear();
                let _broken = stream.read_to_end(&mut bytes);
            }
            self.halves.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lets processes of drivers start programs of their own.
    pub(super) fn leave_programs(&self, address: &str, load: &Load, places: &Places, random: &mut Random) {
        let isolated: Vec<&str> = places.isolated().map(|(driver, _)| driver).collect();
        while !load.is_over() {
            (0..4).for_each(|_| rest(random));
            let driver = *random.one_of(&isolated);
            let (index, target, body) = load.write_down(driver, LEAVE_BEHIND, None, 0, false);
            let answer = attempt(address, &target, &body);
            let done = answer.as_ref().is_some_and(|answer| answer.status == 200);
            if !load.answered(index, answer) {
                return;
            }
            self.programs.fetch_add(u64::from(done), Ordering::Relaxed);
        }
    }
}
