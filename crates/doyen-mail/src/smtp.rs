//! Delivery over SMTP.

use std::fmt;
use std::time::Duration;

use doyen_core::{Mail, Mailer, NotDelivered, port};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{Address, AsyncTransport as _, Tokio1Executor};

/// Delivers mails to a mail server. Each mail has its own connection: a service sends few, and a
/// broken one does not delay the next.
///
/// Without TLS only a server on this machine is accepted. Elsewhere the links and the password of
/// the mail server could be read on the network.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Smtp {
    /// Creates a mailer with this mail server (`smtps://user:password@host`), sender and timeout
    /// for one mail.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL or the sender is invalid.
    pub fn new(url: &str, from: &str, timeout: Duration) -> Result<Self, BadSmtp> {
        let from: Mailbox = from.parse().map_err(|_| BadSmtp::From)?;
        let at = Target::read(url).ok_or(BadSmtp::Url)?;
        if !at.private && !at.local {
            return Err(BadSmtp::Open);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| BadSmtp::Url)?
            .timeout(Some(timeout))
            .build();
        Ok(Self {
            transport,
            from,
            timeout,
        })
    }

    fn message(&self, mail: &Mail) -> Result<Message, lettre::error::Error> {
        let to: Address = mail
            .to()
            .parse()
            .map_err(|_| lettre::error::Error::MissingTo)?;
        let id = format!(
            "<{}@{}>",
            uuid::Uuid::new_v4().simple(),
            self.from.email.domain()
        );
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject())
            .message_id(Some(id))
            // RFC 3834: prevents automatic replies.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            // Every server on the way accepts seven bits.
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(mail.text().to_owned())
    }
}

#[port]
impl Mailer for Smtp {
    async fn deliver(&self, mail: &Mail) -> Result<(), NotDelivered> {
        let message = self.message(mail).map_err(NotDelivered::permanent)?;
        // A timeout for all of it: that of the transport ends with the connection, and the server
        // may not respond after that.
        let sent = tokio::time::timeout(self.timeout, self.transport.send(message));
        let Ok(sent) = sent.await else {
            return Err(NotDelivered::retryable("the mail server took too long"));
        };
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() || error.is_client() => {
                Err(NotDelivered::permanent(error))
            }
            Err(error) => Err(NotDelivered::retryable(error)),
        }
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// The parts of the URL that decide whether the connection is secure.
struct Target {
    /// TLS is required, so that an attacker on the network cannot downgrade the connection.
    private: bool,
    /// True for this machine.
    local: bool,
}

impl Target {
    fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, query) = match rest.find(['/', '?', '#']) {
            Some(at) => (
                &rest[..at],
                rest[at..].split_once('?').map_or("", |(_, query)| query),
            ),
            None => (rest, ""),
        };
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let name = match host.strip_prefix('[') {
            Some(six) => six.split(']').next()?,
            None => host.split(':').next()?,
        };
        if name.is_empty() {
            return None;
        }
        let words: Vec<&str> = query.split('&').filter(|word| !word.is_empty()).collect();
        let private = match (scheme, words.as_slice()) {
            ("smtps", []) | ("smtp", ["tls=required"]) => true,
            ("smtp", []) => false,
            _ => return None,
        };
        let ip: Option<std::net::IpAddr> = name.parse().ok();
        let local = name == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
        Some(Self { private, local })
    }
}

/// An invalid option. The message never shows the URL, which contains a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadSmtp {
    /// The URL.
    Url,
    /// The URL asks for plain text.
    Open,
    /// The sender.
    From,
}

impl fmt::Display for BadSmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadSmtp::Url => "must be `smtps://user:password@host`, or `smtp://user:password@host?tls=required` for STARTTLS, with what is no letter or digit in the password percent-encoded",
            BadSmtp::Open => "would send mails and the password where all on the way can read them: write `smtps://`, or `smtp://...?tls=required`. Without TLS only `localhost` is reached",
            BadSmtp::From => "must be an address, `shop@example.com`, perhaps with a name, `Shop <shop@example.com>`",
        })
    }
}

impl std::error::Error for BadSmtp {}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(1);

    fn why(url: &str, from: &str) -> Option<BadSmtp> {
        Smtp::new(url, from, TIME).err()
    }

    #[tokio::test]
    async fn mails_are_never_sent_in_the_open() {
        let from = "Shop <shop@example.com>";
        for good in [
            "smtps://u:p%40ss@mail.example.com",
            "smtps://mail.example.com:465",
            "smtp://u:p@mail.example.com:587?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:2525",
            "smtp://localhost",
        ] {
            assert_eq!(why(good, from), None, "{good}");
        }
        for open in [
            "smtp://mail.example.com",
            "smtp://u:p@mail.example.com:587",
            "smtp://localhost@mail.example.com",
            "smtp://localhost:x@mail.example.com",
            "smtp://127.0.0.1.example.com",
        ] {
            assert_eq!(why(open, from), Some(BadSmtp::Open), "{open}");
        }
        for bad in [
            "mail.example.com",
            "smtp://u:p@mail.example.com?tls=opportunistic",
            "smtp://mail.example.com?tls=required&tls=opportunistic",
            "https://mail.example.com",
            "smtps://",
            "",
        ] {
            assert_eq!(why(bad, from), Some(BadSmtp::Url), "{bad}");
        }
    }

    #[tokio::test]
    async fn the_sender_is_an_address() {
        for from in [
            "",
            "shop",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com, b@example.com",
        ] {
            assert_eq!(
                why("smtp://localhost", from),
                Some(BadSmtp::From),
                "{from:?}"
            );
        }
    }
}
