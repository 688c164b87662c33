//! The guard around everything of a driver that the host can reach: a panic becomes a fault and a log line.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock};

use crate::{Fault, FaultKind, Host, Level};

/// Where in a driver a panic was caught.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Create,
    ValidateNode,
    ValidateCall(&'a str),
    Method(&'a str),
    ShutDown,
    Drop,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Create => f.write_str("while it was created"),
            Place::ValidateNode => f.write_str("in its validation of a node"),
            Place::ValidateCall(method) => write!(f, "in its validation of a call of method '{method}'"),
            Place::Method(method) => write!(f, "in method '{method}'"),
            Place::ShutDown => f.write_str("while it was shut down"),
            Place::Drop => f.write_str("while it was dropped"),
        }
    }
}

thread_local! {
    /// How many guards this thread is inside of.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic inside a guard of this thread began.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `action`; if it panics, the answer is a fault of kind `Panicked`, and one line goes to `log`.
pub(crate) fn run<R>(
    driver: &str,
    place: Place<'_>,
    log: impl FnOnce(Level, &str),
    action: impl FnOnce() -> Result<R, Fault>,
) -> Result<R, Fault> {
    catch(action).unwrap_or_else(|panicked| Err(panicked.report(driver, place, log)))
}

/// Runs `action` and catches its panic.
pub(crate) fn catch<R>(action: impl FnOnce() -> R) -> Result<R, Panicked> {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let result = panic::catch_unwind(AssertUnwindSafe(action)).map_err(Panicked::of);
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    result
}

/// A caught panic.
pub(crate) struct Panicked {
    message: String,
    location: Option<String>,
}

impl Panicked {
    fn of(payload: Box<dyn Any + Send>) -> Self {
        let message = text(payload.as_ref())
            .unwrap_or("a value that is not text")
            .to_owned();
        let location = LOCATION.with(|location| location.take());
        // The payload's own drop can panic, and so can the drop of that panic's payload: that one is leaked.
        if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        Panicked { message, location }
    }

    /// The fault to answer, after the whole story has gone to the log.
    pub(crate) fn report(self, driver: &str, place: Place<'_>, log: impl FnOnce(Level, &str)) -> Fault {
        let whole = one_line(&self.message);
        let location = self.location.as_deref().unwrap_or("an unknown place");
        log(
            Level::Error,
            &format!("driver '{driver}' panicked {place} at {location}: {whole}"),
        );
        let first = self.message.lines().next().unwrap_or_default();
        Fault::new(
            FaultKind::Panicked,
            format!("driver '{driver}' panicked {place}: {first}"),
        )
    }
}

fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" ")
}

static HOOK: Once = Once::new();
static HOST: OnceLock<Host> = OnceLock::new();
static ON_A_BENCH: AtomicBool = AtomicBool::new(false);

/// Says that this process is a test of the driver: panics outside the driver are left to the test's own hook.
pub(crate) fn on_a_bench() {
    ON_A_BENCH.store(true, Ordering::Relaxed);
}

/// Replaces the panic hook of this library's own copy of std: inside a guard it notes the place for the log line, on
/// the driver's own threads it writes that line. Otherwise a driver's panics would be printed to the host's stderr.
pub(crate) fn install_hook(host: &Host) {
    let _ = HOST.set(host.clone());
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let location = info.location().map(ToString::to_string);
            if DEPTH.with(Cell::get) > 0 {
                LOCATION.with(|place| place.replace(location));
            } else if let (Some(host), false) = (HOST.get(), ON_A_BENCH.load(Ordering::Relaxed)) {
                let thread = std::thread::current();
                host.error(format_args!(
                    "thread '{}' of the driver panicked at {}: {}",
                    thread.name().unwrap_or("unnamed"),
                    location.as_deref().unwrap_or("an unknown place"),
                    one_line(text(info.payload()).unwrap_or("a value that is not text")),
                ));
            } else {
                previous(info);
            }
        }));
    });
}
