//! What can go wrong between the driver and a PDU, and how it is told.

use std::time::Duration;

use driver_sdk::prelude::*;

use crate::oid::ObjectId;
use crate::pdu::Pdu;

/// What went wrong. Each text goes on after `the PDU at ADDRESS`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum SnmpError {
    #[error("cannot be looked up (snmp_address): {0}")]
    NoAddress(String),
    #[error("cannot be reached: nothing listens on that port, or the network refuses it")]
    Unreachable,
    /// `hint` says which property may be why.
    #[error("gave no answer to {messages} in {} s: {hint}", waited.as_secs_f32())]
    Silent {
        messages: Messages,
        waited: Duration,
        hint: String,
    },
    #[error("gave no answer to a command that is not sent twice: nobody knows whether it was carried out")]
    SilentOnce,
    #[error("was not asked to the end: the call's time is over")]
    Late,
    #[error("answers with what is no answer to the request: {0}")]
    Garbage(String),
    #[error("has no object {object}: {said}")]
    Missing { object: ObjectId, said: String },
    #[error("refuses {object}: {name} ({status}){hint}", name = status_name(*status), hint = status_hint(*status))]
    Refused { object: ObjectId, status: u32 },
    #[error("holds something else than an integer in {0}: does snmp_driver name the right family?")]
    NotAnInteger(ObjectId),
    #[error("goes in circles: after {0} comes what was there before")]
    Circle(ObjectId),
    #[error("knows no user '{0}' (snmp_user)")]
    UnknownUser(String),
    #[error("finds the messages of user '{0}' wrongly authenticated: snmp_auth_key or snmp_auth_protocol is wrong")]
    WrongAuthentication(String),
    #[error("cannot decrypt the messages of user '{0}': snmp_priv_key or snmp_priv_protocol is wrong")]
    WrongPrivacy(String),
    #[error(
        "refuses the security level of user '{user}': more or fewer keys are needed (snmp_auth_protocol, snmp_priv_protocol); \
         or it has no context '{context}' (snmp_context_name)"
    )]
    WrongLevel { user: String, context: String },
    #[error("is not the SNMP engine that it said it was a moment ago")]
    UnknownEngine,
    #[error("is not the SNMP engine {} (snmp_context_engine_id)", hex(.0))]
    OtherEngine(Vec<u8>),
    #[error("finds the messages outside its time window: its clock jumps")]
    OutsideTimeWindow,
    #[error("cannot be asked: {0}")]
    Library(String),
}

/// How many messages, in words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Messages(pub(crate) u32);

impl std::fmt::Display for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("one message"),
            many => write!(f, "{many} messages"),
        }
    }
}

impl SnmpError {
    /// For the client.
    pub(crate) fn fault(&self, pdu: &Pdu) -> Fault {
        let text = format!("{pdu} {self}");
        match self {
            SnmpError::Silent { .. } | SnmpError::SilentOnce | SnmpError::Late => Fault::timeout(text),
            SnmpError::Missing { .. } => Fault::not_found(text),
            SnmpError::Library(_) => Fault::internal(text),
            _ => Fault::unavailable(text),
        }
    }

    /// An error-status of a response (RFC 3416, section 3). In version 1 it stands for a missing object too.
    pub(crate) fn of_status(status: u32, object: &ObjectId) -> Self {
        let object = object.clone();
        match status {
            2 | 11 | 18 => SnmpError::Missing {
                object,
                said: status_name(status).to_owned(),
            },
            _ => SnmpError::Refused { object, status },
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn status_name(status: u32) -> &'static str {
    const NAMES: [&str; 19] = [
        "noError",
        "tooBig",
        "noSuchName",
        "badValue",
        "readOnly",
        "genErr",
        "noAccess",
        "wrongType",
        "wrongLength",
        "wrongEncoding",
        "wrongValue",
        "noCreation",
        "inconsistentValue",
        "resourceUnavailable",
        "commitFailed",
        "undoFailed",
        "authorizationError",
        "notWritable",
        "inconsistentName",
    ];
    let known = usize::try_from(status).ok().and_then(|at| NAMES.get(at));
    known.copied().unwrap_or("an unknown error-status")
}

fn status_hint(status: u32) -> &'static str {
    match status {
        4 | 6 | 16 | 17 => "; is the community or the user allowed to write?",
        3 | 7 | 10 => "; does snmp_driver name the right family?",
        _ => "",
    }
}
