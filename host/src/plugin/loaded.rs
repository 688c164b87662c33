//! Step five: the driver as the rest of the host sees it. Where its code runs is known only below this file.

mod in_process;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::library::{self, LoadError, LoadedLibrary};
use super::manifest::{CalledOn, DriverManifest, Interface, Method, RunKind, StandardCall};
use super::select::EnabledDriver;
use crate::metrics::MethodCalls;
use crate::node::secret::NodeSecrets;
use crate::request_id::RequestId;
use in_process::InProcess;

/// A driver that is loaded and can be called, from any thread, many times at once.
pub struct LoadedDriver {
    manifest: DriverManifest,
    methods: [HashMap<String, Arc<LoadedMethod>>; 2],
    standard: HashMap<StandardCall, Arc<LoadedMethod>>,
    code: InProcess,
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
    settled: AtomicBool,
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
            settled: AtomicBool::new(false),
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
    }

    /// Whether the driver was asked to stop, or the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) || self.remaining().is_zero()
    }

    /// Whether nobody has said yet how the call ended for its client; the next one to ask is told no.
    pub fn settle(&self) -> bool {
        !self.settled.swap(true, Ordering::AcqRel)
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl Running {
    /// Waits for the answer, without a thread.
    pub async fn outcome(self) -> Result<Reply, Fault> {
        match self.0 {
            Progress::Done(outcome) => outcome,
            Progress::Waiting(answer) => answer.await.unwrap_or_else(|_| Err(Fault::lost())),
        }
    }
}

impl Fault {
    fn lost() -> Self {
        Fault {
            kind: FaultKind::Internal,
            message: "the driver dropped the call without an answer".to_owned(),
            details: None,
        }
    }
}

impl LoadedDriver {
    /// Opens the driver's library and creates the driver from its table of the configuration.
    ///
    /// Runs the driver's code on the calling thread.
    ///
    /// # Errors
    /// One line for the operator: file, expected, found, what to do.
    pub fn load(driver: &EnabledDriver, config: &toml::Table) -> Result<Self, LoadError> {
        let config = serde_json::to_vec(config).unwrap_or_else(|_| b"{}".to_vec());
        let name: Arc<str> = driver.manifest().name.as_str().into();
        Ok(LoadedDriver::new(library::load(
            driver,
            &config,
            in_process::host_object(name),
        )?))
    }

    fn new(loaded: LoadedLibrary) -> Self {
        let LoadedLibrary { manifest, driver } = loaded;
        let name: Arc<str> = manifest.name.as_str().into();
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
            code: InProcess::new(name, driver),
            manifest,
        }
    }

    /// What the driver says of itself.
    pub fn manifest(&self) -> &DriverManifest {
        &self.manifest
    }

    /// The driver's name, shared.
    pub fn name(&self) -> &Arc<str> {
        self.code.name()
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

    /// Whether a running call of this method keeps one of the host's threads.
    pub fn holds_thread(&self, method: &Method) -> bool {
        method.run == RunKind::Blocking
    }

    /// Lets the driver check a node. Runs the driver's code on the calling thread.
    ///
    /// # Errors
    /// The driver's fault.
    pub fn validate_node(&self, node: &Bytes, state: &Arc<CallState>) -> Result<(), Fault> {
        self.code.validate_node(node, state)
    }

    /// Lets the driver check the node and the arguments of a call. Runs the driver's code on the calling thread.
    ///
    /// # Errors
    /// The driver's fault.
    pub fn validate(&self, call: &OwnedCall) -> Result<(), Fault> {
        self.code.validate(call)
    }

    /// Begins a call. A blocking method runs on the calling thread and is done when this returns.
    pub fn start(&self, call: &OwnedCall) -> Running {
        Running(self.code.start(call))
    }

    /// Tells the driver that no call will follow. Runs the driver's code on the calling thread.
    pub fn shut_down(&self) {
        self.code.shut_down();
    }
}

fn called_on(on: CalledOn) -> usize {
    match on {
        CalledOn::Node => 0,
        CalledOn::Driver => 1,
    }
}

#[cfg(test)]
mod tests;
