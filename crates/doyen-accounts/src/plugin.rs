//! Accounts as a plugin.

use std::sync::Arc;

use doyen_app::{Manifest, Plugin, Registrar, SetupError, Stop};
use doyen_core::inject::{Inject, Needs};
use doyen_core::{MailDelivery, Port, Restrict, Restricted, signed_in};
use doyen_settings::Settings;
use doyen_web::{Module, Routes};

use crate::account_keys::AccountKeys;
use crate::emails::OwnTexts;
use crate::security::SecurityWriter;
use crate::sessions::{
    SessionEngine, SessionSettings, SessionStore, SessionStoreKind, SqlSessions, Transport,
};
use crate::token_plugin::{AccessLifetime, TokenSessions};
use crate::{
    ApiKeyIdentity, ApiKeys, CookieSessions, MailTexts, Revocations, TABLES, Users, clients,
    emails, factor, keys, login, security, sessions, throttle,
};

/// Accounts: login, sessions, API keys, second factors, machine clients and the security log, for
/// the users of the application.
///
/// ```text
/// App::new("shop").plugin(Accounts::of::<SqlUsers>().admin(Scope::UsersWrite))
/// ```
///
/// | option | default |
/// | --- | --- |
/// | [`at`](Self::at) | `/v1` |
/// | [`mail_texts`](Self::mail_texts), the texts of mails | English, plain |
/// | [`own`](Self::own), who may use the routes under `/me` | `signed_in` |
/// | [`routes`](Self::routes), the groups of routes to mount | all |
/// | [`admin`](Self::admin), who may read the security log and manage clients | those routes do not exist |
pub struct Accounts {
    prefix: Option<String>,
    own: Option<Restricted>,
    admin: Option<Restricted>,
    groups: Option<Vec<AccountRoutes>>,
    mail_texts: Option<MailTexts>,
    module: Module,
    repeated: Vec<&'static str>,
    #[cfg(feature = "oidc")]
    openid: bool,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Accounts {
    /// Creates accounts for the users of this adapter.
    pub fn of<U: Inject>() -> Self
    where
        dyn Users: Port<U>,
    {
        Self {
            prefix: None,
            own: None,
            admin: None,
            groups: None,
            mail_texts: None,
            module: Module::new("auth")
                .describe("Login, sessions, API keys, machine clients and security events.")
                .bind::<dyn Users, U>(),
            repeated: Vec::new(),
            #[cfg(feature = "oidc")]
            openid: false,
        }
    }

    /// Sets the path prefix of all routes.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        if self.prefix.replace(prefix.to_owned()).is_some() {
            self.repeated.push("Accounts::at");
        }
        self
    }

    /// Mounts these groups of routes only. An application with paths or bodies of its own leaves
    /// groups out and writes their routes with the engines:
    /// [`PasswordLogin`](crate::PasswordLogin), [`Sessions`](crate::Sessions),
    /// [`Mailbox`](crate::Mailbox). An empty list mounts none.
    #[must_use]
    pub fn routes(mut self, groups: impl IntoIterator<Item = AccountRoutes>) -> Self {
        if self.groups.replace(groups.into_iter().collect()).is_some() {
            self.repeated.push("Accounts::routes");
        }
        self
    }

    /// Replaces the texts of the mails. The function returns `None` for a mail that keeps its
    /// default text.
    #[must_use]
    pub fn mail_texts(mut self, texts: MailTexts) -> Self {
        if self.mail_texts.replace(texts).is_some() {
            self.repeated.push("Accounts::mail_texts");
        }
        self
    }

    /// Sets who may use the routes for their own account. These routes need a caller, so that they
    /// cannot be public. Given twice, the application does not start.
    #[must_use]
    pub fn own(mut self, allow: impl Restrict) -> Self {
        if self.own.replace(allow.restricted()).is_some() {
            self.repeated.push("Accounts::own");
        }
        self
    }

    /// Sets who may read the security log and manage machine clients. Given twice, the application
    /// does not start.
    #[must_use]
    pub fn admin(mut self, allow: impl Restrict) -> Self {
        if self.admin.replace(allow.restricted()).is_some() {
            self.repeated.push("Accounts::admin");
        }
        self
    }

    /// Enables login with the OpenID provider in the settings `auth.oidc`.
    #[cfg(feature = "oidc")]
    #[must_use]
    pub const fn openid(mut self) -> Self {
        self.openid = true;
        self
    }

    /// The routes and bindings.
    fn into_module(self) -> Module {
        let Self {
            prefix,
            own,
            admin,
            groups,
            mail_texts: _,
            module,
            repeated: _,
            #[cfg(feature = "oidc")]
            openid,
        } = self;
        let prefix = prefix.unwrap_or_else(|| "/v1".to_owned());
        let own = own.unwrap_or(signed_in);
        let module = module.bind::<dyn doyen_core::SecurityLog, security::SqlSecurityLog>();
        let module = module.provide(Arc::new(crate::throttle::ThrottleState::default()));
        let has = |group| groups.as_ref().is_none_or(|all| all.contains(&group));
        let public: [(AccountRoutes, fn() -> Routes); 3] = [
            (AccountRoutes::Login, login::public),
            (AccountRoutes::Sessions, sessions::public),
            (AccountRoutes::Emails, emails::public),
        ];
        let public = public.into_iter().filter(|(group, _)| has(*group));
        let module = public.fold(module, |module, (_, routes)| {
            module.routes(routes().at(&prefix))
        });
        type Restrictable = fn(Restricted) -> Routes;
        let of_own: [(AccountRoutes, Restrictable); 5] = [
            (AccountRoutes::Login, login::routes),
            (AccountRoutes::Sessions, sessions::routes),
            (AccountRoutes::ApiKeys, keys::routes),
            (AccountRoutes::Emails, emails::routes),
            (AccountRoutes::Factors, factor::routes),
        ];
        let of_own = of_own.into_iter().filter(|(group, _)| has(*group));
        let module = of_own.fold(module, |module, (_, routes)| {
            module.routes(routes(own).at(&prefix))
        });
        #[cfg(feature = "oidc")]
        let module = if openid {
            module.routes(crate::openid::routes().at(&prefix))
        } else {
            module
        };
        // Without an administrator there are no clients.
        let Some(admin) = admin else {
            return module;
        };
        let module = if has(AccountRoutes::SecurityLog) {
            module.routes(security::routes(admin).at(&prefix))
        } else {
            module
        };
        if !has(AccountRoutes::Clients) {
            return module;
        }
        module
            .routes(clients::routes(admin).at(&prefix))
            .routes(clients::public().at(&prefix))
            .routes(clients::Metadata::routes())
            .provide(Arc::new(clients::Metadata::new(&prefix)))
    }
}

