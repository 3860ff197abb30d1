//! The configured provider, and the two halves of a login.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use doyen_core::{Access, Clock, Unexpected};
use doyen_data::Database;
use doyen_data::sea_orm::prelude::DateTimeUtc;
use serde_json::Value;

use super::OpenIdSettings;
use super::attempt::{self, LoginAttempt, StateSigner};
use super::client::{ProviderClient, with_query};
use super::id_token::{self, Expected, IdTokenClaims};
use super::jwk::Jwk;
use super::problems::{OpenIdLogin, refused};
use super::provider::{Endpoints, Provider};

/// Login with an external provider. One per application. Without settings, every login is rejected.
pub struct OpenId(Option<Engine>);

pub(super) struct Engine {
    pub(super) settings: OpenIdSettings,
    clock: Arc<dyn Clock>,
    database: Database,
    signer: StateSigner,
    client: ProviderClient,
    provider: Provider,
}

/// An invalid setting, and what to do.
pub type WrongOpenId = (&'static str, String);

impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId").finish_non_exhaustive()
    }
}

/// The parameters with which the browser returns.
pub(super) struct Returned<'r> {
    pub(super) cookie: Option<&'r str>,
    pub(super) state: Option<&'r str>,
    pub(super) code: Option<&'r str>,
    pub(super) issuer: Option<&'r str>,
    pub(super) error: bool,
}

impl OpenId {
    /// Creates it from the settings. `loopback` permits a provider on this machine without TLS,
    /// which is not for production.
    ///
    /// # Errors
    ///
    /// Returns the invalid setting, and what to do.
    pub fn new(
        settings: Option<OpenIdSettings>,
        key: &[u8; 32],
        database: Database,
        clock: Arc<dyn Clock>,
        loopback: bool,
    ) -> Result<Self, WrongOpenId> {
        let Some(settings) = settings else {
            return Ok(Self(None));
        };
        let client = ProviderClient::new(settings.hosts.clone(), loopback)
            .map_err(|error| ("auth.oidc", format!("no client can be made: {error}")))?;
        let https =
            || "it must be an `https` address without a user, a query or a fragment".to_owned();
        let issuer = client
            .permit_redirect(&settings.issuer)
            .filter(|url| url.query().is_none())
            .ok_or_else(|| ("auth.oidc.issuer", https()))?;
        client
            .permit_redirect(&settings.redirect_uri)
            .ok_or_else(|| ("auth.oidc.redirect_uri", https()))?;
        let elsewhere =
            |path: &String| !path.starts_with('/') || path.starts_with("//") || path.contains('\\');
        if settings.after.as_ref().is_some_and(elsewhere) {
            return Err((
                "auth.oidc.after",
                "it must be a path of this service, such as `/`".to_owned(),
            ));
        }
        let mut hosts = settings.hosts.clone();
        hosts.extend(issuer.host_str().map(str::to_owned));
        let client = ProviderClient::new(hosts, loopback)
            .map_err(|error| ("auth.oidc", format!("no client can be made: {error}")))?;
        Ok(Self(Some(Engine {
            signer: StateSigner::new(key),
            provider: Provider::new(settings.issuer.clone(), Arc::clone(&clock)),
            client,
            clock,
            database,
            settings,
        })))
    }

    pub(super) fn engine(&self) -> Result<&Engine, OpenIdLogin> {
        self.0.as_ref().ok_or(OpenIdLogin::NotConfigured)
    }
}

impl Engine {
    /// Returns the URL to redirect to, and the cookie of the attempt.
    pub(super) async fn begin(&self) -> Result<(String, String), OpenIdLogin> {
        let endpoints = self.provider.endpoints(&self.client).await?;
        let attempt = self.signer.begin(self.clock.now())?;
        let mut scope = "openid".to_owned();
        for more in self.settings.scopes.iter().filter(|more| *more != "openid") {
            scope.push(' ');
            scope.push_str(more);
        }
        let to = with_query(
            &endpoints.authorize,
            &[
                ("response_type", "code"),
                ("client_id", &self.settings.client_id),
                ("redirect_uri", &self.settings.redirect_uri),
                ("scope", &scope),
                ("state", &self.signer.state(&attempt)),
                ("nonce", &self.signer.nonce(&attempt)),
                ("code_challenge", &self.signer.challenge(&attempt)),
                ("code_challenge_method", "S256"),
            ],
        );
        Ok((to.into(), self.signer.cookie(&attempt)))
    }

