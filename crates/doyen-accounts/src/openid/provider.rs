//! What a provider publishes: its addresses and its keys, kept for a while.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{Clock, Timestamp, Unexpected};
use reqwest::Url;
use serde_json::Value;
use tokio::sync::Mutex;

use super::jwk::{self, Jwk};
use super::outside::Outside;

/// How long the addresses are kept.
const ADDRESSES: Duration = Duration::from_secs(3_600);
/// How long the keys are kept.
const KEYS: Duration = Duration::from_secs(600);
/// How often the keys are read again for a token with a key that is not among them.
const AGAIN: Duration = Duration::from_secs(30);

/// Where a provider is.
pub(super) struct Addresses {
    pub(super) authorize: Url,
    pub(super) token: Url,
    keys: Url,
    /// It promises `iss` beside the code (RFC 9207).
    pub(super) names_itself: bool,
    /// The secret goes in the form and not by HTTP Basic.
    pub(super) in_form: bool,
}

/// Reads them once for all who wait.
pub(super) struct Provider {
    issuer: String,
    clock: Arc<dyn Clock>,
    addresses: Mutex<Option<(Timestamp, Arc<Addresses>)>>,
    keys: Mutex<Option<(Timestamp, Arc<Vec<Jwk>>)>>,
}

impl Provider {
    pub(super) fn new(issuer: String, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer,
            clock,
            addresses: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    /// Its addresses.
    pub(super) async fn addresses(&self, outside: &Outside) -> Result<Arc<Addresses>, Unexpected> {
        let mut kept = self.addresses.lock().await;
        let now = self.clock.now();
        if let Some((_, addresses)) = kept.as_ref().filter(|(at, _)| now.since(*at) < ADDRESSES) {
            return Ok(Arc::clone(addresses));
        }
        let place = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let place = outside.permit(&place).ok_or_else(|| wrong("issuer"))?;
        let addresses = Arc::new(self.read(outside, &outside.get(&place).await?)?);
        *kept = Some((now, Arc::clone(&addresses)));
        Ok(addresses)
    }

    fn read(&self, outside: &Outside, json: &Value) -> Result<Addresses, Unexpected> {
        let text = |name: &'static str| {
            let value = json.get(name).and_then(Value::as_str);
            value.ok_or_else(|| wrong(name))
        };
        // Else one provider could speak for another (RFC 8414 section 3.3).
        if text("issuer")? != self.issuer {
            return Err(wrong("issuer"));
        }
        let call = |name| outside.permit(text(name)?).ok_or_else(|| wrong(name));
        let visit = |name| outside.visit(text(name)?).ok_or_else(|| wrong(name));
        let methods = json.get("token_endpoint_auth_methods_supported");
        let methods = methods.and_then(Value::as_array);
        let knows = |method: &str| {
            methods.is_some_and(|methods| methods.iter().any(|known| known == method))
        };
        Ok(Addresses {
            authorize: visit("authorization_endpoint")?,
            token: call("token_endpoint")?,
            keys: call("jwks_uri")?,
            names_itself: json.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            // Basic is what everybody must know when nothing is said.
            in_form: knows("client_secret_post") && !knows("client_secret_basic"),
        })
    }

    /// Its keys; read again when `fits` finds none, which happens after a rotation, but not for every wrong token.
    pub(super) async fn keys(
        &self,
        outside: &Outside,
        addresses: &Addresses,
        fits: impl Fn(&[Jwk]) -> bool,
    ) -> Result<Arc<Vec<Jwk>>, Unexpected> {
        let mut kept = self.keys.lock().await;
        let now = self.clock.now();
        if let Some((at, keys)) = kept.as_ref() {
            let age = now.since(*at);
            if age < KEYS && (fits(keys) || age < AGAIN) {
                return Ok(Arc::clone(keys));
            }
        }
        let keys = Arc::new(jwk::read(&outside.get(&addresses.keys).await?));
        *kept = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }
}

fn wrong(name: &str) -> Unexpected {
    Unexpected::unavailable(format!(
        "the OpenID provider's `{name}` is missing, of another issuer, not `https`, or on a host that is not in `auth.oidc.hosts`"
    ))
}
