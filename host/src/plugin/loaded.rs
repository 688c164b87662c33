//! Step five: the driver as the rest of the host sees it. Where its code runs is known only below this file.

mod in_process;
mod seats;
pub(crate) mod wire;
mod worker;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::library::{self, LoadError, LoadedLibrary};
use super::manifest::{CalledOn, DriverManifest, Interface, Method, RunKind, StandardCall};
use super::select::EnabledDriver;
use crate::metrics::MethodCalls;
use crate::node::secret::NodeSecrets;
use crate::request_id::RequestId;
use in_process::InProcess;
use wire::Step;
use worker::{Asked, Workers};

pub use seats::Seat;
pub(crate) use worker::inside;
pub use worker::{Confinement, Isolation, Standing, Unavailable, WorkerUser};

/// A driver that is loaded and can be called, from any thread, many times at once.
pub struct LoadedDriver {
    manifest: DriverManifest,
    methods: [HashMap<String, Arc<LoadedMethod>>; 2],
    standard: HashMap<StandardCall, Arc<LoadedMethod>>,
    code: Code,
}

/// Where a driver's code runs.
enum Code {
    Here(InProcess),
    Workers(Workers),
}

/// A method as its driver declares it, with what became of its calls beside it: who has the one has the other in hand.
#[derive(Debug)]
pub struct LoadedMethod {
    declared: Method,
    name: Arc<str>,
    /// Its calls.
    pub calls: MethodCalls,
}

impl LoadedMethod {
    /// A method without any calls yet.
    pub(crate) fn new(declared: Method) -> Self {
        LoadedMethod {
            name: declared.name.as_str().into(),
            declared,
            calls: MethodCalls::default(),
        }
    }

    /// Its name, for whoever keeps it longer.
    pub fn shared_name(&self) -> &Arc<str> {
        &self.name
    }
}

impl Deref for LoadedMethod {
    type Target = Method;

    fn deref(&self) -> &Method {
        &self.declared
    }
}

/// What the driver is told about one call, and what it can ask about it while it runs.
#[derive(Debug)]
pub struct CallState {
    /// The driver's name.
    pub driver: Arc<str>,
    /// The request that brought the call, as `req-<uuid>`.
    pub request_id: RequestId,
    /// When the call was begun.
    pub started: Instant,
    /// When nobody waits for the answer any more.
    pub deadline: Instant,
    cancelled: AtomicBool,
    stop: Notify,
    settled: AtomicBool,
    stuck: AtomicBool,
    secrets: Option<NodeSecrets>,
}

impl CallState {
    /// The state of a call that begins now, and may take so long.
    pub fn new(driver: Arc<str>, request_id: RequestId, timeout: Duration) -> Self {
        let started = Instant::now();
        CallState {
            driver,
            request_id,
            started,
            deadline: started + timeout,
            cancelled: AtomicBool::new(false),
            stop: Notify::new(),
            settled: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
            secrets: None,
        }
    }

    /// For a call of a node with these secrets: they are in no fault and no log line of it.
    pub fn with_secrets(self, secrets: Option<NodeSecrets>) -> Self {
        CallState { secrets, ..self }
    }

    /// The state of another call for the same request and node, which begins now.
    pub fn another(&self, timeout: Duration) -> Self {
        CallState::new(self.driver.clone(), self.request_id, timeout).with_secrets(self.secrets.clone())
    }

    /// A text about the call, without the node's secrets.
    pub fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.secrets {
            Some(secrets) => secrets.mask(text),
            None => text.into(),
        }
    }

    /// Asks the driver to stop; it may go on.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.stop.notify_one();
    }

    /// Waits until the driver is asked to stop. For one waiter.
    async fn asked_to_stop(&self) {
        self.stop.notified().await;
    }

    /// Whether the driver was asked to stop, or the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) || self.remaining().is_zero()
    }

    /// Whether nobody has said yet how the call ended for its client; the next one to ask is told no.
    pub fn settle(&self) -> bool {
        !self.settled.swap(true, Ordering::AcqRel)
    }

    /// Reports the call as stuck. Whether it was not before.
    pub fn report_stuck(&self) -> bool {
        !self.stuck.swap(true, Ordering::AcqRel)
    }

    /// Whether the call was reported as stuck.
    pub fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Acquire)
    }

    /// How long until the deadline; zero when it has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// One call with everything that the driver borrows while it works on it.
