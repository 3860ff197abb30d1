//! The routes that change an email address.

use std::sync::Arc;

use doyen_core::{
    Problem, Secret, SecurityEvent, SecurityLog, Unexpected, anyone, security, signed_in,
};
use doyen_macros::post;
use doyen_schema::Input;
use doyen_web::{Accepted, Client, Json, NoContent};

use super::verify::{Follow, LinkToken, MailAccepted};
use super::{EmailSettings, InvalidLink, Mailbox};
use crate::factor::{CheckFactor, SecondFactorRequired, WrongCode};
use crate::login::WrongPassword;
use crate::onetime::{OneTimeTokens, Purpose};
use crate::proof::{Proof, Prove};
use crate::sessions::{CurrentSession, Sessions};
use crate::throttle::LoginThrottled;
use crate::{SessionRequired, Users};

/// This mail was requested a moment ago. Retry after the number of seconds in `Retry-After`.
#[derive(Debug, Problem)]
#[problem(too_many_requests)]
pub(super) struct MailTooSoon {
    /// Number of seconds to wait.
    #[problem(retry_after)]
    pub(super) seconds: u32,
}

/// Errors when a new address is requested.
#[derive(Debug, Problem)]
pub(super) enum Ask {
    /// The caller has no session.
    #[problem(transparent)]
    Session(SessionRequired),
    /// The password is wrong.
    #[problem(transparent)]
    Password(WrongPassword),
    /// The account has a second factor, but the request has no code.
    #[problem(transparent)]
    FactorRequired(SecondFactorRequired),
    /// The code is wrong.
    #[problem(transparent)]
    Code(WrongCode),
    /// Too many failed attempts.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// Too many mails.
    #[problem(transparent)]
    TooSoon(MailTooSoon),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<Prove> for Ask {
    fn from(refused: Prove) -> Self {
        match refused {
            Prove::Required(problem) => problem.into(),
            Prove::Wrong(problem) => problem.into(),
            Prove::Throttled(problem) => problem.into(),
            Prove::Unexpected(error) => error.into(),
        }
    }
}

impl From<CheckFactor> for Ask {
    fn from(refused: CheckFactor) -> Self {
        match refused {
            CheckFactor::Required(problem) => problem.into(),
            CheckFactor::Wrong(problem) => problem.into(),
            CheckFactor::Throttled(problem) => problem.into(),
            CheckFactor::Unexpected(error) => error.into(),
        }
    }
}

/// A request for a new email address.
#[derive(Input)]
pub(super) struct NewAddress {
    /// New email address.
    #[validate(email, length(max = 254))]
    #[input(example = "ada@example.com")]
    email: String,
    /// Current password.
    #[validate(length(min = 1, max = 1024))]
    password: Secret<String>,
    /// Code of the second factor, or a recovery code. Required if a second factor is enabled.
    #[validate(length(min = 1, max = 64))]
    #[input(example = "123456")]
    code: Option<Secret<String>>,
}

/// Request a new email address
///
/// The new address takes effect after you follow the link in the mail to it. The response does not
/// reveal whether another account uses the address.
#[post("/me/email", allow = signed_in, id = "auth_change_email")]
pub(super) async fn ask(
    me: CurrentSession,
    proof: Proof,
    users: Arc<dyn Users>,
    mailbox: Mailbox,
    settings: Arc<EmailSettings>,
    client: Client,
    Json(wanted): Json<NewAddress>,
) -> Result<Accepted<MailAccepted>, Ask> {
    let confirmed = proof.password(&me, wanted.password, &client).await?;
    let code = wanted.code.as_ref().map(|code| code.expose().as_str());
    let confirmed = proof.factor(confirmed, code, &client).await?;
    let email = wanted.email.to_lowercase();
    let owner = users.by_email(&email).await?;
    let is_sent = mailbox.change(&confirmed.user, &email, owner.as_ref());
    if !is_sent.await? {
        confirmed.forgive().await?;
        let seconds = u32::try_from(settings.pause.as_secs()).unwrap_or(u32::MAX);
        return Err(MailTooSoon { seconds }.into());
    }
    confirmed.succeeded().await?;
    Ok(Accepted(MailAccepted::new()))
}

/// Confirm a new email address
///
/// The token comes from the link in the mail. Every session of the account ends.
#[post("/auth/confirm-email", allow = anyone, id = "auth_confirm_email")]
pub(super) async fn confirm(
    one_time: OneTimeTokens,
    users: Arc<dyn Users>,
    sessions: Sessions,
    mailbox: Mailbox,
    log: Arc<dyn SecurityLog>,
    client: Client,
    Json(link): Json<LinkToken>,
) -> Result<NoContent, Follow> {
    let found = one_time
        .redeem(Purpose::ChangeEmail, link.token.expose())
        .await?;
    let payload = found.ok_or(InvalidLink)?;
    let user = users.by_subject(&payload.subject).await?;
    let user = user.filter(|user| !user.disabled).ok_or(InvalidLink)?;
    // Another account may have taken the address since.
    if !users.set_email(&user.subject, &payload.data).await? {
        return Err(InvalidLink.into());
    }
    sessions.end_all(&user.subject).await?;
    one_time.end_all(&user.subject).await?;
    mailbox.was_changed(&user.email).await?;
    let event = SecurityEvent::new(security::EMAIL_CHANGED).subject(&user.subject);
    log.record_on_commit(event.from(client.address, client.agent.as_deref()));
    Ok(NoContent)
}
