//! The texts of the mails, which an application can replace.
//!
//! The token follows a `#` in the link. Browsers do not send that part, so it appears in no server
//! log and no `Referer`. The page reads it and sends it to the route.

use std::fmt;
use std::time::Duration;

use doyen_core::{BadMail, Mail, Secret};

use super::EmailSettings;

/// A mail about an account, for [`MailTexts`]. `Debug` does not show the link, which works like a
/// password.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct AccountMail<'a> {
    /// What it is about.
    pub kind: AccountMailKind,
    /// The name of the service: `auth.email.service_name`.
    pub service: &'a str,
    /// The link to follow. Empty for a notice.
    pub link: &'a str,
    /// Time for which the link is valid. Zero for a notice.
    pub lifetime: Duration,
}

impl fmt::Debug for AccountMail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountMail")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a mail about an account is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountMailKind {
    /// Verifies the address of a new user.
    Verify,
    /// Reports a registration with an address that has an account.
    HasAccount,
    /// Resets the password.
    Reset,
    /// Reports a new password.
    WasReset,
    /// Verifies a new address.
    Change,
    /// Reports to the old address that a change was requested.
    ChangeAsked,
    /// Reports to the old address that it was changed.
    WasChanged,
}

/// The text of a mail. `Debug` shows its subject only.
#[derive(Clone, PartialEq, Eq)]
pub struct MailText {
    /// Subject, in one line of at most 200 characters.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

impl fmt::Debug for MailText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailText")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Writes the mails about accounts, for [`Accounts::mail_texts`](crate::Accounts::mail_texts).
/// `None` selects the default text.
pub type MailTexts = fn(&AccountMail<'_>) -> Option<MailText>;

/// The texts of the application.
#[derive(Clone, Copy)]
pub(crate) struct OwnTexts(pub(crate) Option<MailTexts>);

/// Writes mails.
pub(super) struct MailTemplates<'a> {
    pub(super) settings: &'a EmailSettings,
    pub(super) own: OwnTexts,
}

impl MailTemplates<'_> {
    /// Writes a mail with a link, if there is a token.
    pub(super) fn write(
        &self,
        kind: AccountMailKind,
        to: &str,
        token: Option<&Secret<String>>,
    ) -> Result<Mail, BadMail> {
        let settings = self.settings;
        let (page, lifetime) = match kind {
            AccountMailKind::Verify => ("verify-email", settings.verify_lifetime),
            AccountMailKind::Reset => ("reset-password", settings.reset_lifetime),
            AccountMailKind::Change => ("confirm-email", settings.change_lifetime),
            _ => ("", Duration::ZERO),
        };
        let base = settings.link_base.as_deref().unwrap_or_default();
        let link = token.map(|token| format!("{base}/{page}#token={}", token.expose()));
        let mail = AccountMail {
            kind,
            service: settings.service_name.as_deref().unwrap_or("this service"),
            link: link.as_deref().unwrap_or_default(),
            lifetime,
        };
        let own = self.own.0.and_then(|texts| texts(&mail));
        let MailText { subject, text } = own.unwrap_or_else(|| default_text(&mail));
        Mail::new(to, subject, text)
    }
}

fn default_text(mail: &AccountMail<'_>) -> MailText {
    let AccountMail {
        service: name,
        link,
        ..
    } = mail;
    let (subject, text) = match mail.kind {
        AccountMailKind::Verify => (
            "is this your address?",
            format!(
                "An account at {name} was created with this address. If you created it, follow this link:\n\n{link}\n\n\
             If you did not, ignore this mail: the account cannot be used without the link.\n"
            ),
        ),
        AccountMailKind::HasAccount => (
            "you have an account already",
            format!(
                "A registration at {name} used this address, which already has an account. If it was yours, log in, or request a \
             new password.\n\nIf it was not, ignore this mail.\n"
            ),
        ),
        AccountMailKind::Reset => (
            "a new password",
            format!(
                "A new password was requested for your account at {name}. If you requested it, follow this link:\n\n{link}\n\n\
             The link can be used once, within {} minutes. If you did not request it, ignore this mail: your password is unchanged.\n",
                mail.lifetime.as_secs() / 60
            ),
        ),
        AccountMailKind::WasReset => (
            "your password was changed",
            format!(
                "The password of your account at {name} was reset by a link in a mail to you, and all sessions were ended. If you did not do \
             this, another person can read your mail: secure your mailbox first, then request a new password.\n"
            ),
        ),
        AccountMailKind::Change => (
            "is this your new address?",
            format!(
                "A user of {name} wants to use this address for their account. If that was you, follow this link:\n\n{link}\n\n\
             If it was not, ignore this mail.\n"
            ),
        ),
        AccountMailKind::ChangeAsked => (
            "another address for your account",
            format!(
                "A new address was requested for your account at {name}, with your password. If that was not you, change your password \
             now: this cancels the request.\n"
            ),
        ),
        AccountMailKind::WasChanged => (
            "your address was changed",
            format!(
                "The address of your account at {name} was changed. This address can no longer log in and gets no further mails. If that was not \
             you, contact {name}.\n"
            ),
        ),
    };
    MailText {
        subject: format!("{name}: {subject}"),
        text,
    }
}