#[derive(Debug)]
pub struct OwnedCall {
    /// The method.
    pub method: Arc<LoadedMethod>,
    /// The HTTP verb in capitals.
    pub http_method: &'static str,
    /// The arguments: checked JSON.
    pub body: Bytes,
    /// The node as JSON, for a node's method.
    pub node: Option<Bytes>,
    /// Deadline and cancellation.
    pub state: Arc<CallState>,
    /// Where it runs.
    pub seat: Seat,
}

/// What a method answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// JSON; any bytes from a method with `attach`.
    pub body: Bytes,
    /// The media type that a method with `attach` names.
    pub content_type: Option<String>,
}

/// Why a driver, or what it talks to, failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind of failure.
    pub kind: FaultKind,
    /// For the client; one line.
    pub message: String,
    /// JSON for programs, if the driver gave some; it goes to the log.
    pub details: Option<String>,
}

/// The kinds of fault, [`driver_abi::kind`] as a type. A number that this host does not know is `Internal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// The driver's own failure.
    Internal,
    /// A value that cannot be used.
    InvalidParameter,
    /// A value that is missing.
    MissingParameter,
    /// Does not fit the state of the device.
    Conflict,
    /// Does not exist on the device.
    NotFound,
    /// The device cannot be reached.
    Unavailable,
    /// The device did not answer in time.
    Timeout,
    /// The driver's code panicked.
    Panicked,
    /// The process in which the driver ran has ended.
    WorkerDied,
    /// The process had ended before the call reached the driver: nothing was begun.
    NotBegun,
    /// The deadline had passed when the checks were done: the method was not begun.
    TooLate,
    /// The driver's reply has more bytes than the host takes.
    LargeReply,
    /// The driver does not implement it.
    Unsupported,
}

impl FaultKind {
    /// The kind as a word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            FaultKind::Internal => "internal",
            FaultKind::InvalidParameter => "invalid-parameter",
            FaultKind::MissingParameter => "missing-parameter",
            FaultKind::Conflict => "conflict",
            FaultKind::NotFound => "not-found",
            FaultKind::Unavailable => "unavailable",
            FaultKind::Timeout => "timeout",
            FaultKind::Panicked => "panicked",
            FaultKind::WorkerDied => "worker-died",
            FaultKind::NotBegun | FaultKind::TooLate => "not-begun",
            FaultKind::LargeReply => "large-reply",
            FaultKind::Unsupported => "unsupported",
        }
    }

    /// Whether the request was at fault, and not the driver or its device.
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            FaultKind::InvalidParameter
                | FaultKind::MissingParameter
                | FaultKind::Conflict
                | FaultKind::NotFound
        )
    }
}

/// A method that was started. Dropping it loses the answer, not the call.
pub struct Running(Progress);

enum Progress {
    Done(Result<Reply, Fault>),
    Waiting(oneshot::Receiver<Result<Reply, Fault>>),
    Asked(Box<Asked>),
}

impl Running {
    /// Waits for the answer, without a thread.
    pub async fn outcome(self) -> Result<Reply, Fault> {
        match self.0 {
            Progress::Done(outcome) => outcome,
            Progress::Waiting(answer) => answer.await.unwrap_or_else(|_| Err(Fault::lost())),
            Progress::Asked(asked) => Box::pin(asked.outcome()).await,
        }
    }
}

impl Fault {
    fn lost() -> Self {
        Fault::internal("the driver dropped the call without an answer")
    }

