//! The routes that verify an email address.

use std::sync::Arc;

use doyen_core::{
    Inject, MailQueue, Problem, Secret, SecurityEvent, SecurityLog, Unexpected, anyone, security,
};
use doyen_macros::post;
use doyen_schema::{Input, Output};
use doyen_web::{Accepted, Client, Json, NoContent};

use super::background::BackgroundWork;
use super::{EmailSettings, InvalidLink, Mailbox};
use crate::Users;
use crate::onetime::{OneTimeTokens, Purpose};

/// The token from a link in a mail.
#[derive(Input)]
pub(super) struct LinkToken {
    /// Value of `token` in the fragment of the link, after the `#`.
    #[validate(length(min = 1, max = 256))]
    pub(super) token: Secret<String>,
}

/// The recipient of a mail.
#[derive(Input)]
#[input(name = "MailRequest")]
pub(super) struct MailRequest {
    /// Email address of the account.
    #[validate(email, length(max = 254))]
    #[input(example = "ada@example.com")]
    pub(super) email: String,
}

/// The response to every request for a mail.
#[derive(Output)]
#[output(name = "MailAccepted")]
pub(super) struct MailAccepted {
    /// Description of the next step.
    detail: &'static str,
}

impl MailAccepted {
    /// Returns the response, which is always the same.
    pub(super) const fn new() -> Self {
        Self {
            detail: "If the address is eligible, a mail is on its way. Delivery can take a minute.",
        }
    }
}

/// Errors when a link is followed.
#[derive(Debug, Problem)]
pub(super) enum Follow {
    /// The link is invalid.
    #[problem(transparent)]
    Invalid(InvalidLink),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The services for the work after the response.
#[derive(Clone, Inject)]
pub(super) struct Asked {
    pub(super) users: Arc<dyn Users>,
    pub(super) mailbox: Mailbox,
    pub(super) log: Arc<dyn SecurityLog>,
    settings: Arc<EmailSettings>,
}

/// Verify your email address
///
/// The token comes from the link in the mail. It can be used once.
#[post("/auth/verify-email", allow = anyone, id = "auth_verify_email")]
pub(super) async fn verify(
    one_time: OneTimeTokens,
    users: Arc<dyn Users>,
    log: Arc<dyn SecurityLog>,
    client: Client,
    Json(link): Json<LinkToken>,
) -> Result<NoContent, Follow> {
    let found = one_time
        .redeem(Purpose::VerifyEmail, link.token.expose())
        .await?;
    let payload = found.ok_or(InvalidLink)?;
    let user = users.by_subject(&payload.subject).await?;
    // The link proves control of this address only.
    let user = user
        .filter(|user| user.email == payload.data)
        .ok_or(InvalidLink)?;
    users.set_verified(&user.subject).await?;
    let event = SecurityEvent::new(security::EMAIL_VERIFIED).subject(&user.subject);
    log.record_on_commit(event.from(client.address, client.agent.as_deref()));
    Ok(NoContent)
}

/// Resend the verification mail
///
/// The response is the same whether or not the account exists and is still to be verified.
#[post("/auth/verify-email/resend", allow = anyone, id = "auth_resend_verification")]
pub(super) async fn resend(
    later: BackgroundWork,
    queue: Arc<dyn MailQueue>,
    Json(to): Json<MailRequest>,
) -> Accepted<MailAccepted> {
    let email = to.email.to_lowercase();
    later.with(&*queue, async move |asked: Asked| {
        let user = asked.users.by_email(&email).await?;
        if let Some(user) =
            user.filter(|user| !user.verified && !user.disabled && asked.settings.must_verify())
        {
            asked
                .mailbox
                .ask_to_verify(&user.subject, &user.email)
                .await?;
        }
        Ok(())
    });
    Accepted(MailAccepted::new())
}
