//! The routes of a login.

use std::sync::Arc;

use doyen_auth::PasswordRules;
use doyen_core::inject::Context;
use doyen_core::{Restricted, Secret, anyone, signed_in};
use doyen_macros::{get, post, routes};
use doyen_schema::rule::Broken;
use doyen_schema::{Input, Output};
use doyen_web::{Client, Json, NoStore, Routes};

use super::flow::{LoginFlow, PresentedCredentials};
use super::password::PasswordChange;
use super::problems::ChangePassword;
use super::{LogIn, LoggedIn, NotOffered};
use crate::cookies::{CsrfFailed, PresentedCookie, Provenance};
use crate::session_user::without_api_keys;
use crate::sessions::{CurrentSession, Own, SessionEngine, SessionKind, Sessions, Transport};

/// Returns the public routes.
pub(crate) fn public() -> Routes {
    routes![login]
}

/// Returns the routes for the caller's own account, with this access policy.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![csrf, change_password]
        .allow(own)
        .document(without_api_keys)
}

/// Credentials for a login.
#[derive(Input)]
struct Credentials {
    /// Email address of the account.
    #[validate(email, length(max = 254))]
    #[input(example = "agent@example.com")]
    email: String,
    /// Password of the account.
    #[validate(length(min = 1, max = 1024))]
    #[input(example = "correct horse battery staple")]
    password: Secret<String>,
    /// Code of the second factor, or a recovery code. Required if a second factor is enabled.
    #[validate(length(min = 1, max = 64))]
    #[input(example = "123456")]
    code: Option<Secret<String>>,
    /// Kind of credentials to return, if the service offers bearer tokens and cookies. The default
    /// is bearer tokens.
    transport: Option<Wanted>,
}

/// Credentials that a login can request.
#[derive(Clone, Copy, PartialEq, Eq, Input)]
#[input(name = "LoginTransport")]
enum Wanted {
    /// An access token and a refresh token.
    Bearer,
    /// A session cookie, for pages of this site.
    Cookie,
}

/// Log in
///
/// Authenticates with an email address and a password. The response is the same for an unknown
/// address, a wrong password and a disabled account. A login that returns a cookie ends the session
/// whose cookie the request carries.
#[post("/auth/login", allow = anyone)]
async fn login(
    flow: LoginFlow,
    sessions: Sessions,
    engine: Arc<SessionEngine>,
    client: Client,
    provenance: Provenance,
    cookie: PresentedCookie,
    Json(given): Json<Credentials>,
) -> Result<LoggedIn, LogIn> {
    let kind = kind(engine.settings.transport, given.transport).ok_or(NotOffered)?;
    // Prevents login CSRF: a page of another site cannot log the user in to another account.
    if kind == SessionKind::Cookie && provenance.is_foreign() {
        return Err(CsrfFailed.into());
    }
    let presented = PresentedCredentials {
        email: &given.email.to_lowercase(),
        password: given.password,
        code: given.code.as_ref().map(|code| code.expose().as_str()),
        cookie: &cookie,
        client: &client,
    };
    let open = flow.log_in(&presented, kind).await?;
    Ok(LoggedIn::new(&sessions, &open)?)
}

/// Returns the kind of session for the setting and the request, or `None` if they conflict.
fn kind(offered: Transport, wanted: Option<Wanted>) -> Option<SessionKind> {
    match (offered, wanted) {
        (Transport::Bearer | Transport::Both, None | Some(Wanted::Bearer)) => {
            Some(SessionKind::Bearer)
        }
        (Transport::Cookie, None | Some(Wanted::Cookie))
        | (Transport::Both, Some(Wanted::Cookie)) => Some(SessionKind::Cookie),
        _ => None,
    }
}

/// A CSRF token.
#[derive(Output)]
struct CsrfToken {
    /// Send it as `X-CSRF-Token` with each request that changes something.
    csrf_token: String,
}

/// Get the CSRF token of your session
///
/// Use it if a page with a cookie session no longer has the CSRF token from the login.
#[get("/auth/csrf", allow = signed_in)]
async fn csrf(me: CurrentSession, sessions: Sessions) -> Result<NoStore<CsrfToken>, Own> {
    Ok(NoStore(CsrfToken {
        csrf_token: sessions.csrf_token(me.id),
    }))
}

/// A password change.
#[derive(Input)]
struct PasswordInput {
    /// Current password.
    #[validate(length(min = 1, max = 1024))]
    current_password: Secret<String>,
    /// New password. Short and common passwords are rejected; the default minimum is 8 characters.
    #[validate(length(min = 1, max = 128), async = acceptable)]
    #[input(example = "correct horse battery staple")]
    new_password: Secret<String>,
}

/// Checks the rules of the settings `auth.password`.
async fn acceptable(password: &Secret<String>, cx: &Context) -> Result<(), Broken> {
    let rules = cx.get::<Arc<PasswordRules>>().await.ok();
    let rules = rules.as_deref().copied().unwrap_or_default();
    let checked = rules.check(password.expose());
    checked
        .map(|_| ())
        .map_err(|why| Broken::new(why.code(), rules.explain(why)))
}

/// Change your password
///
/// All your sessions end. The current session continues under a new id, and the response is the
/// same as for a login.
#[post("/me/password", allow = signed_in, id = "auth_change_password")]
async fn change_password(
    me: CurrentSession,
    change: PasswordChange,
    sessions: Sessions,
    client: Client,
    Json(given): Json<PasswordInput>,
) -> Result<LoggedIn, ChangePassword> {
    let open = change
        .change(&me, given.current_password, given.new_password, &client)
        .await?;
    Ok(LoggedIn::new(&sessions, &open)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_returns_the_offered_and_requested_transport() {
        use SessionKind as K;
        for (offered, wanted, kind_given) in [
            (Transport::Bearer, None, Some(K::Bearer)),
            (Transport::Bearer, Some(Wanted::Cookie), None),
            (Transport::Cookie, None, Some(K::Cookie)),
            (Transport::Cookie, Some(Wanted::Bearer), None),
            (Transport::Both, None, Some(K::Bearer)),
            (Transport::Both, Some(Wanted::Cookie), Some(K::Cookie)),
        ] {
            assert_eq!(kind(offered, wanted), kind_given);
        }
    }
}
