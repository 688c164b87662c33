//! Messages to one PDU and their answers: time-outs and repetitions.

mod meaning;

use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use driver_sdk::prelude::Call;
use snmp2::{AsyncSession, Error, Oid, Pdu as Message};
use tokio::time::timeout;

use crate::config::Patience;
use crate::error::{Messages, SnmpError};
use crate::oid::ObjectId;
use crate::pdu::{Access, Pdu};
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
                            return Err(meaning::silent(
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

fn wire(object: &ObjectId) -> Result<Oid<'static>, SnmpError> {
    object
        .to_wire()
        .ok_or_else(|| SnmpError::Library(format!("{object} cannot be sent")))
}
