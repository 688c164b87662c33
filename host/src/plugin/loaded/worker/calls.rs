//! The calls that wait for the answers of one process, and what must not show in the lines that it writes beside them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::node::secret::NodeSecrets;
use crate::plugin::loaded::{CallState, Fault, Reply};

/// Of how many nodes the secrets are remembered when their calls have ended: a line may come after the answer.
const REMEMBERED: usize = 64;

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
    state: Arc<CallState>,
    answer: oneshot::Sender<Result<Reply, Fault>>,
}

impl Calls {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().waiting.len()
    }

    /// One more, which waits under this id.
    pub(super) fn enter(&self, id: u64, state: &Arc<CallState>) -> Answered {
        let (answer, answered) = oneshot::channel();
        let state = state.clone();
        self.0.lock().waiting.insert(id, Waiting { state, answer });
        answered
    }

    /// Gives a call its answer. An id that is none, or was answered, is passed over.
    pub(super) fn answer(&self, id: u64, result: Result<Reply, Fault>) {
        let mut table = self.0.lock();
        let Some(waiting) = table.waiting.remove(&id) else {
            return;
        };
        if let Some(secrets) = &waiting.state.secrets {
            table.remember(secrets);
        }
        drop(table);
        // Who has gone does not want it.
        let _ = waiting.answer.send(result);
    }

    /// Fails every call that waits.
    pub(super) fn fail(&self, fault: impl Fn(u64) -> Fault) {
        let left: Vec<u64> = self.0.lock().waiting.keys().copied().collect();
        for id in left {
            self.answer(id, Err(fault(id)));
        }
    }

    /// A text that belongs to no call, without the secrets of the nodes that the process is busy with or was a moment ago.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secrets in self.0.lock().secrets() {
            if let std::borrow::Cow::Owned(masked) = secrets.mask(&text) {
                text = masked;
            }
        }
        text
    }
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

    #[test]
    fn a_line_shows_no_secret_of_a_call_that_runs_or_has_just_ended() {
        let calls = Calls::default();
        let _running = calls.enter(1, &state("calvin-the-first"));
        let _ended = calls.enter(2, &state("calvin-the-second"));
        calls.answer(2, Ok(done()));
        assert_eq!(
            calls.masked("calvin-the-first calvin-the-second and calvin"),
            "****** ****** and calvin"
        );
    }

    #[test]
    fn only_so_many_nodes_are_remembered() {
        let calls = Calls::default();
        let _first = calls.enter(0, &state("calvin-the-first"));
        calls.answer(0, Ok(done()));
        for id in 1..=u64::try_from(REMEMBERED).expect("a small number") {
            let _other = calls.enter(id, &state(&format!("password-{id}")));
            calls.answer(id, Ok(done()));
        }
        assert_eq!(calls.masked("calvin-the-first"), "calvin-the-first");
        assert_eq!(calls.masked("password-1"), "******");
    }

    #[tokio::test]
    async fn an_answer_for_nobody_is_passed_over_and_the_first_of_two_counts() {
        let calls = Calls::default();
        calls.answer(7, Ok(done()));
        let answered = calls.enter(1, &state("calvin"));
        calls.answer(1, Err(Fault::internal("first")));
        calls.answer(1, Ok(done()));
        assert_eq!(
            answered.await.expect("an answer").expect_err("a fault").message,
            "first"
        );
        assert_eq!(calls.len(), 0);
    }
}
