//! TLS of pipelined connections, with the checks that sqlx makes for each `sslmode`.
//!
//! | `sslmode` | encrypted | the certificate |
//! | --- | --- | --- |
//! | `prefer` | when the server can | any |
//! | `require` | always | any |
//! | `verify-ca` | always | of a known authority, or of one in `sslrootcert` |
//! | `verify-full` | always | the same, and of this host |

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sqlx::postgres::PgSslMode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    crypto,
};
use tokio_rustls::{TlsConnector, client};

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Creates TLS connections.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the root certificates: PEM text, or `file: ` and a path.
    pub(super) fn new(mode: PgSslMode, root: Option<&str>) -> Result<Self, Fault> {
        let policy = CertificatePolicy::new(mode, root)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&policy.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(policy));
        Ok(Self(Arc::new(builder.with_no_client_auth())))
    }
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

impl MakeTlsConnect<Socket> for Tls {
    type Stream = TlsSocket;
    type TlsConnect = Handshake;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, InvalidDnsNameError> {
        Ok(Handshake {
            config: Arc::clone(&self.0),
            host: ServerName::try_from(host.to_owned())?,
        })
    }
}

pub(super) struct Handshake {
    config: Arc<ClientConfig>,
    host: ServerName<'static>,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = TlsSocket;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TlsSocket>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let connector = TlsConnector::from(self.config);
            let stream = connector.connect(self.host, socket).await?;
            Ok(TlsSocket(Box::new(stream)))
        })
    }
}

/// An encrypted connection.
pub(super) struct TlsSocket(Box<client::TlsStream<Socket>>);

impl TlsStream for TlsSocket {
    // As in sqlx.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for TlsSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for TlsSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    /// An authority, and a certificate of it for the host `db`.
    fn made() -> (String, CertificateDer<'static>) {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        let leaf = CertificateParams::new(vec!["db".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &issuer);
        (root, leaf.unwrap().der().clone())
    }

    #[test]
    fn each_mode_checks_exactly_its_requirements() {
        let (root, certificate) = made();
        let (other, _) = made();
        for (mode, root, host, taken) in [
            (PgSslMode::Prefer, None, "elsewhere", true),
            (PgSslMode::Require, Some(&other), "elsewhere", true),
            (PgSslMode::VerifyCa, None, "db", false),
            (PgSslMode::VerifyCa, Some(&other), "db", false),
            (PgSslMode::VerifyCa, Some(&root), "elsewhere", true),
            (PgSslMode::VerifyFull, None, "db", false),
            (PgSslMode::VerifyFull, Some(&other), "db", false),
            (PgSslMode::VerifyFull, Some(&root), "elsewhere", false),
            (PgSslMode::VerifyFull, Some(&root), "db", true),
        ] {
            let policy = CertificatePolicy::new(mode, root.map(String::as_str)).unwrap();
            let host = ServerName::try_from(host).unwrap();
            let verdict = policy.verify_server_cert(&certificate, &[], &host, &[], UnixTime::now());
            assert_eq!(verdict.is_ok(), taken, "{mode:?} {host:?}: {verdict:?}");
        }
        assert!(CertificatePolicy::new(PgSslMode::VerifyFull, Some("file: /nowhere")).is_err());
    }
}
