//! The response to a login: tokens, or a cookie.

use doyen_core::{Refusal, Unexpected};
use doyen_schema::contract::{Answer, Contract};
use doyen_schema::{Output, Schema};
use doyen_web::{IntoResponse, NoContent, NoStore, Parts, Response};
use http::{HeaderName, HeaderValue, header};
use serde_json::json;

use super::TokenPair;
use crate::cookies::cookie;
use crate::sessions::{OpenSession, SessionKind, Sessions, secrets};

/// An access token and a refresh token (RFC 6749 section 5.1). Send the access token as
/// `Authorization: Bearer <access_token>`.
#[derive(Output)]
#[output(name = "Token")]
pub(crate) struct TokenView {
    /// Access token.
    access_token: String,
    /// Token type.
    token_type: TokenType,
    /// Lifetime of the access token in seconds.
    #[output(example = 900)]
    expires_in: u64,
    /// Single-use token that is exchanged for the next pair.
    refresh_token: String,
    /// Space-separated scopes of the access token.
    #[output(example = "profile")]
    scope: String,
}

/// Token type.
#[derive(Output)]
pub(crate) enum TokenType {
    /// The token is sent in the `Authorization` header.
    #[output(rename = "Bearer")]
    Bearer,
}

/// A cookie session. The cookie is in `Set-Cookie`.
#[derive(Output)]
#[output(name = "CookieSession")]
pub(crate) struct CookieView {
    /// CSRF token. Send it as `X-CSRF-Token` with each request that changes data.
    csrf_token: String,
    /// Maximum lifetime of the session in seconds, regardless of its use.
    expires_in: u64,
    /// Space-separated scopes of the session.
    scope: String,
}

impl TokenView {
    pub(crate) fn new(sessions: &Sessions, open: &OpenSession) -> Result<Self, Unexpected> {
        let pair = TokenPair::new(sessions, open)?;
        Ok(Self {
            access_token: pair.access_token,
            token_type: TokenType::Bearer,
            expires_in: pair.expires_in,
            refresh_token: pair.refresh_token,
            scope: open.user.scopes.join(" "),
        })
    }
}

/// The response to a login.
pub(crate) enum LoggedIn {
    /// Bearer tokens.
    Tokens(TokenView),
    /// A cookie and its CSRF token.
    Cookie(CookieView, String),
}

impl LoggedIn {
    pub(crate) fn new(sessions: &Sessions, open: &OpenSession) -> Result<Self, Unexpected> {
        let record = &open.record;
        if record.kind == SessionKind::Bearer {
            return TokenView::new(sessions, open).map(Self::Tokens);
        }
        let expires_in = record.absolute_until.since(record.created_at).as_secs();
        let view = CookieView {
            csrf_token: sessions.csrf_token(record.id),
            expires_in,
            scope: open.user.scopes.join(" "),
        };
        let value = secrets::cookie_value(record.id, &open.secret);
        Ok(Self::Cookie(view, cookie::set(&value, expires_in)))
    }
}

impl IntoResponse for LoggedIn {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        match self {
            Self::Tokens(view) => NoStore(view).into_response(parts),
            Self::Cookie(view, cookie) => {
                let mut response = NoStore(view).into_response(parts)?;
                let cookie = HeaderValue::try_from(cookie).map_err(Unexpected::from)?;
                response.headers_mut().append(header::SET_COOKIE, cookie);
                Ok(response)
            }
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        let tokens = TokenView::schema(contract.components).into_json();
        let cookie = CookieView::schema(contract.components).into_json();
        let either = Schema::any().with("oneOf", json!([tokens, cookie]));
        contract.operation.answers.push(Answer::with_body(
            200,
            "Tokens, or a cookie session. The response must not be cached.",
            "application/json",
            either,
        ));
    }
}

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// 204 after a logout. It clears the data of this site in the browser.
pub(crate) struct LoggedOut;

impl IntoResponse for LoggedOut {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = NoContent.into_response(parts)?;
        let headers = response.headers_mut();
        headers.insert(
            CLEAR_SITE_DATA,
            HeaderValue::from_static("\"cache\", \"cookies\", \"storage\""),
        );
        // For browsers without support for the header above.
        if parts.header("cookie").and_then(cookie::find).is_some() {
            headers.append(
                header::SET_COOKIE,
                HeaderValue::from_static(cookie::REMOVE_COOKIE),
            );
        }
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let field = "Data of this site that the browser clears.";
        contract.operation.answers.push(
            Answer::empty(204, "Success. The response has no body.").header(
                "Clear-Site-Data",
                field,
                Schema::of("string"),
            ),
        );
    }
}
