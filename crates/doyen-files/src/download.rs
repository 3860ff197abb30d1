//! Downloads that the store itself may serve.

use doyen_core::Refusal;
use doyen_schema::contract::Contract;
use doyen_web::http::Method;
use doyen_web::{File, IntoResponse, Parts, Redirect, Response};

/// What [`Files::download`](crate::Files::download) returns: a redirect to the store, or the
/// content. The link is for `GET` only, so `HEAD` gets the headers of the content.
#[derive(Debug)]
pub struct Download {
    pub(crate) link: Option<String>,
    pub(crate) file: File,
}

impl IntoResponse for Download {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        match self.link {
            Some(link) if parts.head.method != Method::HEAD => {
                Redirect::temporary(link).into_response(parts)
            }
            _ => self.file.into_response(parts),
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        Redirect::<307>::describe(contract);
        <File as IntoResponse>::describe(contract);
    }
}
