//! A call: from its parts to its result, with all tries.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use doyen_core::{
    Observation, ObservedStep, StepKind, StepValue, TraceContext, current_observation,
    current_request,
};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout_at};

use crate::breaker::{Admission, State};
use crate::client::Scope;
use crate::error::{is_failure_status, is_transient_status};
use crate::guard::{self, Addresses};
use crate::{CallError, CallErrorKind, Pool, Response, metrics, pool, retry};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Maximum part of the time of a request that a call leaves for the response.
const RESPONSE_MARGIN: Duration = Duration::from_millis(100);

/// A call in preparation; [`send`](Self::send) makes it. A mistake in its parts is returned there.
#[must_use = "a call that is not sent does nothing"]
pub struct Call {
    scope: Scope,
    method: Method,
    target: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
    addresses: Option<Addresses>,
    timeout: Option<Duration>,
    mistake: Option<Box<dyn Error + Send + Sync>>,
}

/// Without headers and body, which may contain secrets.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("client", &self.scope.pool.name)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Call {
    pub(crate) fn new(scope: Scope, method: Method, target: &str) -> Self {
        Self {
            scope,
            method,
            target: target.to_owned(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            addresses: None,
            timeout: None,
            mistake: None,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let parsed = HeaderName::try_from(name)
            .map_err(http::Error::from)
            .and_then(|name| Ok((name, HeaderValue::from_str(value.as_ref())?)));
        match parsed {
            Ok((name, value)) => _ = self.headers.append(name, value),
            Err(error) => self.mistake = Some(error.into()),
        }
        self
    }

    /// Adds a pair to the query string, percent-encoded.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sends a value as JSON.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(error) => Self {
                mistake: Some(error.into()),
                ..self
            },
        }
    }

    /// Sends a body of this media type.
    pub fn body(self, media_type: &str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header(CONTENT_TYPE.as_str(), media_type);
        call.body = body.into();
        call
    }

    /// Sets which addresses the call may reach, if its host is not that of the settings. The
    /// default is [`Addresses::Public`].
    pub const fn addresses(mut self, addresses: Addresses) -> Self {
        self.addresses = Some(addresses);
        self
    }

    /// Sets a maximum time below that of the settings.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes the call. A response with any status is `Ok`: see [`Response::success`].
    ///
    /// # Errors
    ///
    /// Returns an error if there is no complete response, whose kind states why.
    pub async fn send(self) -> Result<Response, CallError> {
        let mut record = Record::begin(&self);
        let result = Box::pin(self.run()).await;
        record.finish(&result);
        result
    }

    async fn run(self) -> Result<Response, CallError> {
        let deadline = self.deadline();
        let prepared = self.prepare()?;
        let pool = &*prepared.pool;
        pool.budget.pay_in();
        // Held during pauses too: it bounds the calls that exist, with their bodies.
        let _place = match timeout_at(deadline, pool.bulkhead.enter()).await {
            Ok(Some(place)) => place,
            Ok(None) => return Err(pool.error(CallErrorKind::Saturated)),
            Err(_) => return Err(pool.error(CallErrorKind::Timeout)),
        };
        let tries = match retry::is_repeatable(&prepared.method, &prepared.headers) {
            true => pool.settings.tries,
            false => 1,
        };
        let mut number = 1;
        loop {
            let mut result = prepared.follow(deadline, number).await;
            if let Ok(response) = &mut result {
                response.tries = number;
            }
            if number >= tries || !may_improve(&result) {
                return result;
            }
            let asked = result.as_ref().ok();
            let asked = asked.and_then(|response| retry::asked_pause(response.headers()));
            let pause = retry::pause(&pool.settings, number + 1, asked);
            // A pause that ends too late only delays the same result.
            if Instant::now() + pause >= deadline || !pool.budget.take() {
                return result;
            }
            sleep(pause).await;
            number += 1;
        }
    }

    /// Returns the end of the call: that of the client, or shortly before that of the request.
    fn deadline(&self) -> Instant {
        let now = Instant::now();
        let settings = &self.scope.pool.settings;
        let own = self
            .timeout
            .map_or(settings.timeout, |own| own.min(settings.timeout));
        let inherited = self.scope.deadline.map(|deadline| {
            let left = Instant::from_std(deadline).saturating_duration_since(now);
            left - RESPONSE_MARGIN.min(left / 10)
        });
        now + inherited.map_or(own, |left| left.min(own))
    }

    fn prepare(self) -> Result<Prepared, CallError> {
        let pool = self.scope.pool;
        let invalid = || pool.error(CallErrorKind::Invalid);
        if let Some(mistake) = self.mistake {
            return Err(invalid().caused_by(mistake));
        }
        let mut url = resolve(&pool, &self.target).map_err(|why| invalid().caused_by(why))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut headers = self.headers;
        for (name, value) in &mut headers {
            // Only what is known to be harmless may appear in a debug output.
            value.set_sensitive(name != CONTENT_TYPE && name != ACCEPT);
        }
        if let Some(token) = pool.token.as_ref().filter(|_| pool.is_trusted(&url)) {
            headers
                .entry(AUTHORIZATION)
                .or_insert_with(|| token.expose().clone());
        }
        let trace = self
            .scope
            .trace
            .or_else(|| current_request().map(|(_, trace)| trace));
        Ok(Prepared {
            trace: trace.unwrap_or_else(|| TraceContext::start(false)),
            method: self.method,
            addresses: self.addresses,
            body: self.body,
            url,
            headers,
            pool,
        })
    }
}

