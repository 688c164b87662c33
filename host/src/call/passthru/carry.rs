//! The task of one call: from the driver's checks to its answer.
//!
//! It enters the driver on the thread that polls it. Before that it tells the [`Watch`](crate::threads::Watch), and wakes nobody but
//! an async call's client, whom [`release_woken_task`] lets go to another thread; why that matters is in [`crate::threads`].
//!
//! The futures of what few calls need are boxed: those of the others would carry their room.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::power::{self, PowerChange};
use super::{Answer, CallError, Passthru};
use crate::call::in_flight::{Listed, RunningCall};
use crate::call::json;
use crate::call::limits::{CallPermit, WorkerPermit};
use crate::call::meter::{self, Meter};
use crate::call::record::{OpenRecord, RecordedError};
use crate::metrics::Outcome;
use crate::node::lock::NodeGuard;
use crate::plugin::loaded::{LoadedDriver, OwnedCall, Reply};
use crate::plugin::manifest::Method;
use crate::threads::release_woken_task;

/// What a call holds while the driver is busy with it.
pub(super) struct Carried {
    pub(super) guard: Option<NodeGuard>,
    pub(super) worker: Option<WorkerPermit>,
    pub(super) permit: CallPermit,
    pub(super) listed: Listed,
    pub(super) meter: Meter,
}

/// One call and everything that belongs to it.
pub(super) struct Job {
    pub(super) calls: Arc<Passthru>,
    pub(super) driver: Arc<LoadedDriver>,
    pub(super) call: OwnedCall,
    pub(super) node: Option<Uuid>,
    /// For a call of `power:set`.
    pub(super) change: Option<Box<PowerChange>>,
    pub(super) held: Carried,
    pub(super) answer: Option<oneshot::Sender<Result<Answer, CallError>>>,
    /// The record of a sync call whose client was told of the deadline.
    pub(super) late: oneshot::Receiver<OpenRecord>,
}

impl Job {
    pub(super) async fn carry(mut self) {
        if let Err(error) = self.check_body() {
            return self.finish(Err(error)).await;
        }
        if let Err(fault) = self.calls.validate(&self.driver, &self.call).await {
            return self.finish(Err(fault.into())).await;
        }
        if self.call.state.remaining().is_zero() {
            // The client was told of the deadline; what it asked for must not begin now.
            let late = self.not_begun();
            return self.finish(Err(late)).await;
        }
        let mut accepted = None;
        if self.call.method.is_async {
            match Box::pin(self.accept()).await {
                Ok(record) => accepted = Some(record),
                Err(error) => return self.finish(Err(error)).await,
            }
        }
        if let Some(change) = self.change.take() {
            return Box::pin(self.carry_change(change, accepted)).await;
        }
        let running = self.calls.start(&self.driver, &self.call);
        if self.driver.is_here() || !self.driver.holds_thread(&self.call.method) {
            // From here on no thread is inside the driver: a blocking method has returned, a deferred one goes on without. In a process of its
            // own a blocking method has only begun.
            self.held.worker = None;
        }
        let outcome = running
            .outcome()
            .await
            .map_err(CallError::from)
            .and_then(|reply| self.checked(reply))
            .map(Answer::Reply);
        // Queued before anything is let go, so that a host that stops then still writes it.
        let recorded =
            accepted.map(|accepted| Box::pin(accepted.record.end(recorded(&self.call.method, &outcome))));
        self.note(&outcome).await;
        self.finish(outcome).await;
        if let Some(recorded) = recorded {
            recorded.await;
        }
    }

    /// Holds the body against the method's schema. A method without one gets its body unread.
    fn check_body(&self) -> Result<(), CallError> {
        let Some(schema) = &self.call.method.body_schema else {
            return Ok(());
        };
        // A large body keeps the thread as a driver does.
        let _inside = self.calls.watch.enter();
        let secrets = self.calls.nodes.secrets();
        let misfit = schema.check(&self.call.body, &|key| secrets.covers(key));
        misfit.map_err(|misfit| CallError::Body {
            method: self.call.method.name.clone(),
            reason: self.call.state.masked(&misfit.to_string()).into_owned(),
        })
    }

