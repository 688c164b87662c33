//! Something that was asked of a process: sent, waited for, and at its deadline taken back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Workers;
use super::calls::{Answered, Wanted};
use super::link::Link;
use crate::plugin::loaded::wire::{Order, Step, Terms};
use crate::plugin::loaded::{CallState, Fault, OwnedCall, Reply};
use crate::plugin::manifest::{CalledOn, RunKind};

/// Something that was asked of a process, until it is answered.
pub(in crate::plugin::loaded) struct Asked {
    link: Arc<Link>,
    id: u64,
    state: Arc<CallState>,
    what: String,
    grace: Duration,
    answer: Answered,
}

impl Workers {
    /// Asks a process to check a node.
    ///
    /// # Errors
    /// It was not asked.
    pub(in crate::plugin::loaded) fn check_node(
        &self,
        link: &Arc<Link>,
        node: &Bytes,
        state: &Arc<CallState>,
    ) -> Result<Asked, Fault> {
        let order = |id| Order::CheckNode {
            id,
            terms: terms(state),
        };
        let (id, answer) = link.ask(state, Wanted::Check, order, [node.clone(), Bytes::new()]);
        self.asked(link, id, state, "check of a node", answer)
    }

    /// Asks a process for parts of a call.
    ///
    /// # Errors
    /// It was not asked.
    pub(in crate::plugin::loaded) fn call(
        &self,
        link: &Arc<Link>,
        call: &OwnedCall,
        step: Step,
    ) -> Result<Asked, Fault> {
        let node = call.node.clone().unwrap_or_default();
        let order = |id| Order::Call {
            id,
            terms: terms(&call.state),
            on_node: call.method.on == CalledOn::Node,
            method: call.method.name.to_string(),
            http_method: call.http_method.to_owned(),
            node_bytes: u32::try_from(node.len()).unwrap_or(u32::MAX),
            step,
        };
        let wanted = match step {
            Step::Check => Wanted::Check,
            Step::Begin | Step::Both => Wanted::Reply,
        };
        let (id, answer) = link.ask(&call.state, wanted, order, [node.clone(), call.body.clone()]);
        self.asked(link, id, &call.state, &call.method.name, answer)
    }

    /// Whether the checks of a call are asked for together with the call: nobody has to know their result before.
    pub(in crate::plugin::loaded) fn checks_with_the_call(call: &OwnedCall) -> bool {
        !call.method.is_async && call.method.run == RunKind::Blocking
    }

    fn asked(
        &self,
        link: &Arc<Link>,
        id: u64,
        state: &Arc<CallState>,
        what: &str,
        answer: Result<Answered, Fault>,
    ) -> Result<Asked, Fault> {
        Ok(Asked {
            link: link.clone(),
            id,
            state: state.clone(),
            what: what.to_owned(),
            grace: self.shared.plan.isolation.grace,
            answer: answer?,
        })
    }
}

impl Asked {
    /// Waits for the answer. The process that has not given it a while after the deadline is killed.
    pub(in crate::plugin::loaded) async fn outcome(mut self) -> Result<Reply, Fault> {
        let deadline = self.state.deadline;
        tokio::select! {
            answer = &mut self.answer => return answer.unwrap_or_else(|_| Err(Fault::lost())),
            () = self.state.asked_to_stop() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
        self.link.cancel(self.id);
        tokio::select! {
            answer = &mut self.answer => return answer.unwrap_or_else(|_| Err(Fault::lost())),
            () = tokio::time::sleep_until(deadline + self.grace) => {}
        }
        self.link.condemn(format!(
            "its call of '{}' had not returned {} ms after its deadline",
            self.what,
            self.grace.as_millis()
        ));
        self.answer.await.unwrap_or_else(|_| Err(Fault::lost()))
    }
}

fn terms(state: &CallState) -> Terms {
    Terms {
        request_id: state.request_id.bytes(),
        remaining_ms: u64::try_from(state.remaining().as_millis()).unwrap_or(u64::MAX),
    }
}
