//! Mail to users, and the port that delivers it.
//!
//! ```
//! use doyen_core::Mail;
//!
//! let mail = Mail::new("ada@example.com", "Your order", "It is on its way.").unwrap();
//! assert_eq!(mail.to(), "ada@example.com");
//! assert!(Mail::new("ada@example.com\r\nBcc: all@example.com", "Your order", "").is_err());
//! ```
//!
//! What it does not do: no attachments, no HTML, and one address each.

use std::error::Error;
use std::fmt;

use crate::{Unexpected, port};

/// Maximum length of an address (RFC 5321 section 4.5.3.1).
const MAX_ADDRESS_BYTES: usize = 254;
/// Maximum length of a subject, in characters.
const MAX_SUBJECT_CHARS: usize = 200;

/// A mail to one address, as plain text. It may contain a link that works like a password, so
/// `Debug` does not show its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    to: String,
    subject: String,
    text: String,
}

impl Mail {
    /// Creates a mail.
    ///
    /// # Errors
    ///
    /// Returns an error if the address or the subject could change the header of the mail, or if
    /// the text contains NUL.
    pub fn new(
        to: impl Into<String>,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Result<Self, BadMail> {
        let (to, subject, text) = (to.into(), subject.into(), text.into());
        if !is_address(&to) {
            return Err(BadMail::Address);
        }
        if subject.chars().any(char::is_control) || subject.chars().count() > MAX_SUBJECT_CHARS {
            return Err(BadMail::Subject);
        }
        if text.contains('\0') {
            return Err(BadMail::Text);
        }
        Ok(Self { to, subject, text })
    }

    /// Returns the address.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Returns the subject.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("to", &self.to)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// True for one plain address: no list, no display name, no comment, no line break.
fn is_address(text: &str) -> bool {
    let plain = |c: char| {
        !c.is_control()
            && !c.is_whitespace()
            && !matches!(
                c,
                '<' | '>' | ',' | ';' | ':' | '"' | '\\' | '(' | ')' | '[' | ']'
            )
    };
    let halves = text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    halves && text.len() <= MAX_ADDRESS_BYTES && text.chars().all(plain)
}

/// Invalid part of a mail. It never shows the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadMail {
    /// The address.
    Address,
    /// The subject.
    Subject,
    /// The text.
    Text,
}

impl fmt::Display for BadMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadMail::Address => "the address must be one plain email address",
            BadMail::Subject => "the subject must be one line of at most 200 characters",
            BadMail::Text => "the text must not contain NUL",
        })
    }
}

impl Error for BadMail {}

/// Delivers mail. The adapters are in `doyen-mail`; implement it for the API of a provider.
///
/// It is called outside of requests, so it may take its time; requests use a queue.
#[port]
pub trait Mailer {
    /// Delivers a mail.
    ///
    /// # Errors
    ///
    /// Returns an error if the mail was not delivered; the error states whether to retry.
    async fn deliver(&self, mail: &Mail) -> Result<(), NotDelivered>;
}

/// The port for work that no response waits for: mails, and steps whose duration would reveal
/// something.
pub trait MailQueue: Send + Sync {
    /// Sends a mail in the background. Within a unit of work, call it after the commit: a mail that
    /// was sent cannot be rolled back.
    fn send(&self, mail: Mail);

    /// Runs work in the background.
    fn spawn(&self, work: crate::inject::BoxFuture<'static, ()>);
}

/// The port for mails about a change: a mail is delivered if and only if the unit of work commits.
/// The plugin `mail` supplies it, per request.
///
/// With the plugin `jobs`, a mail is a background job that commits with the change, so that a crash
/// does not lose it. Without, it waits in memory after the commit.
#[port]
pub trait MailOutbox {
    /// Sends a mail with the running unit of work.
    ///
    /// # Errors
    ///
    /// Returns an error if the mail cannot be stored.
    async fn send(&self, mail: Mail) -> Result<(), Unexpected>;

    /// Writes as much as [`send`](Self::send), and sends nothing: the duration of a request must
    /// not reveal whether there is a mail.
    ///
    /// # Errors
    ///
    /// Returns an error where `send` would.
    async fn send_nothing(&self) -> Result<(), Unexpected>;
}

/// States whether mail is delivered. The plugin that delivers mail contributes it, so that other
/// plugins can check their settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailDelivery {
    /// Mails are delivered.
    On,
    /// Mails are dropped by configuration.
    Off,
}

/// A mail was not delivered.
pub struct NotDelivered {
    again: bool,
    cause: Box<dyn Error + Send + Sync>,
}

impl NotDelivered {
    /// Creates a temporary failure: a retry may succeed.
    pub fn retryable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            again: true,
            cause: cause.into(),
        }
    }

    /// Creates a permanent failure: a retry would fail the same way.
    pub fn permanent(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            again: false,
            cause: cause.into(),
        }
    }

    /// True if a retry may succeed.
    pub const fn may_try_again(&self) -> bool {
        self.again
    }
}

impl fmt::Debug for NotDelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotDelivered")
            .field("again", &self.again)
            .field("cause", &self.cause)
            .finish()
    }
}

impl fmt::Display for NotDelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mail was not delivered")
    }
}

impl Error for NotDelivered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_header_cannot_be_added() {
        for to in [
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com\nX: y",
            "a@example.com\r",
            "a@example.com\u{0}",
            "a@example.com, b@example.com",
            "Ann <a@example.com>",
            "a@example.com b@example.com",
            "a@b@example.com",
            "\"a\r\n\"@example.com",
            "a(x)@example.com",
            "@example.com",
            "a@",
            "",
            &format!("{}@example.com", "a".repeat(250)),
        ] {
            assert_eq!(
                Mail::new(to, "s", "t").unwrap_err(),
                BadMail::Address,
                "{to:?}"
            );
        }
        for subject in [
            "a\r\nBcc: b@example.com",
            "a\nb",
            "a\u{85}b",
            &"x".repeat(201),
        ] {
            assert_eq!(
                Mail::new("a@example.com", subject, "t").unwrap_err(),
                BadMail::Subject,
                "{subject:?}"
            );
        }
        assert!(
            Mail::new(
                "jürgen.o'neil+x@exämple.com",
                "Schöne Grüße 😀",
                "a\r\n.\r\nb"
            )
            .is_ok()
        );
    }

    #[test]
    fn it_prints_without_its_text() {
        let mail = Mail::new("a@example.com", "s", "https://x/#token=secret").unwrap();
        assert!(!format!("{mail:?}").contains("secret"));
    }
}
