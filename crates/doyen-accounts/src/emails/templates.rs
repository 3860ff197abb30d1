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
            "Somebody made an account at {name} with this address. If that was you, follow this link:\n\n{link}\n\n\
             If it was not you, do nothing: without the link the account cannot be used.\n"
        );
        Mail::new(to, format!("{name}: is this your address?"), text)
    }

    /// Reports a registration with an address that has an account.
    pub(super) fn has_account(&self, to: &str) -> Result<Mail, BadMail> {
        let name = self.name();
        let text = format!(
            "Somebody tried to make an account at {name} with this address, which has one already. If that was you, log in, or ask for a new \
             password if you forgot yours.\n\nIf it was not you, you need not do anything.\n"
        );
        Mail::new(to, format!("{name}: you have an account already"), text)
    }

    /// Resets the password.
    pub(super) fn reset(&self, to: &str, token: &Secret<String>) -> Result<Mail, BadMail> {
        let (name, link) = (self.name(), self.link("reset-password", token));
        let text = format!(
            "Somebody asked for a new password for your account at {name}. If that was you, follow this link:\n\n{link}\n\n\
             It is good for {} minutes, and once. If it was not you, do nothing: your password stays as it is.\n",
            self.0.reset_lifetime.as_secs() / 60
        );
        Mail::new(to, format!("{name}: a new password"), text)
    }

    /// Reports a new password.
    pub(super) fn was_reset(&self, to: &str) -> Result<Mail, BadMail> {
        let name = self.name();
        let text = format!(
            "The password of your account at {name} was set by a link in a mail to you, and everybody was logged out. If that was not you, \
             somebody reads your mail: see to your mailbox first, then ask for a new password.\n"
        );
        Mail::new(to, format!("{name}: your password was changed"), text)
    }

    /// Verifies a new address.
    pub(super) fn change(&self, to: &str, token: &Secret<String>) -> Result<Mail, BadMail> {
        let (name, link) = (self.name(), self.link("confirm-email", token));
        let text = format!(
            "Somebody wants to use this address for their account at {name}. If that was you, follow this link:\n\n{link}\n\n\
             If it was not you, do nothing.\n"
        );
        Mail::new(to, format!("{name}: is this your new address?"), text)
    }

    /// Reports to the old address that a change was requested.
    pub(super) fn change_asked(&self, to: &str) -> Result<Mail, BadMail> {
        let name = self.name();
        let text = format!(
            "Somebody who knows your password asked to use another address for your account at {name}. If that was not you, change your \
             password now: that ends it.\n"
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
            "Your account at {name} has another address now. Mails go there, and this address no longer logs in. If that was not you, tell \
             {name}.\n"
        );
        Mail::new(to, format!("{name}: your address was changed"), text)
    }
}
