//! A PDU and the way to it, as the checked properties of a node say.

use std::fmt;

use snmp2::v3::{Auth, AuthProtocol, Cipher, KeyExtension, Security};

use crate::family::{Family, Outlet};

/// One outlet of one PDU.
pub(crate) struct Pdu {
    pub(crate) family: &'static Family,
    pub(crate) outlet: Outlet,
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) access: Access,
}

/// What the PDU is to be told before it answers.
pub(crate) enum Access {
    /// Versions 1 and 2c.
    Community {
        version_2c: bool,
        read: Community,
        write: Community,
    },
    /// Version 3. Boxed: most PDUs are asked in the older versions.
    User(Box<User>),
}

/// A community, and the property that names it.
pub(crate) struct Community {
    pub(crate) property: &'static str,
    pub(crate) name: String,
}

/// A user of version 3, with the security level that the keys make.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) authentication: Option<(Authentication, String)>,
    /// Only with authentication.
    pub(crate) privacy: Option<(Privacy, String)>,
    pub(crate) context_name: String,
    /// The engine of the PDU itself; nothing if the PDU is to tell.
    pub(crate) context_engine_id: Option<Vec<u8>>,
}

/// How a message of version 3 is authenticated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Authentication {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// How a message of version 3 is encrypted. Keys of 192 and 256 bits are longer than some digests; there are two ways to lengthen them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Privacy {
    Des,
    Aes128,
    /// Lengthened as Reeder's draft and most devices do.
    Aes192,
    Aes256,
    /// Lengthened as Blumenthal's draft does.
    Aes192Blumenthal,
    Aes256Blumenthal,
}

impl Authentication {
    /// Ironic's names, but for `none`.
    pub(crate) const EXPECTED: &'static str = "none, md5, sha, sha224, sha256, sha384 or sha512";

    /// By Ironic's name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Authentication::Md5,
            "sha" => Authentication::Sha1,
            "sha224" => Authentication::Sha224,
            "sha256" => Authentication::Sha256,
            "sha384" => Authentication::Sha384,
            "sha512" => Authentication::Sha512,
            _ => return None,
        })
    }

    /// By the library's name.
    pub(crate) fn protocol(self) -> AuthProtocol {
        match self {
            Authentication::Md5 => AuthProtocol::Md5,
            Authentication::Sha1 => AuthProtocol::Sha1,
            Authentication::Sha224 => AuthProtocol::Sha224,
            Authentication::Sha256 => AuthProtocol::Sha256,
            Authentication::Sha384 => AuthProtocol::Sha384,
            Authentication::Sha512 => AuthProtocol::Sha512,
        }
    }
}

impl Privacy {
    /// Ironic's names without `3des`, which the protocol's library lacks.
    pub(crate) const EXPECTED: &'static str = "none, des, aes, aes192, aes256, aes192blmt or aes256blmt";

    /// By Ironic's name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "des" => Privacy::Des,
            "aes" => Privacy::Aes128,
            "aes192" => Privacy::Aes192,
            "aes256" => Privacy::Aes256,
            "aes192blmt" => Privacy::Aes192Blumenthal,
            "aes256blmt" => Privacy::Aes256Blumenthal,
            _ => return None,
        })
    }

    /// By the library's name.
    pub(crate) fn cipher(self) -> Cipher {
        match self {
            Privacy::Des => Cipher::Des,
            Privacy::Aes128 => Cipher::Aes128,
            Privacy::Aes192 | Privacy::Aes192Blumenthal => Cipher::Aes192,
            Privacy::Aes256 | Privacy::Aes256Blumenthal => Cipher::Aes256,
        }
    }

    /// How a key that is too short for it is lengthened.
    pub(crate) fn extension(self) -> KeyExtension {
        match self {
            Privacy::Aes192Blumenthal | Privacy::Aes256Blumenthal => KeyExtension::Blumenthal,
            _ => KeyExtension::Reeder,
        }
    }
}

impl User {
    /// The user as the library has one; with the keys, if the engine is known.
    pub(crate) fn security(&self) -> Result<Security, snmp2::Error> {
        let key = self.authentication.as_ref().map_or("", |(_, key)| key);
        let mut security = Security::new(self.name.as_bytes(), key.as_bytes())
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

/// Where it is, for messages: `the PDU at 192.0.2.7:161`.
impl fmt::Display for Pdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pdu { address, port, .. } = self;
        if address.contains(':') {
            write!(f, "the PDU at [{address}]:{port}")
        } else {
            write!(f, "the PDU at {address}:{port}")
        }
    }
}
