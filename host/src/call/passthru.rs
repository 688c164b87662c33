//! One call, from the method's name to the driver's answer.
//!
//! The client's task waits for lock and limits, hands everything to a task of the call's own, and waits for that one's
//! answer until the deadline. The call's task owns body, node guard and permits, and carries the driver's code on its
//! thread: whatever the client or the deadline does, they are let go when the driver returns and not before.

mod carry;
mod check;
mod error;
mod power;
mod standard;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::call::in_flight::{InFlight, RunningCall};
use crate::call::limits::{Busy, Limits, WorkerPermit};
use crate::call::meter::{self, Meter};
use crate::call::record::{OpenRecord, RecordStore};
use crate::config::Config;
use crate::metrics::Outcome;
use crate::node::fields::Node;
use crate::node::lock::{Holder, NodeLocks};
use crate::node::secret::NodeSecrets;
use crate::node::store::NodeStore;
use crate::plugin::loaded::{CallState, Fault, LoadedDriver, LoadedMethod, OwnedCall, Reply, Running};
use crate::plugin::manifest::{CalledOn, Method};
use crate::plugin::registry::DriverRegistry;
use crate::request_id::RequestId;
use crate::threads::Watch;
use carry::{Carried, Job};
pub use error::CallError;
use power::PowerChange;

/// What a client gets.
#[derive(Debug)]
pub enum Answer {
    /// A sync method's reply.
    Reply(Reply),
    /// An async method was begun.
    Accepted {
        /// Where its outcome will be found.
        record: Uuid,
    },
}

/// A method that was found, with the verb that it takes: what remains is its body.
pub struct Target {
    driver: Arc<LoadedDriver>,
    method: Arc<LoadedMethod>,
    node: Option<Arc<Node>>,
    http_method: &'static str,
    change: Option<Box<PowerChange>>,
}

/// Everything that calls need.
pub struct Passthru {
    registry: Arc<DriverRegistry>,
    nodes: Arc<NodeStore>,
    locks: NodeLocks,
    limits: Limits,
    records: Arc<RecordStore>,
    in_flight: Arc<InFlight>,
    watch: Watch,
    config: Arc<Config>,
}

impl Passthru {
    /// The calls of this host.
    pub fn new(
        registry: Arc<DriverRegistry>,
        nodes: Arc<NodeStore>,
        locks: NodeLocks,
        limits: Limits,
        records: Arc<RecordStore>,
        watch: Watch,
        config: Arc<Config>,
    ) -> Self {
        Passthru {
            registry,
            nodes,
            locks,
            limits,
            records,
            in_flight: Arc::default(),
            watch,
            config,
        }
    }

    /// The calls that run now.
    pub fn in_flight(&self) -> &Arc<InFlight> {
        &self.in_flight
    }

    /// The limits of the calls.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Finds a method of a node's driver.
    ///
    /// # Errors
    /// The driver is not enabled, has no such method, or the method does not take the verb.
    pub fn node_method(
        &self,
        node: Arc<Node>,
        method: &str,
        http_method: &'static str,
    ) -> Result<Target, CallError> {
        let driver = self.driver_of(&node)?;
        let method = find(&driver, CalledOn::Node, method, http_method)?;
        Ok(Target {
            driver,
            method,
            node: Some(node),
            http_method,
            change: None,
        })
    }

    /// Finds a method of the driver itself.
    ///
    /// # Errors
    /// The driver has no such method, or the method does not take the verb.
    pub fn driver_method(
        &self,
        driver: Arc<LoadedDriver>,
        method: &str,
        http_method: &'static str,
    ) -> Result<Target, CallError> {
        let method = find(&driver, CalledOn::Driver, method, http_method)?;
        Ok(Target {
            driver,
            method,
            node: None,
            http_method,
            change: None,
        })
    }

