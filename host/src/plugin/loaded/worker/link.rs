//! One worker process that is up: what it is asked, and what it answers.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, IoSlice};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::net::UnixStream;
use tokio::sync::{Notify, oneshot};

use super::process::{Process, manner};
use crate::plugin::loaded::in_process;
use crate::plugin::loaded::wire::{self, Order, Report, WireError};
use crate::plugin::loaded::{CallState, Fault, FaultKind, Reply};
use crate::request_id::RequestId;

/// How much is read at once.
const READ: usize = 16 * 1024;

/// The way to one process.
#[derive(Debug)]
pub(in crate::plugin::loaded) struct Link {
    driver: Arc<str>,
    process: Process,
    stream: UnixStream,
    max_reply_bytes: usize,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, Waiting>>,
    outgoing: Mutex<VecDeque<Bytes>>,
    more: Notify,
    /// Why the host has killed it, if it has.
    condemned: OnceLock<String>,
    /// How it has ended.
    lost: OnceLock<String>,
}

/// Somebody who waits for an answer.
#[derive(Debug)]
struct Waiting {
    state: Arc<CallState>,
    answer: oneshot::Sender<Result<Reply, Fault>>,
}

impl Link {
    pub(super) fn new(
        driver: Arc<str>,
        process: Process,
        stream: std::os::unix::net::UnixStream,
        max_reply_bytes: u64,
    ) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Link {
            driver,
            process,
            stream: UnixStream::from_std(stream)?,
            max_reply_bytes: usize::try_from(max_reply_bytes).unwrap_or(usize::MAX),
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            outgoing: Mutex::default(),
            more: Notify::new(),
            condemned: OnceLock::new(),
            lost: OnceLock::new(),
        })
    }

    /// The process's id.
    pub(super) fn process_id(&self) -> i32 {
        self.process.id()
    }

    /// How many calls wait for it.
    pub(super) fn load(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Asks for something that is answered: `order` gets the id under which it is.
    pub(super) fn ask(
        &self,
        state: &Arc<CallState>,
        order: impl FnOnce(u64) -> Order,
        tail: [Bytes; 2],
    ) -> (u64, oneshot::Receiver<Result<Reply, Fault>>) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            state: state.clone(),
            answer,
        };
        self.waiting.lock().insert(id, waiting);
        // Looked at after it was listed: whoever empties the list has said before how the process ended.
        let refused = match self.lost.get() {
            Some(lost) => Some(self.died(lost)),
            None => self.send(&order(id), tail).err().map(|error| not_sent(&error)),
        };
        if let Some(fault) = refused {
            self.answer(id, Err(fault));
        }
        (id, answered)
    }

    /// Says that nobody waits for an answer any more.
    pub(super) fn cancel(&self, id: u64) {
        // A process that is not there any more has stopped.
        let _ = self.send(&Order::Cancel { id }, [Bytes::new(), Bytes::new()]);
    }

    /// Kills the process; its calls fail, with this reason.
    pub(super) fn condemn(&self, reason: String) {
        // The first reason is the reason.
        let _ = self.condemned.set(reason);
        self.process.kill();
    }

    /// Sends at once what the socket takes, and leaves the rest to [`flush`](Self::flush).
    pub(super) fn send(&self, order: &Order, tail: [Bytes; 2]) -> Result<(), WireError> {
        let [first, second] = tail;
        let head = wire::encode(order, first.len() + second.len())?;
        let mut parts = VecDeque::from([Bytes::from(head), first, second]);
        parts.retain(|part| !part.is_empty());
        let mut outgoing = self.outgoing.lock();
        if outgoing.is_empty() {
            self.write(&mut parts);
        }
        if !parts.is_empty() {
            outgoing.append(&mut parts);
            self.more.notify_one();
        }
        Ok(())
    }

    /// Writes as much as the socket takes now. What a broken socket does not take is thrown away: its reader ends the link.
    fn write(&self, parts: &mut VecDeque<Bytes>) {
        while !parts.is_empty() {
            let slices: Vec<IoSlice<'_>> = parts.iter().take(64).map(|part| IoSlice::new(part)).collect();
            match self.stream.try_write_vectored(&slices) {
                Ok(mut written) => {
                    while let Some(part) = parts.front_mut() {
                        let some = written.min(part.len());
                        part.advance(some);
                        written -= some;
                        if !part.is_empty() {
                            break;
                        }
                        parts.pop_front();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => parts.clear(),
            }
        }
    }

    /// Sends what could not be sent at once, for as long as the process lives.
    async fn flush(&self) {
        loop {
            self.more.notified().await;
            while !self.outgoing.lock().is_empty() {
                if self.stream.writable().await.is_err() {
                    return;
                }
                self.write(&mut self.outgoing.lock());
            }
        }
    }

    /// Waits for the first report: whether the driver was created.
    pub(super) async fn created(&self, read: &mut BytesMut) -> Result<(), String> {
        let ended = tokio::select! {
            report = self.report(read) => match report {
                Ok((Report::Created, _)) => return Ok(()),
                Ok((Report::Refused(text), _)) => return Err(text),
                Ok((report, _)) => format!("has begun with {report:?}"),
                Err(ended) => ended,
            },
            () = self.flush() => String::new(),
            () = self.process.exited() => String::new(),
        };
        Err(format!(
            "the driver's process {} before the driver was created",
            self.ended(ended).await
        ))
    }

    /// Takes reports until the process has ended, and answers how it has.
    pub(super) async fn serve(&self, mut read: BytesMut) -> String {
        let reports = async {
            loop {
                match self.report(&mut read).await {
                    Ok((report, tail)) => self.take(report, tail),
                    Err(ended) => return ended,
                }
            }
        };
        let ended = tokio::select! {
            // What it has sent before it ended counts.
            biased;
            ended = reports => ended,
            () = self.flush() => String::new(),
            // What it has started may still hold its socket.
            () = self.process.exited() => String::new(),
        };
        let ended = self.ended(ended).await;
        let _ = self.lost.set(ended.clone());
        let left: Vec<u64> = self.waiting.lock().keys().copied().collect();
        for id in left {
            self.answer(id, Err(self.died(&ended)));
        }
        ended
    }

    /// Ends the process, and tells how it has ended: by itself, or because of `found`.
    async fn ended(&self, found: String) -> String {
        let closed = found.is_empty();
        if closed {
            // It closes its socket a moment before it is gone, if it ends by itself.
            let _ = tokio::time::timeout(super::LAST_MOMENT, self.process.exited()).await;
        }
        let ended_itself = self.process.has_exited();
        let status = self.process.bury();
        match (self.condemned.get(), status) {
            (Some(reason), _) => format!("was killed: {reason}"),
            (None, Ok(status)) if ended_itself => manner(status),
            (None, _) if closed => "has closed its connection to the host, and was killed".to_owned(),
            (None, _) => format!("{found}, and was killed"),
        }
    }

    /// The next report. An error says what is wrong with the process; it is empty if the connection is closed.
    async fn report(&self, read: &mut BytesMut) -> Result<(Report, Bytes), String> {
        loop {
            match wire::decode(read, self.max_reply_bytes) {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(error) => return Err(format!("has sent what the host does not understand ({error})")),
            }
            read.reserve(READ);
            self.stream.readable().await.map_err(|_| String::new())?;
            match self.stream.try_read_buf(read) {
                Ok(0) => return Err(String::new()),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => return Err(String::new()),
            }
        }
    }

    fn take(&self, report: Report, tail: Bytes) {
        match report {
            Report::Checked { id } => self.answer(
                id,
                Ok(Reply {
                    body: Bytes::new(),
                    content_type: None,
                }),
            ),
            Report::Answered { id, content_type } => self.answer(
                id,
                Ok(Reply {
                    body: tail,
                    content_type,
                }),
            ),
            Report::Failed { id, fault } => self.answer(id, Err(fault.into())),
            Report::Log {
                level,
                request_id,
                message,
            } => self.log(level, request_id, &message),
            Report::Created | Report::Refused(_) | Report::ShutDown => {}
        }
    }

    fn answer(&self, id: u64, result: Result<Reply, Fault>) {
        // Who has gone does not want the answer; who was never there cannot.
        if let Some(waiting) = self.waiting.lock().remove(&id) {
            let result = result.map_err(|fault| in_process::without_secrets(fault, &waiting.state));
            let _ = waiting.answer.send(result);
        }
    }

    fn log(&self, level: u8, request_id: Option<[u8; 16]>, message: &str) {
        let request_id = request_id.map(RequestId::from_bytes);
        let state = request_id.and_then(|id| {
            let waiting = self.waiting.lock();
            waiting
                .values()
                .find(|waiting| waiting.state.request_id == id)
                .map(|waiting| waiting.state.clone())
        });
        let message = match &state {
            Some(state) => state.masked(message),
            None => message.into(),
        };
        in_process::log(level, &self.driver, request_id, &message);
    }

    fn died(&self, how: &str) -> Fault {
        Fault {
            kind: FaultKind::WorkerDied,
            message: format!("the process of driver '{}' {how}", self.driver),
            details: None,
        }
    }
}

fn not_sent(error: &WireError) -> Fault {
    Fault {
        kind: FaultKind::Internal,
        message: format!("the call could not be sent to the driver's process: {error}"),
        details: None,
    }
}
