//! The routes that reset a password.

use std::sync::Arc;

use doyen_auth::{PasswordRules, Passwords, WeakPassword};
use doyen_core::{
    At, Failures, Invalid, MailQueue, Place, Problem, Secret, SecurityEvent, SecurityLog,
    Unexpected, anyone, security,
};
use doyen_data::Session;
use doyen_macros::post;
use doyen_schema::Input;
use doyen_web::{Accepted, Client, Json, NoContent};

use super::background::BackgroundWork;
use super::verify::{Asked, MailAccepted, MailRequest};
use super::{EmailSettings, InvalidLink, Mailbox};
use crate::Users;
use crate::onetime::{OneTimeTokens, Purpose};
use crate::sessions::{SessionEngine, Sessions};
use crate::throttle::Throttle;

/// Errors when a password is reset.
#[derive(Debug, Problem)]
pub(super) enum Reset {
    /// The link is invalid.
    #[problem(transparent)]
    Link(InvalidLink),
    /// The password is rejected.
    #[problem(transparent)]
    Weak(Invalid),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Request a password reset
///
/// Sends a mail with a link to set a new password. The response and its timing are the same whether
/// or not the account exists.
#[post("/auth/forgot-password", allow = anyone, id = "auth_forgot_password")]
pub(super) async fn forgot(
    later: BackgroundWork,
    queue: Arc<dyn MailQueue>,
    client: Client,
    Json(to): Json<MailRequest>,
) -> Accepted<MailAccepted> {
    let email = to.email.to_lowercase();
    later.with(&*queue, async move |asked: Asked| {
        let user = asked.users.by_email(&email).await?;
        if let Some(user) = user.filter(|user| !user.disabled)
            && asked.mailbox.reset(&user).await?
        {
            let event = SecurityEvent::new(security::PASSWORD_RESET_ASKED).subject(&user.subject);
            asked
                .log
                .record_on_commit(event.from(client.address, client.agent.as_deref()));
        }
        Ok(())
    });
    Accepted(MailAccepted::new())
}

/// A new password for an account.
#[derive(Input)]
pub(super) struct PasswordReset {
    /// Value of `token` in the fragment of the link, after the `#`.
    #[validate(length(min = 1, max = 256))]
    token: Secret<String>,
    /// New password. Short and common passwords are rejected; the default minimum is 8 characters.
    #[validate(length(min = 1, max = 128))]
    #[input(example = "correct horse battery staple")]
    password: Secret<String>,
}

/// Reset your password
///
/// The token comes from the link in the mail. Every session of the account ends. The next login
/// still requires the second factor, if one is enabled.
#[post("/auth/reset-password", allow = anyone, id = "auth_reset_password")]
#[expect(
    clippy::too_many_arguments,
    reason = "each is injected or read from the request"
)]
pub(super) async fn reset(
    one_time: OneTimeTokens,
    engine: Arc<SessionEngine>,
    passwords: Arc<Passwords>,
    rules: Arc<PasswordRules>,
    change: Change,
    settings: Arc<EmailSettings>,
    client: Client,
    Json(given): Json<PasswordReset>,
) -> Result<NoContent, Reset> {
    // Before the link is looked at, as for every other invalid field.
    let password = rules.check(given.password.expose());
    let password = password.map_err(|why| weak("password", &rules, why))?;
    // Outside of the transaction, because hashing is slow.
    let token = given.token.expose();
    let payload = one_time.peek(Purpose::ResetPassword, token).await?;
    let payload = payload.ok_or(InvalidLink)?;
    let user = engine.user(&payload.subject).await?.ok_or(InvalidLink)?;
    let service = settings.service_name.as_deref().unwrap_or_default();
    let known = [user.email.as_str(), service];
    let password = rules.check_personal(password, &known);
    let password = password.map_err(|why| weak("password", &rules, why))?;
    let hash = passwords.hash(password).await?;
    change.set(token, &hash, &client).await
}

/// Sets a password, in the transaction.
#[derive(Clone, doyen_core::Inject)]
pub(super) struct Change {
    session: Session,
    one_time: OneTimeTokens,
    users: Arc<dyn Users>,
    sessions: Sessions,
    throttle: Throttle,
    mailbox: Mailbox,
    log: Arc<dyn SecurityLog>,
}

impl Change {
    async fn set(&self, token: &str, hash: &str, client: &Client) -> Result<NoContent, Reset> {
        let payload = self.one_time.redeem(Purpose::ResetPassword, token).await?;
        let payload = payload.ok_or(InvalidLink)?;
        let user = self.users.by_subject(&payload.subject).await?;
        // The link proves control of this address only.
        let user = user
            .filter(|user| user.email == payload.data && !user.disabled)
            .ok_or(InvalidLink)?;
        let subject = &*user.subject;
        self.users.set_password(subject, hash).await?;
        if !user.verified {
            // The link proves control of the address.
            self.users.set_verified(subject).await?;
        }
        // End all sessions and all other links.
        self.sessions.end_all(subject).await?;
        self.one_time.end_all(subject).await?;
        self.throttle
            .forget_networks(&self.session, subject)
            .await?;
        self.mailbox.was_reset(&user).await?;
        let event = SecurityEvent::new(security::PASSWORD_RESET).subject(subject);
        self.log
            .record_on_commit(event.from(client.address, client.agent.as_deref()));
        Ok(NoContent)
    }
}

/// Returns the validation failure for a rejected password.
pub(crate) fn weak(field: &'static str, rules: &PasswordRules, why: WeakPassword) -> Invalid {
    let mut failures = Failures::new();
    At::root(Place::Body)
        .field(field)
        .fail(&mut failures, why.code(), rules.explain(why));
    Invalid(failures)
}
