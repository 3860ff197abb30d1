//! Access tokens as a plugin.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use doyen_app::{Manifest, Plugin, Registrar, SetupError, Stop};
use doyen_auth::{
    Bearer, KEY_TABLES, KeyError, KeyRing, PasswordOptions, PasswordRules, Passwords,
    RevocationList, SigningKeys, TokenOptions, TokenUses, Tokens,
};
use doyen_core::SecurityScheme;
use doyen_core::inject::Needs;
use doyen_macros::routes;
use doyen_settings::Settings;
use doyen_web::Module;

use crate::{jwks, key_commands};

/// Access tokens: signs them, identifies callers by them, and publishes the public keys
/// (`/.well-known/jwks.json`).
///
/// `Tokens` issues and verifies tokens; `Arc<Bearer>` returns the caller of one, and refuses
/// revoked ones. Inject them to write a login, or a security scheme, of your own.
#[derive(Clone, Debug, Default)]
pub struct AccessTokens {
    scheme: Option<SecurityScheme>,
}

impl AccessTokens {
    /// Reads access tokens after another authentication scheme than `Bearer`, for clients that send
    /// `Authorization: Token <jwt>`. `Bearer` is not accepted then.
    ///
    /// ```text
    /// App::new("conduit").replace(AccessTokens::default().scheme("Token"))
    /// ```
    #[must_use]
    pub fn scheme(mut self, scheme: impl Into<Cow<'static, str>>) -> Self {
        self.scheme = Some(SecurityScheme::authorization(scheme));
        self
    }
}

/// Access tokens and their signing keys.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct TokenSettings {
    /// Algorithm of new signing keys. Existing keys keep theirs; a change takes effect with
    /// `keys rotate`.
    #[setting(default = "ed25519")]
    pub algorithm: SigningAlgorithm,
    /// Issuer of the tokens, for their `iss` claim: the public URL of the service. `prod` refuses
    /// the default.
    #[setting(default = "http://localhost")]
    pub issuer: String,
    /// Audience of the tokens, for their `aud` claim. If not set, the issuer.
    pub audience: Option<String>,
    /// Lifetime of an access token: at most 24 hours, or 365 days with `auth.long_access_tokens`.
    #[setting(default = "15m", min = "1m", max = "365d")]
    pub access_lifetime: Duration,
    /// Permits access tokens that live longer than 24 hours, for the contract of an API without
    /// refresh tokens. A stolen token is valid for as long, unless its session is revoked.
    #[setting(default = false)]
    pub long_access_tokens: bool,
    /// Rules for new passwords.
    #[setting(section)]
    pub password: PasswordSettings,
}

/// Rules for new passwords. Existing passwords stay valid.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct PasswordSettings {
    /// Minimum number of characters of a new password.
    #[setting(default = 8, min = 1, max = 64)]
    pub min_length: usize,
    /// Refuses the most frequent passwords of leaked lists, simple patterns, and passwords made of
    /// the address of the user. Switch it off only for the contract of an existing API.
    #[setting(default = true)]
    pub refuse_common: bool,
}

/// The longest lifetime without `auth.long_access_tokens`.
const MAX_SHORT_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The issuer of every application that sets none: tokens of one would be valid for another.
const DEFAULT_ISSUER: &str = "http://localhost";

/// Algorithm of signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SigningAlgorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256, for consumers whose library does not support Ed25519.
    Es256,
}

impl From<SigningAlgorithm> for doyen_auth::Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Ed25519 => doyen_auth::Algorithm::Ed25519,
            SigningAlgorithm::Es256 => doyen_auth::Algorithm::Es256,
        }
    }
}

/// Lifetime of access tokens: an extension point for plugins whose sessions must last longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccessLifetime(pub(crate) Duration);

/// The sessions of tokens: an extension point for the plugin that revokes tokens and records their
/// use.
#[derive(Clone)]
pub(crate) struct TokenSessions {
    pub(crate) revocations: Arc<RevocationList>,
    pub(crate) uses: Arc<dyn TokenUses>,
}

