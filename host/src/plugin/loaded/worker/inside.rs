//! The other side: a worker process, which has one driver and does what the host orders.
//!
//! One thread at a time reads orders ([`turns`]), and does what it has read: a call is not handed from thread to thread, and a driver that hangs
//! keeps nobody from reading. The host orders no more blocking calls at a time than there may be threads. A deferred call is answered by the
//! thread of the driver that completes it.

mod confine;
mod connection;
mod log;
mod turns;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::confine::Host;
use self::connection::{Incoming, Outgoing};
use self::turns::{Pace, Turns};
use super::super::in_process::{self, InProcess};
use super::super::wire::{Order, Report, Step, Terms};
use super::super::{CallState, Fault, FaultKind, LoadedMethod, OwnedCall, Reply, seats};
use crate::node::secret::{NodeSecrets, SecretNames};
use crate::plugin::library;
use crate::plugin::manifest::{CalledOn, DriverManifest, RunKind};
use crate::plugin::scan::FoundFile;
use crate::plugin::select::select;
use crate::request_id::RequestId;

pub(crate) use self::confine::Limits;

/// More than any media type has; how it ends does not matter beyond that.
const LONGEST_TYPE: usize = 16 * 1024;

/// What a worker process is: a driver, and the way to the host.
struct Worker {
    driver: InProcess,
    methods: HashMap<(CalledOn, String), Known>,
    node_check: Pace,
    name: Arc<str>,
    host: Host,
    turns: Turns,
    outgoing: Arc<Outgoing>,
    /// The calls that the driver is busy with.
    calls: Mutex<HashMap<u64, Arc<CallState>>>,
    /// What manifests declare secret.
    secrets: Mutex<Arc<SecretNames>>,
    threads: AtomicUsize,
    max_threads: usize,
    max_reply_bytes: u64,
}

/// A method, and how quick the driver is at each step of its calls.
struct Known {
    method: Arc<LoadedMethod>,
    check: Pace,
    begin: Pace,
    both: Pace,
}

impl Known {
    fn new(method: Arc<LoadedMethod>) -> Self {
        Known {
            method,
            check: Pace::default(),
            begin: Pace::default(),
            both: Pace::default(),
        }
    }

    fn pace(&self, step: Step) -> &Pace {
        match step {
            Step::Check => &self.check,
            Step::Begin => &self.begin,
            Step::Both => &self.both,
        }
    }
}

/// What an order leaves to be done.
enum Work<'a> {
    Nothing,
    Check {
        id: u64,
        node: Bytes,
        state: Arc<CallState>,
    },
    Call {
        id: u64,
        call: OwnedCall,
        step: Step,
        pace: &'a Pace,
    },
    End,
}

/// Runs a worker process to its end. The socket to the host is its standard input.
///
/// # Errors
/// It was not started by a host, or the host has gone before it was ready.
pub(crate) fn run(limits: &Limits) -> anyhow::Result<()> {
    const STRANGER: &str = "it is no worker of a host; workers are started by `host serve`";
    let stream = confine::take_socket().context(STRANGER)?;
    let host = Host::of(&stream).context(STRANGER)?;
    host.outlive_not(&stream)?;
    let outgoing = Arc::new(Outgoing::new(stream.try_clone()?, host.clone()));
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
    let mut signals = {
        let _inside = runtime.enter();
        Signals::take()?
    };
    let created = confine::apply(limits)
        .map_err(|error| format!("the process of driver '{driver}' cannot be confined: {error:#}"))
        .and_then(|()| create(&file, &driver, &config));
    let (name, manifest, driver) = match created {
        Ok(created) => created,
        Err(text) => {
            outgoing.send(&Report::Refused(text), Bytes::new())?;
            return Ok(());
        }
    };
    outgoing.send(&Report::Created, Bytes::new())?;
    let methods = seats::methods(&manifest).map(|(key, method)| (key, Known::new(method)));
    let worker = Arc::new(Worker {
        driver,
        methods: methods.collect(),
        node_check: Pace::default(),
        name,
        host: host.clone(),
        turns: Turns::new(incoming),
        outgoing,
        calls: Mutex::default(),
        secrets: Mutex::default(),
        threads: AtomicUsize::new(0),
        // One more than may be inside, so that somebody reads.
        max_threads: usize::try_from(threads).unwrap_or(usize::MAX).saturating_add(1),
        max_reply_bytes,
    });
    worker.start_thread().context("no thread can be started")?;
    runtime.block_on(async {
        let hangup = async {
            while host.is_there() {
                signals.hangup.recv().await;
            }
        };
        tokio::select! {
            () = hangup => {}
            () = worker.turns.watch(|| worker.start_another()) => {}
        }
    });
    host.end()
}

