//! A change of the power state: a call of `power:set`, and what the host does around it.
//!
//! Before it is begun the node's `target_power_state` is on the disk. A state that is there already is left alone, as in Ironic. Afterwards the
//! state is read until it is the one that was asked for, so that a driver whose device takes its time need not wait itself. What was read
//! is what the node shows, whatever became of the change.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;

use super::carry::Job;
use super::{Answer, CallError, Passthru, Target};
use crate::call::limits::WorkerPermit;
use crate::call::meter::Meter;
use crate::call::standard;
use crate::node::fields::Node;
use crate::node::power::{PowerState, PowerTarget};
use crate::node::store::NodeError;
use crate::plugin::loaded::{LoadedMethod, OwnedCall, Reply};
use crate::plugin::manifest::StandardCall;
use crate::request_id::RequestId;

/// How long after a reading that found another state comes the next one. Ironic's.
const PAUSE: Duration = Duration::from_secs(1);
/// What an operating system gets to shut down. Ironic's `soft_power_off_timeout`.
const SOFT_PATIENCE: Duration = Duration::from_secs(600);
/// What a client may give a machine: the node is locked meanwhile.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);
/// How often a reading that lost a race is made again.
const ATTEMPTS: usize = 3;
/// What a call without arguments gets.
const NO_ARGUMENTS: Bytes = Bytes::from_static(b"{}");

/// What a call of `power:set` is besides a call.
pub(super) struct PowerChange {
    pub(super) target: PowerTarget,
    /// How long the machine is given to get there, from the begin of the call.
    pub(super) patience: Option<Duration>,
    /// `power:get`, and how long it may take.
    pub(super) read: Arc<LoadedMethod>,
    pub(super) read_timeout: Duration,
    /// What `last_error` was before.
    last_error: Option<Box<str>>,
    begun: bool,
    /// What was read last: nothing yet, or that nobody knows.
    found: Option<Option<PowerState>>,
}

impl PowerChange {
    pub(super) fn new(
        target: PowerTarget,
        patience: Option<Duration>,
        read: Arc<LoadedMethod>,
        read_timeout: Duration,
    ) -> Self {
        PowerChange {
            target,
            patience,
            read,
            read_timeout,
            last_error: None,
            begun: false,
            found: None,
        }
    }
}

/// What `last_error` says of a change that failed. Ironic's words.
pub(super) fn failed(target: PowerTarget, begun: bool, error: &CallError) -> String {
    let (state, word) = (target.reached().word(), target.word());
    if begun {
        format!("Failed to change power state to '{state}' by '{word}': {error}")
    } else {
        format!("Failed to change power state to '{word}': {error}")
    }
}

impl Job {
    /// Shows on the node, and keeps on the disk, that a power change is about to begin. Nothing else to do for other calls.
    pub(super) async fn announce(&mut self) -> Result<(), CallError> {
        let (Some(change), Some(node)) = (&mut self.change, self.node) else {
            return Ok(());
        };
        let known = self.calls.nodes.get(&node);
        change.last_error = known.and_then(|node| node.rare().last_error.clone());
        let target = change.target.reached();
        let announced = self.calls.nodes.amend(node, |fields| {
            fields.target_power_state = Some(target);
            fields.rare.last_error = None;
        });
        announced.await.map_err(|error| match error {
            NodeError::Store(error) => error.into(),
            _ => CallError::NodeGone { node },
        })
    }

    /// Takes back what was announced: the client has left, and the change does not begin.
    pub(super) async fn retract(&mut self) {
        let (Some(change), Some(node)) = (&mut self.change, self.node) else {
            return;
        };
        let last_error = change.last_error.take();
        let retracted = self.calls.nodes.amend(node, |fields| {
            fields.target_power_state = None;
            fields.rare.last_error.clone_from(&last_error);
        });
        self.calls.report(node, retracted.await);
    }