impl Plugin for AccessTokens {
    const NAME: &'static str = "keys";
    type Settings = TokenSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("Access tokens and the keys that sign them")
            .section("auth")
            .tables(KEY_TABLES);
        key_commands::declare(manifest);
    }

    fn register(self, settings: TokenSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        if app.info().environment.is_prod() && settings.issuer == DEFAULT_ISSUER {
            app.fault(SetupError::setting(
                "auth.issuer",
                "in `prod` it must name this service. Set APP_AUTH__ISSUER to its public URL, such as `https://api.example.com`",
            ));
        }
        let deriver = app.derive_keys("signing");
        let algorithm = settings.algorithm.into();
        let ring = KeyRing::first(&deriver, algorithm)
            .map_err(|error| SetupError::setting("auth.signing_key", error.to_string()))?;
        let audience = settings.audience.as_ref().unwrap_or(&settings.issuer);
        let mut options = TokenOptions::new(settings.issuer.clone(), audience.clone());
        options.lifetime = settings.access_lifetime;
        options.is_long_lived = settings.long_access_tokens;
        if settings.access_lifetime > MAX_SHORT_LIFETIME && !settings.long_access_tokens {
            return Err(SetupError::setting(
                "auth.access_lifetime",
                "must be at most 24h, because a stolen token is valid for as long. Shorten it, or set `auth.long_access_tokens = true`",
            ));
        }
        let keys = SigningKeys::new(app.database(), deriver, algorithm, app.clock());
        let tokens = Tokens::new(ring, options, app.clock())
            .map_err(|error| SetupError::setting("auth", error.to_string()))?
            .follow(keys.clone());
        let tokens = Arc::new(tokens);
        app.contribute(AccessLifetime(settings.access_lifetime));
        app.provide(Arc::clone(&tokens));
        app.provide(Arc::new(keys));
        app.provide(passwords(app)?);
        app.provide(Arc::new(PasswordRules {
            min_chars: settings.password.min_length,
            refuses_common: settings.password.refuse_common,
        }));
        app.module(Module::new("keys").routes(routes![jwks::jwks]));
        app.service("signing keys", start);
        // Another plugin may revoke tokens: it is known once all have registered.
        app.finish(move |app| {
            let bearer = Bearer::new(tokens);
            let bearer = match self.scheme {
                Some(scheme) => bearer.scheme(scheme),
                None => bearer,
            };
            let bearer = match app.contributions::<TokenSessions>().pop() {
                Some(sessions) => bearer
                    .revocable(sessions.revocations)
                    .reporting(sessions.uses),
                None => bearer,
            };
            let bearer = Arc::new(bearer);
            app.provide(Arc::clone(&bearer));
            app.identify(bearer, Needs::default());
            Ok(())
        });
        Ok(())
    }
}

/// Passwords are hashed with the options of a test, if it contributes any.
fn passwords(app: &Registrar<'_>) -> Result<Arc<Passwords>, SetupError> {
    let options = app.contributions::<PasswordOptions>().pop();
    Passwords::new(options.unwrap_or_default())
        .map(Arc::new)
        .map_err(|error| SetupError::setting("auth", error.to_string()))
}

/// Writes the first keys, and reads those that are in use.
async fn start((keys, tokens): (Arc<SigningKeys>, Arc<Tokens>)) -> Result<Stop, SetupError> {
    // The first start records since when a key is published.
    if let Err(error) = keys.begin().await {
        tracing::warn!(%error, "the first signing keys cannot be written");
    }
    match tokens.load().await {
        Ok(()) => {}
        Err(error @ KeyError::OtherSeed { .. }) => {
            return Err(SetupError::setting("auth.signing_key", error.to_string()));
        }
        // Without the table, the keys are those of a first start.
        Err(error @ (KeyError::Database(_) | KeyError::Slow)) => {
            tracing::warn!(%error, "the signing keys cannot be read");
        }
        Err(error) => return Err(SetupError::new(error.to_string()).caused_by(error)),
    }
    tokens.keep_fresh();
    Ok(Stop::nothing())
}
