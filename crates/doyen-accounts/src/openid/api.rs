//! `/auth/oidc/start` and `/auth/oidc/callback`.

use std::sync::Arc;

use doyen_core::{Kind, Refusal, SecurityEvent, SecurityLog, Unexpected, anyone, security};
use doyen_macros::{get, routes};
use doyen_schema::contract::{Answer, Contract};
use doyen_schema::{Input, Schema};
use doyen_web::extract::FromRequestParts;
use doyen_web::{
    Body, Client, IntoResponse, Parts, Query, Request, Response, Routes, uri_reference,
};
use http::{HeaderValue, StatusCode, header};

use super::engine::Returned;
use super::problems::OpenIdLogin;
use super::write_context::WriteContext;
use super::{OpenId, attempt};
use crate::cookies::PresentedCookie;
use crate::login::LoggedIn;
use crate::sessions::{SessionEngine, SessionKind, Transport};

/// Returns the public routes.
pub(crate) fn routes() -> Routes {
    routes![start, callback]
}

/// A 303 to the provider, with the cookie of this login.
struct LoginStarted {
    to: String,
    cookie: String,
}

impl IntoResponse for LoginStarted {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        redirect(&self.to, &self.cookie)
    }

    fn describe(contract: &mut Contract<'_>) {
        contract
            .operation
            .answers
            .push(seen("Redirect to the OpenID provider."));
    }
}

/// Start a login with the OpenID provider
///
/// Open this URL in a browser. A short-lived cookie binds the login to the browser.
#[get("/auth/oidc/start", allow = anyone, id = "auth_openid_start")]
async fn start(openid: Arc<OpenId>) -> Result<LoginStarted, OpenIdLogin> {
    let (to, cookie) = openid.engine()?.begin().await?;
    Ok(LoginStarted { to, cookie })
}

/// Parameters that the provider adds to the redirect.
#[allow(
    dead_code,
    reason = "unknown names are refused: what providers add must be known, and is not read"
)]
#[derive(Input)]
struct FromProvider {
    /// State of the login.
    #[validate(length(max = 100))]
    state: Option<String>,
    /// Single-use authorization code.
    #[validate(length(max = 4000))]
    code: Option<String>,
    /// Issuer of the response (RFC 9207).
    #[validate(length(max = 1000))]
    iss: Option<String>,
    /// Error code, if the login failed.
    #[validate(length(max = 200))]
    error: Option<String>,
    /// Error description. Ignored.
    error_description: Option<String>,
    /// URL of a page about the error. Ignored.
    error_uri: Option<String>,
    /// Parameter of some providers. Ignored.
    session_state: Option<String>,
    /// Parameter of some providers. Ignored.
    scope: Option<String>,
    /// Parameter of some providers. Ignored.
    authuser: Option<String>,
    /// Parameter of some providers. Ignored.
    hd: Option<String>,
    /// Parameter of some providers. Ignored.
    prompt: Option<String>,
}

/// The value of the `Cookie` header.
struct Cookies(Option<String>);

impl FromRequestParts for Cookies {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        Ok(Some(Self(
            request.parts.header("cookie").map(str::to_owned),
        )))
    }

    fn describe(_: &mut Contract<'_>) {}
}

/// The response to a login, or a 303 to the page after it. Both remove the cookie of this login.
struct Finished {
    login: LoggedIn,
    after: Option<String>,
}

impl IntoResponse for Finished {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = self.login.into_response(parts)?;
        if let Some(after) = &self.after {
            let cookies: Vec<HeaderValue> = response
                .headers()
                .get_all(header::SET_COOKIE)
                .iter()
                .cloned()
                .collect();
            response = redirect(after, attempt::REMOVE_COOKIE)?;
            for cookie in cookies {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            return Ok(response);
        }
        let removed = HeaderValue::from_static(attempt::REMOVE_COOKIE);
        response.headers_mut().append(header::SET_COOKIE, removed);
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        LoggedIn::describe(contract);
        contract.operation.answers.push(seen(
            "Logged in with a cookie. Redirect to the configured page.",
        ));
    }
}

/// Complete a login with the OpenID provider
///
/// The provider redirects the browser here. The response is the same as for a login.
#[get("/auth/oidc/callback", allow = anyone, id = "auth_openid_callback")]
async fn callback(
    openid: Arc<OpenId>,
    sessions: Arc<SessionEngine>,
    log: Arc<dyn SecurityLog>,
    client: Client,
    cookies: Cookies,
    context: WriteContext,
    Query(given): Query<FromProvider>,
) -> Result<Finished, OpenIdLogin> {
    let engine = openid.engine()?;
    let returned = Returned {
        cookie: cookies.0.as_deref(),
        state: given.state.as_deref(),
        code: given.code.as_deref(),
        issuer: given.iss.as_deref(),
        error: given.error.is_some(),
    };
    let settings = &engine.settings;
    let kind = match sessions.settings.transport {
        Transport::Cookie => SessionKind::Cookie,
        Transport::Both if settings.after.is_some() => SessionKind::Cookie,
        Transport::Bearer | Transport::Both => SessionKind::Bearer,
    };
    let entered = async {
        let claims = engine.finish(&returned).await?;
        let linker = context.linker().await.map_err(login_error)?;
        linker
            .log_in(
                &settings.issuer,
                &claims,
                settings.link,
                kind,
                &PresentedCookie::of(cookies.0.as_deref()),
                &client,
            )
            .await
    };
    match entered.await {
        Ok(login) => {
            context.commit().await.map_err(login_error)?;
            let after = settings.after.clone();
            Ok(Finished {
                login,
                after: after.filter(|_| kind == SessionKind::Cookie),
            })
        }
        Err(problem) => {
            context.rollback().await;
            let code = doyen_core::Problem::info(&problem);
            if !code.kind.is_fault() && code.kind != Kind::NotFound {
                let event = SecurityEvent::new(security::LOGIN_FAILED)
                    .from(client.address, client.agent.as_deref());
                log.record(event.detail("why", code.code));
            }
            Err(problem)
        }
    }
}

fn login_error(refusal: Refusal) -> OpenIdLogin {
    let cause = refusal.cause().map(ToString::to_string);
    let cause = cause.unwrap_or_else(|| refusal.info().code.to_owned());
    Unexpected::known(refusal.info(), cause).into()
}

fn redirect(to: &str, cookie: &str) -> Result<Response, Refusal> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, uri_reference(to));
    headers.insert(
        header::SET_COOKIE,
        HeaderValue::try_from(cookie).map_err(Unexpected::from)?,
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn seen(meaning: &str) -> Answer {
    let place = Schema::of("string").with("format", "uri-reference");
    Answer::empty(303, meaning).header("Location", "Where.", place)
}
