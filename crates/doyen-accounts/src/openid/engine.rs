//! The provider that is set up, and what happens between the browser's coming and going.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use doyen_core::{Access, Clock, Unexpected};
use doyen_data::Database;
use doyen_data::sea_orm::prelude::DateTimeUtc;
use serde_json::Value;

use super::OpenIdSettings;
use super::id_token::{self, Expected, Person};
use super::jwk::Jwk;
use super::outside::{Outside, with_query};
use super::problems::{OpenIdLogin, refused};
use super::provider::{Addresses, Provider};
use super::trip::{self, Desk, Trip};

/// Logging in by an outside provider. One for an application; without settings it refuses everybody.
pub struct OpenId(Option<Engine>);

pub(super) struct Engine {
    pub(super) settings: OpenIdSettings,
    clock: Arc<dyn Clock>,
    database: Database,
    desk: Desk,
    outside: Outside,
    provider: Provider,
}

/// What of the settings does not fit: the setting, and what to do.
pub type WrongOpenId = (&'static str, String);

impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId").finish_non_exhaustive()
    }
}

/// What comes back with the browser.
pub(super) struct Returned<'r> {
    pub(super) cookie: Option<&'r str>,
    pub(super) state: Option<&'r str>,
    pub(super) code: Option<&'r str>,
    pub(super) issuer: Option<&'r str>,
    pub(super) error: bool,
}

impl OpenId {
    /// With these settings. `loopback` permits a provider on this machine without TLS: never in production.
    ///
    /// # Errors
    ///
    /// The setting that does not fit, and what to do.
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
        let outside = Outside::new(settings.hosts.clone(), loopback)
            .map_err(|error| ("auth.oidc", format!("no client can be made: {error}")))?;
        let https =
            || "it must be an `https` address without a user, a query or a fragment".to_owned();
        let issuer = outside
            .visit(&settings.issuer)
            .filter(|url| url.query().is_none())
            .ok_or_else(|| ("auth.oidc.issuer", https()))?;
        outside
            .visit(&settings.redirect_uri)
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
        let outside = Outside::new(hosts, loopback)
            .map_err(|error| ("auth.oidc", format!("no client can be made: {error}")))?;
        Ok(Self(Some(Engine {
            desk: Desk::new(key),
            provider: Provider::new(settings.issuer.clone(), Arc::clone(&clock)),
            outside,
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
    /// Where the browser goes, and the cookie it takes along.
    pub(super) async fn begin(&self) -> Result<(String, String), OpenIdLogin> {
        let addresses = self.provider.addresses(&self.outside).await?;
        let trip = self.desk.begin(self.clock.now())?;
        let mut scope = "openid".to_owned();
        for more in self.settings.scopes.iter().filter(|more| *more != "openid") {
            scope.push(' ');
            scope.push_str(more);
        }
        let to = with_query(
            &addresses.authorize,
            &[
                ("response_type", "code"),
                ("client_id", &self.settings.client_id),
                ("redirect_uri", &self.settings.redirect_uri),
                ("scope", &scope),
                ("state", &self.desk.state(&trip)),
                ("nonce", &self.desk.nonce(&trip)),
                ("code_challenge", &self.desk.challenge(&trip)),
                ("code_challenge_method", "S256"),
            ],
        );
        Ok((to.into(), self.desk.cookie(&trip)))
    }

    /// Who came back.
    pub(super) async fn finish(&self, returned: &Returned<'_>) -> Result<Person, OpenIdLogin> {
        let now = self.clock.now();
        // The browser that began it, and nobody who was given an address (login CSRF).
        let trip = returned
            .cookie
            .and_then(|field| self.desk.read(field, now))
            .ok_or(OpenIdLogin::Broken)?;
        let state = self.desk.state(&trip);
        let given = returned.state.unwrap_or_default();
        if verify_slices_are_equal(state.as_bytes(), given.as_bytes()).is_err() {
            return Err(OpenIdLogin::Broken);
        }
        // Once, whatever comes of it, and before anything is sent.
        if !self.first_time(&trip).await? {
            return Err(OpenIdLogin::Broken);
        }
        let addresses = self.provider.addresses(&self.outside).await?;
        // RFC 9207: a code of another provider is not carried to this one.
        let same = returned.issuer.map(|issuer| issuer == self.settings.issuer);
        if same == Some(false) || (same.is_none() && addresses.names_itself) {
            return Err(refused("the answer is of another issuer"));
        }
        if returned.error {
            return Err(refused("the provider answers with an error"));
        }
        let code = returned.code.ok_or(refused("there is no code"))?;
        let token = self.exchange(&addresses, &trip, code).await?;
        let token = id_token::parse(&token).map_err(refused)?;
        let fits = |keys: &[Jwk]| token.key(keys).is_some();
        let keys = self.provider.keys(&self.outside, &addresses, fits).await?;
        let key = token
            .key(&keys)
            .ok_or(refused("no key of the provider fits the ID token"))?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client_id,
            nonce: &self.desk.nonce(&trip),
            now,
        };
        token.verify(key, &expected).map_err(refused)
    }

    /// The ID token for a code.
    async fn exchange(
        &self,
        addresses: &Addresses,
        trip: &Trip,
        code: &str,
    ) -> Result<String, OpenIdLogin> {
        let settings = &self.settings;
        let (id, secret) = (
            settings.client_id.as_str(),
            settings.client_secret.expose().as_str(),
        );
        let verifier = self.desk.verifier(trip);
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", settings.redirect_uri.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let basic = (!addresses.in_form).then_some((id, secret));
        if addresses.in_form {
            form.extend([("client_id", id), ("client_secret", secret)]);
        }
        let answer = self.outside.post(&addresses.token, basic, &form).await?;
        let answer = answer.ok_or(refused("the provider does not take the code"))?;
        let token = answer.get("id_token").and_then(Value::as_str);
        let token = token.ok_or(refused("the provider gives no ID token"))?;
        Ok(token.to_owned())
    }

    /// Remembers that a login came to its end; false when it had before.
    async fn first_time(&self, trip: &Trip) -> Result<bool, Unexpected> {
        let session = self.database.session(Access::Write);
        let now = self.clock.now();
        let (old, until) = (
            DateTimeUtc::from(now),
            DateTimeUtc::from(now + std::time::Duration::from_secs(trip::PATIENCE.unsigned_abs())),
        );
        session
            .execute_sql(
                "DELETE FROM auth_openid_trips WHERE until < $1",
                [old.into()],
            )
            .await?;
        let sql = "INSERT INTO auth_openid_trips (mark, until) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING";
        let new = session
            .execute_sql(sql, [self.desk.mark(trip).into(), until.into()])
            .await?;
        session.commit().await?;
        Ok(new > 0)
    }
}
