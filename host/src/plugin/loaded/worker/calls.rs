//! The calls that wait for the answers of one process, and what must not show in the lines that it writes beside them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use crate::node::secret::NodeSecrets;
use crate::plugin::loaded::{CallState, Fault, Reply};

/// Of how many nodes the secrets are remembered when their calls have ended: a line may come after the answer.
const REMEMBERED: usize = 64;

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// That there is nothing against it.
    Check,
    /// The method's answer.
    Reply,
}

/// The process has answered what was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unasked;

/// An answer, on its way to whoever waits for it.
pub(super) type Answered = oneshot::Receiver<Result<Reply, Fault>>;

/// The calls of one process.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    waiting: HashMap<u64, Waiting>,
    /// Whose calls have ended lately.
    remembered: VecDeque<NodeSecrets>,
}

/// Somebody who waits for an answer.
#[derive(Debug)]
struct Waiting {
    wanted: Wanted,
    state: Arc<CallState>,
    answer: oneshot::Sender<Result<Reply, Fault>>,
}

impl Calls {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().waiting.len()
    }

    /// One more, which waits under this id.
    pub(super) fn enter(&self, id: u64, wanted: Wanted, state: &Arc<CallState>) -> Answered {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            wanted,
            state: state.clone(),
            answer,
        };
        self.0.lock().waiting.insert(id, waiting);
        answered
    }

    /// Gives a call the answer that it waits for.
    pub(super) fn answer(&self, id: u64, what: Wanted, reply: Reply) -> Result<(), Unasked> {
        let table = self.0.lock();
        let wanted = table.waiting.get(&id).map(|waiting| waiting.wanted);
        if wanted != Some(what) {
            return Err(Unasked);
        }
        end(table, id, Ok(reply))
    }

    /// Fails a call.
    pub(super) fn fail(&self, id: u64, fault: Fault) -> Result<(), Unasked> {
        end(self.0.lock(), id, Err(fault))
    }

    /// Fails every call that waits.
    pub(super) fn fail_all(&self, fault: impl Fn(u64) -> Fault) {
        let left: Vec<u64> = self.0.lock().waiting.keys().copied().collect();
        for id in left {
            // One that was answered meanwhile needs no fault.
            let _ = self.fail(id, fault(id));
        }
    }

    /// A text that belongs to no call, without the secrets of the nodes that the process is busy with or was a moment ago.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let secrets = self.0.lock().secrets();
        for secrets in secrets {
            if let std::borrow::Cow::Owned(masked) = secrets.mask(&text) {
                text = masked;
            }
        }
        text
    }
}

fn end(mut table: MutexGuard<'_, Table>, id: u64, result: Result<Reply, Fault>) -> Result<(), Unasked> {
    let waiting = table.waiting.remove(&id).ok_or(Unasked)?;
    if let Some(secrets) = &waiting.state.secrets {
        table.remember(secrets);
    }
    drop(table);
    // Who has gone does not want it.
    let _ = waiting.answer.send(result);
    Ok(())
}

impl Table {
    fn remember(&mut self, secrets: &NodeSecrets) {
        if self.remembered.back().is_some_and(|last| last.same_as(secrets)) {
            return;
        }
        if self.remembered.len() == REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back(secrets.clone());
    }

    /// Each node's once.
    fn secrets(&self) -> Vec<NodeSecrets> {
        let waiting = self
            .waiting
            .values()
            .filter_map(|call| call.state.secrets.as_ref());
        let mut seen = HashSet::new();
        waiting
            .chain(&self.remembered)
            .filter(|secrets| seen.insert(secrets.place()))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::node::secret::SecretNames;
    use crate::request_id::RequestId;

    fn state(password: &str) -> Arc<CallState> {
        let view = serde_json::json!({"driver_info": {"password": password}}).to_string();
        let secrets = NodeSecrets::new(Arc::new(SecretNames::default()), Bytes::from(view));
        let state = CallState::new("a".into(), RequestId::random(), Duration::from_secs(60));
        Arc::new(state.with_secrets(Some(secrets)))
    }

    fn done() -> Reply {
        Reply {
            body: Bytes::new(),
            content_type: None,
        }
    }

    fn checked(calls: &Calls, id: u64, state: &Arc<CallState>) {
        let _answered = calls.enter(id, Wanted::Check, state);
        calls.answer(id, Wanted::Check, done()).expect("it was asked");
    }

    #[test]
    fn a_line_shows_no_secret_of_a_call_that_runs_or_has_just_ended() {
        let calls = Calls::default();
        let _running = calls.enter(1, Wanted::Reply, &state("calvin-the-first"));
        checked(&calls, 2, &state("calvin-the-second"));
        assert_eq!(
            calls.masked("calvin-the-first calvin-the-second and calvin"),
            "****** ****** and calvin"
        );
    }

    #[test]
    fn only_so_many_nodes_are_remembered() {
        let calls = Calls::default();
        checked(&calls, 0, &state("calvin-the-first"));
        for id in 1..=u64::try_from(REMEMBERED).expect("a small number") {
            checked(&calls, id, &state(&format!("password-{id}")));
        }
        assert_eq!(calls.masked("calvin-the-first"), "calvin-the-first");
        assert_eq!(calls.masked("password-1"), "******");
    }

    #[tokio::test]
    async fn what_was_not_asked_cannot_be_answered_and_nothing_twice() {
        let calls = Calls::default();
        assert_eq!(calls.answer(7, Wanted::Reply, done()), Err(Unasked));
        let answered = calls.enter(1, Wanted::Reply, &state("calvin"));
        assert_eq!(
            calls.answer(1, Wanted::Check, done()),
            Err(Unasked),
            "not a check"
        );
        assert_eq!(calls.fail(1, Fault::internal("first")), Ok(()));
        assert_eq!(calls.answer(1, Wanted::Reply, done()), Err(Unasked));
        assert_eq!(
            answered.await.expect("an answer").expect_err("a fault").message,
            "first"
        );
        assert_eq!(calls.len(), 0);
    }
}
