//! Why a certificate cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::{Error, InconsistentKeys};

/// A certificate or a key cannot be used. The text names the file, what is wrong with it, and what
/// to do.
#[derive(Debug)]
pub struct TlsError {
    file: PathBuf,
    /// The file of the certificate, if the key is wrong.
    certificate: Option<PathBuf>,
    cause: Cause,
}

#[derive(Debug)]
pub(super) enum Cause {
    Read(std::io::Error),
    /// The file has no section of this kind.
    Missing,
    /// The only key is encrypted.
    Encrypted,
    Malformed,
    TooLarge,
    Tls(Error),
}

impl TlsError {
    pub(super) fn certificate(file: &Path, cause: Cause) -> Self {
        Self {
            file: file.to_owned(),
            certificate: None,
            cause,
        }
    }

    pub(super) fn key(file: &Path, certificate: &Path, cause: Cause) -> Self {
        Self {
            file: file.to_owned(),
            certificate: Some(certificate.to_owned()),
            cause,
        }
    }

    /// Returns true if the key is wrong, false if the certificate is.
    pub const fn is_about_key(&self) -> bool {
        self.certificate.is_some()
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match (&self.cause, &self.certificate) {
            (Cause::Read(error), _) => write!(f, "{file} cannot be read: {error}"),
            (Cause::Missing, None) => write!(
                f,
                "{file} has no certificate in PEM, which begins with `-----BEGIN CERTIFICATE-----`"
            ),
            (Cause::Missing, Some(_)) => write!(
                f,
                "{file} has no private key in PEM, which begins with `-----BEGIN PRIVATE KEY-----`, \
                 `-----BEGIN EC PRIVATE KEY-----` or `-----BEGIN RSA PRIVATE KEY-----`"
            ),
            (Cause::Encrypted, _) => write!(
                f,
                "the key in {file} is encrypted. Decrypt it with `openssl pkey -in KEY -out NEW`"
            ),
            (Cause::Malformed, _) => write!(f, "{file} is not valid PEM"),
            (Cause::TooLarge, _) => write!(
                f,
                "{file} has more than {} bytes, which is too much for PEM",
                super::pem::MAX_FILE_BYTES
            ),
            (
                Cause::Tls(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)),
                Some(certificate),
            ) => write!(
                f,
                "the key in {file} does not belong to the certificate in {}: both must be of the \
                 same pair, and the certificate of the server must be the first in its file",
                certificate.display()
            ),
            (Cause::Tls(error), None) => {
                write!(f, "the first certificate in {file} cannot be used: {error}")
            }
            (Cause::Tls(error), Some(_)) => write!(f, "the key in {file} cannot be used: {error}"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Read(error) => Some(error),
            Cause::Tls(error) => Some(error),
            _ => None,
        }
    }
}
