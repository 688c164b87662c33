//! What went wrong, as a method answers it.

use std::error::Error;
use std::fmt;

use driver_abi::kind;
use serde_json::Value;

/// What went wrong: a kind, one line for the client, and details for programs.
///
/// The message is sent to the client, logged and stored with the call: it must not hold secrets, and it should name
/// what was wrong, expected and found. Any [`Error`] becomes a fault of kind [`Internal`](FaultKind::Internal) with `?`.
///
/// ```
/// use driver_sdk::{json, Fault};
///
/// let fault = Fault::unavailable("the BMC at 192.0.2.7 refuses connections").with_details(json!({"port": 623}));
/// assert_eq!(fault.message(), "the BMC at 192.0.2.7 refuses connections");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    kind: FaultKind,
    message: String,
    details: Option<Value>,
}

/// What kind of thing went wrong. The host chooses the client's status by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The driver's own failure.
    Internal,
    /// A parameter or a property of the node has a value that cannot be used.
    InvalidParameter,
    /// A parameter or a property of the node is missing.
    MissingParameter,
    /// The request is sound but does not fit the state of the device.
    Conflict,
    /// What the request names does not exist on the device.
    NotFound,
    /// The device cannot be reached, or refuses to talk.
    Unavailable,
    /// The device did not answer in time.
    Timeout,
    /// The driver's code panicked. Set by the SDK's guards, never by a driver.
    Panicked,
    /// The driver does not implement what was asked.
    Unsupported,
}

impl Fault {
    /// A fault of a kind that is chosen at run time; the functions named after the kinds read better.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Fault {
            kind,
            message: message.into(),
            details: None,
        }
    }

    /// A parameter, or a property of the node, has a value that cannot be used.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::InvalidParameter, message)
    }

    /// A parameter, or a property of the node, is missing.
    pub fn missing_parameter(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::MissingParameter, message)
    }

    /// The request is sound but does not fit the state of the device, such as a reset during an update.
    pub fn conflict(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::Conflict, message)
    }

    /// What the request names does not exist on the device.
    pub fn not_found(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::NotFound, message)
    }

    /// The device cannot be reached, or refuses to talk.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::Unavailable, message)
    }

    /// The device did not answer in time.
    pub fn timeout(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::Timeout, message)
    }

    /// The driver's own failure.
    pub fn internal(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::Internal, message)
    }

    /// The driver does not implement what was asked.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Fault::new(FaultKind::Unsupported, message)
    }

    /// Adds JSON for programs, replacing what was there.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The kind.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The line for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The JSON for programs, if there is any.
    pub fn details(&self) -> Option<&Value> {
        self.details.as_ref()
    }

    pub(crate) fn into_abi(self) -> driver_abi::Fault {
        let mut fault = driver_abi::Fault::new(self.kind.number(), self.message);
        if let Some(details) = self.details {
            fault.details = details.to_string().into_bytes().into();
        }
        fault
    }

    pub(crate) fn from_abi(fault: driver_abi::Fault) -> Self {
        Fault {
            kind: FaultKind::from_number(fault.kind),
            message: fault.message.into_string(),
            details: serde_json::from_slice(&fault.details).ok(),
        }
    }
}

impl FaultKind {
    const ALL: [(FaultKind, u32); 9] = [
        (FaultKind::Internal, kind::INTERNAL),
        (FaultKind::InvalidParameter, kind::INVALID_PARAMETER),
        (FaultKind::MissingParameter, kind::MISSING_PARAMETER),
        (FaultKind::Conflict, kind::CONFLICT),
        (FaultKind::NotFound, kind::NOT_FOUND),
        (FaultKind::Unavailable, kind::UNAVAILABLE),
        (FaultKind::Timeout, kind::TIMEOUT),
        (FaultKind::Panicked, kind::PANICKED),
        (FaultKind::Unsupported, kind::UNSUPPORTED),
    ];

    fn number(self) -> u32 {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or(kind::INTERNAL, |(_, number)| *number)
    }

    fn from_number(number: u32) -> Self {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == number)
            .map_or(FaultKind::Internal, |(kind, _)| *kind)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// So that `?` works on every error: the kind is [`FaultKind::Internal`], the message is the error and its causes.
impl<E: Error> From<E> for Fault {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Fault::internal(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_crosses_the_boundary_and_comes_back_with_message_and_details() {
        for (kind, number) in FaultKind::ALL {
            let fault = Fault::new(kind, "text").with_details(serde_json::json!({"a": 1}));
            let crossed = fault.clone().into_abi();
            assert_eq!(crossed.kind, number);
            assert_eq!(Fault::from_abi(crossed), fault);
        }
    }

    #[test]
    fn a_kind_of_a_later_version_is_an_internal_fault() {
        assert_eq!(
            Fault::from_abi(driver_abi::Fault::new(4711, "text")).kind(),
            FaultKind::Internal
        );
    }

    #[test]
    fn the_question_mark_keeps_an_error_and_its_causes_in_one_line() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cannot read the sensor")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        fn method() -> Result<u8, Fault> {
            Ok("x".parse().map_err(Outer)?)
        }
        let fault = method().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Internal);
        assert_eq!(
            fault.message(),
            "cannot read the sensor: invalid digit found in string"
        );
    }
}
