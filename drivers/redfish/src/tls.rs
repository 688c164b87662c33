//! TLS: which certificates are trusted, and what is spoken.

mod ciphers;
mod roots;
mod unverified;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use thiserror::Error;

pub(crate) use ciphers::CipherList;
use roots::Stamp;
use unverified::Unverified;

/// How a device's certificate is verified, and what is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TlsSettings {
    pub(crate) verify: Verify,
    pub(crate) minimum: MinimumVersion,
    pub(crate) ciphers: Option<CipherList>,
}

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Verify {
    /// Anybody.
    Nothing,
    /// The CAs that the machine trusts.
    System,
    /// The CAs in a file, or in the files of a folder.
    Own(PathBuf),
}

/// The oldest version to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MinimumVersion {
    Tls12,
    Tls13,
}

/// Why TLS cannot be set up as a node wants it.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error("expected true, false, or the absolute path of a file or a folder, found '{0}'")]
    Verify(String),
    #[error("cannot read {path}: {error}")]
    Read { path: PathBuf, error: std::io::Error },
    #[error("no CA certificate in {0}: expected PEM, -----BEGIN CERTIFICATE-----")]
    Empty(PathBuf),
    #[error("{path} has a certificate that cannot be read: {reason}")]
    Certificate { path: PathBuf, reason: String },
    #[error("the machine trusts no CA: install ca-certificates, or name a file of CAs")]
    NoSystemRoots,
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

impl Verify {
    /// Reads `redfish_verify_ca`: a boolean in the words that Ironic knows, or a path.
    pub(crate) fn read(text: &str) -> Result<Self, TlsError> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Ok(Verify::System),
            "false" | "f" | "no" | "n" | "off" | "0" => Ok(Verify::Nothing),
            _ if Path::new(text).is_absolute() => Ok(Verify::Own(text.into())),
            _ => Err(TlsError::Verify(crate::text::excerpt(text, 100))),
        }
    }
}

/// The TLS configurations in use: reading a machine's CAs takes milliseconds, and most nodes want the same.
#[derive(Default)]
pub(crate) struct TlsConfigs {
    known: Mutex<HashMap<TlsSettings, (Stamp, Arc<ClientConfig>)>>,
}

/// More different settings than any installation has; beyond it everything is read anew.
const MOST: usize = 1_000;

impl TlsConfigs {
    /// The configuration for `settings`, made anew when its files have changed. Reads files, and asks no device.
    ///
    /// # Errors
    /// There is no CA certificate to trust.
    pub(crate) fn get(&self, settings: &TlsSettings) -> Result<Arc<ClientConfig>, TlsError> {
        let stamp = roots::stamp(&settings.verify)?;
        if let Some((known, config)) = self.known.lock().get(settings)
            && *known == stamp
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(build(settings)?);
        let mut known = self.known.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(settings.clone(), (stamp, Arc::clone(&config)));
        Ok(config)
    }
}

fn build(settings: &TlsSettings) -> Result<ClientConfig, TlsError> {
    let mut provider = ring::default_provider();
    if let Some(ciphers) = &settings.ciphers {
        provider.cipher_suites.retain(|suite| ciphers.allows(suite));
    }
    let versions: &[&rustls::SupportedProtocolVersion] = match settings.minimum {
        MinimumVersion::Tls12 => &[&TLS13, &TLS12],
        MinimumVersion::Tls13 => &[&TLS13],
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(versions)?;
    let config = match &settings.verify {
        Verify::Nothing => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unverified::new()))
            .with_no_client_auth(),
        trusted => builder
            .with_root_certificates(roots::read(trusted)?)
            .with_no_client_auth(),
    };
    Ok(config)
}

#[cfg(test)]
mod tests;