/// Returns the URL of a target: a path below the base URL, or a whole URL.
fn resolve(pool: &Pool, target: &str) -> Result<Url, &'static str> {
    if !target.starts_with('/') {
        return Url::parse(target).map_err(|_| "the target is neither a path nor a URL");
    }
    let base = pool
        .base
        .as_ref()
        .ok_or("the setting `url` of the client is not set")?;
    let text = format!("{}{target}", base.as_str().trim_end_matches('/'));
    let url = Url::parse(&text).map_err(|_| "the path is invalid")?;
    let is_below = url.origin() == base.origin() && url.path().starts_with(base.path());
    is_below
        .then_some(url)
        .ok_or("the path leaves the base URL")
}

/// True if another try may have a better result.
fn may_improve(result: &Result<Response, CallError>) -> bool {
    match result {
        Ok(response) => is_transient_status(response.status().as_u16()),
        Err(error) => {
            let is_refused = matches!(error.kind(), CallErrorKind::BreakerOpen);
            error.is_transient() && !is_refused
        }
    }
}

/// A call whose parts are valid.
struct Prepared {
    pool: std::sync::Arc<Pool>,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    addresses: Option<Addresses>,
    trace: TraceContext,
}

impl Prepared {
    /// One try, with the redirects that it follows.
    async fn follow(&self, deadline: Instant, number: u32) -> Result<Response, CallError> {
        let (mut url, mut headers) = (self.url.clone(), self.headers.clone());
        let follows = matches!(self.method, Method::GET | Method::HEAD);
        let mut left = if follows {
            self.pool.settings.max_redirects
        } else {
            0
        };
        loop {
            let response = self.send(&url, &headers, deadline, number).await?;
            let Some(next) = redirect(&response, &url).filter(|_| left > 0) else {
                return Ok(response);
            };
            left -= 1;
            if next.origin() != url.origin() {
                // Any other header can be a secret of the first host.
                headers.retain_only(&ACCEPT);
            }
            url = next;
        }
    }

    async fn send(
        &self,
        url: &Url,
        headers: &HeaderMap,
        deadline: Instant,
        number: u32,
    ) -> Result<Response, CallError> {
        let pool = &*self.pool;
        let addresses = pool.addresses(url, self.addresses);
        guard::check_url(url, addresses, &pool.settings.ports)
            .map_err(|why| pool.error(CallErrorKind::Forbidden).caused_by(why))?;
        let transport = pool.transport()?;
        let admission = pool.admit(url)?;
        let mut headers = headers.clone();
        let span = self.trace.child();
        let observed = current_observation().map(|one| (one, std::time::Instant::now()));
        if let Ok(trace) = HeaderValue::try_from(span.to_string()) {
            headers.insert(TRACEPARENT, trace);
        }
        pool.counters.tries.fetch_add(1, Ordering::Relaxed);
        let target = (self.method.clone(), url.clone());
        let sending = transport.send(pool.name, addresses, target, headers, self.body.clone());
        // Not above all tries: the breaker counts a try that the deadline ends.
        let end = deadline.min(Instant::now() + pool.settings.try_timeout);
        let result = match timeout_at(end, sending).await {
            Ok(result) => result,
            Err(_) => Err(pool.error(CallErrorKind::Timeout)),
        };
        if let Some(admission) = admission {
            pool.record(admission, url, &result);
        }
        if let Some((observation, started)) = observed {
            self.observe(&*observation, (started, span), url, number, &result);
        }
        result
    }

