//! A client that expects nothing: the host may be gone, or send what no host should.

use std::cmp::Ordering;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suite::{HostProcess, eventually};

/// Longer than a host that is well may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two calls of the other driver.
const PACE: Duration = Duration::from_millis(5);
const OTHER: &str = "/v1/drivers/fake/vendor_passthru/echo";

/// Whether and how a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answered {
    /// With this status.
    Reply(u16),
    /// With what is no HTTP.
    Garbage,
    /// The connection was not there, or closed.
    Nothing,
    /// Not in the time that was given.
    NotYet,
}

/// POST of a JSON value over a connection that stays open.
pub(super) fn exchange(stream: &mut TcpStream, target: &str, body: &Value, patience: Duration) -> Answered {
    let body = body.to_string();
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: host\r\nX-OpenStack-Ironic-API-Version: 1.77\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    if stream.set_read_timeout(Some(patience)).is_err() || stream.write_all(request.as_bytes()).is_err() {
        return Answered::Nothing;
    }
    let mut read = Vec::new();
    let mut space = [0; 4096];
    loop {
        match stream.read(&mut space) {
            Ok(0) => return Answered::Nothing,
            Ok(count) => read.extend_from_slice(&space[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Answered::NotYet,
            Err(_) => return Answered::Nothing,
        }
        if !read.starts_with(&b"HTTP/1.1 "[..read.len().min(9)]) {
            return Answered::Garbage;
        }
        if let Some(answered) = whole(&read) {
            return answered;
        }
    }
}

/// A reply that is whole, and nothing behind it.
fn whole(read: &[u8]) -> Option<Answered> {
    let text = String::from_utf8_lossy(read);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.parse::<usize>().ok())?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    match body.len().cmp(&length) {
        Ordering::Less => None,
        Ordering::Equal => Some(Answered::Reply(status)),
        Ordering::Greater => Some(Answered::Garbage),
    }
}

/// Whether somebody who comes now is answered by the other driver, within `patience`.
pub(super) fn newcomer(address: &str, patience: Duration) -> Answered {
    match TcpStream::connect(address) {
        Ok(mut stream) => exchange(&mut stream, OTHER, &json!({}), patience),
        Err(_) => Answered::Nothing,
    }
}

/// Calls of the fake driver, one after the other over one connection.
pub(super) struct Steady {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    answered: AtomicU64,
    stop: AtomicBool,
    lost: Mutex<Vec<(Instant, Answered)>>,
}

impl Steady {
    /// Until the first call that is not answered within `patience`.
    pub(super) fn start(host: &HostProcess, patience: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let (address, own) = (host.address.clone(), shared.clone());
        let thread = std::thread::Builder::new()
            .name("steady client".into())
            .spawn(move || own.run(&address, patience))
            .expect("a thread");
        Steady {
            shared,
            thread: Some(thread),
        }
    }

    /// Waits until one more call has been answered, whatever is going on.
    pub(super) fn goes_on(&self) {
        // The one that is under way may have begun before.
        let enough = self.shared.answered.load(SeqCst) + 2;
        eventually("another driver's calls are answered", PATIENCE, || {
            (self.shared.answered.load(SeqCst) >= enough || !self.lost_since(None).is_empty()).then_some(())
        });
    }

    /// The calls that were not answered as they should, from a moment on.
    pub(super) fn lost_since(&self, moment: Option<Instant>) -> Vec<Answered> {
        let lost = self.shared.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let since = lost
            .iter()
            .filter(|(at, _)| moment.is_none_or(|moment| *at >= moment));
        since.map(|(_, answered)| answered.clone()).collect()
    }
}

impl Drop for Steady {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            let _has_panicked = thread.join();
        }
    }
}

impl Shared {
    /// Until the first call is lost: what comes after that says nothing new.
    fn run(&self, address: &str, patience: Duration) {
        let mut stream = TcpStream::connect(address).expect("the host accepts a connection");
        while !self.stop.load(SeqCst) {
            match exchange(&mut stream, OTHER, &json!({}), patience) {
                Answered::Reply(200) => {
                    self.answered.fetch_add(1, SeqCst);
                    std::thread::sleep(PACE);
                }
                other => {
                    let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
                    return lost.push((Instant::now(), other));
                }
            }
        }
    }
}