/// Signals that do not end the process.
struct Signals {
    /// That the host has ended, if it has: it is also what a group gets that stood still when its host went.
    hangup: Signal,
    /// What asks a host to stop may reach its workers too; they end when the host says so.
    _others: [Signal; 2],
}

impl Signals {
    /// To be called inside the runtime.
    fn take() -> std::io::Result<Self> {
        Ok(Signals {
            hangup: signal(SignalKind::hangup())?,
            _others: [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?],
        })
    }
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

    /// Starts a thread, if there may be one more. Without it the one that is inside the driver reads again when it returns.
    fn start_another(self: &Arc<Self>) {
        if self.threads.load(Ordering::Acquire) < self.max_threads {
            let _ = self.start_thread();
        }
    }

    /// Does what the host orders, until there is no host any more.
    fn work(self: Arc<Self>) {
        let start = || self.start_another();
        let mut incoming = self.turns.take();
        loop {
            let Ok(Some(work)) = self.next(&mut incoming) else {
                self.host.end()
            };
            match work {
                Work::Nothing => continue,
                Work::End => {
                    self.driver.shut_down();
                    let _ = self.outgoing.send(&Report::ShutDown, Bytes::new());
                    self.host.end()
                }
                Work::Check { id, node, state } => {
                    self.turns.inside(incoming, &self.node_check, start, || {
                        let checked = self.driver.validate_node(&node, &state);
                        self.checked(id, checked);
                    });
                }
                Work::Call { id, call, step, pace } => {
                    self.turns
                        .inside(incoming, pace, start, || self.call(id, &call, step));
                }
            }
            incoming = self.turns.take();
        }
    }

