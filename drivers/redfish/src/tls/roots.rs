//! CA certificates: the machine's, or those of a file or a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{TlsError, Verify};

/// What files looked like when they were read: path, time of change, length.
pub(super) type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// What the files of `verify` look like now. The machine's own CAs are read once per start of the host.
pub(super) fn stamp(verify: &Verify) -> Result<Stamp, TlsError> {
    let Verify::Own(path) = verify else {
        return Ok(Stamp::new());
    };
    files(path)?
        .into_iter()
        .map(|file| {
            let metadata = fs::metadata(&file).map_err(|error| TlsError::Read {
                path: file.clone(),
                error,
            })?;
            Ok((file, metadata.modified().ok(), metadata.len()))
        })
        .collect()
}

pub(super) fn read(verify: &Verify) -> Result<RootCertStore, TlsError> {
    match verify {
        Verify::Own(path) => own(path),
        _ => system(),
    }
}

fn system() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // A machine's store may hold certificates that are too old to be parsed; those are of no use and no harm.
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(TlsError::NoSystemRoots);
    }
    Ok(roots)
}

fn own(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for file in files(path)? {
        let text = fs::read(&file).map_err(|error| TlsError::Read {
            path: file.clone(),
            error,
        })?;
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
            added.map_err(|reason| TlsError::Certificate {
                path: file.clone(),
                reason,
            })?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::Empty(path.to_owned()));
    }
    Ok(roots)
}

/// The file, or the files of the folder, sorted.
fn files(path: &Path) -> Result<Vec<PathBuf>, TlsError> {
    let failed = |error| TlsError::Read {
        path: path.to_owned(),
        error,
    };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