/// A group of the routes of [`Accounts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountRoutes {
    /// `/auth/login`, `/auth/csrf` and `/me/password`.
    Login,
    /// `/auth/refresh`, `/auth/logout` and `/me/sessions`.
    Sessions,
    /// `/me/api-keys`.
    ApiKeys,
    /// Verification of addresses, password resets and `/me/email`.
    Emails,
    /// `/me/totp`.
    Factors,
    /// The security log, for administrators.
    SecurityLog,
    /// Machine clients: their management, for administrators, and `/oauth/token`.
    Clients,
}

/// Sessions, API keys, mails and second factors of accounts.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct AccountSettings {
    /// Login sessions.
    #[setting(section)]
    pub session: SessionSettings,
    /// API keys.
    #[setting(section)]
    pub key: crate::ApiKeySettings,
    /// The OpenID provider.
    #[setting(section)]
    pub oidc: Option<crate::OpenIdSettings>,
    /// Account mails.
    #[setting(section)]
    pub email: emails::EmailSettings,
    /// The throttle for failed logins.
    #[setting(section)]
    pub throttle: throttle::ThrottleSettings,
    /// Second factors.
    #[setting(section)]
    pub factor: factor::FactorSettings,
}

impl Plugin for Accounts {
    const NAME: &'static str = "auth";
    type Settings = AccountSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("Accounts: login, sessions, API keys, second factors, the security log")
            .requires("keys")
            .requires("mail")
            .tables(TABLES);
    }

    fn register(
        self,
        settings: AccountSettings,
        app: &mut Registrar<'_>,
    ) -> Result<(), SetupError> {
        for option in &self.repeated {
            app.fault(SetupError::new(format!(
                "`{option}` is given more than once, and only the last one would count. Keep one"
            )));
        }
        let keys = Arc::new(AccountKeys::derive(app));
        let security = Arc::new(SecurityWriter::new(app.database(), app.clock()));
        app.provide(Arc::clone(&security));
        let counted = Arc::clone(&security);
        app.metrics(security::FAMILIES, move |samples| counted.collect(samples));
        app.service("security log", |security: Arc<SecurityWriter>| async move {
            Ok(Stop::with(move || async move { security.flush().await }))
        });
        api_keys(&settings.key, &security, app);
        register_sessions(&settings.session, &keys, &security, app);
        register_emails(settings.email, app);
        app.provide(Arc::new(OwnTexts(self.mail_texts)));
        register_openid(settings.oidc, &keys, app);
        let mut factor = settings.factor;
        factor
            .issuer
            .get_or_insert_with(|| app.info().title.clone());
        app.provide(Arc::new(factor));
        app.provide(Arc::new(settings.throttle));
        app.provide(keys);
        app.module(self.into_module());
        Ok(())
    }
}

