//! What the host and a worker process say to each other: frames on a stream of bytes.
//!
//! A frame is a head of eight bytes, the lengths of what follows, then a message, and then the bytes that the message is
//! about: a body, a node, a reply. Those are not looked into, and are written from where they lie and handed on where they arrived.
//!
//! Either side may be broken: the driver's code runs in one of them. So whoever reads bounds both lengths, and what is not
//! understood ends the connection.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;

use bytes::{Buf, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{Fault, FaultKind};
use crate::plugin::excerpted;

/// Bytes of a frame's head: the message's length and the length of what follows it, each a `u32` in little-endian order.
pub(crate) const HEAD: usize = 8;
/// Most frames have shorter heads and messages.
const USUAL: usize = 128;
/// The longest message: a fault's text and details are cut far below that.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;

/// From the host to a worker process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Load the driver and create it. Followed by its table of the configuration, as JSON. Always first.
    Create {
        /// The library.
        file: String,
        /// The driver that the host has found there.
        driver: String,
        /// How many threads may be inside the driver.
        threads: u32,
        /// The largest reply that may be sent.
        max_reply_bytes: u64,
    },
    /// The names that manifests declare secret, for all calls that follow. Followed by them, as a JSON array.
    Secrets,
    /// Check a node. Followed by the node.
    CheckNode {
        /// Answered with the result.
        id: u64,
        /// Of the request and its deadline.
        terms: Terms,
    },
    /// A call. Followed by the node, if it is of one, and the body.
    Call {
        /// Answered with the result.
        id: u64,
        /// Of the request and its deadline.
        terms: Terms,
        /// Whether the method is one of nodes.
        on_node: bool,
        /// The method's name.
        method: String,
        /// The HTTP verb in capitals.
        http_method: String,
        /// How much of what follows is the node.
        node_bytes: u32,
        /// What of the call is to be done.
        step: Step,
    },
    /// Nobody waits for the answer any more.
    Cancel {
        /// The call.
        id: u64,
    },
    /// No call will follow.
    ShutDown,
}

/// What the driver can ask about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// The request's id.
    pub(crate) request_id: [u8; 16],
    /// Until the deadline.
    pub(crate) remaining_ms: u64,
}

/// The parts of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The driver's checks.
    Check,
    /// The method, after its checks.
    Begin,
    /// Both, one after the other.
    Both,
}

/// From a worker process to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The driver is there.
    Created,
    /// It is not. One line for the operator.
    Refused(String),
    /// The driver has nothing against the call or the node.
    Checked {
        /// The call.
        id: u64,
    },
    /// The method has answered. Followed by its reply.
    Answered {
        /// The call.
        id: u64,
        /// The media type that a method with `attach` names.
        content_type: Option<String>,
    },
    /// The checks or the method have failed.
    Failed {
        /// The call.
        id: u64,
        /// Why.
        fault: SentFault,
    },
    /// A line for the log.
    Log {
        /// As in the boundary.
        level: u8,
        /// The request that the driver was busy with.
        request_id: Option<[u8; 16]>,
        /// The line.
        message: String,
    },
    /// The driver was told that no call will follow, and has returned.
    ShutDown,
}

/// A fault on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SentFault {
    kind: FaultKind,
    message: String,
    details: Option<String>,
}

impl From<Fault> for SentFault {
    fn from(fault: Fault) -> Self {
        let Fault {
            kind,
            message,
            details,
        } = fault;
        SentFault {
            kind,
            message,
            details,
        }
    }
}

/// Whatever has become of the process: its texts are harmless, and what only the host can know it cannot say.
impl From<SentFault> for Fault {
    fn from(sent: SentFault) -> Self {
        let SentFault {
            kind,
            message,
            details,
        } = sent;
        let kind = match kind {
            FaultKind::NotBegun | FaultKind::WorkerDied => FaultKind::Internal,
            kind => kind,
        };
        Fault {
            kind,
            message: excerpted(&message),
            details: details.map(|details| excerpted(&details)),
        }
    }
}

/// Why what was read is no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// Its head announces more than there may be.
    #[error("{found} bytes of {what} are announced, at most {most} are allowed")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// How much was announced.
        found: usize,
        /// How much there may be.
        most: usize,
    },
    /// The message is none.
    #[error("a message that cannot be read: {0}")]
    Message(postcard::Error),
    /// Something follows the message that is not part of it.
    #[error("a message with {0} bytes too many")]
    Rest(usize),
}

/// The head and message of a frame that `tail` bytes follow.
///
/// # Errors
/// A message that nobody would read, or a tail of more than 4 GiB.
pub(crate) fn encode(message: &impl Serialize, tail: usize) -> Result<Vec<u8>, WireError> {
    let mut frame = Vec::with_capacity(USUAL);
    frame.resize(HEAD, 0);
    let mut frame = postcard::to_extend(message, frame).map_err(WireError::Message)?;
    let length = |what, found: usize, most: usize| match u32::try_from(found) {
        Ok(length) if found <= most => Ok(length),
        _ => Err(WireError::TooLong { what, found, most }),
    };
    let message = length("message", frame.len() - HEAD, MAX_MESSAGE)?;
    let tail = length("data", tail, usize::try_from(u32::MAX).unwrap_or(usize::MAX))?;
    frame[..4].copy_from_slice(&message.to_le_bytes());
    frame[4..HEAD].copy_from_slice(&tail.to_le_bytes());
    Ok(frame)
}

/// How many bytes the first frame in `read` lacks at least: none if it is whole.
///
/// # Errors
/// It announces a tail of more than `max_tail` bytes, or a message that is none.
pub(crate) fn missing(read: &[u8], max_tail: usize) -> Result<usize, WireError> {
    let whole = match lengths(read, max_tail)? {
        Some((message, tail)) => HEAD + message + tail,
        None => HEAD,
    };
    Ok(whole.saturating_sub(read.len()))
}

/// Takes the first frame off `read`, if it is whole: the message, and what follows it, which stays where it is.
///
/// # Errors
/// It announces a tail of more than `max_tail` bytes, or is no frame.
pub(crate) fn decode<T: for<'a> Deserialize<'a>>(
    read: &mut BytesMut,
    max_tail: usize,
) -> Result<Option<(T, Bytes)>, WireError> {
    let Some((message, tail)) = lengths(read, max_tail)? else {
        return Ok(None);
    };
    if read.len() < HEAD + message + tail {
        return Ok(None);
    }
    read.advance(HEAD);
    let head = read.split_to(message);
    match postcard::take_from_bytes(&head).map_err(WireError::Message)? {
        (decoded, []) => Ok(Some((decoded, read.split_to(tail).freeze()))),
        (_, rest) => Err(WireError::Rest(rest.len())),
    }
}

fn lengths(read: &[u8], max_tail: usize) -> Result<Option<(usize, usize)>, WireError> {
    let Some(head) = read.first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let [a, b, c, d, e, f, g, h] = *head;
    let length = |bytes, what, most| {
        let found = usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX);
        if found > most {
            return Err(WireError::TooLong { what, found, most });
        }
        Ok(found)
    };
    let message = length([a, b, c, d], "message", MAX_MESSAGE)?;
    let tail = length([e, f, g, h], "data", max_tail)?;
    Ok(Some((message, tail)))
}

#[cfg(test)]
mod tests;
