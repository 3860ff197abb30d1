//! Mail: what is sent to a person, and the port that delivers it.
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

use crate::port;

/// The longest address that can be mailed to (RFC 5321 section 4.5.3.1).
const LONGEST_ADDRESS: usize = 254;
/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;

/// One mail to one address, as plain text. It may hold a link that is as good as a password, so it
/// prints without its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    to: String,
    subject: String,
    text: String,
}

impl Mail {
    /// A mail.
    ///
    /// # Errors
    ///
    /// The address or the subject could become something else in the header of a mail.
    pub fn new(
        to: impl Into<String>,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Result<Self, BadMail> {
        let (to, subject, text) = (to.into(), subject.into(), text.into());
        if !is_address(&to) {
            return Err(BadMail::Address);
        }
        if subject.chars().any(char::is_control) || subject.chars().count() > LONGEST_SUBJECT {
            return Err(BadMail::Subject);
        }
        if text.contains('\0') {
            return Err(BadMail::Text);
        }
        Ok(Self { to, subject, text })
    }

    /// The address it goes to.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The line that says what it is about.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What it says.
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

/// One address and nothing else: no list, no name in front, no comment, nothing that ends a line.
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
    halves && text.len() <= LONGEST_ADDRESS && text.chars().all(plain)
}

/// What cannot be sent. It never shows the value.
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
            BadMail::Address => "the address must be one plain e-mail address",
            BadMail::Subject => "the subject must be one line of at most 200 characters",
            BadMail::Text => "the text must not hold NUL",
        })
    }
}

impl Error for BadMail {}

/// Delivers mail. The adapters are in `doyen-mail`; a service of a provider becomes one by
/// implementing this.
///
/// It is called outside of requests, so it may take its time; a request hands its mail to a queue
/// instead.
#[port]
pub trait Mailer {
    /// Delivers a mail, or says why not.
    ///
    /// # Errors
    ///
    /// It was not delivered; the error says whether to try again.
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

/// Whether mail is delivered. The plugin that delivers mail contributes it, so that others can
/// check their settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailDelivery {
    /// Mails are delivered.
    On,
    /// Mails are dropped, because the settings say so.
    Off,
}

/// A mail was not delivered.
pub struct NotDelivered {
    again: bool,
    cause: Box<dyn Error + Send + Sync>,
}

impl NotDelivered {
    /// For now: the same mail may go through later.
    pub fn retryable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            again: true,
            cause: cause.into(),
        }
    }

    /// For good: another try would end the same.
    pub fn permanent(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            again: false,
            cause: cause.into(),
        }
    }

    /// Whether another try may go through.
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
