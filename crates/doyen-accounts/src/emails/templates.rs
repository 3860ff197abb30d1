//! The texts of the mails.
//!
//! The token follows a `#` in the link. Browsers do not send that part, so it appears in no server
//! log and no `Referer`. The page reads it and sends it to the route.

use doyen_core::{BadMail, Mail, Secret};

use super::EmailSettings;

/// Writes mails.
pub(super) struct MailTemplates<'a>(pub(super) &'a EmailSettings);

impl MailTemplates<'_> {
    fn name(&self) -> &str {
        self.0.service_name.as_deref().unwrap_or("this service")
    }

    fn link(&self, page: &str, token: &Secret<String>) -> String {
        let base = self.0.link_base.as_deref().unwrap_or_default();
        format!("{base}/{page}#token={}", token.expose())
    }

    /// Verifies the address of a new user.
    pub(super) fn verify(&self, to: &str, token: &Secret<String>) -> Result<Mail, BadMail> {
        let (name, link) = (self.name(), self.link("verify-email", token));
        let text = format!(
            "An account at {name} was created with this address. If you created it, follow this link:\n\n{link}\n\n\
             If you did not, ignore this mail: the account cannot be used without the link.\n"
        );
        Mail::new(to, format!("{name}: is this your address?"), text)
    }

    /// Reports a registration with an address that has an account.
    pub(super) fn has_account(&self, to: &str) -> Result<Mail, BadMail> {
        let name = self.name();
        let text = format!(
            "A registration at {name} used this address, which already has an account. If it was yours, log in, or request a \
             new password.\n\nIf it was not, ignore this mail.\n"
        );
        Mail::new(to, format!("{name}: you have an account already"), text)
    }

    /// Resets the password.
    pub(super) fn reset(&self, to: &str, token: &Secret<String>) -> Result<Mail, BadMail> {
        let (name, link) = (self.name(), self.link("reset-password", token));
        let text = format!(
            "A new password was requested for your account at {name}. If you requested it, follow this link:\n\n{link}\n\n\
             The link can be used once, within {} minutes. If you did not request it, ignore this mail: your password is unchanged.\n",
            self.0.reset_lifetime.as_secs() / 60
        );
        Mail::new(to, format!("{name}: a new password"), text)
    }

    /// Reports a new password.
    pub(super) fn was_reset(&self, to: &str) -> Result<Mail, BadMail> {
        let name = self.name();
        let text = format!(
            "The password of your account at {name} was reset by a link in a mail to you, and all sessions were ended. If you did not do \
             this, another person can read your mail: secure your mailbox first, then request a new password.\n"
        );
        Mail::new(to, format!("{name}: your password was changed"), text)
    }

    /// Verifies a new address.
    pub(super) fn change(&self, to: &str, token: &Secret<String>) -> Result<Mail, BadMail> {
        let (name, link) = (self.name(), self.link("confirm-email", token));
        let text = format!(
            "A user of {name} wants to use this address for their account. If that was you, follow this link:\n\n{link}\n\n\
             If it was not, ignore this mail.\n"
        );
        Mail::new(to, format!("{name}: is this your new address?"), text)
    }

    /// Reports to the old address that a change was requested.
    pub(super) fn change_asked(&self, to: &str) -> Result<Mail, BadMail> {
        let name = self.name();
        let text = format!(
            "A new address was requested for your account at {name}, with your password. If that was not you, change your password \
             now: this cancels the request.\n"
        );
        Mail::new(
            to,
            format!("{name}: another address for your account"),
            text,
        )
    }

    /// Reports to the old address that it was changed.
    pub(super) fn was_changed(&self, to: &str) -> Result<Mail, BadMail> {
        let name = self.name();
        let text = format!(
            "The address of your account at {name} was changed. This address can no longer log in and gets no further mails. If that was not \
             you, contact {name}.\n"
        );
        Mail::new(to, format!("{name}: your address was changed"), text)
    }
}
