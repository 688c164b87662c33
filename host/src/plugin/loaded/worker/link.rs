//! One worker process that is up: what it is asked, and what it answers.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;

use super::calls::{Answered, Calls, Wanted};
use super::isolation::Isolation;
use super::outgoing::{Frame, Outgoing};
use super::output::Output;
use super::process::{self, Process, Started};
use super::voice::Voice;
use crate::node::secret::SecretNames;
use crate::plugin::excerpted;
use crate::plugin::loaded::wire::{self, Order, Report, WireError};
use crate::plugin::loaded::{CallState, Fault, FaultKind, Reply};

/// How much is read at once, if there is as much.
const READ: usize = 16 * 1024;
/// With less room nothing is read.
const LEAST: usize = 4 * 1024;
/// How often that is done for a process that has ended: a socket holds much less.
const LAST_READS: usize = 256;

/// What a process has done that says something which has no place where it stands.
const OUT_OF_TURN: &str = "has said something out of turn";

/// Why there is no driver in a process.
pub(super) enum NotCreated {
    /// In one line.
    Refused(String),
    /// How the process has ended.
    Ended(String),
}

/// The way to one process.
#[derive(Debug)]
pub(in crate::plugin::loaded) struct Link {
    driver: Arc<str>,
    process: Process,
    stream: OwnedWriteHalf,
    voice: Arc<Voice>,
    output: Output,
    max_reply_bytes: usize,
    memory_max_bytes: Option<u64>,
    next: AtomicU64,
    calls: Arc<Calls>,
    sending: Mutex<Sending>,
    more: Notify,
    /// Why the host has killed it, if it has.
    condemned: OnceLock<String>,
    /// Whether the driver has come back from its shut-down.
    has_shut_down: AtomicBool,
}

/// The writing side.
#[derive(Debug, Default)]
struct Sending {
    outgoing: Outgoing,
    /// What the process knows of the names of secrets.
    told: Option<Arc<SecretNames>>,
}

/// Where a process's reports come from.
#[derive(Debug)]
pub(super) struct Reports {
    stream: OwnedReadHalf,
    read: BytesMut,
}

/// The process takes nothing any more.
struct Gone;

impl Link {
    pub(super) fn new(
        driver: Arc<str>,
        started: Started,
        isolation: &Isolation,
    ) -> std::io::Result<(Self, Reports)> {
        let Started {
            process,
            stream,
            stdout,
            stderr,
        } = started;
        stream.set_nonblocking(true)?;
        let (reports, stream) = UnixStream::from_std(stream)?.into_split();
        let calls = Arc::new(Calls::default());
        let voice = Arc::new(Voice::new(driver.clone(), calls.clone()));
        let link = Link {
            output: Output::log(&voice, stdout, stderr)?,
            voice,
            driver,
            process,
            stream,
            max_reply_bytes: usize::try_from(isolation.max_reply_bytes).unwrap_or(usize::MAX),
            memory_max_bytes: isolation.confinement.memory_max_bytes,
            next: AtomicU64::new(1),
            calls,
            sending: Mutex::default(),
            more: Notify::new(),
            condemned: OnceLock::new(),
            has_shut_down: AtomicBool::new(false),
        };
        let reports = Reports {
            stream: reports,
            read: BytesMut::new(),
        };
        Ok((link, reports))
    }

    /// The process's id.
    pub(super) fn process_id(&self) -> i32 {
        self.process.id()
    }

    /// How many calls wait for it.
    pub(super) fn load(&self) -> usize {
        self.calls.len()
    }

