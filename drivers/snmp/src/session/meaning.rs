//! What it means that a PDU says nothing, or something else than an answer.

use std::time::Duration;

use snmp2::v3::AuthErrorKind;
use snmp2::{AsyncSession, Error};
use tokio::time::timeout;

use super::{Purpose, Session, CORRECTIONS};
use crate::error::{Messages, SnmpError};
use crate::oid::ObjectId;
use crate::pdu::{Access, User};
use crate::usm;

impl Session<'_> {
    /// What it means that a message got no answer: a PDU says nothing to a community that it does not know, nor to what it cannot decrypt.
    pub(super) fn silence(&self, purpose: Purpose) -> SnmpError {
        match &self.pdu.access {
            Access::Community { read, write, .. } => {
                let community = if purpose == Purpose::Read { read } else { write };
                silent(&format!(
                    "is the address right, and is {} right? A PDU does not answer one that it does not know",
                    community.property
                ))
            }
            Access::User(_) => silent(
                "it has told its engine ID, and then nothing; are snmp_priv_key and snmp_context_name right?",
            ),
        }
    }

    /// What an error of the library means.
    pub(super) async fn meaning(&self, error: Error) -> SnmpError {
        match (error, &self.pdu.access) {
            (Error::Send | Error::Receive, _) => SnmpError::Unreachable,
            (Error::AuthFailure(AuthErrorKind::EngineIdMismatch), Access::User(user)) => {
                match &user.context_engine_id {
                    Some(engine_id) => SnmpError::OtherEngine(engine_id.clone()),
                    None => SnmpError::UnknownEngine,
                }
            }
            (
                Error::AuthFailure(AuthErrorKind::EngineTimeMismatch | AuthErrorKind::EngineBootsMismatch),
                _,
            )
            | (Error::AuthUpdated, _) => SnmpError::OutsideTimeWindow,
            // A report, in the clear or as protected as the request was: the PDU has refused.
            (
                error @ (Error::AuthFailure(
                    AuthErrorKind::NotAuthenticated | AuthErrorKind::ReplyNotEncrypted,
                )
                | Error::AsnWrongType),
                Access::User(user),
            ) => self.refusal(&error, user).await,
            (Error::AuthFailure(AuthErrorKind::SignatureMismatch), Access::User(user)) => {
                SnmpError::WrongAuthentication(user.name.clone())
            }
            (Error::Crypto(error), _) => SnmpError::Library(error),
            (error, _) => SnmpError::Garbage(error.to_string()),
        }
    }

    async fn refusal(&self, error: &Error, user: &User) -> SnmpError {
        let garbage = SnmpError::Garbage(error.to_string());
        let Some(address) = self.address else {
            return garbage;
        };
        let Some(report) = usm::report(address, user, self.moment()).await else {
            return garbage;
        };
        match error {
            _ if report == usm::Report::UnknownUser => SnmpError::UnknownUser(user.name.clone()),
            // As protected as the request was: the keys are right.
            Error::AsnWrongType => SnmpError::WrongLevel {
                user: user.name.clone(),
                context: user.context_name.clone(),
            },
            _ if user.privacy.is_some() && self.authenticates(user).await => {
                SnmpError::WrongPrivacy(user.name.clone())
            }
            _ => SnmpError::WrongAuthentication(user.name.clone()),
        }
    }

    /// Whether the PDU gives an authenticated answer to this user when nothing is encrypted: then only the encryption is wrong.
    async fn authenticates(&self, user: &User) -> bool {
        let plain = User {
            privacy: None,
            ..user.clone()
        };
        let (Some(address), Ok(security)) = (self.address, plain.security()) else {
            return false;
        };
        let ask = async {
            let mut session = AsyncSession::new_v3(address, 1, security).await.ok()?;
            session.init().await.ok()?;
            let system = ObjectId::SYSTEM.parse::<ObjectId>().ok()?.to_wire()?;
            for _ in 0..CORRECTIONS {
                match session.getnext(&system).await {
                    Err(Error::AuthUpdated) => {}
                    // An authenticated report, perhaps that this user has to encrypt.
                    Ok(_) | Err(Error::AsnWrongType) => return Some(()),
                    Err(_) => return None,
                }
            }
            None
        };
        matches!(timeout(self.moment(), ask).await, Ok(Some(())))
    }
}

/// Without the figures, which come when there is no attempt left.
pub(super) fn silent(hint: &str) -> SnmpError {
    SnmpError::Silent {
        messages: Messages(0),
        waited: Duration::ZERO,
        hint: hint.to_owned(),
    }
}
