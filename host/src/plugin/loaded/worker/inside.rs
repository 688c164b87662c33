//! The other side: a worker process, which has one driver and does what the host orders.
//!
//! One thread at a time reads orders. With an order that leads into the driver it lets another one read, and comes back when the driver does;
//! so a call is not handed from thread to thread, and a driver that hangs keeps nobody from reading. The host orders no more blocking
//! calls at a time than there may be threads.

mod confine;
mod connection;
mod log;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use self::connection::{Incoming, Outgoing};
use super::super::in_process::{self, InProcess};
use super::super::wire::{Order, Report, Step, Terms};
use super::super::{CallState, Fault, LoadedMethod, OwnedCall, Progress, Reply, seats};
use crate::plugin::library;
use crate::plugin::manifest::{CalledOn, DriverManifest};
use crate::plugin::scan::FoundFile;
use crate::plugin::select::select;
use crate::request_id::RequestId;

pub(crate) use self::confine::Limits;

/// How much of a content type is sent. A media type is never as long; whoever refuses what is none quotes its beginning.
const MAX_CONTENT_TYPE: usize = 1024;

/// What a worker process is: a driver, and the way to the host.
struct Worker {
    driver: InProcess,
    methods: HashMap<(CalledOn, String), Arc<LoadedMethod>>,
    name: Arc<str>,
    incoming: Mutex<Incoming>,
    outgoing: Arc<Outgoing>,
    /// The calls that the driver is busy with.
    calls: Mutex<HashMap<u64, Arc<CallState>>>,
    threads: AtomicUsize,
    /// Threads that wait for their turn to read, or read.
    waiting: AtomicUsize,
    max_threads: usize,
    max_reply_bytes: u64,
    runtime: Handle,
}

/// Runs a worker process to its end. The socket to the host is its standard input.
///
/// # Errors
/// It was not started by a host, or the host has gone before it was ready.
pub(crate) fn run(limits: &Limits) -> anyhow::Result<()> {
    let stream =
        confine::take_socket().context("standard input is no socket; workers are started by `host serve`")?;
    confine::apply(limits)?;
    confine::end_with_the_host(&stream)?;
    let outgoing = Arc::new(Outgoing::new(stream.try_clone()?));
    let mut incoming = Incoming::new(stream);
    let Some((
        Order::Create {
            file,
            driver,
            threads,
            max_reply_bytes,
        },
        config,
    )) = incoming.next()?
    else {
        bail!("the host's first order is not to create a driver");
    };
    log::start(outgoing.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (name, manifest, driver) = match create(&file, &driver, &config) {
        Ok(created) => created,
        Err(text) => {
            outgoing.send(&Report::Refused(text), Bytes::new());
            return Ok(());
        }
    };
    outgoing.send(&Report::Created, Bytes::new());
    let worker = Arc::new(Worker {
        driver,
        methods: seats::methods(&manifest).collect(),
        name,
        incoming: Mutex::new(incoming),
        outgoing,
        calls: Mutex::default(),
        threads: AtomicUsize::new(0),
        waiting: AtomicUsize::new(0),
        // One more than may be inside, so that somebody reads.
        max_threads: usize::try_from(threads).unwrap_or(usize::MAX).saturating_add(1),
        max_reply_bytes,
        runtime: runtime.handle().clone(),
    });
    worker.start_thread().context("no thread can be started")?;
    runtime.block_on(async {
        // What asks the host to stop may reach its workers too; they end when the host says so.
        use tokio::signal::unix::{SignalKind, signal};
        let _heard = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
            signal(SignalKind::hangup()),
        );
        std::future::pending::<()>().await;
    });
    Ok(())
}

fn create(file: &str, name: &str, config: &[u8]) -> Result<(Arc<str>, DriverManifest, InProcess), String> {
    let path = Path::new(file);
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut selection = select(folder, [FoundFile::named(path).read()], &[name.to_owned()]);
    let Some(enabled) = selection.enabled.pop() else {
        let faults: Vec<String> = selection.faults.iter().map(ToString::to_string).collect();
        return Err(faults.join("; "));
    };
    let name: Arc<str> = name.into();
    let loaded = library::load(&enabled, config, in_process::host_object(name.clone()))
        .map_err(|error| error.to_string())?;
    Ok((name.clone(), loaded.manifest, InProcess::new(name, loaded.driver)))
}

impl Worker {
    fn start_thread(self: &Arc<Self>) -> std::io::Result<()> {
        let worker = self.clone();
        self.threads.fetch_add(1, Ordering::AcqRel);
        let started = std::thread::Builder::new()
            .name("driver-call".to_owned())
            .spawn(move || worker.work());
        if started.is_err() {
            self.threads.fetch_sub(1, Ordering::AcqRel);
        }
        started.map(drop)
    }

