//! Messages to one PDU and their answers: time-outs, repetitions, and what an answer that is none means.

use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use driver_sdk::prelude::Call;
use snmp2::v3::{Auth, AuthErrorKind};
use snmp2::{AsyncSession, Error, Oid, Pdu as Message};
use tokio::time::timeout;

use crate::config::Patience;
use crate::error::{Messages, SnmpError};
use crate::oid::ObjectId;
use crate::pdu::{Access, Pdu, User};
use crate::usm;
use crate::value::{Binding, Value};

/// The error-status noSuchName: in version 1 also the end of a walk.
const NO_SUCH_NAME: u32 = 2;
/// How often a PDU may correct the engine's clock before an answer comes.
const CORRECTIONS: u32 = 3;

/// The messages of one call. Each attempt that fails closes the socket, so that no late answer is taken for the next one's.
pub(crate) struct Session<'a> {
    pdu: &'a Pdu,
    call: &'a Call<'a>,
    patience: Patience,
    address: Option<SocketAddr>,
    open: Option<Open>,
}

/// Whether a message may be sent again when no answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    IfUnanswered,
    Never,
}

struct Open {
    session: AsyncSession,
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
}

enum Request<'r> {
    Get(&'r Oid<'static>),
    Next(&'r Oid<'static>, u32),
    Set(&'r Oid<'static>, i64),
}

struct Answer {
    status: u32,
    bindings: Vec<Binding>,
}

/// An attempt that failed: before the message itself was sent, or after.
enum Failed {
    Opening(SnmpError),
    Asking(SnmpError),
}

impl<'a> Session<'a> {
    pub(crate) fn new(pdu: &'a Pdu, call: &'a Call<'a>, patience: Patience) -> Self {
        Session {
            pdu,
            call,
            patience,
            address: None,
            open: None,
        }
    }

    /// The value of an object.
    pub(crate) async fn get(&mut self, object: &ObjectId) -> Result<Value, SnmpError> {
        let oid = wire(object)?;
        let answer = self.ask(&Request::Get(&oid), Repeat::IfUnanswered).await?;
        if answer.status != 0 {
            return Err(SnmpError::of_status(answer.status, object));
        }
        match answer.bindings.into_iter().next() {
            Some(Binding {
                value: Value::Missing(said),
                ..
            }) => Err(SnmpError::Missing {
                object: object.clone(),
                said: said.to_owned(),
            }),
            Some(binding) if binding.oid == *object => Ok(binding.value),
            Some(binding) => Err(SnmpError::Garbage(format!(
                "asked for {object}, it sent {}",
                binding.oid
            ))),
            None => Err(SnmpError::Garbage(format!(
                "asked for {object}, it sent no object"
            ))),
        }
    }

    /// The objects behind one, at most so many; none at the end of all objects.
    pub(crate) async fn next(&mut self, object: &ObjectId, most: u32) -> Result<Vec<Binding>, SnmpError> {
        let oid = wire(object)?;
        let answer = self.ask(&Request::Next(&oid, most), Repeat::IfUnanswered).await?;
        match answer.status {
            0 => Ok(answer.bindings),
            NO_SUCH_NAME => Ok(Vec::new()),
            status => Err(SnmpError::of_status(status, object)),
        }
    }

