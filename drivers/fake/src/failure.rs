//! Failing on request, in every way in which a driver can.

use driver_sdk::prelude::*;
use driver_sdk::FaultKind;

/// The arguments of the failing methods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    #[serde(default)]
    kind: Kind,
    #[serde(default = "no_message")]
    message: String,
}

/// The kinds of fault by their names.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Internal,
    InvalidParameter,
    MissingParameter,
    Conflict,
    NotFound,
    Unavailable,
    Timeout,
    Panicked,
    Unsupported,
}

impl Failure {
    #[allow(clippy::panic, reason = "shows what a panic of a driver does")]
    pub(crate) fn happen(self) -> Result<(), Fault> {
        let kind = match self.kind {
            Kind::Internal => FaultKind::Internal,
            Kind::InvalidParameter => FaultKind::InvalidParameter,
            Kind::MissingParameter => FaultKind::MissingParameter,
            Kind::Conflict => FaultKind::Conflict,
            Kind::NotFound => FaultKind::NotFound,
            Kind::Unavailable => FaultKind::Unavailable,
            Kind::Timeout => FaultKind::Timeout,
            Kind::Unsupported => FaultKind::Unsupported,
            Kind::Panicked => panic!("{}", self.message),
        };
        Err(Fault::new(kind, self.message))
    }
}

fn no_message() -> String {
    "failed as requested".to_owned()
}