    /// Reads one order, and does of it what the orders behind it build upon, before another thread reads those: a call is known to its
    /// cancellation, and the names of secrets to the calls.
    fn next(&self, incoming: &mut Incoming) -> std::io::Result<Option<Work<'_>>> {
        self.host.end_copies();
        let Some((order, tail)) = incoming.next()? else {
            return Ok(None);
        };
        Ok(Some(match order {
            Order::Secrets => {
                *self.secrets.lock() = Arc::new(SecretNames::from_json(&tail)?);
                Work::Nothing
            }
            Order::Cancel { id } => {
                if let Some(state) = self.calls.lock().get(&id) {
                    state.cancel();
                }
                Work::Nothing
            }
            Order::ShutDown => Work::End,
            // The host says this once, at first.
            Order::Create { .. } => return Ok(None),
            Order::CheckNode { id, terms } => Work::Check {
                id,
                state: self.enter(id, terms, Some(&tail)),
                node: tail,
            },
            Order::Call {
                id,
                terms,
                on_node,
                method,
                http_method,
                node_bytes,
                step,
            } => {
                let on = if on_node { CalledOn::Node } else { CalledOn::Driver };
                match self.owned(id, terms, (on, method), &http_method, tail, node_bytes) {
                    Ok((known, call)) => Work::Call {
                        id,
                        call,
                        step,
                        pace: known.pace(step),
                    },
                    Err(fault) => {
                        self.leave(id, Err(fault));
                        Work::Nothing
                    }
                }
            }
        }))
    }

    fn enter(&self, id: u64, terms: Terms, node: Option<&Bytes>) -> Arc<CallState> {
        let state = CallState::new(
            self.name.clone(),
            RequestId::from_bytes(terms.request_id),
            Duration::from_millis(terms.remaining_ms),
        );
        let secrets = node.map(|node| NodeSecrets::new(self.secrets.lock().clone(), node.clone()));
        let state = Arc::new(state.with_secrets(secrets));
        self.calls.lock().insert(id, state.clone());
        state
    }

    fn owned(
        &self,
        id: u64,
        terms: Terms,
        method: (CalledOn, String),
        http_method: &str,
        mut tail: Bytes,
        node_bytes: u32,
    ) -> Result<(&Known, OwnedCall), Fault> {
        let node_bytes = usize::try_from(node_bytes).unwrap_or(usize::MAX);
        let found = self.methods.get(&method);
        let http_method = seats::verb(http_method);
        let (Some(found), Some(http_method), true) = (found, http_method, node_bytes <= tail.len()) else {
            return Err(Fault::internal(
                "the host has ordered a call that the driver does not have",
            ));
        };
        let node = tail.split_to(node_bytes);
        let node = (method.0 == CalledOn::Node).then_some(node);
        let call = OwnedCall {
            method: found.method.clone(),
            http_method,
            body: tail,
            state: self.enter(id, terms, node.as_ref()),
            node,
            seat: seats::Seat::here(),
        };
        Ok((found, call))
    }

    fn call(self: &Arc<Self>, id: u64, call: &OwnedCall, step: Step) {
        if matches!(step, Step::Check | Step::Both) {
            let checked = self.driver.validate(call);
            if step == Step::Check || checked.is_err() {
                return self.checked(id, checked);
            }
            if call.state.remaining().is_zero() {
                // As between the two steps of other calls: what the client was told of must not begin now.
                return self.leave(id, Err(Fault::too_late(&call.method.name)));
            }
        }
        match call.method.run {
            RunKind::Blocking => self.leave(id, self.sendable(&call.method, self.driver.call(call))),
            RunKind::Deferred => {
                let (worker, method) = (self.clone(), call.method.clone());
                self.driver.defer(call, move |result| {
                    worker.leave(id, worker.sendable(&method, result));
                });
            }
        }
    }

    fn checked(&self, id: u64, checked: Result<(), Fault>) {
        match checked {
            Ok(()) => {
                self.calls.lock().remove(&id);
                let _ = self.outgoing.send(&Report::Checked { id }, Bytes::new());
            }
            Err(fault) => self.leave(id, Err(fault)),
        }
    }

    /// A result that the host takes: what it would refuse it need not get.
    fn sendable(&self, method: &LoadedMethod, result: Result<Reply, Fault>) -> Result<Reply, Fault> {
        let reply = result?;
        let bytes = reply.body.len();
        if u64::try_from(bytes).unwrap_or(u64::MAX) > self.max_reply_bytes {
            return Err(Fault {
                kind: FaultKind::LargeReply,
                // As the host says it of a driver in its own process.
                message: format!(
                    "the driver's reply to {} has {bytes} bytes, more than the {} that limits.max_reply_bytes allows",
                    method.name, self.max_reply_bytes
                ),
                details: None,
            });
        }
        let content_type = reply.content_type.map(|mut text| {
            text.truncate(text.floor_char_boundary(LONGEST_TYPE));
            text
        });
        Ok(Reply {
            content_type,
            ..reply
        })
    }

    /// The driver is done with a call.
    fn leave(&self, id: u64, result: Result<Reply, Fault>) {
        self.calls.lock().remove(&id);
        let sent = match result {
            Ok(Reply { body, content_type }) => {
                self.outgoing.send(&Report::Answered { id, content_type }, body)
            }
            Err(fault) => {
                let fault = fault.into();
                self.outgoing.send(&Report::Failed { id, fault }, Bytes::new())
            }
        };
        if let Err(error) = sent {
            let fault = Fault::internal(&format!("the answer cannot be sent to the host: {error}")).into();
            let _ = self.outgoing.send(&Report::Failed { id, fault }, Bytes::new());
        }
    }
}