    /// Makes the change; the answer is the state that it led to.
    pub(super) async fn change_power(&mut self, change: &mut PowerChange) -> Result<Reply, CallError> {
        if let Some(there) = change.target.spared_by() {
            let found = self.read_power(change).await?;
            if found == Some(there) {
                return Ok(answer(there));
            }
            if self.call.state.remaining().is_zero() {
                let method = self.call.method.name.clone();
                return Err(CallError::NotBegun { method });
            }
        }
        let worker = self.enter().await?;
        change.begun = true;
        // Until something was read again, nobody knows.
        change.found = Some(None);
        self.calls.watch.entering();
        let running = self.driver.start(&self.call);
        self.leave(change, worker);
        let set = running.outcome().await;
        if let Err(fault) = set {
            // It may have had an effect all the same. Why it failed says more than why it cannot be read.
            let _unread = self.read_power(change).await;
            return Err(fault.into());
        }
        self.reach(change).await
    }

    /// Reads the state until it is the one that was asked for, as long as anybody waits.
    async fn reach(&mut self, change: &mut PowerChange) -> Result<Reply, CallError> {
        let wanted = change.target.reached();
        let state = self.call.state.clone();
        // What the device says at the deadline would come too late.
        let last = state.deadline.checked_sub(PAUSE).unwrap_or(state.deadline);
        let end = match change.patience {
            Some(patience) => last.min(state.started + patience),
            None => last,
        };
        loop {
            let found = match self.read_power(change).await {
                // No thread for a reading now; a later one will have one.
                Err(CallError::Busy(_)) => None,
                found => found?,
            };
            if found == Some(wanted) {
                return Ok(answer(wanted));
            }
            if found == Some(PowerState::Error) || state.is_cancelled() || Instant::now() >= end {
                return Err(CallError::NotReached { wanted, found });
            }
            tokio::time::sleep_until(end.min(Instant::now() + PAUSE)).await;
        }
    }

    /// One call of `power:get`, counted as one.
    async fn read_power(&mut self, change: &mut PowerChange) -> Result<Option<PowerState>, CallError> {
        let state = Arc::new(self.call.state.another(change.read_timeout));
        let call = OwnedCall {
            method: change.read.clone(),
            http_method: StandardCall::GetPower.http_method(),
            body: NO_ARGUMENTS,
            node: self.call.node.clone(),
            state: state.clone(),
        };
        let worker = self.enter().await?;
        let mut meter = Meter::begin(change.read.clone(), state);
        self.calls.watch.entering();
        let outcome = match self.driver.validate(&call) {
            Ok(()) => {
                self.calls.watch.entering();
                let running = self.driver.start(&call);
                self.leave(change, worker);
                running.outcome().await
            }
            Err(fault) => {
                self.leave(change, worker);
                Err(fault)
            }
        };
        let outcome = outcome.map_err(CallError::from).map(Answer::Reply);
        meter.tell(&outcome);
        let found = match outcome? {
            Answer::Reply(reply) => standard::power_state(&reply)?,
            Answer::Accepted { .. } => None,
        };
        change.found = Some(found);
        Ok(found)
    }

    /// The right to enter the driver: the one that is kept throughout if a call of the change blocks, else one to pass through.
    async fn enter(&mut self) -> Result<WorkerPermit, CallError> {
        match self.held.worker.take() {
            Some(worker) => Ok(worker),
            None => Ok(self.calls.limits.pass(self.driver.name()).await?),
        }
    }

    fn leave(&mut self, change: &PowerChange, worker: WorkerPermit) {
        self.held.worker = Some(worker).filter(|_| self.holds_thread(Some(change)));
    }

    /// Says on the node what became of the change, in one write.
    pub(super) async fn note_power(&self, change: &PowerChange, outcome: &Result<Reply, CallError>) {
        let Some(node) = self.node else { return };
        let error = outcome.as_ref().err();
        let text = error.map(|error| failed(change.target, change.begun, error));
        let noted = self.calls.nodes.amend(node, |fields| {
            if let Some(found) = change.found {
                fields.power_state = found;
            }
            fields.target_power_state = None;
            fields.rare.last_error = text.as_deref().map(Into::into);
        });
        self.calls.report(node, noted.await);
    }
}

impl Target {
    /// Whether the driver's manifest lists this among what a standard call accepts.
    pub fn accepts(&self, word: &str) -> bool {
        let call = StandardCall::named(&self.method.name);
        call.is_some_and(|call| self.driver.accepts(call).iter().any(|known| known == word))
    }
}

