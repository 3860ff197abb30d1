//! A certificate for one test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A self-signed certificate, and the file that clients trust.
#[derive(Debug)]
pub(super) struct Certificate {
    file: PathBuf,
    config: Arc<ServerConfig>,
}

impl Certificate {
    pub(super) fn new() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = generate_simple_self_signed(names);
        let CertifiedKey { cert, signing_key } =
            made.unwrap_or_else(|error| panic!("no certificate: {error}"));
        let unique = doyen::domain::RequestId::new();
        let file = std::env::temp_dir().join(format!("doyen-upstream-{unique}.pem"));
        std::fs::write(&file, cert.pem())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![cert.der().clone()], key)
            })
            .unwrap_or_else(|error| panic!("no TLS: {error}"));
        Self {
            file,
            config: Arc::new(config),
        }
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}
