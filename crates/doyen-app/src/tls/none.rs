//! What a program that is built without the feature `tls` has instead.

use std::convert::Infallible;
use std::path::PathBuf;

use doyen_web::ServerOptions;

use crate::fault::Fault;

/// No TLS: this program is built without the feature `tls`.
#[derive(Clone, Debug)]
pub(crate) struct PublicTls(Infallible);

impl PublicTls {
    pub(super) fn new(_: PathBuf, _: PathBuf) -> Result<Self, Fault> {
        Err(Fault::setting(
            "server.tls.certificate",
            "this program was built without TLS. Add the feature `tls` of `doyen`, or remove the setting",
        ))
    }

    pub(crate) fn apply(&self, _: &mut ServerOptions) -> Result<(), Fault> {
        match self.0 {}
    }

    #[allow(clippy::unused_async, reason = "the other one waits")]
    pub(crate) async fn keep_current(&self) -> Infallible {
        self.0
    }
}
