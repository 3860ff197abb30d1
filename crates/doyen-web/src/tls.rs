//! TLS of a listener: the certificate, and its exchange while the server runs.
//!
//! TLS 1.2 and 1.3 with the ciphers of rustls, HTTP/2 and HTTP/1.1 by ALPN. Sessions are resumed
//! with tickets, whose keys stay in this process and change by themselves. No request is accepted
//! as early data (0-RTT): it could be replayed.

mod error;
mod pem;

pub use error::TlsError;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use doyen_core::sync::lock;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, ServerConfig};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, Error, RootCertStore};

use error::Cause;

/// The protocol identifier (ALPN) of HTTP/2.
pub(crate) const ALPN_HTTP2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// The certificate of a listener, and its key. Cloning shares it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Loaded>,
}

/// What was read from the files.
struct Loaded {
    config: Arc<ServerConfig>,
    validity: Validity,
    warnings: Vec<String>,
}

/// The time in which a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: SystemTime,
    /// Last second.
    pub not_after: SystemTime,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.0.certificate)
            .field("key", &self.0.key)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads a certificate and its key from PEM files. The first certificate is that of the server,
    /// those of intermediate authorities follow.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read or is not PEM, or if the key does not belong to
    /// the certificate.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let loaded = Loaded::read(certificate, key)?;
        Ok(Self(Arc::new(Shared {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: Mutex::new(loaded),
        })))
    }

    /// Reads the files again. New connections get the new certificate; open ones stay as they are.
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`load`](Self::load). The former certificate stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let loaded = Loaded::read(&self.0.certificate, &self.0.key)?;
        *lock(&self.0.current) = loaded;
        Ok(())
    }

    /// Returns the file of the certificate.
    pub fn certificate(&self) -> &Path {
        &self.0.certificate
    }

    /// Returns the time in which the current certificate is valid.
    pub fn validity(&self) -> Validity {
        lock(&self.0.current).validity
    }

    /// Returns what an operator should change: an expired certificate, or a key that every user of
    /// the machine can read.
    pub fn warnings(&self) -> Vec<String> {
        lock(&self.0.current).warnings.clone()
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&lock(&self.0.current).config)
    }
}

impl Loaded {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = pem::certificates(certificate)?;
        let of_certificate = |cause| TlsError::certificate(certificate, cause);
        let validity = validity(&chain[0]).map_err(|error| of_certificate(Cause::Tls(error)))?;
        let mut warnings = Vec::new();
        warnings.extend(validity.warning(certificate));
        warnings.extend(pem::readable_by_all(key));

        let of_key = |cause| TlsError::key(key, certificate, cause);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certified = CertifiedKey::from_der(chain, pem::key(key, certificate)?, &provider)
            .map_err(|error| of_key(Cause::Tls(error)))?;
        let config = config(provider, certified).map_err(|error| of_key(Cause::Tls(error)))?;
        Ok(Self {
            config: Arc::new(config),
            validity,
            warnings,
        })
    }
}

/// A configuration of its own for each certificate: a session that began with a former one is not
/// resumed.
fn config(provider: Arc<CryptoProvider>, certified: CertifiedKey) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
    // Tickets alone: a table of sessions would grow with what clients do.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

impl Validity {
    /// Says if the certificate is not valid now.
    fn warning(&self, file: &Path) -> Option<String> {
        let now = SystemTime::now();
        let what = if now > self.not_after {
            "has expired"
        } else if now < self.not_before {
            "is not valid yet"
        } else {
            return None;
        };
        Some(format!(
            "the certificate in {} {what}: clients will refuse it. Replace the file and send SIGHUP",
            file.display()
        ))
    }
}

/// Returns the validity of a certificate. The library that checks certificates reports it when it
/// is asked about a time outside.
fn validity(certificate: &CertificateDer<'_>) -> Result<Validity, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let at = |seconds| {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let anchors = RootCertStore::empty();
        verify_server_cert_signed_by_trust_anchor(&parsed, &anchors, &[], time, &[])
    };
    let system_time = |time: UnixTime| SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs());
    let not_before = match at(0) {
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => system_time(not_before),
        // Valid since 1970 or before.
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => SystemTime::UNIX_EPOCH,
        Err(error) => return Err(error),
        Ok(()) => SystemTime::UNIX_EPOCH,
    };
    match at(u64::MAX) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Ok(Validity {
                not_before,
                not_after: system_time(not_after),
            })
        }
        Err(error) => Err(error),
        Ok(()) => Err(Error::General("the certificate never expires".to_owned())),
    }
}
