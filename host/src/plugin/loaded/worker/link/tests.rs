//! The host's side of a process, against a process that only sleeps, and a test that speaks in its place.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Socket;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinHandle;

use super::super::strays::Mark;
use super::*;
use crate::plugin::loaded::wire::Terms;
use crate::request_id::RequestId;

/// The process's end of the socket.
struct Worker {
    socket: Socket,
    read: BytesMut,
}

impl Worker {
    fn say(&mut self, report: &Report, tail: &[u8]) {
        let head = wire::encode(report, tail.len()).expect("a frame");
        self.socket.write_all(&head).expect("the host reads");
        self.socket.write_all(tail).expect("the host reads");
    }

    fn hear<T: for<'a> Deserialize<'a>>(&mut self) -> (T, Bytes) {
        loop {
            if let Some(frame) = wire::decode(&mut self.read, usize::MAX).expect("a frame") {
                return frame;
            }
            let mut some = [0; 4096];
            let read = self.socket.read(&mut some).expect("the host writes");
            assert!(read > 0, "the host has closed");
            self.read.extend_from_slice(&some[..read]);
        }
    }
}

/// What a process does wrong while it has a call of this id.
type Misbehaviour = fn(&mut Worker, u64);

fn isolation() -> Isolation {
    let second = Duration::from_secs(1);
    Isolation {
        processes: 1,
        threads: 1,
        confinement: Default::default(),
        max_deaths: 5,
        window: second,
        create_timeout: second,
        grace: second,
        max_reply_bytes: 1000,
    }
}

/// A process, whoever speaks in its place, and how its link will end.
async fn begin() -> (Arc<Link>, Worker, JoinHandle<String>) {
    let (stream, socket) = Socket::pair().expect("a socket");
    let mut sleeper = Command::new("sleep");
    sleeper.arg("600");
    std::os::unix::process::CommandExt::process_group(&mut sleeper, 0);
    let started = Process::begin(sleeper, Mark::new(), stream)
        .await
        .expect("a process");
    let link = Arc::new(Link::new("a".into(), started, &isolation()).expect("a link"));
    let serving = link.clone();
    let served = tokio::spawn(async move { serving.serve(BytesMut::new()).await });
    let read = BytesMut::new();
    (link, Worker { socket, read }, served)
}

fn state() -> Arc<CallState> {
    let minute = Duration::from_secs(60);
    Arc::new(CallState::new("a".into(), RequestId::random(), minute))
}

fn ask(link: &Link, bytes: usize) -> (u64, Answered) {
    let state = state();
    let terms = Terms {
        request_id: state.request_id.bytes(),
        remaining_ms: 1,
    };
    let order = |id| Order::CheckNode { id, terms };
    let tail = [Bytes::from(vec![b'n'; bytes]), Bytes::new()];
    let (id, asked) = link.ask(&state, Wanted::Reply, order, tail);
    (id, asked.expect("a process that is there"))
}

async fn fault(answered: Answered) -> Fault {
    answered.await.expect("an answer").expect_err("a fault")
}

