//! The task of one call: from the driver's checks to its answer.
//!
//! A thread of the runtime keeps the task that it woke last in a slot that no other thread can take from. The slot is
//! empty whenever a task is polled, so a task that enters a driver in the same poll must wake nobody before: a sync call
//! does not, and an async one gives the thread back once after its client was told, which empties the slot again.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Answer, CallError, Passthru};
use crate::call::in_flight::Listed;
use crate::call::json;
use crate::call::limits::{CallPermit, WorkerPermit};
use crate::node::lock::NodeGuard;
use crate::plugin::loaded::{LoadedDriver, OwnedCall, Reply};

/// What a call holds while the driver is busy with it.
pub(super) struct Carried {
    pub(super) guard: Option<NodeGuard>,
    pub(super) worker: Option<WorkerPermit>,
    pub(super) permit: CallPermit,
    pub(super) listed: Listed,
}

/// One call and everything that belongs to it.
pub(super) struct Job {
    pub(super) calls: Arc<Passthru>,
    pub(super) driver: Arc<LoadedDriver>,
    pub(super) call: OwnedCall,
    pub(super) node: Option<Uuid>,
    pub(super) held: Carried,
    pub(super) answer: Option<oneshot::Sender<Result<Answer, CallError>>>,
}

impl Job {
    pub(super) async fn carry(mut self) {
        if let Err(fault) = self.driver.validate(&self.call) {
            return self.finish(Err(fault.into()));
        }
        if self.call.method.is_async {
            self.tell(Ok(Answer::Accepted));
            tokio::task::yield_now().await;
        }
        let running = self.driver.start(&self.call);
        if !self.driver.holds_thread(&self.call.method) {
            self.held.worker = None;
        }
        let outcome = running
            .outcome()
            .await
            .map_err(CallError::from)
            .and_then(|reply| self.checked(reply));
        self.note(&outcome).await;
        self.finish(outcome.map(Answer::Reply));
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
            return Ok(reply);
        }
        if reply.body.is_empty() {
            return Ok(Reply {
                body: Bytes::from_static(b"null"),
                ..reply
            });
        }
        match json::check(&reply.body, REPLY_DEPTH) {
            Ok(()) => Ok(reply),
            Err(reason) => Err(CallError::BadReply {
                method: method(),
                reason,
            }),
        }
    }

    /// Keeps the node's `last_error` true: the latest failure of an async call, until an exclusive call succeeds.
    async fn note(&self, outcome: &Result<Reply, CallError>) {
        let method = &self.call.method;
        if let (Err(error), true) = (outcome, method.is_async) {
            tracing::warn!(
                request_id = &*self.call.state.request_id,
                driver = &*self.call.state.driver,
                method = method.name,
                node = self.node.map(tracing::field::display),
                "the async call failed: {error}"
            );
        }
        let Some(node) = self.node else { return };
        match outcome {
            Err(error) if method.is_async => {
                let text = format!("Async execution of {} failed with error: {error}", method.name);
                self.calls.remember_outcome(node, Some(text)).await;
            }
            Ok(_) if method.require_exclusive_lock => self.calls.remember_outcome(node, None).await,
            _ => {}
        }
    }

    /// Lets everything go, then tells the client: one that calls again at once finds the node free.
    fn finish(mut self, outcome: Result<Answer, CallError>) {
        let answer = self.answer.take();
        let late = self.call.state.remaining().is_zero();
        if late {
            tracing::warn!(
                request_id = &*self.call.state.request_id,
                driver = &*self.call.state.driver,
                method = self.call.method.name,
                node = self.node.map(tracing::field::display),
                "the driver came back after the call's deadline: {}",
                outcome_word(&outcome)
            );
        }
        let Carried {
            guard,
            worker,
            permit,
            listed,
        } = self.held;
        drop((guard, worker, permit, listed));
        if let Some(answer) = answer {
            // Nobody there: the client has gone or was told of the deadline.
            let _ = answer.send(outcome);
        }
    }

    fn tell(&mut self, outcome: Result<Answer, CallError>) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(outcome);
        }
    }
}

/// How deep a reply may nest. A driver is trusted more than a client, but what reads the reply may recurse.
const REPLY_DEPTH: u32 = 100;

fn outcome_word(outcome: &Result<Answer, CallError>) -> String {
    match outcome {
        Ok(_) => "it succeeded".to_owned(),
        Err(error) => format!("it failed: {error}"),
    }
}