fn api_keys(
    settings: &crate::ApiKeySettings,
    security: &Arc<SecurityWriter>,
    app: &mut Registrar<'_>,
) {
    let api_keys = Arc::new(ApiKeys::new(
        app.info().name,
        settings,
        app.database(),
        app.clock(),
        Arc::clone(security),
    ));
    app.provide(Arc::clone(&api_keys));
    app.service("API keys", |keys: Arc<ApiKeys>| async move {
        Ok(Stop::with(move || async move { keys.flush().await }))
    });
    let identity = Arc::new(ApiKeyIdentity::new(api_keys));
    app.identify(
        Arc::clone(&identity) as Arc<dyn doyen_core::Identify>,
        ApiKeyIdentity::needs(),
    );
    app.after_build(move |built| identity.connect(built.service().container().clone()));
}

fn register_sessions(
    settings: &SessionSettings,
    keys: &AccountKeys,
    security: &Arc<SecurityWriter>,
    app: &mut Registrar<'_>,
) {
    let lifetime = app.contributions::<AccessLifetime>().pop();
    let AccessLifetime(access) = lifetime.unwrap_or(AccessLifetime(settings.idle));
    for (key, span) in [
        ("auth.session.idle", settings.idle),
        ("auth.session.absolute", settings.absolute),
    ] {
        if span < access {
            let message = format!(
                "a session would end before its access token. Set at least {}s (`auth.access_lifetime`), or shorten that",
                access.as_secs()
            );
            app.fault(SetupError::setting(key, message));
        }
    }
    let store = match store(settings.store, app) {
        Ok(store) => store,
        Err(error) => return app.fault(error),
    };
    let revocations = Arc::new(Revocations::new(app.database(), access));
    let engine = Arc::new(SessionEngine::new(
        app.database(),
        store,
        Arc::clone(&revocations),
        Arc::new(settings.clone()),
        app.clock(),
        keys,
    ));
    app.contribute(TokenSessions {
        revocations: revocations.list(),
        uses: Arc::clone(&engine.uses) as _,
    });
    app.service("sessions", |engine: Arc<SessionEngine>| async move {
        Ok(Stop::with(move || async move { engine.flush().await }))
    });
    if settings.transport != Transport::Bearer {
        let cookies = CookieSessions::new(Arc::clone(&engine), Arc::clone(security));
        app.identify(Arc::new(cookies), Needs::default());
    }
    app.provide(Arc::clone(&engine));
    app.provide(revocations);
    app.after_build(move |built| engine.connect(built.service().container().clone()));
}

fn store(kind: SessionStoreKind, app: &Registrar<'_>) -> Result<Arc<dyn SessionStore>, SetupError> {
    match (kind, app.redis()) {
        (SessionStoreKind::Sql, _) => Ok(Arc::new(SqlSessions)),
        #[cfg(feature = "redis")]
        (SessionStoreKind::Redis, Some(redis)) => Ok(Arc::new(sessions::RedisSessions::new(
            redis.connection(),
            app.info().name,
        ))),
        (SessionStoreKind::Redis, _) => Err(SetupError::setting(
            "auth.session.store",
            "sessions in `redis` need Redis. Set `redis.url` (REDIS_URL) too, or keep them in `sql`",
        )),
    }
}

fn register_emails(mut settings: emails::EmailSettings, app: &mut Registrar<'_>) {
    let silent = app
        .contributions::<MailDelivery>()
        .contains(&MailDelivery::Off);
    let info = app.info();
    let settled = settings.settle(
        info.environment.is_prod(),
        silent,
        &info.title,
        &info.local_url,
    );
    match settled {
        Ok(()) => app.provide(Arc::new(settings)),
        Err(message) => app.fault(SetupError::setting("auth.email", message)),
    }
}

#[cfg(feature = "oidc")]
fn register_openid(
    settings: Option<crate::OpenIdSettings>,
    keys: &AccountKeys,
    app: &mut Registrar<'_>,
) {
    let loopback = !app.info().environment.is_prod();
    let openid = crate::OpenId::new(
        settings,
        &keys.openid,
        app.database(),
        app.clock(),
        loopback,
    );
    match openid {
        Ok(openid) => app.provide(Arc::new(openid)),
        Err((key, message)) => app.fault(SetupError::setting(key, message)),
    }
}

/// Rejects settings that nothing reads.
#[cfg(not(feature = "oidc"))]
fn register_openid(
    settings: Option<crate::OpenIdSettings>,
    _: &AccountKeys,
    app: &mut Registrar<'_>,
) {
    if settings.is_some() {
        app.fault(SetupError::setting(
            "auth.oidc",
            "this program was built without OpenID. Add the feature `oidc` of `doyen`, or remove the section",
        ));
    }
}