fn answer(id: u64) -> Report {
    Report::Answered {
        id,
        content_type: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_sent_before_the_end_counts_and_the_other_calls_fail_with_it() {
    let (link, mut worker, served) = begin().await;
    let (first, second) = (ask(&link, 1), ask(&link, 1));
    for id in [first.0, second.0] {
        let (order, _) = worker.hear::<Order>();
        assert!(
            matches!(order, Order::CheckNode { id: heard, .. } if heard == id),
            "{order:?}"
        );
    }
    worker.say(&answer(first.0), b"done");
    link.process.kill();
    let ended = served.await.expect("its end");
    assert_eq!(ended, "was killed by signal 9 (SIGKILL)");
    assert_eq!(
        &first.1.await.expect("an answer").expect("a reply").body[..],
        b"done"
    );
    let fault = fault(second.1).await;
    assert_eq!(fault.kind, FaultKind::WorkerDied);
    assert_eq!(
        fault.message,
        "the process of driver 'a' was killed by signal 9 (SIGKILL)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_process_had_not_wholly_got_when_it_ended_has_not_begun() {
    let (link, worker, served) = begin().await;
    // More than a socket keeps: a part of the first is on its way, and all of the second here.
    let (first, second) = (ask(&link, 8 << 20), ask(&link, 1));
    link.condemn("a reason".to_owned());
    assert_eq!(served.await.expect("its end"), "was killed: a reason");
    for (_, answered) in [first, second] {
        let fault = fault(answered).await;
        assert_eq!(fault.kind, FaultKind::NotBegun);
        let text = "the process of driver 'a' was killed: a reason, before the call could begin";
        assert_eq!(fault.message, text);
    }
    let terms = Terms {
        request_id: [0; 16],
        remaining_ms: 1,
    };
    let order = |id| Order::CheckNode { id, terms };
    let (_, later) = link.ask(&state(), Wanted::Check, order, [Bytes::new(), Bytes::new()]);
    assert_eq!(later.expect_err("nobody is there").kind, FaultKind::NotBegun);
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_process_has_not_begun_to_read_is_taken_back_when_nobody_waits() {
    let (link, mut worker, served) = begin().await;
    let (first, second) = (ask(&link, 8 << 20), ask(&link, 1));
    link.cancel(second.0);
    assert_eq!(fault(second.1).await.kind, FaultKind::NotBegun);
    link.cancel(first.0);
    let reading = std::thread::Builder::new().spawn(move || {
        assert!(matches!(worker.hear::<Order>().0, Order::CheckNode { .. }));
        let (order, _) = worker.hear::<Order>();
        assert_eq!(order, Order::Cancel { id: first.0 }, "the second one never comes");
        worker.say(&answer(first.0), b"");
        worker
    });
    first.1.await.expect("an answer").expect("a reply");
    drop(reading.expect("a thread").join().expect("a worker"));
    assert_eq!(
        served.await.expect("its end"),
        "has closed its connection to the host, and was killed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_says_what_it_cannot_have_to_say_is_killed() {
    let twice: Misbehaviour = |worker, id| {
        worker.say(&answer(id), b"");
        worker.say(&answer(id), b"");
    };
    let unasked = "has answered what it was not asked, and was killed";
    let cases: [(Misbehaviour, &str); 6] = [
        (twice, unasked),
        (|worker, id| worker.say(&answer(id + 1), b""), unasked),
        (|worker, id| worker.say(&Report::Checked { id }, b""), unasked),
        (
            |worker, _| worker.say(&Report::Created, b""),
            "has said something out of turn, and was killed",
        ),
        (
            |worker, id| worker.say(&answer(id), &[0; 1001]),
            "has sent what the host does not understand (1001 bytes of data are announced, at most 1000 are allowed), and was killed",
        ),
        (
            |worker, _| {
                worker
                    .socket
                    .write_all(&[1, 0, 0, 0, 0, 0, 0, 0, 99])
                    .expect("the host reads")
            },
            "has sent what the host does not understand",
        ),
    ];
    for (misbehave, text) in cases {
        let (link, mut worker, served) = begin().await;
        let (id, _answered) = ask(&link, 1);
        misbehave(&mut worker, id);
        let ended = served.await.expect("its end");
        assert!(ended.starts_with(text), "{ended}");
        assert!(link.process.has_ended(), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_secrets_are_sent_once_and_before_the_first_call_that_needs_them() {
    let (link, mut worker, _served) = begin().await;
    let names = Arc::new(SecretNames::from_json(b"[\"oem_door\"]").expect("names"));
    for expected in [true, false] {
        let view = Bytes::from_static(b"{}");
        let secrets = crate::node::secret::NodeSecrets::new(names.clone(), view);
        let minute = Duration::from_secs(60);
        let state = CallState::new("a".into(), RequestId::random(), minute).with_secrets(Some(secrets));
        let terms = Terms {
            request_id: [0; 16],
            remaining_ms: 1,
        };
        let order = |id| Order::CheckNode { id, terms };
        let _asked = link.ask(
            &Arc::new(state),
            Wanted::Check,
            order,
            [Bytes::new(), Bytes::new()],
        );
        if expected {
            let (order, names) = worker.hear::<Order>();
            assert_eq!((order, &names[..]), (Order::Secrets, &b"[\"oem_door\"]"[..]));
        }
        assert!(matches!(worker.hear::<Order>().0, Order::CheckNode { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_logs_while_it_is_created_is_heard_and_waited_for() {
    let (stream, socket) = Socket::pair().expect("a socket");
    let mut sleeper = Command::new("sleep");
    sleeper.arg("600");
    std::os::unix::process::CommandExt::process_group(&mut sleeper, 0);
    let started = Process::begin(sleeper, Mark::new(), stream)
        .await
        .expect("a process");
    let link = Link::new("a".into(), started, &isolation()).expect("a link");
    let mut worker = Worker {
        socket,
        read: BytesMut::new(),
    };
    let line = Report::Log {
        level: 3,
        request_id: None,
        message: "hello".to_owned(),
    };
    worker.say(&line, b"");
    worker.say(&Report::Created, b"");
    assert!(link.created(&mut BytesMut::new()).await.is_ok());
}