    /// Reports a try. Path and query may contain a secret.
    fn observe(
        &self,
        observation: &dyn Observation,
        (started, span): (std::time::Instant, TraceContext),
        url: &Url,
        number: u32,
        result: &Result<Response, CallError>,
    ) {
        let (method, client) = (self.method.as_str(), self.pool.name);
        let port = url.port_or_known_default().unwrap_or_default();
        let mut attributes = vec![
            ("http.request.method", StepValue::Text(method)),
            (
                "server.address",
                StepValue::Text(url.host_str().unwrap_or_default()),
            ),
            ("server.port", StepValue::Integer(port.into())),
            ("doyen.client", StepValue::Text(client)),
        ];
        if number > 1 {
            let resent = StepValue::Integer(i64::from(number) - 1);
            attributes.push(("http.request.resend_count", resent));
        }
        let status = result.as_ref().ok().map(|response| response.status());
        if let Some(status) = status {
            let code = StepValue::Integer(status.as_u16().into());
            attributes.push(("http.response.status_code", code));
        }
        let refused = status.filter(|status| status.is_client_error() || status.is_server_error());
        let error = match result {
            Ok(_) => refused.as_ref().map(|status| status.as_str()),
            Err(error) => Some(metrics::error_name(error.kind())),
        };
        observation.step(&ObservedStep {
            kind: StepKind::Client,
            name: &format!("{method} {client}"),
            started,
            time: started.elapsed(),
            span: Some(span),
            error,
            attributes: &attributes,
        });
    }
}

impl Pool {
    fn error(&self, kind: CallErrorKind) -> CallError {
        CallError::new(self.name, kind)
    }

    /// Asks the breaker of the host.
    fn admit(&self, url: &Url) -> Result<Option<Admission>, CallError> {
        if !self.settings.breaker {
            return Ok(None);
        }
        let admitted = self.breakers.of(&pool::host(url)).admit();
        admitted.map(Some).map_err(|wait| CallError {
            retry_after: Some(wait),
            ..self.error(CallErrorKind::BreakerOpen)
        })
    }

    fn record(&self, admission: Admission, url: &Url, result: &Result<Response, CallError>) {
        let failed = match result {
            Ok(response) => is_failure_status(response.status().as_u16()),
            // The host works; its response is only too large for us.
            Err(error) => error.kind() != CallErrorKind::TooLarge,
        };
        let (client, host) = (self.name, pool::host(url));
        match admission.record(failed) {
            Some(State::Open) => {
                tracing::warn!(target: "outbound", client, host, "the circuit breaker opened");
            }
            Some(_) => {
                tracing::info!(target: "outbound", client, host, "the circuit breaker closed");
            }
            None => {}
        }
    }
}

/// Returns the target of a redirect that keeps the method.
fn redirect(response: &Response, from: &Url) -> Option<Url> {
    let status = response.status().as_u16();
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

trait RetainOnly {
    fn retain_only(&mut self, name: &HeaderName);
}

impl RetainOnly for HeaderMap {
    fn retain_only(&mut self, name: &HeaderName) {
        let kept = self.remove(name);
        self.clear();
        if let Some(value) = kept {
            self.insert(name, value);
        }
    }
}

/// Counts and logs a call when it ends, also if it is cancelled.
struct Record {
    pool: std::sync::Arc<Pool>,
    method: Method,
    started: std::time::Instant,
    is_finished: bool,
}

impl Record {
    fn begin(call: &Call) -> Self {
        Self {
            pool: std::sync::Arc::clone(&call.scope.pool),
            method: call.method.clone(),
            started: std::time::Instant::now(),
            is_finished: false,
        }
    }

    fn finish(&mut self, result: &Result<Response, CallError>) {
        self.is_finished = true;
        let time = self.started.elapsed();
        self.pool.counters.count(Some(result), time);
        let (client, method, ms) = (self.pool.name, self.method.as_str(), time.as_millis());
        match result {
            Ok(response) => {
                let (status, tries) = (response.status().as_u16(), response.tries());
                tracing::debug!(target: "outbound", client, method, status, tries, ms, "called");
            }
            Err(error) => {
                let cause = doyen_core::chain(error);
                tracing::debug!(target: "outbound", client, method, cause, ms, "not called");
            }
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.is_finished {
            self.pool.counters.count(None, self.started.elapsed());
        }
    }
}