    /// The rest of a call of `power:set`.
    async fn carry_change(mut self, mut change: Box<PowerChange>, accepted: Option<Accepted>) {
        let outcome = self.change_power(&mut change).await.map(Answer::Reply);
        self.held.worker = None;
        // From here on the deadline says nothing any more.
        let record = accepted.map(|accepted| accepted.record);
        // The node first: one whose change has ended does not show a target, also if the host dies in this moment.
        self.note_power(&change, &outcome).await;
        let recorded = record.map(|record| record.end(recorded(&self.call.method, &outcome)));
        self.finish(outcome).await;
        if let Some(recorded) = recorded {
            recorded.await;
        }
    }

    /// Whether a thread is inside the driver for as long as the call takes, or for a part of it.
    pub(super) fn holds_thread(&self, change: Option<&PowerChange>) -> bool {
        let reads = change.is_some_and(|change| self.driver.holds_thread(&change.read));
        reads || self.driver.holds_thread(&self.call.method)
    }

    /// Records an async call and tells its client.
    async fn accept(&mut self) -> Result<Accepted, CallError> {
        let call = RunningCall {
            method: self.call.method.shared_name().clone(),
            node: self.node,
            state: self.call.state.clone(),
            is_check: false,
            here: self.driver.is_here(),
        };
        let holds_thread = self.holds_thread(self.change.as_deref());
        if !holds_thread {
            // The disk takes longer than such a call is in the driver; others may pass meanwhile.
            self.held.worker = None;
        }
        let record = Arc::new(self.calls.records.begin(call).await?);
        if !holds_thread {
            match self.calls.pass(&self.driver).await {
                Ok(worker) => self.held.worker = Some(worker),
                Err(busy) => {
                    let error = CallError::from(busy);
                    record.end(Err(error.recorded())).await;
                    return Err(error);
                }
            }
        }
        if let Err(error) = self.announce().await {
            record.end(Err(error.recorded())).await;
            return Err(error);
        }
        let accepted = Answer::Accepted { record: record.id() };
        if self
            .answer
            .take()
            .is_some_and(|answer| answer.send(Ok(accepted)).is_ok())
        {
            let accepted = self.accepted(record);
            // The client and the task of the deadline, both of which must not wait for the driver.
            release_woken_task();
            return Ok(accepted);
        }
        self.retract().await;
        let error = if self.call.state.remaining().is_zero() {
            self.not_begun()
        } else {
            CallError::ClientGone {
                method: self.call.method.name.clone(),
            }
        };
        record.end(Err(error.recorded())).await;
        Err(error)
    }

    /// Sees to it that the record of an async call says so when its deadline passes.
    fn accepted(&self, record: Arc<OpenRecord>) -> Accepted {
        let (ended, end) = oneshot::channel::<()>();
        let (calls, state, node) = (self.calls.clone(), self.call.state.clone(), self.node);
        let method = self.call.method.clone();
        let target = self.change.as_ref().map(|change| change.target);
        let watched = record.clone();
        tokio::spawn(async move {
            if tokio::time::timeout_at(state.deadline, end).await.is_ok() {
                return;
            }
            meter::settle(&method, &state, Outcome::TimedOut);
            let error = CallError::Deadline {
                method: method.name.clone(),
                limit: state.deadline - state.started,
                record: Some(watched.id()),
            };
            if let (true, Some(node)) = (watched.time_out(&error.recorded()).await, node) {
                let text = match target {
                    Some(target) => power::failed(target, true, &error),
                    None => failed(&method, &error),
                };
                calls.remember_outcome(node, Some(text)).await;
            }
        });
        Accepted {
            record,
            _ended: ended,
        }
    }

    fn not_begun(&self) -> CallError {
        CallError::NotBegun {
            method: self.call.method.name.clone(),
        }
    }

    /// What the driver sent, if it may be sent on.
    fn checked(&self, reply: Reply) -> Result<Reply, CallError> {
        let method = || self.call.method.name.clone();
        let limits = &self.calls.config.limits;
        let bytes = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
        if bytes > limits.max_reply_bytes {
            return Err(CallError::LargeReply {
                method: method(),
                bytes,
                limit: limits.max_reply_bytes,
            });
        }
        if self.call.method.attach {
            let content_type = reply.content_type.or_else(|| Some(BYTES.to_owned()));
            return Ok(Reply {
                content_type,
                ..reply
            });
        }
        let body = if reply.body.is_empty() { NULL } else { reply.body };
        match json::check(&body, REPLY_DEPTH) {
            // Only a method with `attach` names its media type.
            Ok(()) => Ok(Reply {
                body,
                content_type: None,
            }),
            Err(reason) => Err(CallError::BadReply {
                method: method(),
                reason,
            }),
        }
    }