    /// Makes the call. `body` is checked JSON. May be dropped at any time: a call that waits for its lock is skipped,
    /// one that has begun goes on.
    ///
    /// # Errors
    /// Before the driver has begun: locked, or busy. After: the driver's fault, a reply that cannot be sent, or the deadline.
    pub async fn call(
        self: &Arc<Self>,
        target: Target,
        body: Bytes,
        request_id: RequestId,
    ) -> Result<Answer, CallError> {
        let Target {
            driver,
            method,
            node,
            http_method,
            change,
        } = target;
        let refused = |error: CallError| meter::refused(&method, error);
        let mut guard = None;
        let mut view = None;
        if let Some(node) = &node {
            if method.require_exclusive_lock {
                let holder = Holder {
                    what: method.shared_name().clone(),
                    request_id,
                };
                let acquired = self.locks.acquire(node.uuid(), holder).await;
                guard = Some(acquired.map_err(|error| refused(error.into()))?);
            }
            // What was found before the wait may have been changed or deleted by whoever held the lock.
            view = Some(self.current(node).map_err(refused)?.driver_view().clone());
        }
        let busy = |busy| refused(CallError::Busy(busy));
        let reads = change.as_ref().map(|change| &change.read);
        let share = self.limits.share(driver.name()).map_err(busy)?;
        let permit = share.call().map_err(busy)?;
        let worker = if driver.holds_thread(&method) || reads.is_some_and(|read| driver.holds_thread(read)) {
            share.worker(driver.is_here()).map_err(busy)?
        } else {
            Box::pin(share.pass(driver.is_here())).await.map_err(busy)?
        };
        let seat = driver.seat().await;
        let seat = seat.map_err(|unavailable| refused(CallError::DriverDown(unavailable)))?;
        let timeout = self.timeout(&driver, &method) + self.beyond(&driver, change.as_deref());
        let secrets = view.clone().map(|view| self.secrets(view));
        let state = CallState::new(driver.name().clone(), request_id, timeout).with_secrets(secrets);
        let state = Arc::new(state);
        let running = RunningCall {
            method: method.shared_name().clone(),
            node: node.map(|node| node.uuid()),
            state: state.clone(),
            is_check: false,
            here: driver.is_here(),
        };
        let listed = self.in_flight.enter(running.clone());
        let (answer, receiver) = oneshot::channel();
        let (hand_over, late) = oneshot::channel();
        let job = Job {
            calls: self.clone(),
            driver,
            call: OwnedCall {
                method: method.clone(),
                http_method,
                body,
                node: view,
                state: state.clone(),
                seat,
            },
            node: running.node,
            change,
            held: Carried {
                guard,
                worker: Some(worker),
                permit,
                listed,
                meter: Meter::begin(method.clone(), state.clone()),
            },
            answer: Some(answer),
            late,
        };
        tokio::spawn(job.carry());
        if let Some(answer) = answered(&running, receiver).await {
            return answer;
        }
        meter::settle(&method, &state, Outcome::TimedOut);
        if method.is_async {
            // It has nobody to tell, so it does not begin.
            let method = method.name.clone();
            return Err(CallError::NotBegun { method });
        }
        Err(Box::pin(self.passed_deadline(running, timeout, hand_over)).await)
    }

    /// Records a sync call that goes on after its deadline, and hands the record over to the call's own task.
    async fn passed_deadline(
        &self,
        call: RunningCall,
        limit: Duration,
        hand_over: oneshot::Sender<OpenRecord>,
    ) -> CallError {
        tracing::warn!(
            request_id = %call.state.request_id,
            driver = &*call.state.driver,
            method = &*call.method,
            node = call.node.map(tracing::field::display),
            "the call passed its deadline of {} ms; the driver is still busy with it",
            limit.as_millis()
        );
        let method = call.method.to_string();
        let error = CallError::Deadline {
            method: method.clone(),
            limit,
            record: None,
        };
        let (open, written) = self.records.begin_late(call, &error.recorded());
        let id = open.id();
        // A task that has panicked takes nothing over; then there is no late outcome.
        let _ = hand_over.send(open);
        let record = match written.await {
            Ok(()) => Some(id),
            Err(error) => {
                tracing::error!("a call that passed its deadline could not be recorded: {error}");
                None
            }
        };
        CallError::Deadline {
            method,
            limit,
            record,
        }
    }

