//! What an application mounts.

use doyen_core::inject::Inject;
use doyen_core::{Port, Restrict, Restricted, signed_in};
use doyen_web::Module;

use crate::{Users, clients, emails, factor, keys, login, security, sessions};

/// Accounts for an application: its routes, its tables, its settings.
///
/// ```text
/// App::new("shop").auth(Auth::of::<SqlUsers>().admin(Scope::UsersWrite))
/// ```
///
/// | option | default |
/// | --- | --- |
/// | [`at`](Self::at) | `/v1` |
/// | [`own`](Self::own), who may use the routes under `/me` | `signed_in` |
/// | [`admin`](Self::admin), who may read the security log and manage clients | nobody: those routes are not there |
pub struct Auth {
    prefix: Option<String>,
    own: Option<Restricted>,
    admin: Option<Restricted>,
    module: Module,
    repeated: Vec<&'static str>,
    #[cfg(feature = "oidc")]
    openid: bool,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Auth {
    /// Accounts for the users that this adapter finds.
    pub fn of<U: Inject>() -> Self
    where
        dyn Users: Port<U>,
    {
        Self {
            prefix: None,
            own: None,
            admin: None,
            module: Module::new("auth")
                .describe("Login, sessions, API keys, machine clients and security events.")
                .bind::<dyn Users, U>(),
            repeated: Vec::new(),
            #[cfg(feature = "oidc")]
            openid: false,
        }
    }

    /// The path that all routes begin with.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        if self.prefix.replace(prefix.to_owned()).is_some() {
            self.repeated.push("Auth::at");
        }
        self
    }

    /// Who may use the routes about their own account. These routes need a caller, so that they
    /// cannot be public. Given twice, the application does not start.
    #[must_use]
    pub fn own(mut self, allow: impl Restrict) -> Self {
        if self.own.replace(allow.restricted()).is_some() {
            self.repeated.push("Auth::own");
        }
        self
    }

    /// Who may read the security log and manage machine clients. Given twice, the application does
    /// not start.
    #[must_use]
    pub fn admin(mut self, allow: impl Restrict) -> Self {
        if self.admin.replace(allow.restricted()).is_some() {
            self.repeated.push("Auth::admin");
        }
        self
    }

    /// Lets people log in by an outside OpenID provider too, the one of the settings `auth.oidc`.
    #[cfg(feature = "oidc")]
    #[must_use]
    pub const fn openid(mut self) -> Self {
        self.openid = true;
        self
    }

    /// The options that were given more than once, of which only the last would count; the facade
    /// refuses them.
    #[doc(hidden)]
    pub fn repeated(&self) -> &[&'static str] {
        &self.repeated
    }

    /// The module of it all; the facade calls it.
    #[doc(hidden)]
    pub fn into_module(self) -> Module {
        let Self {
            prefix,
            own,
            admin,
            module,
            repeated: _,
            #[cfg(feature = "oidc")]
            openid,
        } = self;
        let prefix = prefix.unwrap_or_else(|| "/v1".to_owned());
        let own = own.unwrap_or(signed_in);
        let module = module.bind::<dyn doyen_core::SecurityLog, security::SqlSecurityLog>();
        let module = module
            .routes(login::public().at(&prefix))
            .routes(sessions::public().at(&prefix))
            .routes(login::routes(own).at(&prefix))
            .routes(sessions::routes(own).at(&prefix));
        let module = module
            .routes(keys::routes(own).at(&prefix))
            .provide(std::sync::Arc::new(
                crate::throttle::ThrottleState::default(),
            ));
        let module = module
            .routes(emails::public().at(&prefix))
            .routes(emails::routes(own).at(&prefix))
            .routes(factor::routes(own).at(&prefix));
        #[cfg(feature = "oidc")]
        let module = if openid {
            module.routes(crate::openid::routes().at(&prefix))
        } else {
            module
        };
        // Without an administrator nobody makes clients.
        match admin {
            Some(admin) => module
                .routes(security::routes(admin).at(&prefix))
                .routes(clients::routes(admin).at(&prefix))
                .routes(clients::public().at(&prefix))
                .routes(clients::Metadata::routes())
                .provide(std::sync::Arc::new(clients::Metadata::new(&prefix))),
            None => module,
        }
    }
}
