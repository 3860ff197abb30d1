//! The routes for sessions: refresh, log out, list, rename, end.

use doyen_core::{
    Page, Patch, Restricted, SecurityEvent, SecurityLog, Timestamp, Unexpected, anyone, security,
    signed_in,
};
use doyen_macros::{delete, get, patch, post, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Client, Json, LinkMap, Links, MergePatch, NoContent, NoStore, Routes, none};
use std::sync::Arc;

use super::{
    CurrentSession, FindSession, Refresh, SessionEngine, SessionId, SessionNotFound, SessionRecord,
    Sessions, device,
};
use crate::SessionRequired;
use crate::login::{LoggedOut, TokenView};
use crate::session_user::without_api_keys;

/// Returns the public routes.
pub(crate) fn public() -> Routes {
    routes![refresh]
}

/// Returns the routes for the caller's own sessions, with this access policy.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![logout, list, rename, end, end_others]
        .allow(own)
        .document(without_api_keys)
}

/// A refresh token.
#[derive(Input)]
struct RefreshInput {
    /// Refresh token from the last login or refresh.
    #[validate(length(min = 1, max = 8192))]
    refresh_token: String,
}

/// A session of the caller.
#[derive(Output)]
#[output(name = "Session")]
struct SessionView {
    /// Id of the session.
    id: SessionId,
    /// Name of the session.
    name: Option<String>,
    /// Device, derived from the user agent.
    #[output(example = "Firefox on Linux")]
    device: String,
    /// Time of the login.
    created_at: Timestamp,
    /// Client address at the login.
    created_address: Option<String>,
    /// Time of the last use, updated at most once a minute or at each refresh.
    last_seen_at: Timestamp,
    /// Client address of the last use.
    last_seen_address: Option<String>,
    /// Time at which the session ends if it is not used.
    expires_at: Timestamp,
    /// True for the session of this request.
    current: bool,
    /// Links to the actions available to the caller.
    #[output(rename = "_links")]
    links: LinkMap,
}

/// Changes to a session.
#[derive(Input)]
struct SessionChanges {
    /// Name of the session. `null` removes the name.
    #[validate(length(min = 1, max = 100), display_name)]
    name: Patch<Option<String>>,
}

/// Refresh an access token
///
/// Exchanges a refresh token for a new pair of tokens. Each refresh token can be used once. A
/// client that lost the response can send the same token again within ten seconds and gets the same
/// successor. Later reuse ends the session, because two parties then hold the token.
#[post("/auth/refresh", allow = anyone, returns = "The new tokens. The response must not be cached.")]
async fn refresh(
    sessions: Sessions,
    client: Client,
    Json(given): Json<RefreshInput>,
) -> Result<NoStore<TokenView>, Refresh> {
    let open = sessions.refresh(&given.refresh_token, &client).await?;
    Ok(NoStore(TokenView::new(&sessions, &open)?))
}

/// Errors of requests that need the caller's own session.
#[derive(Debug, doyen_core::Problem)]
pub(crate) enum Own {
    /// The caller has no session.
    #[problem(transparent)]
    Required(SessionRequired),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Log out
///
/// Ends the session. Its tokens are rejected on every node within five seconds.
#[post("/auth/logout", allow = signed_in)]
async fn logout(
    me: CurrentSession,
    sessions: Sessions,
    client: Client,
    log: Arc<dyn SecurityLog>,
) -> Result<LoggedOut, Own> {
    sessions.end(&me.subject, me.id).await?;
    log.record_on_commit(session_event(security::LOGGED_OUT, &me, &client));
    Ok(LoggedOut)
}

/// List your sessions
///
/// The newest sessions come first.
#[get("/me/sessions", allow = signed_in, id = "auth_list_sessions", cache = none)]
async fn list(
    me: CurrentSession,
    sessions: Sessions,
    engine: Arc<SessionEngine>,
    links: Links,
) -> Result<Page<SessionView>, Own> {
    // So that the list includes earlier uses.
    engine.flush().await;
    let all = sessions.list(&me.subject).await?;
    let items = all.into_iter().take(100);
    Ok(Page {
        items: items.map(|record| view(record, &me, &links)).collect(),
        limit: 100,
        next: None,
        prev: None,
        total: None,
    })
}

/// Rename a session
#[patch("/me/sessions/{id}", allow = signed_in, id = "auth_name_session", returns = "The updated session.")]
async fn rename(
    me: CurrentSession,
    sessions: Sessions,
    links: Links,
    /// Id of the session.
    #[path]
    id: SessionId,
    MergePatch(changes): MergePatch<SessionChanges>,
) -> Result<NoStore<SessionView>, FindSession> {
    let found = match changes.name {
        Patch::Set(name) => sessions.rename(&me.subject, id, name.as_deref()).await?,
        Patch::Absent => sessions
            .list(&me.subject)
            .await?
            .into_iter()
            .find(|record| record.id == id),
    };
    Ok(NoStore(view(found.ok_or(SessionNotFound)?, &me, &links)))
}

/// End a session
///
/// Its tokens are rejected on every node within five seconds.
#[delete("/me/sessions/{id}", allow = signed_in, id = "auth_end_session")]
async fn end(
    me: CurrentSession,
    sessions: Sessions,
    /// Id of the session.
    #[path]
    id: SessionId,
    client: Client,
    log: Arc<dyn SecurityLog>,
) -> Result<NoContent, FindSession> {
    if !sessions.end(&me.subject, id).await? {
        return Err(SessionNotFound.into());
    }
    let event = session_event(security::SESSION_REVOKED, &me, &client);
    log.record_on_commit(event.detail("ended", id.to_string()));
    Ok(NoContent)
}

/// End all other sessions
///
/// Ends all your sessions except the current one.
#[delete("/me/sessions", allow = signed_in, id = "auth_end_other_sessions")]
async fn end_others(
    me: CurrentSession,
    sessions: Sessions,
    client: Client,
    log: Arc<dyn SecurityLog>,
) -> Result<NoContent, Own> {
    let ended = sessions.end_others(&me.subject, me.id).await?;
    let event = session_event(security::SESSION_REVOKED, &me, &client);
    log.record_on_commit(event.detail("ended", ended.to_string()));
    Ok(NoContent)
}

/// Returns a security event of the caller.
fn session_event(name: &'static str, me: &CurrentSession, client: &Client) -> SecurityEvent {
    SecurityEvent::new(name)
        .subject(&me.subject)
        .session(&me.id.to_string())
        .from(client.address, client.agent.as_deref())
}

fn view(record: SessionRecord, me: &CurrentSession, links: &Links) -> SessionView {
    let id: &[&dyn std::fmt::Display] = &[&record.id];
    let links = links.map().to::<rename>("edit", id).to::<end>("delete", id);
    SessionView {
        links: links.done(),
        id: record.id,
        device: device::name(record.agent.as_deref()),
        name: record.name,
        created_at: record.created_at,
        created_address: record.created_address,
        last_seen_at: record.seen_at,
        last_seen_address: record.seen_address,
        expires_at: record.idle_until,
        current: record.id == me.id,
    }
}