    /// The driver that a node names.
    ///
    /// # Errors
    /// It is not enabled on this host.
    pub fn driver_of(&self, node: &Node) -> Result<Arc<LoadedDriver>, CallError> {
        self.registry
            .get(node.driver())
            .ok_or_else(|| CallError::DriverNotEnabled {
                node: node.uuid(),
                driver: node.driver().to_string(),
            })
    }

    /// The node as it is now, under its lock.
    fn current(&self, node: &Node) -> Result<Arc<Node>, CallError> {
        let now = self
            .nodes
            .get(&node.uuid())
            .ok_or(CallError::NodeGone { node: node.uuid() })?;
        if now.driver() == node.driver() {
            Ok(now)
        } else {
            Err(CallError::DriverChanged { node: node.uuid() })
        }
    }

    /// Lets the driver check a call.
    async fn validate(&self, driver: &LoadedDriver, call: &OwnedCall) -> Result<(), Fault> {
        let _inside = driver.is_here().then(|| self.watch.enter());
        driver.validate(call).await
    }

    /// Lets the driver begin a call.
    fn start(&self, driver: &LoadedDriver, call: &OwnedCall) -> Running {
        let _inside = driver.is_here().then(|| self.watch.enter());
        driver.start(call)
    }

    /// Waits for a worker that the call holds while it passes through its driver.
    async fn pass(&self, driver: &LoadedDriver) -> Result<WorkerPermit, Busy> {
        self.limits.share(driver.name())?.pass(driver.is_here()).await
    }

    fn secrets(&self, view: Bytes) -> NodeSecrets {
        NodeSecrets::new(self.nodes.secrets(), view)
    }

    /// What the operator set for the driver, else what the method declares, else the host's default.
    fn timeout(&self, driver: &LoadedDriver, method: &Method) -> Duration {
        let default = Duration::from_millis(self.config.calls.timeout_ms);
        self.timeout_of(driver).or(method.time_limit).unwrap_or(default)
    }

    /// How much longer than others a call may take whose client gives the machine some time: not if the operator has set a limit.
    fn beyond(&self, driver: &LoadedDriver, change: Option<&PowerChange>) -> Duration {
        change
            .and_then(|change| change.patience)
            .filter(|_| self.timeout_of(driver).is_none())
            .unwrap_or_default()
    }

    fn timeout_of(&self, driver: &LoadedDriver) -> Option<Duration> {
        let settings = self.config.drivers.get(&**driver.name())?;
        settings.call_timeout_ms.map(Duration::from_millis)
    }

    async fn remember_outcome(&self, node: Uuid, error: Option<String>) {
        if let Err(error) = self.nodes.set_last_error(node, error.as_deref()).await {
            tracing::error!(%node, "last_error of the node could not be stored: {error}");
        }
    }
}

/// What the call's own task says, unless the deadline comes first: then it cannot say anything any more.
async fn answered(
    call: &RunningCall,
    mut receiver: oneshot::Receiver<Result<Answer, CallError>>,
) -> Option<Result<Answer, CallError>> {
    let lost = || CallError::Lost {
        method: call.method.to_string(),
    };
    match tokio::time::timeout_at(call.state.deadline, &mut receiver).await {
        Ok(answer) => Some(answer.unwrap_or_else(|_| Err(lost()))),
        Err(_) => {
            // What was said in this very moment counts.
            receiver.close();
            receiver.try_recv().ok()
        }
    }
}

fn find(
    driver: &LoadedDriver,
    on: CalledOn,
    method: &str,
    http_method: &str,
) -> Result<Arc<LoadedMethod>, CallError> {
    let found = driver.method(on, method).ok_or_else(|| CallError::NoHandler {
        method: method.to_owned(),
    })?;
    if found.http_methods.iter().any(|verb| verb == http_method) {
        return Ok(found.clone());
    }
    Err(CallError::WrongVerb {
        method: method.to_owned(),
        http_method: http_method.to_owned(),
    })
}
