//! The thread on which a driver's `async fn` methods run: one per driver, started only for drivers that have some.

#[cfg(feature = "tokio")]
pub use with_tokio::Runtime;
#[cfg(not(feature = "tokio"))]
pub use without_tokio::Runtime;

#[cfg(not(feature = "tokio"))]
mod without_tokio {
    use crate::Fault;

    /// No runtime: the attribute refuses `async fn` methods without the feature `tokio`.
    #[doc(hidden)]
    pub struct Runtime;

    impl Runtime {
        pub(crate) fn start(_driver: &str, _needed: bool) -> Result<Self, Fault> {
            Ok(Runtime)
        }

        pub(crate) fn stop(&self) {}
    }
}

#[cfg(feature = "tokio")]
mod with_tokio {
    use std::future::{poll_fn, Future};
    use std::sync::Arc;
    use std::task::Poll;

    use tokio::runtime::{Builder, Handle};
    use tokio::sync::Notify;

    use crate::answer::{reply, Answer};
    use crate::completion::Pending;
    use crate::guard::{catch, Panicked};
    use crate::Fault;

    /// A tokio runtime of one thread, with whatever of tokio's drivers (time, I/O) the author's own features switch on.
    #[doc(hidden)]
    pub struct Runtime(Option<Thread>);

    struct Thread {
        handle: Handle,
        stop: Arc<Notify>,
    }

    impl Runtime {
        #[allow(
            clippy::disallowed_methods,
            reason = "a runtime of one thread detaches none of its own; the ban is for the host's hundreds"
        )]
        pub(crate) fn start(driver: &str, needed: bool) -> Result<Self, Fault> {
            if !needed {
                return Ok(Runtime(None));
            }
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let thread = Thread {
                handle: runtime.handle().clone(),
                stop: Arc::new(Notify::new()),
            };
            let stop = Arc::clone(&thread.stop);
            std::thread::Builder::new()
                .name(format!("{driver}-tokio"))
                .spawn(move || {
                    runtime.block_on(stop.notified());
                    // Tasks that are left are dropped; threads of `spawn_blocking` are not waited for.
                    runtime.shutdown_background();
                })?;
            Ok(Runtime(Some(thread)))
        }

        /// Ends the thread, now or as soon as the task that it is polling yields.
        pub(crate) fn stop(&self) {
            if let Some(thread) = &self.0 {
                thread.stop.notify_one();
            }
        }

        /// Runs the future of an `async fn` method and answers the call with what it gives.
        pub fn spawn<F, R, E>(&self, pending: &Arc<Pending>, future: F) -> Result<(), Fault>
        where
            F: Future<Output = Result<R, E>> + Send + 'static,
            R: Answer + Send + 'static,
            E: Into<Fault> + Send + 'static,
        {
            let Some(thread) = &self.0 else {
                return Err(Fault::internal("the driver's runtime is not running"));
            };
            let pending = Arc::clone(pending);
            thread.handle.spawn(async move {
                let mut future = Box::pin(future);
                let outcome = poll_fn(|context| match catch(|| future.as_mut().poll(context)) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(result)) => Poll::Ready(Ok(result)),
                    Err(panicked) => Poll::Ready(Err(panicked)),
                })
                .await;
                // The future holds the driver, perhaps as the last, and both have drops of their own.
                let dropped = catch(|| drop(future));
                match outcome.and_then(|result| dropped.map(|()| result)) {
                    Ok(result) => pending.answer(|| reply(result)),
                    Err(panicked) => pending.panicked(panicked),
                }
            });
            Ok(())
        }
    }

    impl Pending {
        fn panicked(&self, panicked: Panicked) {
            let fault = self.report(panicked);
            self.answer(|| Err(fault));
        }
    }
}
