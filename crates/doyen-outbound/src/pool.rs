//! What all calls of one client share.

use std::sync::{Arc, OnceLock};

use doyen_app::SetupError;
use doyen_core::{Clock, Secret};
use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::breaker::{Breakers, Rules, State};
use crate::bulkhead::Bulkhead;
use crate::guard::{self, Addresses, Lookup};
use crate::metrics::Counters;
use crate::retry::Budget;
use crate::transport::Transport;
use crate::{CallError, CallErrorKind, ClientSettings};

/// The pools of all clients.
pub(crate) struct Pools(pub(crate) Vec<Arc<Pool>>);

/// The connections, limits and counters of one client.
pub struct Pool {
    pub(crate) name: &'static str,
    pub(crate) settings: ClientSettings,
    pub(crate) base: Option<Url>,
    pub(crate) token: Option<Secret<HeaderValue>>,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) budget: Budget,
    pub(crate) breakers: Breakers,
    pub(crate) counters: Counters,
    lookup: Arc<dyn Lookup>,
    transport: OnceLock<Transport>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(crate) fn new(
        name: &'static str,
        settings: ClientSettings,
        clock: Arc<dyn Clock>,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, SetupError> {
        let base = settings.url.as_deref().map(|text| base(name, text));
        let token = settings.token.as_ref().map(|token| bearer(name, token));
        let (base, token) = (base.transpose()?, token.transpose()?);
        if token.is_some() && base.is_none() {
            let message = "it is set, and `url` is not: set the URL that the token is for";
            return Err(wrong(name, "token", message));
        }
        Ok(Self {
            name,
            base,
            token,
            bulkhead: Bulkhead::new(settings.max_concurrent, settings.max_waiting),
            budget: Budget::new(settings.retry_budget),
            breakers: Breakers::new(Rules::new(&settings), clock),
            counters: Counters::default(),
            settings,
            lookup,
            transport: OnceLock::new(),
        })
    }

    /// Creates the connections. Until then calls fail.
    pub(crate) fn start(&self, agent: &str) -> Result<(), SetupError> {
        let transport = Transport::new(self.name, agent, &self.settings, &self.lookup)?;
        let _ = self.transport.set(transport);
        Ok(())
    }

    pub(crate) fn transport(&self) -> Result<&Transport, CallError> {
        self.transport.get().ok_or_else(|| {
            let error = CallError::new(self.name, CallErrorKind::Invalid);
            error.caused_by("the plugin `outbound` has not started")
        })
    }

    /// True for the host that the settings name.
    pub(crate) fn is_trusted(&self, url: &Url) -> bool {
        let origin = |url: &Url| url.origin();
        self.base
            .as_ref()
            .is_some_and(|base| origin(base) == origin(url))
    }

    /// Returns the addresses that a call of this URL may reach.
    pub(crate) fn addresses(&self, url: &Url, asked: Option<Addresses>) -> Addresses {
        if self.is_trusted(url) || self.settings.allow_private {
            return Addresses::Any;
        }
        asked.unwrap_or(Addresses::Public)
    }

    /// Checks a URL and the addresses that its name has now.
    pub(crate) async fn check(
        &self,
        url: &Url,
        asked: Option<Addresses>,
    ) -> Result<(), guard::Forbidden> {
        let addresses = self.addresses(url, asked);
        guard::check_url(url, addresses, &self.settings.ports)?;
        let host = url.host_str().unwrap_or_default();
        if addresses == Addresses::Any || guard::literal(host).is_some() {
            return Ok(());
        }
        let found = tokio::time::timeout(self.settings.connect_timeout, self.lookup.lookup(host));
        match found.await {
            Ok(Ok(found)) => guard::check_resolved(&found),
            // The name may exist later. It is checked again at each call.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// Returns the state of the breaker of the host in the settings.
    pub(crate) fn state(&self) -> State {
        let base = self.base.as_ref();
        base.map_or(State::Closed, |base| self.breakers.state(&host(base)))
    }
}

/// The host and port of a URL, which share a breaker.
pub(crate) fn host(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(0);
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

fn base(name: &str, text: &str) -> Result<Url, SetupError> {
    let expected = "must be the URL of the upstream, such as `https://api.example.com/v2`, without \
                    user name, query and fragment";
    let mut url = Url::parse(text).map_err(|_| wrong(name, "url", expected))?;
    guard::check_url(&url, Addresses::Any, &[]).map_err(|_| wrong(name, "url", expected))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(name, "url", expected));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn bearer(name: &str, token: &Secret<String>) -> Result<Secret<HeaderValue>, SetupError> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| wrong(name, "token", "must be visible ASCII characters"))?;
    value.set_sensitive(true);
    Ok(Secret::new(value))
}

fn wrong(name: &str, key: &str, message: &str) -> SetupError {
    SetupError::setting(format!("outbound.{name}.{key}"), message)
}
