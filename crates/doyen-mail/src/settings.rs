//! The settings of outgoing mail.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::{Clock, Mailer, Secret};
use doyen_settings::{Environment, Settings};

use crate::{FileMailer, NullMailer};

/// Outgoing mail.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct MailSettings {
    /// Transport for mail: `folder` writes mails to files, for development; `smtp` sends them to a
    /// mail server; `none` sends no mail. If not set, `folder`; in `prod`, an application with
    /// accounts then refuses to start.
    pub transport: Option<Transport>,
    /// Directory for the transport `folder`.
    #[setting(default = "data/mail")]
    pub folder: PathBuf,
    /// URL of the mail server: `smtps://user:password@host`, or
    /// `smtp://user:password@host?tls=required` for STARTTLS. In the password, percent-encode every
    /// character other than letters and digits.
    pub url: Option<Secret<String>>,
    /// Sender address: `shop@example.com`, or with a name `Shop <shop@example.com>`.
    #[setting(default = "no-reply@localhost")]
    pub from: String,
    /// Maximum time for the mail server to accept one mail. The delivery attempt then fails.
    #[setting(default = "20s", min = "1s", max = "5m")]
    pub timeout: Duration,
}

/// Transport for outgoing mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum Transport {
    /// Files in a directory.
    Folder,
    /// A mail server.
    Smtp,
    /// No mail.
    None,
}

/// An invalid mail setting. The message says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadMailSettings {
    /// Key of the setting.
    pub key: &'static str,
    /// Description of the error and of the fix.
    pub message: String,
}

impl fmt::Display for BadMailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.message)
    }
}

impl std::error::Error for BadMailSettings {}

impl MailSettings {
    /// Returns the mailer that the settings select. `needed` is true if the application sends mail;
    /// `prod` then requires an explicit transport.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting is missing or invalid.
    pub fn mailer(
        &self,
        environment: Environment,
        needed: bool,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<dyn Mailer>, BadMailSettings> {
        match self.transport {
            None if environment.is_prod() && needed => Err(BadMailSettings {
                key: "mail.transport",
                message: "it is not set, and accounts send mail. In `prod` set APP_MAIL__TRANSPORT=smtp, APP_MAIL__URL and APP_MAIL__FROM; or \
                          APP_MAIL__TRANSPORT=none, and users cannot reset a forgotten password"
                    .to_owned(),
            }),
            Some(Transport::Folder) | None => Ok(Arc::new(FileMailer::new(&self.folder, Arc::clone(clock)))),
            Some(Transport::None) => Ok(Arc::new(NullMailer)),
            Some(Transport::Smtp) => self.smtp(),
        }
    }

    #[cfg(feature = "smtp")]
    fn smtp(&self) -> Result<Arc<dyn Mailer>, BadMailSettings> {
        use crate::smtp::{BadSmtp, Smtp};
        let Some(url) = &self.url else {
            return Err(BadMailSettings {
                key: "mail.url",
                message: "it is not set, and `mail.transport` is `smtp`. Set APP_MAIL__URL to `smtps://user:password@host`".to_owned(),
            });
        };
        match Smtp::new(url.expose(), &self.from, self.timeout) {
            Ok(smtp) => Ok(Arc::new(smtp)),
            Err(error) => Err(BadMailSettings {
                key: match error {
                    BadSmtp::From => "mail.from",
                    _ => "mail.url",
                },
                message: error.to_string(),
            }),
        }
    }

    #[cfg(not(feature = "smtp"))]
    fn smtp(&self) -> Result<Arc<dyn Mailer>, BadMailSettings> {
        Err(BadMailSettings {
            key: "mail.transport",
            message: "`smtp` is not built in: switch on the feature `smtp` of `doyen`".to_owned(),
        })
    }
}
