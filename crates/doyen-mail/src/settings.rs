//! How mail is sent.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::settings::Environment;
use doyen_core::{Clock, Mailer, Secret, Settings};

use crate::{Folder, Nowhere};

/// How mail is sent.
#[derive(Debug, Clone, Settings)]
pub struct MailSettings {
    /// `folder` writes mails to files, for development; `smtp` gives them to a mail server; `none` sends none. Without it: `folder`, and
    /// in `prod` an application with accounts does not start.
    pub transport: Option<Transport>,
    /// Where `folder` puts them.
    #[setting(default = "data/mail")]
    pub folder: PathBuf,
    /// The mail server: `smtps://user:password@host`, or `smtp://user:password@host?tls=required` for STARTTLS. Percent-encode what is not
    /// a letter or a digit in the password.
    pub url: Option<Secret<String>>,
    /// Whom mails are from: `shop@example.com`, or with a name `Shop <shop@example.com>`.
    #[setting(default = "no-reply@localhost")]
    pub from: String,
    /// How long the mail server may take for one mail.
    #[setting(default = "20s", min = "1s", max = "5m")]
    pub timeout: Duration,
}

/// How mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum Transport {
    /// As files in a folder.
    Folder,
    /// To a mail server.
    Smtp,
    /// Not at all.
    None,
}

/// A setting of mail does not fit. It says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadMailSettings {
    /// Its key.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for BadMailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.message)
    }
}

impl std::error::Error for BadMailSettings {}

impl MailSettings {
    /// The adapter that the settings choose. `needed` says that the application has something to send: then it must be said how in `prod`.
    ///
    /// # Errors
    ///
    /// A setting is missing or wrong.
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
                          APP_MAIL__TRANSPORT=none, and nobody can set a forgotten password"
                    .to_owned(),
            }),
            Some(Transport::Folder) | None => Ok(Arc::new(Folder::new(&self.folder, Arc::clone(clock)))),
            Some(Transport::None) => Ok(Arc::new(Nowhere)),
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
