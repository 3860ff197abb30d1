//! TLS of the public listener: the settings, and the exchange of a certificate while the
//! application runs.

#[cfg(not(feature = "tls"))]
mod none;
#[cfg(feature = "tls")]
mod real;

use std::path::PathBuf;

use doyen_settings::Settings;

use crate::fault::Fault;
use crate::settings::ServerSettings;

#[cfg(not(feature = "tls"))]
pub(crate) use none::PublicTls;
#[cfg(feature = "tls")]
pub(crate) use real::{FAMILIES, PublicTls};

/// TLS of the public listener.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct TlsSettings {
    /// PEM file of the certificate, followed by those of intermediate authorities. The public
    /// listener then speaks TLS only. Needs `server.tls.key` and the Cargo feature `tls`. The file
    /// is read again at SIGHUP, and within a minute after it changes.
    pub certificate: Option<PathBuf>,
    /// PEM file of the private key of the certificate.
    pub key: Option<PathBuf>,
}

/// Returns the files if they are set. They are read when the application listens.
pub(crate) fn open(server: &ServerSettings) -> Result<Option<PublicTls>, Fault> {
    let lacks = |key, other| {
        let message = format!("`{other}` is set without it. Set both, or neither");
        Err(Fault::setting(key, message))
    };
    match (&server.tls.certificate, &server.tls.key) {
        (Some(_), _) if server.bind.unix().is_some() => Err(Fault::setting(
            "server.tls.certificate",
            "`server.bind` is a Unix socket, which does not speak TLS. Remove the certificate, or \
             set `server.bind` to an address and port",
        )),
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            PublicTls::new(certificate.clone(), key.clone()).map(Some)
        }
        (Some(_), None) => lacks("server.tls.key", "server.tls.certificate"),
        (None, Some(_)) => lacks("server.tls.certificate", "server.tls.key"),
    }
}