    /// Completes an attempt and returns the verified claims.
    pub(super) async fn finish(
        &self,
        returned: &Returned<'_>,
    ) -> Result<IdTokenClaims, OpenIdLogin> {
        let now = self.clock.now();
        // Only the browser that started the attempt may complete it (login CSRF).
        let attempt = returned
            .cookie
            .and_then(|field| self.signer.read(field, now))
            .ok_or(OpenIdLogin::Broken)?;
        let state = self.signer.state(&attempt);
        let given = returned.state.unwrap_or_default();
        if verify_slices_are_equal(state.as_bytes(), given.as_bytes()).is_err() {
            return Err(OpenIdLogin::Broken);
        }
        // Once, whatever the outcome, and before any request is sent.
        if !self.claim(&attempt).await? {
            return Err(OpenIdLogin::Broken);
        }
        let endpoints = self.provider.endpoints(&self.client).await?;
        // RFC 9207: a code of another provider must not be sent to this one.
        let same = returned.issuer.map(|issuer| issuer == self.settings.issuer);
        if same == Some(false) || (same.is_none() && endpoints.returns_issuer) {
            return Err(refused("the answer is of another issuer"));
        }
        if returned.error {
            return Err(refused("the provider answers with an error"));
        }
        let code = returned.code.ok_or(refused("there is no code"))?;
        let token = self.exchange(&endpoints, &attempt, code).await?;
        let token = id_token::parse(&token).map_err(refused)?;
        let fits = |keys: &[Jwk]| token.key(keys).is_some();
        let keys = self.provider.keys(&self.client, &endpoints, fits).await?;
        let key = token
            .key(&keys)
            .ok_or(refused("no key of the provider fits the ID token"))?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client_id,
            nonce: &self.signer.nonce(&attempt),
            now,
        };
        token.verify(key, &expected).map_err(refused)
    }

    /// Exchanges the code for an ID token.
    async fn exchange(
        &self,
        endpoints: &Endpoints,
        attempt: &LoginAttempt,
        code: &str,
    ) -> Result<String, OpenIdLogin> {
        let settings = &self.settings;
        let (id, secret) = (
            settings.client_id.as_str(),
            settings.client_secret.expose().as_str(),
        );
        let verifier = self.signer.verifier(attempt);
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", settings.redirect_uri.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let basic = (!endpoints.secret_in_form).then_some((id, secret));
        if endpoints.secret_in_form {
            form.extend([("client_id", id), ("client_secret", secret)]);
        }
        let answer = self.client.post(&endpoints.token, basic, &form).await?;
        let answer = answer.ok_or(refused("the provider does not take the code"))?;
        let token = answer.get("id_token").and_then(Value::as_str);
        let token = token.ok_or(refused("the provider gives no ID token"))?;
        Ok(token.to_owned())
    }

    /// Records that an attempt is completed. Returns false if it was before.
    async fn claim(&self, attempt: &LoginAttempt) -> Result<bool, Unexpected> {
        let session = self.database.session(Access::Write);
        let now = self.clock.now();
        let (old, until) = (
            DateTimeUtc::from(now),
            DateTimeUtc::from(
                now + std::time::Duration::from_secs(attempt::MAX_SECONDS.unsigned_abs()),
            ),
        );
        session
            .execute_sql(
                "DELETE FROM auth_openid_trips WHERE until < $1",
                [old.into()],
            )
            .await?;
        let sql = "INSERT INTO auth_openid_trips (mark, until) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING";
        let new = session
            .execute_sql(sql, [self.signer.fingerprint(attempt).into(), until.into()])
            .await?;
        session.commit().await?;
        Ok(new > 0)
    }
}
