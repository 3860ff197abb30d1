//! PEM files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rustls::pki_types::pem::{Error, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{Cause, TlsError};

/// Maximum size of a file. A chain of certificates has a few KiB.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads a chain of certificates: at least one.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |cause| TlsError::certificate(file, cause);
    let text = read(file).map_err(wrong)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(wrong(Cause::Missing)),
        Ok(chain) => Ok(chain),
        Err(_) => Err(wrong(Cause::Malformed)),
    }
}

/// Reads a private key: PKCS#8, PKCS#1 or SEC1.
pub(super) fn key(file: &Path, certificate: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let wrong = |cause| TlsError::key(file, certificate, cause);
    let text = read(file).map_err(wrong)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let is_encrypted = String::from_utf8_lossy(&text).contains("ENCRYPTED");
        wrong(match error {
            _ if is_encrypted => Cause::Encrypted,
            Error::NoItemsFound => Cause::Missing,
            _ => Cause::Malformed,
        })
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Cause> {
    let mut text = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text))
        .map_err(Cause::Read)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(Cause::TooLarge);
    }
    Ok(text)
}

/// Warns of a key that every user of the machine can read.
pub(super) fn readable_by_all(key: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(key).ok()?.permissions().mode();
        (mode & 0o004 != 0).then(|| {
            format!(
                "every user of this machine can read the key in {}. Set its mode to 0640 or 0600",
                key.display()
            )
        })
    }
    #[cfg(not(unix))]
    {
        let _ = key;
        None
    }
}
