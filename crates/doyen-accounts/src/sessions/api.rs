//! The routes about sessions: refresh, log out, list, name, end.

use doyen_core::{
    Input, Output, Page, Patch, Restricted, SecurityEvent, SecurityLog, Timestamp, Unexpected,
    anyone, security, signed_in,
};
use doyen_macros::{delete, get, patch, post, routes};
use doyen_web::{Client, Json, MergePatch, NoContent, NoStore, Routes};
use std::sync::Arc;

use super::{
    FindSession, OwnSession, Refresh, SessionId, SessionNotFound, SessionRecord, Sessions, device,
};
use crate::SessionRequired;
use crate::login::{LoggedOut, TokenView};

/// Those that anybody may call.
pub(crate) fn public() -> Routes {
    routes![refresh]
}

/// Those about one's own sessions, for whoever may call them.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![logout, list, rename, end, end_others].allow(own)
}

/// A refresh token.
#[derive(Input)]
struct RefreshInput {
    /// The one that the last login or refresh gave.
    #[validate(length(min = 1, max = 8192))]
    refresh_token: String,
}

/// A session of yours.
#[derive(Output)]
#[output(name = "Session")]
struct SessionView {
    /// Its id.
    id: SessionId,
    /// What you call it.
    name: Option<String>,
    /// The device, as far as it tells.
    #[output(example = "Firefox on Linux")]
    device: String,
    /// When you logged in.
    created_at: Timestamp,
    /// From which address.
    created_address: Option<String>,
    /// When it was last used, to a minute or to a refresh.
    last_seen_at: Timestamp,
    /// From which address.
    last_seen_address: Option<String>,
    /// When it ends, if it is not used before.
    expires_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

/// Changes to a session.
#[derive(Input)]
struct SessionChanges {
    /// What you call it; null for no name.
    #[validate(length(min = 1, max = 100))]
    name: Patch<Option<String>>,
}

/// Exchange a refresh token for new tokens.
///
/// Each refresh token is good once. Whoever lost the answer may send the same one again within ten seconds and gets the same successor; used
/// later, it ends the session, because then two hold it.
#[post("/auth/refresh", allow = anyone)]
async fn refresh(
    sessions: Sessions,
    client: Client,
    Json(given): Json<RefreshInput>,
) -> Result<NoStore<TokenView>, Refresh> {
    let open = sessions.refresh(&given.refresh_token, &client).await?;
    Ok(NoStore(TokenView::new(&sessions, &open)?))
}

/// Why a request about one's own session failed.
#[derive(Debug, doyen_core::Problem)]
pub(crate) enum Own {
    /// The caller has none.
    #[problem(transparent)]
    Required(SessionRequired),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Log out.
///
/// The session ends, with all its tokens, on every node within five seconds.
#[post("/auth/logout", allow = signed_in)]
async fn logout(
    me: OwnSession,
    sessions: Sessions,
    client: Client,
    log: Arc<dyn SecurityLog>,
) -> Result<LoggedOut, Own> {
    sessions.end(&me.subject, me.id).await?;
    log.record_on_commit(told(security::LOGGED_OUT, &me, &client));
    Ok(LoggedOut)
}

/// List your sessions, the newest first.
#[get("/me/sessions", allow = signed_in, id = "auth_list_sessions")]
async fn list(me: OwnSession, sessions: Sessions) -> Result<Page<SessionView>, Own> {
    let all = sessions.list(&me.subject).await?;
    let items = all.into_iter().take(100);
    Ok(Page {
        items: items.map(|record| view(record, &me)).collect(),
        limit: 100,
        next: None,
        prev: None,
        total: None,
    })
}

/// Name a session of yours.
#[patch("/me/sessions/{id}", allow = signed_in, id = "auth_name_session")]
async fn rename(
    me: OwnSession,
    sessions: Sessions,
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
    Ok(NoStore(view(found.ok_or(SessionNotFound)?, &me)))
}

/// End a session of yours.
///
/// Its tokens are refused on every node within five seconds.
#[delete("/me/sessions/{id}", allow = signed_in, id = "auth_end_session")]
async fn end(
    me: OwnSession,
    sessions: Sessions,
    id: SessionId,
    client: Client,
    log: Arc<dyn SecurityLog>,
) -> Result<NoContent, FindSession> {
    if !sessions.end(&me.subject, id).await? {
        return Err(SessionNotFound.into());
    }
    let event = told(security::SESSION_REVOKED, &me, &client);
    log.record_on_commit(event.detail("ended", id.to_string()));
    Ok(NoContent)
}

/// End all your sessions but this one.
#[delete("/me/sessions", allow = signed_in, id = "auth_end_other_sessions")]
async fn end_others(
    me: OwnSession,
    sessions: Sessions,
    client: Client,
    log: Arc<dyn SecurityLog>,
) -> Result<NoContent, Own> {
    let ended = sessions.end_others(&me.subject, me.id).await?;
    let event = told(security::SESSION_REVOKED, &me, &client);
    log.record_on_commit(event.detail("ended", ended.to_string()));
    Ok(NoContent)
}

/// What the caller did, for the log.
fn told(name: &'static str, me: &OwnSession, client: &Client) -> SecurityEvent {
    SecurityEvent::new(name)
        .subject(&me.subject)
        .session(&me.id.to_string())
        .from(client.address, client.agent.as_deref())
}

fn view(record: SessionRecord, me: &OwnSession) -> SessionView {
    SessionView {
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
