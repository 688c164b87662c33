//! The host's half of the boundary against drivers that keep to nothing but the types.

use std::sync::atomic::AtomicUsize;

use driver_abi::types::{RErr, ROk, RResult, RSlice, RStr, RString, RVec, TD_Opaque};
use driver_abi::{Call, CompletionObject, Context, Driver, Driver_TO, log_level};
use serde_json::json;

use super::*;
use crate::plugin::manifest;

/// What the driver does with a deferred call's completion.
#[derive(Clone, Copy)]
enum Habit {
    Answers,
    AnswersTwice,
    Drops,
    AnswersFromThread,
}

struct Untidy {
    habit: Habit,
    drops: Arc<AtomicUsize>,
}

impl Drop for Untidy {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

fn reply(text: &str) -> driver_abi::Reply {
    driver_abi::Reply {
        body: RVec::from(text.as_bytes().to_vec()),
        content_type: RString::new(),
    }
}

impl Driver for Untidy {
    fn validate_node(&self, _: RSlice<'_, u8>, _: &Context) -> RResult<(), driver_abi::Fault> {
        ROk(())
    }

    fn validate_call(&self, call: Call<'_>, _: &Context) -> RResult<(), driver_abi::Fault> {
        match call.body.as_slice() {
            b"\"bad\"" => RErr(driver_abi::Fault::new(4711, "two\nlines \u{1b}[31m")),
            _ => ROk(()),
        }
    }

    fn call(&self, call: Call<'_>, context: &Context) -> RResult<driver_abi::Reply, driver_abi::Fault> {
        context.log(log_level::INFO, RStr::from_str("a\nforged line"));
        let said = format!(
            "{{\"verb\":\"{}\",\"node\":{},\"left\":{},\"cancelled\":{}}}",
            call.http_method,
            call.node.is_some(),
            context.remaining_ms() > 0,
            context.cancelled()
        );
        ROk(reply(&said))
    }

    fn start(&self, _: Call<'_>, context: Context, completion: CompletionObject) {
        match self.habit {
            Habit::Answers => completion.complete(ROk(reply("1"))),
            Habit::AnswersTwice => {
                completion.complete(ROk(reply("1")));
                completion.complete(ROk(reply("2")));
            }
            Habit::Drops => drop(completion),
            Habit::AnswersFromThread => {
                let thread = std::thread::Builder::new().spawn(move || {
                    assert!(!context.cancelled());
                    completion.complete(ROk(reply("1")));
                });
                drop(thread);
            }
        }
    }

    fn shut_down(&self) {}
}

fn driver(habit: Habit) -> (LoadedDriver, Arc<AtomicUsize>) {
    let text = json!({
        "manifest": 1, "abi": "1.0.0", "target": "x86_64-unknown-linux-gnu", "name": "untidy", "version": "1.0.0",
        "description": "", "properties": {},
        "methods": [
            {"name": "now", "on": "node", "http_methods": ["GET"]},
            {"name": "later", "on": "driver", "run": "deferred"},
        ],
    });
    let manifest = manifest::parse(text.to_string().as_bytes()).expect("a manifest");
    let drops = Arc::new(AtomicUsize::new(0));
    let object = Driver_TO::from_value(
        Untidy {
            habit,
            drops: drops.clone(),
        },
        TD_Opaque,
    );
    (
        LoadedDriver::new(manifest, Code::Here(InProcess::new("untidy".into(), object))),
        drops,
    )
}

fn call(driver: &LoadedDriver, on: CalledOn, method: &str, body: &'static str) -> OwnedCall {
    let minute = Duration::from_secs(60);
    OwnedCall {
        seat: Seat::here(),
        method: driver.method(on, method).expect("the method").clone(),
        http_method: "GET",
        body: Bytes::from_static(body.as_bytes()),
        node: (on == CalledOn::Node).then(|| Bytes::from_static(b"{}")),
        state: Arc::new(CallState::new(driver.name().clone(), RequestId::random(), minute)),
    }
}

#[tokio::test]
async fn a_blocking_call_gets_verb_node_and_context_and_its_buffer_is_the_reply() {
    let (driver, drops) = driver(Habit::Answers);
    let call = call(&driver, CalledOn::Node, "now", "{}");
    let reply = driver.start(&call).outcome().await.expect("a reply");
    assert_eq!(
        &reply.body[..],
        b"{\"verb\":\"GET\",\"node\":true,\"left\":true,\"cancelled\":false}"
    );
    assert_eq!(reply.content_type, None);
    call.state.cancel();
    let reply = driver.start(&call).outcome().await.expect("a reply");
    assert!(reply.body.ends_with(b"\"cancelled\":true}"));
    drop(driver);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_fault_of_an_unknown_kind_is_internal_and_its_text_one_harmless_line() {
    let (driver, _) = driver(Habit::Answers);
    let fault = driver
        .validate(&call(&driver, CalledOn::Node, "now", "\"bad\""))
        .await
        .expect_err("a fault");
    assert_eq!(fault.kind, FaultKind::Internal);
    assert_eq!(fault.message, "two lines \\u{1b}[31m");
}

#[tokio::test]
async fn the_first_of_two_answers_counts() {
    for habit in [Habit::Answers, Habit::AnswersTwice, Habit::AnswersFromThread] {
        let (driver, _) = driver(habit);
        let reply = driver
            .start(&call(&driver, CalledOn::Driver, "later", "{}"))
            .outcome()
            .await
            .expect("a reply");
        assert_eq!(&reply.body[..], b"1");
    }
}

#[tokio::test]
async fn a_dropped_completion_fails_the_call() {
    let (driver, _) = driver(Habit::Drops);
    let outcome = driver
        .start(&call(&driver, CalledOn::Driver, "later", "{}"))
        .outcome()
        .await;
    let fault = outcome.expect_err("a fault");
    assert_eq!(fault.kind, FaultKind::Internal);
    assert_eq!(fault.message, "the driver dropped the call without an answer");
}

/// A subscriber that panics stands for any fault of the host inside a callback.
struct Panics;

impl tracing::Subscriber for Panics {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        panic!("the log is broken");
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_panic_in_a_callback_of_the_host_does_not_cross_the_boundary() {
    let (driver, _) = driver(Habit::AnswersTwice);
    let calls = [
        call(&driver, CalledOn::Node, "now", "{}"),
        call(&driver, CalledOn::Driver, "later", "{}"),
    ];
    let running = tracing::subscriber::with_default(Panics, || {
        // Uncaught, either panic would end this process: one in `log`, one in the second `complete`.
        in_process::host_object("untidy".into()).log(log_level::INFO, RStr::from_str("hello"));
        calls.each_ref().map(|call| driver.start(call))
    });
    for running in running {
        assert!(running.outcome().await.is_ok());
    }
}
