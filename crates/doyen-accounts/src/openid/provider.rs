//! The published endpoints and keys of a provider, cached.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{Clock, Timestamp, Unexpected};
use reqwest::Url;
use serde_json::Value;
use tokio::sync::Mutex;

use super::client::ProviderClient;
use super::jwk::{self, Jwk};

/// Lifetime of the cached endpoints.
const METADATA_TTL: Duration = Duration::from_secs(3_600);
/// Lifetime of the cached keys.
const KEYS_TTL: Duration = Duration::from_secs(600);
/// Minimum time between two reads of the keys because of an unknown key.
const KEY_REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// The endpoints of a provider.
pub(super) struct Endpoints {
    pub(super) authorize: Url,
    pub(super) token: Url,
    keys: Url,
    /// True if it returns `iss` with the code (RFC 9207).
    pub(super) returns_issuer: bool,
    /// True if the secret is sent in the form, not with HTTP Basic.
    pub(super) secret_in_form: bool,
}

/// Reads endpoints and keys, once for concurrent logins.
pub(super) struct Provider {
    issuer: String,
    clock: Arc<dyn Clock>,
    endpoints: Mutex<Option<(Timestamp, Arc<Endpoints>)>>,
    keys: Mutex<Option<(Timestamp, Arc<Vec<Jwk>>)>>,
}

impl Provider {
    pub(super) fn new(issuer: String, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer,
            clock,
            endpoints: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    /// Returns the endpoints.
    pub(super) async fn endpoints(
        &self,
        client: &ProviderClient,
    ) -> Result<Arc<Endpoints>, Unexpected> {
        let mut kept = self.endpoints.lock().await;
        let now = self.clock.now();
        if let Some((_, endpoints)) = kept
            .as_ref()
            .filter(|(at, _)| now.since(*at) < METADATA_TTL)
        {
            return Ok(Arc::clone(endpoints));
        }
        let url = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let url = client.permit_call(&url).ok_or_else(|| wrong("issuer"))?;
        let endpoints = Arc::new(self.read(client, &client.get(&url).await?)?);
        *kept = Some((now, Arc::clone(&endpoints)));
        Ok(endpoints)
    }

    fn read(&self, client: &ProviderClient, json: &Value) -> Result<Endpoints, Unexpected> {
        let text = |name: &'static str| {
            let value = json.get(name).and_then(Value::as_str);
            value.ok_or_else(|| wrong(name))
        };
        // Otherwise a provider could impersonate another (RFC 8414 section 3.3).
        if text("issuer")? != self.issuer {
            return Err(wrong("issuer"));
        }
        let call = |name| client.permit_call(text(name)?).ok_or_else(|| wrong(name));
        let redirect = |name| {
            client
                .permit_redirect(text(name)?)
                .ok_or_else(|| wrong(name))
        };
        let methods = json.get("token_endpoint_auth_methods_supported");
        let methods = methods.and_then(Value::as_array);
        let knows = |method: &str| {
            methods.is_some_and(|methods| methods.iter().any(|known| known == method))
        };
        Ok(Endpoints {
            authorize: redirect("authorization_endpoint")?,
            token: call("token_endpoint")?,
            keys: call("jwks_uri")?,
            returns_issuer: json.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            // Basic is the default.
            secret_in_form: knows("client_secret_post") && !knows("client_secret_basic"),
        })
    }

    /// Returns the keys. They are read again if `fits` finds none, as after a rotation, but not for
    /// every invalid token.
    pub(super) async fn keys(
        &self,
        client: &ProviderClient,
        endpoints: &Endpoints,
        fits: impl Fn(&[Jwk]) -> bool,
    ) -> Result<Arc<Vec<Jwk>>, Unexpected> {
        let mut kept = self.keys.lock().await;
        let now = self.clock.now();
        if let Some((at, keys)) = kept.as_ref() {
            let age = now.since(*at);
            if age < KEYS_TTL && (fits(keys) || age < KEY_REFRESH_INTERVAL) {
                return Ok(Arc::clone(keys));
            }
        }
        let keys = Arc::new(jwk::read(&client.get(&endpoints.keys).await?));
        *kept = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }
}

fn wrong(name: &str) -> Unexpected {
    Unexpected::unavailable(format!(
        "the OpenID provider's `{name}` is missing, of another issuer, not `https`, or on a host that is not in `auth.oidc.hosts`"
    ))
}