    /// As [`CallError::NotBegun`](crate::call::CallError::NotBegun) says it.
    fn too_late(method: &str) -> Self {
        Fault {
            kind: FaultKind::TooLate,
            message: format!(
                "the deadline of the call passed before {method} could begin; the method was not begun"
            ),
            details: None,
        }
    }

    fn internal(message: &str) -> Self {
        Fault {
            kind: FaultKind::Internal,
            message: message.to_owned(),
            details: None,
        }
    }
}

impl LoadedDriver {
    /// Opens the driver's library in this process and creates the driver from its table of the configuration.
    ///
    /// Runs the driver's code on the calling thread.
    ///
    /// # Errors
    /// One line for the operator: file, expected, found, what to do.
    pub fn load(driver: &EnabledDriver, config: &toml::Table) -> Result<Self, LoadError> {
        let name: Arc<str> = driver.manifest().name.as_str().into();
        let LoadedLibrary { manifest, driver } =
            library::load(driver, &as_json(config), in_process::host_object(name.clone()))?;
        Ok(LoadedDriver::new(
            manifest,
            Code::Here(InProcess::new(name, driver)),
        ))
    }

    /// Starts processes that do the same, and waits until the driver is created in each. Runs no code of the driver in this process.
    ///
    /// # Errors
    /// One line for the operator.
    pub async fn load_isolated(
        driver: &EnabledDriver,
        config: &toml::Table,
        isolation: Isolation,
    ) -> Result<Self, String> {
        let name: Arc<str> = driver.manifest().name.as_str().into();
        // A process has a folder of its own to work in.
        let file = std::path::absolute(driver.file()).map_err(|error| error.to_string())?;
        let workers = Workers::start(name, file, as_json(config), isolation).await?;
        Ok(LoadedDriver::new(
            driver.manifest().clone(),
            Code::Workers(workers),
        ))
    }

    fn new(manifest: DriverManifest, code: Code) -> Self {
        let mut methods = [HashMap::new(), HashMap::new()];
        for method in &manifest.methods {
            let loaded = Arc::new(LoadedMethod::new(method.clone()));
            methods[called_on(method.on)].insert(method.name.clone(), loaded);
        }
        let standard = manifest.standard.iter().map(|declared| {
            let loaded = LoadedMethod::new(declared.method.clone());
            (declared.call, Arc::new(loaded))
        });
        LoadedDriver {
            methods,
            standard: standard.collect(),
            code,
            manifest,
        }
    }

    /// What the driver says of itself.
    pub fn manifest(&self) -> &DriverManifest {
        &self.manifest
    }

    /// The driver's name, shared.
    pub fn name(&self) -> &Arc<str> {
        match &self.code {
            Code::Here(code) => code.name(),
            Code::Workers(workers) => workers.name(),
        }
    }

    /// Finds a method of the driver.
    pub fn method(&self, on: CalledOn, name: &str) -> Option<&Arc<LoadedMethod>> {
        self.methods[called_on(on)].get(name)
    }

    /// Finds the driver's implementation of a standard call.
    pub fn standard(&self, call: StandardCall) -> Option<&Arc<LoadedMethod>> {
        self.standard.get(&call)
    }

    /// What its implementation of a standard call accepts; see [`StandardMethod::accepts`](super::manifest::StandardMethod::accepts).
    pub fn accepts(&self, call: StandardCall) -> &[String] {
        let mut declared = self.manifest.standard.iter();
        declared
            .find(|method| method.call == call)
            .map(|method| method.accepts.as_slice())
            .unwrap_or_default()
    }

    /// Whether it implements anything of a standard interface.
    pub fn has(&self, interface: Interface) -> bool {
        self.standard.keys().any(|call| call.interface() == interface)
    }

