//! The host, as a driver sees it outside calls, and the levels of a log line.

use std::fmt::{self, Display};
use std::sync::Arc;

use driver_abi::{log_level, HostObject};

/// The host, outside of calls. Cheap to clone, and usable from any thread.
///
/// Inside a call, log with [`Call`](crate::Call): those lines carry the id of the client's request.
#[derive(Clone)]
pub struct Host {
    object: Arc<HostObject>,
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The call or the driver failed.
    Error,
    /// Something an operator should look at.
    Warn,
    /// Something an operator may want to know.
    Info,
    /// For the driver's author.
    Debug,
    /// For the driver's author, in bulk.
    Trace,
}

impl Level {
    pub(crate) fn number(self) -> u8 {
        match self {
            Level::Error => log_level::ERROR,
            Level::Warn => log_level::WARN,
            Level::Info => log_level::INFO,
            Level::Debug => log_level::DEBUG,
            Level::Trace => log_level::TRACE,
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            log_level::ERROR => Level::Error,
            log_level::WARN => Level::Warn,
            log_level::DEBUG => Level::Debug,
            log_level::TRACE => Level::Trace,
            _ => Level::Info,
        }
    }
}

impl Host {
    pub(crate) fn new(object: HostObject) -> Self {
        Host {
            object: Arc::new(object),
        }
    }

    /// Writes one line to the host's log, with the driver's name.
    pub fn log(&self, level: Level, message: impl Display) {
        self.object
            .log(level.number(), message.to_string().as_str().into());
    }

    /// Logs a failure.
    pub fn error(&self, message: impl Display) {
        self.log(Level::Error, message);
    }

    /// Logs what an operator should look at.
    pub fn warn(&self, message: impl Display) {
        self.log(Level::Warn, message);
    }

    /// Logs what an operator may want to know.
    pub fn info(&self, message: impl Display) {
        self.log(Level::Info, message);
    }

    /// Logs for the driver's author.
    pub fn debug(&self, message: impl Display) {
        self.log(Level::Debug, message);
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}
