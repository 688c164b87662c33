//! A change of the power state: a call of `power:set`, and what the host does around it.
//!
//! Before it is begun the node's `target_power_state` is on the disk. A state that is there already is left alone, as in Ironic. Afterwards the
//! state is read until it is the one that was asked for, so that a driver whose device takes its time need not wait itself. What was read
//! is what the node shows, whatever became of the change.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;

use super::carry::Job;
use super::standard::NO_ARGUMENTS;
use super::{Answer, CallError, Passthru};
use crate::call::limits::WorkerPermit;
use crate::call::meter::Meter;
use crate::call::standard;
use crate::database::StoreError;
use crate::node::fields::NodeFields;
use crate::node::power::{PowerState, PowerTarget};
use crate::node::store::NodeError;
use crate::plugin::loaded::{LoadedMethod, OwnedCall, Reply};
use crate::plugin::manifest::StandardCall;

/// How long after a reading that found another state comes the next one. Ironic's.
const PAUSE: Duration = Duration::from_secs(1);

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
        let running = self.calls.start(&self.driver, &self.call);
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
            seat: self.call.seat.clone(),
        };
        let worker = self.enter().await?;
        let mut meter = Meter::begin(change.read.clone(), state);
        let outcome = match self.calls.validate(&self.driver, &call).await {
            Ok(()) => {
                let running = self.calls.start(&self.driver, &call);
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
            None => Ok(self.calls.pass(&self.driver).await?),
        }
    }

    fn leave(&mut self, change: &PowerChange, worker: WorkerPermit) {
        self.held.worker = Some(worker).filter(|_| self.holds_thread(Some(change)));
    }

    /// Says on the node what became of the change, in one write.
    pub(super) async fn note_power(&self, change: &PowerChange, outcome: &Result<Answer, CallError>) {
        let Some(node) = self.node else { return };
        let error = outcome.as_ref().err();
        let text = error.map(|error| failed(change.target, change.begun, error));
        let found = change.found;
        let over = move |fields: &mut NodeFields| {
            if let Some(found) = found {
                fields.power_state = found;
            }
            fields.target_power_state = None;
            fields.rare.last_error = text.as_deref().map(Into::into);
        };
        match self.calls.nodes.amend(node, &over).await {
            Err(NodeError::Store(error)) if !matches!(error, StoreError::Closed) => {
                self.calls.report(node, Err(error.into()));
                tokio::spawn(note_later(self.calls.clone(), node, over));
            }
            noted => self.calls.report(node, noted),
        }
    }
}

/// Says it as soon as it can be written, unless a later change has said what became of itself.
async fn note_later(calls: Arc<Passthru>, node: Uuid, over: impl Fn(&mut NodeFields)) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(seen) = calls.nodes.get(&node) else {
            return;
        };
        if seen.target_power_state().is_none() {
            return;
        }
        if calls.locks.holder(&node).is_some() {
            continue;
        }
        let mut fields = seen.fields();
        over(&mut fields);
        match calls.nodes.update(&seen, fields).await {
            Ok(_) | Err(NodeError::Store(StoreError::Closed)) => return,
            // Not yet; or somebody has changed the node in this moment.
            Err(_) => {}
        }
    }
}

impl Passthru {
    /// Nobody waits for what the host writes on a node at the end of a call.
    fn report(&self, node: Uuid, written: Result<(), NodeError>) {
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