    /// Does what the host orders, until there is no host any more.
    fn work(self: Arc<Self>) {
        loop {
            self.waiting.fetch_add(1, Ordering::AcqRel);
            let order = self.incoming.lock().next();
            let others = self.waiting.fetch_sub(1, Ordering::AcqRel) - 1;
            let Ok(Some((order, tail))) = order else {
                confine::end()
            };
            match order {
                Order::Cancel { id } => {
                    if let Some(state) = self.calls.lock().get(&id) {
                        state.cancel();
                    }
                }
                Order::ShutDown => {
                    self.driver.shut_down();
                    self.outgoing.send(&Report::ShutDown, Bytes::new());
                    confine::end()
                }
                // The host says this once, at first.
                Order::Create { .. } => confine::end(),
                Order::CheckNode { id, terms } => {
                    self.let_another_read(others);
                    self.check_node(id, terms, &tail);
                }
                Order::Call {
                    id,
                    terms,
                    on_node,
                    method,
                    http_method,
                    node_bytes,
                    step,
                } => {
                    self.let_another_read(others);
                    let on = if on_node { CalledOn::Node } else { CalledOn::Driver };
                    let state = self.enter(id, terms);
                    match self.owned(on, method, &http_method, tail, node_bytes, state) {
                        Ok(call) => self.call(id, &call, step),
                        Err(fault) => self.leave(id, Err(fault)),
                    }
                }
            }
        }
    }

    /// Sees to it that somebody reads while this thread is inside the driver.
    fn let_another_read(self: &Arc<Self>, others: usize) {
        if others == 0 && self.threads.load(Ordering::Acquire) < self.max_threads {
            // Without one more thread, this one reads again when the driver returns.
            let _ = self.start_thread();
        }
    }

    fn enter(&self, id: u64, terms: Terms) -> Arc<CallState> {
        let request = RequestId::from_bytes(terms.request_id);
        let state = CallState::new(
            self.name.clone(),
            request,
            Duration::from_millis(terms.remaining_ms),
        );
        let state = Arc::new(state);
        self.calls.lock().insert(id, state.clone());
        state
    }

    fn owned(
        &self,
        on: CalledOn,
        method: String,
        http_method: &str,
        mut tail: Bytes,
        node_bytes: u32,
        state: Arc<CallState>,
    ) -> Result<OwnedCall, Fault> {
        let node_bytes = usize::try_from(node_bytes).unwrap_or(usize::MAX);
        let found = self.methods.get(&(on, method)).cloned();
        let http_method = found.as_ref().and_then(|_| seats::verb(http_method));
        let (Some(method), Some(http_method), true) = (found, http_method, node_bytes <= tail.len()) else {
            return Err(Fault::internal(
                "the host has ordered a call that the driver does not have",
            ));
        };
        let node = tail.split_to(node_bytes);
        Ok(OwnedCall {
            method,
            http_method,
            body: tail,
            node: (on == CalledOn::Node).then_some(node),
            state,
            seat: seats::Seat::here(),
        })
    }

    fn check_node(&self, id: u64, terms: Terms, node: &Bytes) {
        let state = self.enter(id, terms);
        let checked = self.driver.validate_node(node, &state);
        self.checked(id, checked);
    }

    fn call(self: &Arc<Self>, id: u64, call: &OwnedCall, step: Step) {
        if matches!(step, Step::Check | Step::Both) {
            let checked = self.driver.validate(call);
            if step == Step::Check || checked.is_err() {
                return self.checked(id, checked);
            }
        }
        match self.driver.start(call) {
            Progress::Done(result) => self.leave(id, result),
            Progress::Waiting(answer) => {
                let worker = self.clone();
                self.runtime.spawn(async move {
                    let result = answer.await.unwrap_or_else(|_| Err(Fault::lost()));
                    worker.leave(id, result);
                });
            }
            Progress::Asked(_) => self.leave(id, Err(Fault::lost())),
        }
    }

    fn checked(&self, id: u64, checked: Result<(), Fault>) {
        match checked {
            Ok(()) => {
                self.calls.lock().remove(&id);
                self.outgoing.send(&Report::Checked { id }, Bytes::new());
            }
            Err(fault) => self.leave(id, Err(fault)),
        }
    }

    /// The driver is done with a call.
    fn leave(&self, id: u64, result: Result<Reply, Fault>) {
        self.calls.lock().remove(&id);
        let failed = |fault: Fault| Report::Failed {
            id,
            fault: fault.into(),
        };
        match result {
            Ok(Reply { body, .. })
                if u64::try_from(body.len()).unwrap_or(u64::MAX) > self.max_reply_bytes =>
            {
                let fault = Fault::internal(&format!(
                    "the driver's reply has {} bytes, more than limits.max_reply_bytes = {}",
                    body.len(),
                    self.max_reply_bytes
                ));
                self.outgoing.send(&failed(fault), Bytes::new());
            }
            Ok(Reply {
                body,
                mut content_type,
            }) => {
                if let Some(text) = &mut content_type {
                    text.truncate(text.floor_char_boundary(MAX_CONTENT_TYPE));
                }
                self.outgoing.send(&Report::Answered { id, content_type }, body)
            }
            Err(fault) => self.outgoing.send(&failed(fault), Bytes::new()),
        }
    }
}