    /// Keeps the node's `last_error` true: the latest failure of an async call, until an exclusive call succeeds.
    async fn note(&self, outcome: &Result<Answer, CallError>) {
        let method = &self.call.method;
        let Some(node) = self.node else { return };
        let text = match outcome {
            Err(error) if method.is_async => Some(failed(method, error)),
            Ok(_) if method.require_exclusive_lock => None,
            _ => return,
        };
        if self.calls.nodes.has_last_error(&node, text.as_deref()) {
            return;
        }
        Box::pin(self.calls.remember_outcome(node, text)).await;
    }

    /// Lets everything go, then tells the client: one that calls again at once finds the node free. A client that was told of the deadline
    /// finds the outcome in the record.
    async fn finish(mut self, outcome: Result<Answer, CallError>) {
        let late = self.held.meter.tell(&outcome);
        self.log(&outcome, late);
        let answer = self.answer.take();
        let Carried {
            guard,
            worker,
            permit,
            listed,
            meter,
        } = self.held;
        drop((guard, worker, permit, meter));
        let Some(Err(outcome)) = answer.map(|answer| answer.send(outcome)) else {
            return;
        };
        Box::pin(record_late(self.late, &self.call.method, outcome, listed)).await;
    }

    /// One line for a call that failed, and for one that came back after its deadline. What the client did wrong is no
    /// failure.
    fn log(&self, outcome: &Result<Answer, CallError>, late: bool) {
        let late = if late { " after its deadline" } else { "" };
        macro_rules! line {
            ($level:ident, $($text:tt)*) => {
                tracing::$level!(
                    request_id = %self.call.state.request_id,
                    driver = &*self.call.state.driver,
                    method = self.call.method.name,
                    node = self.node.map(tracing::field::display),
                    $($text)*
                )
            };
        }
        // Somebody waits for the answer, and will read there what was wrong with the request.
        let heard = self.answer.is_some() && late.is_empty();
        match outcome {
            Ok(_) if late.is_empty() => {}
            Ok(_) => line!(warn, "the call succeeded{late}"),
            Err(error) if error.is_refusal() && heard => line!(debug, "the call was refused: {error}"),
            Err(error) => line!(warn, details = error.details(), "the call failed{late}: {error}"),
        }
    }
}

/// An async call whose client was told.
struct Accepted {
    record: Arc<OpenRecord>,
    /// Dropped when the call has ended.
    _ended: oneshot::Sender<()>,
}

/// Records what became of a call whose client is not there. One that has just left was told nothing, and hands over no record.
async fn record_late(
    late: oneshot::Receiver<OpenRecord>,
    method: &Method,
    outcome: Result<Answer, CallError>,
    listed: Listed,
) {
    let Ok(record) = late.await else { return };
    let recorded = record.end(recorded(method, &outcome));
    drop(listed);
    recorded.await;
}

/// What a record says of an outcome. What a method with `attach` answers is not JSON, and not kept.
fn recorded(method: &Method, outcome: &Result<Answer, CallError>) -> Result<Option<Bytes>, RecordedError> {
    match outcome {
        Ok(Answer::Reply(reply)) => Ok((!method.attach).then(|| reply.body.clone())),
        Ok(Answer::Accepted { .. }) => Ok(None),
        Err(error) => Err(error.recorded()),
    }
}

/// What `last_error` says. Ironic's words.
fn failed(method: &Method, error: &CallError) -> String {
    format!("Async execution of {} failed with error: {error}", method.name)
}

/// What a driver that answers nothing has said.
const NULL: Bytes = Bytes::from_static(b"null");
/// What an attachment is whose driver does not say.
const BYTES: &str = "application/octet-stream";
/// How deep a reply may nest. A driver is trusted more than a client, but what reads the reply may recurse.
const REPLY_DEPTH: u32 = 100;