impl Passthru {
    /// Finds a node's implementation of a standard call.
    ///
    /// # Errors
    /// The driver is not enabled, or does not have it.
    pub fn standard(&self, node: Arc<Node>, call: StandardCall) -> Result<Target, CallError> {
        let driver = self.driver_of(&node)?;
        let Some(method) = driver.standard(call).cloned() else {
            let extension = if driver.has(call.interface()) {
                call.extension()
            } else {
                call.interface().name()
            };
            let driver = driver.name().to_string();
            return Err(CallError::Unsupported { driver, extension });
        };
        Ok(Target {
            driver,
            method,
            node: Some(node),
            http_method: call.http_method(),
            change: None,
        })
    }

    /// Finds a node's `power:set`, to change the state to `target`, and its arguments. The machine gets as long as the client has `patience`; a soft
    /// change has some if the client says nothing.
    ///
    /// # Errors
    /// As [`standard`](Self::standard); also a target that the driver does not declare.
    pub fn power_change(
        &self,
        node: Arc<Node>,
        target: PowerTarget,
        patience: Option<Duration>,
    ) -> Result<(Target, Bytes), CallError> {
        let mut found = self.standard(node, StandardCall::SetPower)?;
        let driver = &found.driver;
        if !found.accepts(target.word()) {
            return Err(CallError::UnsupportedTarget {
                driver: driver.name().to_string(),
                target: target.word(),
            });
        }
        // A manifest has both or neither.
        let read = driver.standard(StandardCall::GetPower).cloned();
        let read = read.ok_or_else(|| CallError::Unsupported {
            driver: driver.name().to_string(),
            extension: StandardCall::GetPower.interface().name(),
        })?;
        let timeout = self.timeout(driver, &read);
        let patience = patience
            .or(target.is_soft().then_some(SOFT_PATIENCE))
            .map(|patience| patience.min(MOST_PATIENCE));
        let arguments = match patience {
            Some(patience) => json!({"target": target.word(), "timeout": patience.as_secs()}),
            None => json!({"target": target.word()}),
        };
        found.change = Some(Box::new(PowerChange::new(target, patience, read, timeout)));
        Ok((found, arguments.to_string().into()))
    }

    /// Has the power state read from the device, without the node's lock, and keeps it. Answers the node with it.
    ///
    /// # Errors
    /// As [`call`](Self::call); also an answer that is no power state, and a node that cannot be written.
    pub async fn read_power(
        self: &Arc<Self>,
        node: Arc<Node>,
        request_id: RequestId,
    ) -> Result<Arc<Node>, CallError> {
        let mut seen = node;
        for _ in 0..ATTEMPTS {
            let target = self.standard(seen.clone(), StandardCall::GetPower)?;
            let Answer::Reply(reply) = self.call(target, NO_ARGUMENTS, request_id).await? else {
                break;
            };
            let mut fields = seen.fields();
            fields.power_state = standard::power_state(&reply)?;
            if fields.power_state == seen.power_state() {
                break;
            }
            // Compare-and-swap: a state that a change has read meanwhile is newer than this one.
            let uuid = seen.uuid();
            match self.nodes.update(&seen, fields).await {
                Ok(node) => return Ok(node),
                Err(NodeError::Changed { .. }) => {}
                Err(NodeError::Store(error)) => return Err(error.into()),
                Err(_) => return Err(CallError::NodeGone { node: uuid }),
            }
            seen = self.nodes.get(&uuid).ok_or(CallError::NodeGone { node: uuid })?;
        }
        Ok(seen)
    }

    /// Nobody waits for what the host writes on a node at the end of a call.
    fn report(&self, node: uuid::Uuid, written: Result<(), NodeError>) {
        if let Err(error) = written {
            tracing::error!(%node, "what became of a power change could not be stored: {error}");
        }
    }
}

/// What the record of a change keeps: the state that it led to.
fn answer(state: PowerState) -> Reply {
    let body = match state {
        PowerState::On => Bytes::from_static(b"\"power on\""),
        PowerState::Off => Bytes::from_static(b"\"power off\""),
        PowerState::Error => Bytes::from_static(b"\"error\""),
    };
    Reply {
        body,
        content_type: None,
    }
}
