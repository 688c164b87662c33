//! The right to answer a deferred call.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use driver_abi::types::RResult;
use driver_abi::{CompletionObject, Reply};

use crate::answer::{reply, Answer};
use crate::guard::{self, Place};
use crate::{Call, Fault};

/// The right, and the duty, to answer one deferred call: from any thread, at any time.
///
/// A method that takes one returns at once; no thread of the host waits for the answer. Dropping it unanswered fails the call.
pub struct Completion<R> {
    pending: Arc<Pending>,
    answer: PhantomData<fn(R)>,
}

impl<R: Answer> Completion<R> {
    #[doc(hidden)]
    pub fn new(pending: Arc<Pending>) -> Self {
        Completion {
            pending,
            answer: PhantomData,
        }
    }

    /// The call, for its node, deadline and log.
    pub fn call(&self) -> &Call<'static> {
        self.pending.call()
    }

    /// Answers the call. After the deadline the answer is still recorded, though the client has been told otherwise.
    pub fn complete(self, result: Result<R, Fault>) {
        self.pending.answer(|| reply(result));
    }
}

impl<R> fmt::Debug for Completion<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("call", &self.pending.call)
            .finish()
    }
}

/// A deferred call that has not been answered yet.
#[doc(hidden)]
pub struct Pending {
    driver: &'static str,
    call: Call<'static>,
    completion: CompletionObject,
}

impl Pending {
    pub(crate) fn new(driver: &'static str, call: Call<'static>, completion: CompletionObject) -> Arc<Self> {
        Arc::new(Pending {
            driver,
            call,
            completion,
        })
    }

    /// The call.
    pub fn call(&self) -> &Call<'static> {
        &self.call
    }

    /// The fault for a panic of this call's own future.
    #[cfg(feature = "tokio")]
    pub(crate) fn report(&self, panicked: guard::Panicked) -> Fault {
        panicked.report(self.driver, Place::Method(self.call.method()), |level, line| {
            self.call.log(level, line)
        })
    }

    /// Answers with what `result` gives; its panic is the answer too, so that none reaches the author's thread half-way.
    pub(crate) fn answer(&self, result: impl FnOnce() -> Result<Reply, Fault>) {
        let place = Place::Method(self.call.method());
        let result = guard::run(
            self.driver,
            place,
            |level, line| self.call.log(level, line),
            result,
        );
        self.completion
            .complete(RResult::from(result.map_err(Fault::into_abi)));
    }
}
