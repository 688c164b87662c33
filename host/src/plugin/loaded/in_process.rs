//! A driver whose code runs in this process: the host's half of the boundary, with a guard around each callback.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use driver_abi::types::{RArc, RErr, ROk, ROption, RResult, RSlice, RStr, TD_Opaque};
use driver_abi::{
    Call, CallContext, CallContext_TO, Completion, Completion_TO, Context, DriverObject, Host, Host_TO,
    HostObject, kind, log_level,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{CallState, Fault, FaultKind, OwnedCall, Progress, Reply};
use crate::plugin::excerpt;
use crate::plugin::manifest::RunKind;
use crate::request_id::RequestId;
use crate::threads::release_woken_task;

/// A driver object, and the name under which its log lines stand.
pub(super) struct InProcess {
    name: Arc<str>,
    driver: DriverObject,
}

impl InProcess {
    pub(super) fn new(name: Arc<str>, driver: DriverObject) -> Self {
        InProcess { name, driver }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn validate_node(&self, node: &Bytes, state: &Arc<CallState>) -> Result<(), Fault> {
        let result = self
            .driver
            .validate_node(RSlice::from_slice(node), &context(state));
        plain(result, state)
    }

    pub(super) fn validate(&self, call: &OwnedCall) -> Result<(), Fault> {
        let context = context(&call.state);
        if let Some(node) = &call.node {
            let result = self.driver.validate_node(RSlice::from_slice(node), &context);
            plain(result, &call.state)?;
        }
        plain(self.driver.validate_call(borrowed(call), &context), &call.state)
    }

    pub(super) fn start(&self, call: &OwnedCall) -> Progress {
        match call.method.run {
            RunKind::Blocking => Progress::Done(self.call(call)),
            RunKind::Deferred => {
                let (sender, receiver) = oneshot::channel();
                self.defer(call, move |outcome| {
                    // An error means that nobody waits any more, which the call's own task has logged.
                    let _ = sender.send(outcome);
                    release_woken_task();
                });
                Progress::Waiting(receiver)
            }
        }
    }

    /// Makes a call of a blocking method.
    pub(super) fn call(&self, call: &OwnedCall) -> Result<Reply, Fault> {
        let result = self.driver.call(borrowed(call), &context(&call.state));
        answer(result, &call.state)
    }

    /// Begins a call of a deferred method. `then` is called once, on the thread on which the driver answers or drops the call.
    pub(super) fn defer(&self, call: &OwnedCall, then: impl FnOnce(Result<Reply, Fault>) + Send + 'static) {
        let completion = HostCompletion {
            then: Mutex::new(Some(then)),
            state: call.state.clone(),
        };
        let completion = Completion_TO::from_value(completion, TD_Opaque);
        self.driver
            .start(borrowed(call), context(&call.state), completion);
    }

    pub(super) fn shut_down(&self) {
        self.driver.shut_down();
    }
}

/// The host as one driver sees it while it is created and between calls.
pub(super) fn host_object(driver: Arc<str>) -> HostObject {
    Host_TO::from_value(HostLog { driver }, TD_Opaque)
}

fn context(state: &Arc<CallState>) -> Context {
    CallContext_TO::from_ptr(RArc::from(state.clone()), TD_Opaque)
}

fn borrowed(call: &OwnedCall) -> Call<'_> {
    Call {
        method: RStr::from_str(&call.method.name),
        http_method: RStr::from_str(call.http_method),
        body: RSlice::from_slice(&call.body),
        node: match &call.node {
            Some(node) => ROption::RSome(RSlice::from_slice(node)),
            None => ROption::RNone,
        },
    }
}

fn plain(result: RResult<(), driver_abi::Fault>, state: &CallState) -> Result<(), Fault> {
    match result {
        ROk(()) => Ok(()),
        RErr(fault) => Err(host_fault(&fault, state)),
    }
}

fn answer(result: RResult<driver_abi::Reply, driver_abi::Fault>, state: &CallState) -> Result<Reply, Fault> {
    match result {
        ROk(reply) => {
            let content_type = (!reply.content_type.is_empty()).then(|| reply.content_type.to_string());
            // The driver's own buffer becomes the reply's; it is freed by the driver's allocator when it was sent.
            Ok(Reply {
                body: Bytes::from_owner(DriverBuffer(reply.body)),
                content_type,
            })
        }
        RErr(fault) => Err(host_fault(&fault, state)),
    }
}

struct DriverBuffer(driver_abi::types::RVec<u8>);

impl AsRef<[u8]> for DriverBuffer {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

const NO_MESSAGE: &str = "the driver failed and did not say why";

fn host_fault(fault: &driver_abi::Fault, state: &CallState) -> Fault {
    let kind = match fault.kind {
        kind::INVALID_PARAMETER => FaultKind::InvalidParameter,
        kind::MISSING_PARAMETER => FaultKind::MissingParameter,
        kind::CONFLICT => FaultKind::Conflict,
        kind::NOT_FOUND => FaultKind::NotFound,
        kind::UNAVAILABLE => FaultKind::Unavailable,
        kind::TIMEOUT => FaultKind::Timeout,
        kind::PANICKED => FaultKind::Panicked,
        kind::UNSUPPORTED => FaultKind::Unsupported,
        _ => FaultKind::Internal,
    };
    let details = String::from_utf8_lossy(&fault.details);
    let fault = Fault {
        kind,
        message: fault.message.to_string(),
        details: (!details.is_empty()).then(|| details.into_owned()),
    };
    without_secrets(fault, state)
}

/// A fault as others may see it: without the secrets of the call's node, and cut to a decent length.
fn without_secrets(fault: Fault, state: &CallState) -> Fault {
    let message = excerpt(&state.masked(&fault.message));
    Fault {
        kind: fault.kind,
        message: if message.is_empty() {
            NO_MESSAGE.to_owned()
        } else {
            message
        },
        details: fault.details.map(|details| excerpt(&state.masked(&details))),
    }
}

struct HostLog {
    driver: Arc<str>,
}

impl Host for HostLog {
    fn log(&self, level: u8, message: RStr<'_>) {
        guarded("log", || log(level, &self.driver, None, &message));
    }
}

impl CallContext for CallState {
    fn remaining_ms(&self) -> u64 {
        guarded("remaining_ms", || {
            u64::try_from(self.remaining().as_millis()).unwrap_or(u64::MAX)
        })
        .unwrap_or(0)
    }

    fn cancelled(&self) -> bool {
        guarded("cancelled", || self.is_cancelled()).unwrap_or(true)
    }

    fn log(&self, level: u8, message: RStr<'_>) {
        guarded("log", || {
            log(level, &self.driver, Some(self.request_id), &self.masked(&message));
        });
    }
}

struct HostCompletion<F: FnOnce(Result<Reply, Fault>)> {
    then: Mutex<Option<F>>,
    state: Arc<CallState>,
}

impl<F: FnOnce(Result<Reply, Fault>) + Send> Completion for HostCompletion<F> {
    fn complete(&self, result: RResult<driver_abi::Reply, driver_abi::Fault>) {
        guarded("complete", || {
            let then = self.then.lock().take();
            match then {
                Some(then) => then(answer(result, &self.state)),
                None => tracing::warn!(
                    target: "driver", driver = &*self.state.driver, request_id = %self.state.request_id,
                    "the driver answered a call twice; the second answer is dropped"
                ),
            }
        });
    }
}

impl<F: FnOnce(Result<Reply, Fault>)> Drop for HostCompletion<F> {
    fn drop(&mut self) {
        guarded("drop", || {
            if let Some(then) = self.then.get_mut().take() {
                then(Err(Fault::lost()));
            }
        });
    }
}

/// No panic of the host crosses into a driver: it would end the process.
fn guarded<T>(callback: &str, body: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // The payload's own drop could panic as well, and there is nothing in it that the hook has not printed.
            std::mem::forget(payload);
            let _ = catch_unwind(|| tracing::error!("the host panicked in the callback {callback}"));
            None
        }
    }
}

fn log(level: u8, driver: &str, request_id: Option<RequestId>, message: &str) {
    write_line(level, driver, request_id, &excerpt(message));
}

/// Writes a driver's line into the log. Its text is harmless already.
pub(super) fn write_line(level: u8, driver: &str, request_id: Option<RequestId>, message: &str) {
    macro_rules! line {
        ($level:expr) => {
            tracing::event!(target: "driver", $level, driver, request_id = request_id.map(tracing::field::display), "{message}")
        };
    }
    match level {
        log_level::ERROR => line!(tracing::Level::ERROR),
        log_level::WARN => line!(tracing::Level::WARN),
        log_level::DEBUG => line!(tracing::Level::DEBUG),
        log_level::TRACE => line!(tracing::Level::TRACE),
        _ => line!(tracing::Level::INFO),
    }
}
