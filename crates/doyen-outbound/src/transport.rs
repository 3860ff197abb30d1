//! One request on the wire: no retry, no redirect, a maximum size of the response.

use std::error::Error;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use doyen_app::SetupError;
use http::{HeaderMap, Method};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};

use crate::guard::{Addresses, Forbidden, GuardedResolver, Lookup};
use crate::{CallError, CallErrorKind, ClientSettings, Response};

/// The connections of one client. Those to any address are apart: a call to public addresses must
/// not find an open connection to a private one.
pub(crate) struct Transport {
    public: Client,
    any: Client,
    max_response: usize,
}

impl Transport {
    /// Reads the certificates and creates the clients.
    pub(crate) fn new(
        name: &str,
        agent: &str,
        settings: &ClientSettings,
        lookup: &Arc<dyn Lookup>,
    ) -> Result<Self, SetupError> {
        let certificates = certificates(name, settings)?;
        let build = |addresses| {
            let resolver = GuardedResolver {
                lookup: Arc::clone(lookup),
                addresses,
            };
            Client::builder()
                .user_agent(agent)
                // Also if another crate of the build needs the HTTP/2 of the library.
                .http1_only()
                .dns_resolver(Arc::new(resolver))
                // Redirects are followed with a check of each address, retries are counted.
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(settings.connect_timeout)
                // A proxy would resolve names itself, and could receive secrets.
                .no_proxy()
                .referer(false)
                .tls_certs_merge(certificates.iter().cloned())
                .build()
                .map_err(|error| SetupError::new(format!("the client `{name}`")).caused_by(error))
        };
        Ok(Self {
            public: build(Addresses::Public)?,
            any: build(Addresses::Any)?,
            max_response: usize::try_from(settings.max_response.bytes()).unwrap_or(usize::MAX),
        })
    }

    /// Sends a request and reads its response to the end.
    pub(crate) async fn send(
        &self,
        client: &'static str,
        addresses: Addresses,
        (method, url): (Method, Url),
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, CallError> {
        let connections = match addresses {
            Addresses::Public => &self.public,
            Addresses::Any => &self.any,
        };
        let failed = |error| failure(client, error);
        let mut request = connections.request(method, url).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(failed)?;
        let too_large = || CallError::new(client, CallErrorKind::TooLarge);
        let announced = response.content_length().unwrap_or(0);
        if announced > self.max_response as u64 {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(failed)? {
            if body.len() + part.len() > self.max_response {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
        Ok(Response {
            client,
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
            tries: 1,
        })
    }
}

fn certificates(name: &str, settings: &ClientSettings) -> Result<Vec<Certificate>, SetupError> {
    let Some(path) = &settings.ca else {
        return Ok(Vec::new());
    };
    let wrong = |what: &str| {
        let message = format!("the file {} {what}", path.display());
        SetupError::setting(format!("outbound.{name}.ca"), message)
    };
    let pem = std::fs::read(path)
        .map_err(|error| wrong("cannot be read: correct the path").caused_by(error))?;
    let found = Certificate::from_pem_bundle(&pem)
        .map_err(|error| wrong("must contain certificates in PEM").caused_by(error))?;
    match found.is_empty() {
        true => Err(wrong("contains no certificate in PEM")),
        false => Ok(found),
    }
}

fn failure(client: &'static str, error: reqwest::Error) -> CallError {
    // The URL may contain a secret.
    let error = error.without_url();
    let kind = if forbidden(&error).is_some() {
        CallErrorKind::Forbidden
    } else if error.is_timeout() {
        CallErrorKind::Timeout
    } else if error.is_connect() {
        CallErrorKind::Connect
    } else if error.is_builder() {
        CallErrorKind::Invalid
    } else {
        CallErrorKind::Transport
    };
    CallError::new(client, kind).caused_by(error)
}

/// Returns the refusal of the resolver, if it is the reason.
pub(crate) fn forbidden(error: &(dyn Error + 'static)) -> Option<Forbidden> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(forbidden) = error.downcast_ref::<Forbidden>() {
            return Some(*forbidden);
        }
        next = error.source();
    }
    None
}