    /// Writes an INTEGER.
    pub(crate) async fn set(
        &mut self,
        object: &ObjectId,
        value: i64,
        repeat: Repeat,
    ) -> Result<(), SnmpError> {
        let oid = wire(object)?;
        let answer = self.ask(&Request::Set(&oid, value), repeat).await?;
        if answer.status != 0 {
            return Err(SnmpError::of_status(answer.status, object));
        }
        // snmpsim answers a write to nothing with success, and nothing in it.
        match answer.bindings.into_iter().next() {
            Some(Binding {
                value: Value::Missing(said),
                ..
            }) => Err(SnmpError::Missing {
                object: object.clone(),
                said: said.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    async fn ask(&mut self, request: &Request<'_>, repeat: Repeat) -> Result<Answer, SnmpError> {
        let started = Instant::now();
        let mut messages = 0;
        loop {
            if self.call.remaining().is_zero() || self.call.cancelled() {
                return Err(SnmpError::Late);
            }
            messages += 1;
            let failed = match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            self.open = None;
            let (error, last) = match failed {
                Failed::Opening(error) => (error, messages == self.patience.attempts),
                Failed::Asking(SnmpError::Silent { .. }) if repeat == Repeat::Never => {
                    return Err(SnmpError::SilentOnce)
                }
                Failed::Asking(error) => (
                    error,
                    messages == self.patience.attempts || repeat == Repeat::Never,
                ),
            };
            match error {
                SnmpError::Silent { hint, .. } if last => {
                    return Err(SnmpError::Silent {
                        messages: Messages(messages),
                        waited: started.elapsed(),
                        hint,
                    })
                }
                SnmpError::Silent { .. } => {}
                SnmpError::Unreachable if !last => tokio::time::sleep(self.moment()).await,
                SnmpError::Garbage(_) if !last => {}
                error => return Err(error),
            }
        }
    }

    async fn attempt(&mut self, request: &Request<'_>) -> Result<Answer, Failed> {
        let moment = self.moment();
        let purpose = match request {
            Request::Set(..) => Purpose::Write,
            _ => Purpose::Read,
        };
        if self.open.as_ref().is_some_and(|open| open.purpose != purpose) {
            self.open = None;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.opened(purpose).await.map_err(Failed::Opening)?,
        };
        let mut refused = Error::AuthUpdated;
        for _ in 0..CORRECTIONS {
            refused = match timeout(moment, request.send(&mut open.session)).await {
                Err(_) => return Err(Failed::Asking(self.silence(purpose))),
                Ok(Ok(answer)) => {
                    self.open = Some(open);
                    return Ok(answer);
                }
                // The engine's clock has been set, and the message was not carried out: it goes out again.
                Ok(Err(Error::AuthUpdated)) => Error::AuthUpdated,
                Ok(Err(error)) => {
                    refused = error;
                    break;
                }
            };
        }
        Err(Failed::Asking(self.meaning(refused).await))
    }

    async fn opened(&mut self, purpose: Purpose) -> Result<Open, SnmpError> {
        let address = self.address().await?;
        // Not guessable, and not negative: some devices cannot do that.
        let random = std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish();
        let id = i32::try_from(random >> 34).unwrap_or(1);
        let unreachable = |_| SnmpError::Unreachable;
        let session = match &self.pdu.access {
            Access::Community {
                version_2c,
                read,
                write,
            } => {
                let community = match purpose {
                    Purpose::Read => read.name.as_bytes(),
                    Purpose::Write => write.name.as_bytes(),
                };
                let session = if *version_2c {
                    AsyncSession::new_v2c(address, community, id).await
                } else {
                    AsyncSession::new_v1(address, community, id).await
                };
                session.map_err(unreachable)?
            }
            Access::User(user) => {
                let security = user
                    .security()
                    .map_err(|error| SnmpError::Library(error.to_string()))?;
                let mut session = AsyncSession::new_v3(address, id, security)
                    .await
                    .map_err(unreachable)?;
                // Whoever names the engine need not ask for it.
                if user.context_engine_id.is_none() {
                    match timeout(self.moment(), session.init()).await {
                        Err(_) => {
                            return Err(silent(
                                "is the address right, and does the PDU speak SNMP version 3?",
                            ))
                        }
                        Ok(Err(error)) => return Err(self.meaning(error).await),
                        Ok(Ok(())) => {}
                    }
                }
                session
            }
        };
        Ok(Open { session, purpose })
    }

    async fn address(&mut self) -> Result<SocketAddr, SnmpError> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let place = (self.pdu.address.as_str(), self.pdu.port);
        let looked_up = timeout(self.call.remaining(), tokio::net::lookup_host(place)).await;
        let mut addresses = match looked_up {
            Err(_) => return Err(SnmpError::Late),
            Ok(Err(error)) => return Err(SnmpError::NoAddress(error.to_string())),
            Ok(Ok(addresses)) => addresses,
        };
        let address = addresses
            .next()
            .ok_or_else(|| SnmpError::NoAddress("it has no address".to_owned()))?;
        self.address = Some(address);
        Ok(address)
    }

    /// How long one answer may take now.
    fn moment(&self) -> Duration {
        self.patience.timeout.min(self.call.remaining())
    }

    /// What it means that a message got no answer: a PDU says nothing to a community that it does not know, nor to what it cannot decrypt.
    fn silence(&self, purpose: Purpose) -> SnmpError {
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
    async fn meaning(&self, error: Error) -> SnmpError {
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

impl Request<'_> {
    async fn send(&self, session: &mut AsyncSession) -> Result<Answer, Error> {
        let message = match self {
            Request::Get(oid) => session.get(oid).await?,
            // Version 1 has no request for several at once.
            Request::Next(oid, _) if session.version() == snmp2::Version::V1 => session.getnext(oid).await?,
            Request::Next(oid, most) => session.getbulk(&[*oid], 0, *most).await?,
            Request::Set(oid, value) => session.set(&[(*oid, snmp2::Value::Integer(*value))]).await?,
        };
        Answer::of(message)
    }
}

impl Answer {
    fn of(message: Message<'_>) -> Result<Self, Error> {
        let bindings: Option<Vec<Binding>> = message
            .varbinds
            .map(|(oid, value)| {
                Some(Binding {
                    oid: ObjectId::of_wire(&oid)?,
                    value: Value::of_wire(&value),
                })
            })
            .collect();
        Ok(Answer {
            status: message.error_status,
            bindings: bindings.ok_or(Error::AsnParse)?,
        })
    }
}

impl User {
    /// The user as the library has one; with the keys, if the engine is known.
    fn security(&self) -> Result<snmp2::v3::Security, Error> {
        let key = self.authentication.as_ref().map_or("", |(_, key)| key);
        let mut security = snmp2::v3::Security::new(self.name.as_bytes(), key.as_bytes())
            .with_context_name(&self.context_name)
            .with_auth(match (&self.authentication, &self.privacy) {
                (None, _) => Auth::NoAuthNoPriv,
                (Some(_), None) => Auth::AuthNoPriv,
                (Some(_), Some((privacy, key))) => Auth::AuthPriv {
                    cipher: privacy.cipher(),
                    privacy_password: key.as_bytes().to_vec(),
                },
            });
        if let Some((authentication, _)) = self.authentication {
            security = security.with_auth_protocol(authentication.protocol());
        }
        if let Some((privacy, _)) = self.privacy {
            security = security.with_key_extension_method(privacy.extension());
        }
        match &self.context_engine_id {
            Some(engine_id) => security.with_engine_id(engine_id),
            None => Ok(security),
        }
    }
}

fn wire(object: &ObjectId) -> Result<Oid<'static>, SnmpError> {
    object
        .to_wire()
        .ok_or_else(|| SnmpError::Library(format!("{object} cannot be sent")))
}

/// Without the figures, which come when there is no attempt left.
fn silent(hint: &str) -> SnmpError {
    SnmpError::Silent {
        messages: Messages(0),
        waited: Duration::ZERO,
        hint: hint.to_owned(),
    }
}
