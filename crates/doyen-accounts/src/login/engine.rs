//! The login as an engine, for applications with routes and bodies of their own.

use doyen_core::{Inject, Secret, Unexpected};
use doyen_web::Client;

use super::LogIn;
use super::flow::{LoginFlow, PresentedCredentials};
use crate::UserRecord;
use crate::cookies::PresentedCookie;
use crate::sessions::{OpenSession, SessionKind, Sessions, secrets};

/// Logs users in with a password: throttled, with the second factor, in the security log, and with
/// a session that can be listed and revoked. The route of [`Accounts`](crate::Accounts) does the
/// same; use this for a route with another path, body or response.
///
/// ```text
/// #[post("/api/users/login", allow = anyone)]
/// async fn login(login: PasswordLogin, client: Client, Json(given): Json<LoginBody>)
///     -> Result<NoStore<UserBody>, LogIn>
/// {
///     let email = given.user.email.to_lowercase();
///     let tokens = login.log_in(&email, given.user.password, None, &client).await?;
///     Ok(NoStore(UserBody::new(tokens)))
/// }
/// ```
#[derive(Clone, Inject)]
pub struct PasswordLogin {
    flow: LoginFlow,
    sessions: Sessions,
}

impl std::fmt::Debug for PasswordLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordLogin").finish_non_exhaustive()
    }
}

impl PasswordLogin {
    /// Verifies the credentials and opens a session. `email` is in lower case; `code` is that of
    /// the second factor.
    ///
    /// # Errors
    ///
    /// Returns the reason of the refusal, and a 503 if the database is unavailable. The reason is
    /// the same for an unknown address, a wrong password and a disabled account.
    pub async fn log_in(
        &self,
        email: &str,
        password: Secret<String>,
        code: Option<&str>,
        client: &Client,
    ) -> Result<TokenPair, LogIn> {
        let presented = PresentedCredentials {
            email,
            password,
            code,
            cookie: &PresentedCookie::default(),
            client,
        };
        let open = self.flow.log_in(&presented, SessionKind::Bearer).await?;
        Ok(TokenPair::new(&self.sessions, &open)?)
    }

    /// Opens a session for a user who has just proved who they are in another way, such as by a
    /// registration. Returns `None` if the user was disabled or has another password by now.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn open(
        &self,
        user: &UserRecord,
        client: &Client,
    ) -> Result<Option<TokenPair>, Unexpected> {
        let open = self
            .sessions
            .open(user, SessionKind::Bearer, client)
            .await?;
        open.map(|open| TokenPair::new(&self.sessions, &open))
            .transpose()
    }
}

/// The tokens of a login.
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenPair {
    /// Access token.
    pub access_token: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: u64,
    /// Single-use token that is exchanged for the next pair.
    pub refresh_token: String,
    /// The user.
    pub user: UserRecord,
}

impl TokenPair {
    pub(crate) fn new(sessions: &Sessions, open: &OpenSession) -> Result<Self, Unexpected> {
        let record = &open.record;
        let issued = sessions.access_token(record, &open.user)?;
        let refresh_token = secrets::refresh_token(record.id, record.counter, &open.secret)
            .ok_or_else(|| Unexpected::new("the session was refreshed too often"))?;
        Ok(Self {
            access_token: issued.token,
            expires_in: issued.expires_in,
            refresh_token,
            user: open.user.clone(),
        })
    }
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenPair")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
