//! Why a call gave no answer.

use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::call::json::JsonError;
use crate::call::limits::Busy;
use crate::call::record::RecordedError;
use crate::database::StoreError;
use crate::node::lock::LockError;
use crate::node::power::PowerState;
use crate::plugin::loaded::{Fault, FaultKind, Unavailable};

/// In what time a driver's process is there again, most often.
const RESTART: Duration = Duration::from_secs(1);

/// A call that was refused or failed. The sentences that Ironic has are Ironic's.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The node names a driver that is not enabled here.
    #[error(
        "Node {node} uses the driver '{driver}', which is not enabled on this host; add it to enabled_drivers, or change the node's driver"
    )]
    DriverNotEnabled {
        /// The node.
        node: Uuid,
        /// Its driver.
        driver: String,
    },
    /// The driver has no such method.
    #[error("No handler for method {method}")]
    NoHandler {
        /// As the client spelt it.
        method: String,
    },
    /// The method does not take the verb.
    #[error("The method {method} does not support HTTP {http_method}")]
    WrongVerb {
        /// The method.
        method: String,
        /// The verb.
        http_method: String,
    },
    /// The body does not fit the schema that the driver declares for it. The driver has not seen it.
    #[error("the body of {method} does not fit its schema: {reason}")]
    Body {
        /// The method.
        method: String,
        /// Where, the rule, and what was found; without secrets of the node.
        reason: String,
    },
    /// The node was deleted while the call waited for it.
    #[error("Node {node} could not be found.")]
    NodeGone {
        /// The node.
        node: Uuid,
    },
    /// The node got another driver while the call waited for it.
    #[error(
        "Node {node} was given another driver while the call waited for it; repeat the call if it still makes sense"
    )]
    DriverChanged {
        /// The node.
        node: Uuid,
    },
    /// The driver's processes are down; it was not asked.
    #[error("{0}")]
    DriverDown(Unavailable),
    /// The driver does not have a standard interface, or not this part of it. Ironic's `UnsupportedDriverExtension`.
    #[error("Driver {driver} does not support {extension} (disabled or not implemented).")]
    Unsupported {
        /// The driver.
        driver: String,
        /// What it lacks.
        extension: &'static str,
    },
    /// The driver's manifest does not list the power target.
    #[error("The driver {driver} does not support the power state, {target}")]
    UnsupportedTarget {
        /// The driver.
        driver: String,
        /// What was asked for.
        target: &'static str,
    },
    /// The driver has made a power change, but the device did not get there. The first half is Ironic's `PowerStateFailure`.
    #[error("Failed to set node power state to {}. The device reports {}", wanted.word(), found.map_or("nothing", PowerState::word))]
    NotReached {
        /// What was asked for.
        wanted: PowerState,
        /// What was read last.
        found: Option<PowerState>,
    },
    /// Somebody else holds the node.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// A limit is reached. Nothing was begun.
    #[error("{0}")]
    Busy(#[from] Busy),
    /// The driver refused or failed.
    #[error("{0}")]
    Fault(Fault),
    /// The driver's reply is not JSON.
    #[error("the driver's reply to {method} is {reason}")]
    BadReply {
        /// The method.
        method: String,
        /// What is wrong with it.
        reason: JsonError,
    },
    /// The driver's answer to a standard call is not what the contract says.
    #[error("the driver's answer to {method} cannot be used: expected {expected}, found {found}")]
    UnknownAnswer {
        /// The call.
        method: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// What kind of value is there.
        found: &'static str,
    },
    /// The driver's reply is too large.
    #[error(
        "the driver's reply to {method} has {bytes} bytes, more than the {limit} that limits.max_reply_bytes allows"
    )]
    LargeReply {
        /// The method.
        method: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The call could not be recorded. Nothing was begun.
    #[error("the call could not be recorded, so it was not begun: {0}")]
    Unrecorded(#[from] StoreError),
    /// The driver did not answer in time, and is still busy with the call.
    #[error("the driver did not answer {method} within {} ms; the call goes on, and nobody knows yet whether it takes effect", limit.as_millis())]
    Deadline {
        /// The method.
        method: String,
        /// The time that it had.
        limit: Duration,
        /// Where its outcome will be found.
        record: Option<Uuid>,
    },
    /// The driver's validation took longer than the call may; the method was not begun.
    #[error("the deadline of the call passed before {method} could begin; the method was not begun")]
    NotBegun {
        /// The method.
        method: String,
    },
    /// The client of an async method left before it was begun, so nobody knows of it.
    #[error("the client left before {method} could begin; the method was not begun")]
    ClientGone {
        /// The method.
        method: String,
    },
    /// The call's own task ended without an answer.
    #[error("the call of {method} was lost")]
    Lost {
        /// The method.
        method: String,
    },
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            // Another process, or the same one started again, may take the call that this one has not seen.
            FaultKind::NotBegun => CallError::DriverDown(Unavailable {
                reason: fault.message,
                retry_after: Some(RESTART),
            }),
            _ => CallError::Fault(fault),
        }
    }
}

impl CallError {
    /// What the driver added to its fault for programs, as JSON.
    pub fn details(&self) -> Option<&str> {
        match self {
            CallError::Fault(fault) => fault.details.as_deref(),
            _ => None,
        }
    }

    /// What a record says of it.
    pub fn recorded(&self) -> RecordedError {
        let kind = match self {
            CallError::Fault(fault) => fault.kind.word(),
            CallError::BadReply { .. } | CallError::UnknownAnswer { .. } => "bad-reply",
            CallError::NotReached { .. } => "not-reached",
            CallError::LargeReply { .. } => "large-reply",
            CallError::Deadline { .. } => "timeout",
            CallError::Busy(_)
            | CallError::DriverDown(_)
            | CallError::NotBegun { .. }
            | CallError::ClientGone { .. } => "not-begun",
            _ => "internal",
        };
        // Details are the driver's text; what is no JSON is a string.
        let raw = |text: &str| RawValue::from_string(text.to_owned()).or_else(|_| to_raw_value(text));
        RecordedError {
            kind,
            message: self.to_string(),
            details: self.details().and_then(|text| raw(text).ok()),
            interrupted: matches!(self, CallError::Fault(fault) if fault.kind == FaultKind::WorkerDied),
        }
    }

    /// Whether the request was at fault, and not the driver, its device or this host.
    pub fn is_refusal(&self) -> bool {
        match self {
            CallError::Fault(fault) => fault.kind.is_refusal(),
            CallError::DriverNotEnabled { .. }
            | CallError::NoHandler { .. }
            | CallError::WrongVerb { .. }
            | CallError::Body { .. }
            | CallError::Unsupported { .. }
            | CallError::UnsupportedTarget { .. }
            | CallError::NodeGone { .. }
            | CallError::DriverChanged { .. }
            | CallError::Locked(_)
            | CallError::Busy(_)
            | CallError::DriverDown(_)
            | CallError::ClientGone { .. } => true,
            CallError::BadReply { .. }
            | CallError::UnknownAnswer { .. }
            | CallError::NotReached { .. }
            | CallError::LargeReply { .. }
            | CallError::Deadline { .. }
            | CallError::Unrecorded(_)
            | CallError::NotBegun { .. }
            | CallError::Lost { .. } => false,
        }
    }
}