    /// All its methods and then its standard calls, in the author's order.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<LoadedMethod>> {
        let own = self.manifest.methods.iter();
        let standard = self.manifest.standard.iter();
        own.filter_map(|method| self.method(method.on, &method.name))
            .chain(standard.filter_map(|method| self.standard(method.call)))
    }

    /// Whether a running call of this method keeps a thread: one of the host's, or one of a process of the driver's own.
    pub fn holds_thread(&self, method: &Method) -> bool {
        method.run == RunKind::Blocking
    }

    /// Whether its calls keep threads of this process.
    pub fn is_here(&self) -> bool {
        matches!(self.code, Code::Here(_))
    }

    /// Where one call is to run. Waits for a process that is just being started.
    ///
    /// # Errors
    /// There is no process, and none will be there at once.
    pub async fn seat(&self) -> Result<Seat, Unavailable> {
        match &self.code {
            Code::Here(_) => Ok(Seat::here()),
            Code::Workers(workers) => Ok(Seat(Some(Box::pin(workers.link()).await?))),
        }
    }

    /// Lets the driver check a node. In this process the driver's code runs on the calling thread.
    ///
    /// # Errors
    /// The driver's fault.
    pub async fn validate_node(
        &self,
        seat: &Seat,
        node: &Bytes,
        state: &Arc<CallState>,
    ) -> Result<(), Fault> {
        match (&self.code, &seat.0) {
            (Code::Here(code), _) => code.validate_node(node, state),
            (Code::Workers(workers), Some(link)) => {
                let asked = workers.check_node(link, node, state)?;
                Box::pin(asked.outcome()).await.map(drop)
            }
            (Code::Workers(_), None) => Err(Fault::lost()),
        }
    }

    /// Lets the driver check the node and the arguments of a call. In this process the driver's code runs on the calling thread. For a sync call that
    /// runs elsewhere nothing is done here: [`start`](Self::start) asks for the checks together with the call.
    ///
    /// # Errors
    /// The driver's fault.
    pub async fn validate(&self, call: &OwnedCall) -> Result<(), Fault> {
        match (&self.code, &call.seat.0) {
            (Code::Here(code), _) => code.validate(call),
            (Code::Workers(_), Some(_)) if Workers::checks_with_the_call(call) => Ok(()),
            (Code::Workers(workers), Some(link)) => {
                let asked = workers.call(link, call, Step::Check)?;
                Box::pin(asked.outcome()).await.map(drop)
            }
            (Code::Workers(_), None) => Err(Fault::lost()),
        }
    }

    /// Begins a call. In this process a blocking method runs on the calling thread and is done when this returns.
    pub fn start(&self, call: &OwnedCall) -> Running {
        Running(match (&self.code, &call.seat.0) {
            (Code::Here(code), _) => code.start(call),
            (Code::Workers(workers), Some(link)) => {
                let step = if Workers::checks_with_the_call(call) {
                    Step::Both
                } else {
                    Step::Begin
                };
                match workers.call(link, call, step) {
                    Ok(asked) => Progress::Asked(Box::new(asked)),
                    Err(fault) => Progress::Done(Err(fault)),
                }
            }
            (Code::Workers(_), None) => Progress::Done(Err(Fault::lost())),
        })
    }

    /// How the driver's own processes stand, if it has some.
    pub fn standing(&self) -> Option<Standing> {
        match &self.code {
            Code::Here(_) => None,
            Code::Workers(workers) => Some(workers.standing()),
        }
    }

    /// Lets a quarantined driver be started again. Whether it was quarantined; nothing if it has no processes of its own.
    pub fn release(&self) -> Option<bool> {
        match &self.code {
            Code::Here(_) => None,
            Code::Workers(workers) => Some(workers.release()),
        }
    }

    /// Tells the driver that no call will follow. In this process the driver's code runs on the calling thread.
    pub async fn shut_down(&self) {
        match &self.code {
            Code::Here(code) => code.shut_down(),
            Code::Workers(workers) => workers.shut_down().await,
        }
    }
}

fn as_json(config: &toml::Table) -> Vec<u8> {
    serde_json::to_vec(config).unwrap_or_else(|_| b"{}".to_vec())
}

fn called_on(on: CalledOn) -> usize {
    match on {
        CalledOn::Node => 0,
        CalledOn::Driver => 1,
    }
}

#[cfg(test)]
mod tests;
