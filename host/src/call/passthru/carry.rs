//! The task of one call: from the driver's checks to its answer.
//!
//! It enters the driver on the thread that polls it. Before that it has another thread wait for sockets and timers
//! ([`hand_over_waiting`]), and wakes nobody but an async call's client, whom [`release_woken_task`] lets go to another
//! thread; why that matters is in [`crate::threads`].

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
use crate::threads::{hand_over_waiting, release_woken_task};

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
        hand_over_waiting();
        if let Err(fault) = self.driver.validate(&self.call) {
            return self.finish(Err(fault.into()));
        }
        if self.call.state.remaining().is_zero() {
            // The client was told of the deadline; what it asked for must not begin now.
            let late = self.not_begun();
            return self.finish(Err(late));
        }
        if self.call.method.is_async {
            self.tell(Ok(Answer::Accepted));
            release_woken_task();
        }
        let running = self.driver.start(&self.call);
        // From here on no thread is inside the driver: a blocking method has returned, a deferred one goes on without.
        self.held.worker = None;
        let outcome = running
            .outcome()
            .await
            .map_err(CallError::from)
            .and_then(|reply| self.checked(reply));
        self.note(&outcome).await;
        self.finish(outcome.map(Answer::Reply));
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
            return Ok(reply);
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
    async fn note(&self, outcome: &Result<Reply, CallError>) {
        let method = &self.call.method;
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
        self.log(&outcome);
        let answer = self.answer.take();
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

    /// One line for a call that failed, and for one that came back after its deadline. What the client did wrong is no
    /// failure.
    fn log(&self, outcome: &Result<Answer, CallError>) {
        let late = if self.call.state.remaining().is_zero() {
            " after its deadline"
        } else {
            ""
        };
        macro_rules! line {
            ($level:ident, $($text:tt)*) => {
                tracing::$level!(
                    request_id = &*self.call.state.request_id,
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

    fn tell(&mut self, outcome: Result<Answer, CallError>) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(outcome);
        }
    }
}

/// What a driver that answers nothing has said.
const NULL: Bytes = Bytes::from_static(b"null");
/// How deep a reply may nest. A driver is trusted more than a client, but what reads the reply may recurse.
const REPLY_DEPTH: u32 = 100;
