//! A PDU and the way to it, as the checked properties of a node say.

use std::fmt;

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
        read: String,
        write: String,
    },
    /// Version 3. Boxed: most PDUs are asked in the older versions.
    User(Box<User>),
}

/// A user of version 3, with the security level that the keys make.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) authentication: Option<(Authentication, String)>,
    /// Only with authentication.
    pub(crate) privacy: Option<(Privacy, String)>,
    pub(crate) context_name: String,
    pub(crate) context_engine_id: Option<Vec<u8>>,
}

/// How a message of version 3 is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Authentication {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// How a message of version 3 is encrypted. Keys of 192 and 256 bits are longer than some digests; there are two ways to lengthen them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
