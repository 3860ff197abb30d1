//! TLS of pipelined connections, with the checks that sqlx makes for each `sslmode`.
//!
//! | `sslmode` | encrypted | the certificate |
//! | --- | --- | --- |
//! | `prefer` | when the server can | any |
//! | `require` | always | any |
//! | `verify-ca` | always | of a known authority, or of one in `sslrootcert` |
//! | `verify-full` | always | the same, and of this host |

use std::sync::Arc;

use rustls_tokio_postgres::MakeRustlsConnect;
use rustls_tokio_postgres::rustls::client::WebPkiServerVerifier;
use rustls_tokio_postgres::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use rustls_tokio_postgres::rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls_tokio_postgres::rustls::pki_types::pem::PemObject as _;
use rustls_tokio_postgres::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_tokio_postgres::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    crypto,
};
use sqlx::postgres::PgSslMode;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Creates the TLS connector. Reads the root certificates: PEM text, or `file: ` and a path.
pub(super) fn connector(mode: PgSslMode, root: Option<&str>) -> Result<MakeRustlsConnect, Fault> {
    let policy = CertificatePolicy::new(mode, root)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&policy.provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(policy));
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

fn authorities(root: Option<&str>) -> Result<RootCertStore, Fault> {
    let mut all = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(root) = root {
        let text = match root.strip_prefix("file: ") {
            Some(path) => std::fs::read(path)?,
            None => root.as_bytes().to_vec(),
        };
        for certificate in CertificateDer::pem_slice_iter(&text) {
            all.add(certificate?)?;
        }
    }
    Ok(all)
}

/// Requirements for the certificate of the server. The handshake always proves that the server
/// holds its key.
#[derive(Debug)]
struct CertificatePolicy {
    known: Option<Arc<WebPkiServerVerifier>>,
    host: bool,
    provider: Arc<CryptoProvider>,
}

impl CertificatePolicy {
    fn new(mode: PgSslMode, root: Option<&str>) -> Result<Self, Fault> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let known = match mode {
            PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
                let builder = WebPkiServerVerifier::builder_with_provider(
                    Arc::new(authorities(root)?),
                    Arc::clone(&provider),
                );
                Some(builder.build()?)
            }
            _ => None,
        };
        Ok(Self {
            known,
            host: matches!(mode, PgSslMode::VerifyFull),
            provider,
        })
    }
}

impl ServerCertVerifier for CertificatePolicy {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        revocation: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(known) = &self.known else {
            return Ok(ServerCertVerified::assertion());
        };
        match known.verify_server_cert(certificate, between, host, revocation, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.host => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolkit::certificates::Authority;

    /// An authority, and a certificate of it for `localhost`.
    fn made() -> (String, CertificateDer<'static>) {
        let authority = Authority::new();
        let certificate = authority.server().certificate_der;
        (authority.certificate().to_owned(), certificate.into())
    }

    #[test]
    fn each_mode_checks_exactly_its_requirements() {
        let (root, certificate) = made();
        let (other, _) = made();
        for (mode, root, host, taken) in [
            (PgSslMode::Prefer, None, "elsewhere", true),
            (PgSslMode::Require, Some(&other), "elsewhere", true),
            (PgSslMode::VerifyCa, None, "localhost", false),
            (PgSslMode::VerifyCa, Some(&other), "localhost", false),
            (PgSslMode::VerifyCa, Some(&root), "elsewhere", true),
            (PgSslMode::VerifyFull, None, "localhost", false),
            (PgSslMode::VerifyFull, Some(&other), "localhost", false),
            (PgSslMode::VerifyFull, Some(&root), "elsewhere", false),
            (PgSslMode::VerifyFull, Some(&root), "localhost", true),
        ] {
            let policy = CertificatePolicy::new(mode, root.map(String::as_str)).unwrap();
            let host = ServerName::try_from(host).unwrap();
            let verdict = policy.verify_server_cert(&certificate, &[], &host, &[], UnixTime::now());
            assert_eq!(verdict.is_ok(), taken, "{mode:?} {host:?}: {verdict:?}");
        }
        assert!(CertificatePolicy::new(PgSslMode::VerifyFull, Some("file: /nowhere")).is_err());
    }
}