    /// Asks for something that is answered: `order` gets the id under which it is.
    pub(super) fn ask(
        &self,
        state: &Arc<CallState>,
        wanted: Wanted,
        order: impl FnOnce(u64) -> Order,
        [first, second]: [Bytes; 2],
    ) -> (u64, Result<Answered, Fault>) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let head = match wire::encode(&order(id), first.len() + second.len()) {
            Ok(head) => Bytes::from(head),
            Err(error) => return (id, Err(not_sent(&error))),
        };
        let mut sending = self.sending.lock();
        if sending.outgoing.is_closed() {
            return (id, Err(self.not_begun("has ended")));
        }
        if let Some(secrets) = &state.secrets {
            sending.tell(secrets.names());
        }
        // Listed before it is sent, and while nobody can close the queue: what waits when that is closed was either sent or is in it.
        let answered = self.calls.enter(id, wanted, state);
        sending.outgoing.push(Frame {
            call: Some(id),
            parts: [head, first, second],
        });
        self.write_on(&mut sending);
        (id, Ok(answered))
    }

    /// Says that nobody waits for an answer any more. What the process has not begun to read is taken back.
    pub(super) fn cancel(&self, id: u64) {
        if self.sending.lock().outgoing.withdraw(id) {
            // It may have been failed in this moment, by the end of the process.
            let _ = self
                .calls
                .fail(id, self.not_begun("had not read the call in time"));
            return;
        }
        self.say(&Order::Cancel { id }, Bytes::new());
    }

    /// Kills the process; its calls fail, with this reason.
    pub(super) fn condemn(&self, reason: String) {
        // The first reason is the reason.
        let _ = self.condemned.set(reason);
        self.process.kill();
    }

    /// Whether the driver has come back from its shut-down, or was killed because it did not.
    pub(super) fn has_shut_down(&self) -> bool {
        self.has_shut_down.load(Ordering::Acquire) || self.condemned.get().is_some()
    }

    /// Waits until the process has ended, and everything that it has started too.
    pub(super) async fn over(&self) {
        self.process.over().await;
    }

    /// Sends an order that is not answered. A process that is not there any more does not need it.
    pub(super) fn say(&self, order: &Order, tail: Bytes) {
        let Ok(head) = wire::encode(order, tail.len()) else {
            return;
        };
        let mut sending = self.sending.lock();
        if !sending.outgoing.is_closed() {
            sending.outgoing.push(Frame {
                call: None,
                parts: [head.into(), tail, Bytes::new()],
            });
            self.write_on(&mut sending);
        }
    }

    /// Writes what the socket takes now, and leaves the rest to [`flush`](Self::flush).
    fn write_on(&self, sending: &mut Sending) {
        // A broken socket is noticed by whoever reads it.
        let _ = self.write(&mut sending.outgoing);
        if !sending.outgoing.is_empty() {
            self.more.notify_one();
        }
    }

    fn write(&self, outgoing: &mut Outgoing) -> Result<(), Gone> {
        while !outgoing.is_empty() {
            let (pieces, count) = outgoing.pieces();
            match self.stream.try_write_vectored(&pieces[..count]) {
                Ok(written) => outgoing.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }

    /// Sends what could not be sent at once, for as long as the process lives.
    async fn flush(&self) {
        loop {
            self.more.notified().await;
            while !self.sending.lock().outgoing.is_empty() {
                if self.stream.writable().await.is_err() {
                    return;
                }
                if self.write(&mut self.sending.lock().outgoing).is_err() {
                    return;
                }
            }
        }
    }

    /// Waits for the first report: whether the driver was created.
    pub(super) async fn created(&self, reports: &mut Reports) -> Result<(), NotCreated> {
        let mut first = tokio::select! {
            biased;
            first = self.first(reports) => first,
            () = self.flush() => Err(String::new()),
            _ = self.process.ended() => Err(String::new()),
        };
        while first.as_ref().is_err_and(String::is_empty)
            && let Some((report, _)) = self.left_over(reports)
        {
            if let Some(said) = self.hear_first(report) {
                first = said;
            }
        }
        match first {
            Ok(created) => created.map_err(NotCreated::Refused),
            Err(found) => Err(NotCreated::Ended(self.ended(found).await)),
        }
    }

    /// Takes what comes before the driver is created, and then whether it was.
    async fn first(&self, reports: &mut Reports) -> Result<Result<(), String>, String> {
        loop {
            let (report, _) = self.report(reports).await?;
            if let Some(said) = self.hear_first(report) {
                return said;
            }
        }
    }

    fn hear_first(&self, report: Report) -> Option<Result<Result<(), String>, String>> {
        match report {
            Report::Created => Some(Ok(Ok(()))),
            Report::Refused(text) => Some(Ok(Err(excerpted(&text)))),
            Report::Log {
                level,
                request_id,
                message,
            } => {
                self.voice.log(level, request_id, &message);
                None
            }
            _ => Some(Err(OUT_OF_TURN.to_owned())),
        }
    }

    /// Takes reports until the process has ended, and answers how it has.
    pub(super) async fn serve(&self, mut reports: Reports) -> String {
        let taking = async {
            loop {
                let taken = match self.report(&mut reports).await {
                    Ok((report, tail)) => self.take(report, tail),
                    Err(found) => Err(found),
                };
                if let Err(found) = taken {
                    return found;
                }
            }
        };
        let found = tokio::select! {
            biased;
            found = taking => found,
            () = self.flush() => String::new(),
            // What it has started may still hold its socket.
            _ = self.process.ended() => String::new(),
        };
        let ended = self.ended(found).await;
        // What it has sent before it ended counts.
        while let Some((report, tail)) = self.left_over(&mut reports) {
            if self.take(report, tail).is_err() {
                break;
            }
        }
        let unsent = self.sending.lock().outgoing.close();
        self.calls.fail_all(|id| {
            if unsent.contains(&id) {
                self.not_begun(&ended)
            } else {
                self.died(&ended)
            }
        });
        ended
    }

    /// Ends the process, and tells how it has ended: by itself, or because of `found`.
    async fn ended(&self, found: String) -> String {
        if found.is_empty() {
            // It closes its socket a moment before it is gone, if it ends by itself.
            let _ = tokio::time::timeout(super::LAST_MOMENT, self.process.ended()).await;
        }
        let had_ended = self.process.has_ended();
        self.process.kill();
        let status = self.process.ended().await;
        let killed = status.is_none_or(process::was_killed);
        if !found.is_empty() {
            return format!("{found}, and was killed");
        }
        if let Some(reason) = self.condemned.get().filter(|_| killed) {
            return format!("was killed: {reason}");
        }
        let Some(status) = status.filter(|_| had_ended || !killed) else {
            return "has closed its connection to the host, and was killed".to_owned();
        };
        let manner = process::manner(status);
        match self.memory_max_bytes {
            Some(most) if process::has_aborted(status) && self.output.tells_of_memory().await => {
                format!("could get no more memory than memory_max_bytes = {most} allows, and {manner}")
            }
            _ => manner,
        }
    }

    /// The next report. An error says what is wrong with the process; it is empty if the connection is closed.
    async fn report(&self, reports: &mut Reports) -> Result<(Report, Bytes), String> {
        loop {
            if let Some(frame) = self.decode(&mut reports.read)? {
                return Ok(frame);
            }
            // A process that never stops to write must not keep the host from writing.
            self.write_on(&mut self.sending.lock());
            self.make_room(&mut reports.read)?;
            // When it gets less than there is room for, it waits for more the next time without trying first.
            match reports.stream.read_buf(&mut reports.read).await {
                Ok(0) | Err(_) => return Err(String::new()),
                Ok(_) => {}
            }
        }
    }

    fn decode(&self, read: &mut BytesMut) -> Result<Option<(Report, Bytes)>, String> {
        wire::decode(read, self.max_reply_bytes).map_err(misunderstood)
    }

    /// For the rest of a report, and for what may follow it.
    fn make_room(&self, read: &mut BytesMut) -> Result<(), String> {
        let missing = wire::missing(read, self.max_reply_bytes).map_err(misunderstood)?;
        if read.capacity() - read.len() < missing.max(LEAST) {
            read.reserve(missing.max(READ));
        }
        Ok(())
    }

    /// The next report of a process that has ended, if it has sent one more. The runtime need not have heard yet that there is something to read.
    fn left_over(&self, Reports { stream, read }: &mut Reports) -> Option<(Report, Bytes)> {
        for _ in 0..LAST_READS {
            if let Some(frame) = self.decode(read).ok()? {
                return Some(frame);
            }
            let filled = read.len();
            read.resize(filled + READ, 0);
            let more = rustix::io::read(stream.as_ref(), &mut read[filled..]);
            read.truncate(filled + more.unwrap_or(0));
            if more.unwrap_or(0) == 0 {
                return None;
            }
        }
        None
    }

    /// Takes a report. A process that says what it cannot have to say is broken.
    fn take(&self, report: Report, tail: Bytes) -> Result<(), String> {
        let taken = match report {
            Report::Checked { id } => {
                let reply = Reply {
                    body: Bytes::new(),
                    content_type: None,
                };
                self.calls.answer(id, Wanted::Check, reply)
            }
            Report::Answered { id, content_type } => {
                let reply = Reply {
                    body: tail,
                    content_type,
                };
                self.calls.answer(id, Wanted::Reply, reply)
            }
            Report::Failed { id, fault } => self.calls.fail(id, fault.into()),
            Report::Log {
                level,
                request_id,
                message,
            } => {
                self.voice.log(level, request_id, &message);
                Ok(())
            }
            Report::ShutDown => {
                self.has_shut_down.store(true, Ordering::Release);
                Ok(())
            }
            Report::Created | Report::Refused(_) => return Err(OUT_OF_TURN.to_owned()),
        };
        taken.map_err(|_| "has answered what it was not asked".to_owned())
    }

    fn died(&self, how: &str) -> Fault {
        self.fault(FaultKind::WorkerDied, how)
    }

    fn not_begun(&self, how: &str) -> Fault {
        self.fault(
            FaultKind::NotBegun,
            &format!("{how}, before the call could begin"),
        )
    }

    fn fault(&self, kind: FaultKind, how: &str) -> Fault {
        Fault {
            kind,
            message: format!("the process of driver '{}' {how}", self.driver),
            details: None,
        }
    }
}

impl Sending {
    /// Sees to it that the process knows what must not show in what its driver says of the next call.
    fn tell(&mut self, names: &Arc<SecretNames>) {
        let known = self.told.as_ref();
        if known.is_some_and(|known| Arc::ptr_eq(known, names)) {
            return;
        }
        self.told = Some(names.clone());
        let declared = names.as_json();
        if let Ok(head) = wire::encode(&Order::Secrets, declared.len()) {
            self.outgoing.push(Frame {
                call: None,
                parts: [head.into(), declared.into(), Bytes::new()],
            });
        }
    }
}

fn misunderstood(error: impl std::fmt::Display) -> String {
    format!("has sent what the host does not understand ({error})")
}

fn not_sent(error: &WireError) -> Fault {
    Fault {
        kind: FaultKind::Internal,
        message: format!("the call could not be sent to the driver's process: {error}"),
        details: None,
    }
}
