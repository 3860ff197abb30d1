//! One request to the collector.
//!
//! The collector is not trusted: its response is bounded in time and size, and only its status, its
//! `Retry-After` and the number of rejected spans are used.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use doyen_app::SetupError;
use doyen_core::Secret;
use http::header::{CONTENT_TYPE, RETRY_AFTER, TE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use percent_encoding::percent_decode_str;
use prost::Message as _;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use crate::counters::Signal;
use crate::{OtlpProtocol, OtlpSettings, grpc};

/// Maximum size of a response.
pub(crate) const MAX_RESPONSE_BYTES: usize = 64 << 10;
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Sends telemetry.
#[derive(Debug)]
pub(crate) struct Collector {
    client: Client,
    endpoint: Url,
    headers: HeaderMap,
    protocol: OtlpProtocol,
    timeout: Duration,
}

/// Why the collector did not accept a batch. It shows neither the URL nor headers.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) reason: String,
    /// True if another try may succeed.
    pub(crate) is_transient: bool,
    /// The pause that the collector asks for.
    pub(crate) retry_after: Option<Duration>,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl SendError {
    pub(crate) fn new(reason: impl Into<String>, is_transient: bool) -> Self {
        Self {
            reason: reason.into(),
            is_transient,
            retry_after: None,
        }
    }
}

impl Collector {
    /// Creates the client.
    ///
    /// # Errors
    ///
    /// Returns an error that names the setting if the URL or the headers are invalid.
    pub(crate) fn new(endpoint: &str, settings: &OtlpSettings) -> Result<Self, SetupError> {
        let headers = settings.headers.as_ref().map(headers).transpose()?;
        let client = match settings.protocol {
            OtlpProtocol::Http => Client::builder().http1_only(),
            OtlpProtocol::Grpc => Client::builder().http2_prior_knowledge(),
        };
        let client = client
            .user_agent(concat!(
                "OTel-OTLP-Exporter-Doyen/",
                env!("CARGO_PKG_VERSION")
            ))
            // A redirect or a proxy could receive the headers, which are secret.
            .redirect(Policy::none())
            .no_proxy()
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.timeout)
            .build()
            .map_err(|error| SetupError::new("the client of OTLP").caused_by(error))?;
        Ok(Self {
            client,
            endpoint: endpoint_url(endpoint)?,
            headers: headers.unwrap_or_default(),
            protocol: settings.protocol,
            timeout: settings.timeout,
        })
    }

    /// Sends a batch. Returns the number of items that the collector rejected.
    ///
    /// # Errors
    ///
    /// Returns an error if the collector did not accept the batch, or if that is not known.
    pub(crate) async fn send(&self, signal: Signal, body: Bytes) -> Result<u64, SendError> {
        match tokio::time::timeout(self.timeout, self.exchange(signal, body)).await {
            Ok(result) => result,
            Err(_) => {
                let reason = format!("no response within {:?}", self.timeout);
                Err(SendError::new(reason, true))
            }
        }
    }

    async fn exchange(&self, signal: Signal, body: Bytes) -> Result<u64, SendError> {
        let path = match self.protocol {
            OtlpProtocol::Http => format!("/v1/{}", signal.as_str()),
            OtlpProtocol::Grpc => grpc::path(signal).to_owned(),
        };
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let request = self.client.post(url).headers(self.headers.clone());
        let body = match self.protocol {
            OtlpProtocol::Http => {
                let request = request.header(CONTENT_TYPE, PROTOBUF).body(body);
                whole(request.send().await.map_err(transport)?).await?
            }
            OtlpProtocol::Grpc => {
                let request = request.header(CONTENT_TYPE, GRPC).header(TE, "trailers");
                let request = request.body(grpc::frame(&body));
                grpc::message(request.send().await.map_err(transport)?).await?
            }
        };
        // All signals have the same message, with their own name of the number.
        let message = ExportTraceServiceResponse::decode(body)
            .map_err(|_| SendError::new("its response is not one of OTLP", false))?;
        let partial = message.partial_success.unwrap_or_default();
        Ok(u64::try_from(partial.rejected_spans).unwrap_or_default())
    }
}

/// Parses the setting `otlp.endpoint`.
fn endpoint_url(text: &str) -> Result<Url, SetupError> {
    let wrong = |why: &str| {
        let message =
            format!("it {why}: write the URL of the collector, such as `http://127.0.0.1:4318`");
        SetupError::setting("otlp.endpoint", message)
    };
    let url = Url::parse(text).map_err(|error| wrong("is not a URL").caused_by(error))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("must begin with `http://` or `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "contains a password, which belongs into `otlp.headers`",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must have neither a query nor a fragment"));
    }
    Ok(url)
}

/// Parses the setting `otlp.headers`. The message never shows a value.
fn headers(text: &Secret<String>) -> Result<HeaderMap, SetupError> {
    let mut headers = HeaderMap::new();
    let pairs = text.expose().split(',').map(str::trim);
    for (number, pair) in pairs.enumerate().filter(|(_, pair)| !pair.is_empty()) {
        let wrong = || {
            let number = number + 1;
            let message = format!(
                "its part {number} is not a header: write `name=value`, separated by commas, with other commas as `%2C`"
            );
            SetupError::setting("otlp.headers", message)
        };
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| wrong())?;
        let value = percent_decode_str(value.trim())
            .decode_utf8()
            .map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

pub(crate) fn transport(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    SendError::new(doyen_core::chain(&error), !error.is_builder())
}

pub(crate) fn refused(response: &Response) -> SendError {
    let status = response.status();
    // The statuses that the specification of OTLP calls retryable.
    let is_transient = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    let seconds = response.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
    SendError {
        retry_after: seconds.map(Duration::from_secs),
        ..SendError::new(format!("status {}", status.as_u16()), is_transient)
    }
}

/// Reads the body of a successful response, up to the maximum size.
async fn whole(mut response: Response) -> Result<BytesMut, SendError> {
    if !response.status().is_success() {
        return Err(refused(&response));
    }
    let mut body = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(transport)? {
        if body.len() + part.len() > MAX_RESPONSE_BYTES {
            return Err(SendError::new("its response is too large", false));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}
